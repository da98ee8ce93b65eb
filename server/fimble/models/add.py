"""Install a model that has no shipped manifest: a GGUF file, a checkpoint folder, a hub repository."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Container
from pathlib import Path
from typing import Any

from fimble import manifest as manifests
from fimble.errors import ModelFilesError, UsageError
from fimble.manifest import ModelManifest
from fimble.models import convert_hf, describe, download_checkpoint
from fimble.models.gguf_file import MAGIC, GgufFile
from fimble.models.install import InstallOptions, convert_gguf_into, manifest_text, quantization_for
from fimble.models.part_file import disk_error
from fimble.models.progress import NoProgress, Progress
from fimble.models.record import InstalledModel, sha256_of, write_record
from fimble.models.store import MODEL_ID, ModelStore

REPOSITORY = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
CONTEXT_DEFAULT_TOKENS = 2048


def add(
    store: ModelStore,
    source: str,
    model_id: str | None = None,
    options: InstallOptions | None = None,
    progress: Progress | None = None,
) -> InstalledModel:
    """Install the model that `source` names: a path, or `owner/name[@revision]` on a hub.

    A GGUF file with the hash of a shipped manifest is installed as that model.
    Errors: UsageError for a source or id that cannot be; ModelError; NoSourceError; DiskFullError.
    """
    options, progress = options or InstallOptions(), progress or NoProgress()
    path = Path(source).expanduser()
    if path.is_file():
        return _add_gguf(store, path, model_id, options, progress)
    if options.vocabulary != "full":
        raise UsageError("only GGUF files can be cut to the code vocabulary", "leave `--vocabulary` out")
    if path.is_dir():
        return _add_checkpoint(store, path, model_id or path.resolve().name, "local", options, progress)
    named = REPOSITORY.fullmatch(source)
    if not named or source.startswith("."):
        raise UsageError(f"`{source}` is neither a file, a folder nor a hub repository", "give a path or `owner/name`")
    return _add_repository(store, named["name"], named["revision"] or "main", model_id, options, progress)


def _add_gguf(
    store: ModelStore, path: Path, model_id: str | None, options: InstallOptions, progress: Progress
) -> InstalledModel:
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ModelFilesError(
                f"`{path}` is not a GGUF file", "give a GGUF file, a checkpoint folder or `owner/name`"
            )
    sha256 = sha256_of(path)
    shipped = next((m for m in map(manifests.load, manifests.known_ids()) if m.sha256 == sha256), None)
    if shipped and model_id in (None, shipped.model_id):
        manifest, text = shipped, manifest_text(shipped.model_id)
    else:
        manifest = _describe_gguf(path, sha256, _checked_id(store, model_id or path.stem, options))
        text = describe.render_manifest(manifest)
    with store.locked(manifest.model_id, lambda: progress.note("waiting for another process")):
        convert_gguf_into(store, manifest, text, path, options, progress)
        return store.get(manifest.model_id)


def _describe_gguf(path: Path, sha256: str, model_id: str) -> ModelManifest:
    # Imported here: it brings ctranslate2's writer with it.
    from fimble.models.convert_gguf import check_architecture, read_vocabulary

    with GgufFile(path) as file:
        check_architecture(file)
        vocabulary, _ = read_vocabulary(file)
        metadata, tokens = file.metadata, set(vocabulary.tokens)
    family = metadata["general.architecture"]
    end_index = metadata.get("tokenizer.ggml.eos_token_id")
    declared = [vocabulary.tokens[end_index]] if end_index is not None else []
    start_index = metadata.get("tokenizer.ggml.bos_token_id") if metadata.get("tokenizer.ggml.add_bos_token") else None
    start = vocabulary.tokens[start_index] if start_index is not None else ""
    return ModelManifest(
        model_id=model_id,
        title=str(metadata.get("general.name", model_id)),
        publisher=str(metadata.get("general.organization", "local")),
        licence=str(metadata.get("general.license", "unknown")),
        family=family,
        format="gguf",
        n_file_bytes=path.stat().st_size,
        sha256=sha256,
        sources=(),
        fim=describe.detect_fim(tokens, family, start),
        chat=describe.detect_chat(tokens, str(metadata.get("tokenizer.chat_template", ""))),
        end_tokens=describe.detect_end_tokens(tokens, declared),
        context_tokens=int(metadata.get(f"{family}.context_length", CONTEXT_DEFAULT_TOKENS)),
    )


def _add_repository(
    store: ModelStore,
    repository: str,
    revision: str,
    model_id: str | None,
    options: InstallOptions,
    progress: Progress,
) -> InstalledModel:
    model_id = _checked_id(store, model_id or repository.rpartition("/")[2], options)
    folder = store.download_dir / re.sub(r"[^\w.-]", "--", f"{repository}@{revision}")
    with store.locked(model_id, lambda: progress.note("waiting for another process")):
        folder.mkdir(parents=True, exist_ok=True)
        download_checkpoint.fetch(repository, revision, folder, progress)
    model = _add_checkpoint(store, folder, model_id, repository.partition("/")[0], options, progress)
    if not options.keep_download:
        shutil.rmtree(folder, ignore_errors=True)
    return model


def _add_checkpoint(
    store: ModelStore, path: Path, model_id: str, publisher: str, options: InstallOptions, progress: Progress
) -> InstalledModel:
    model_id = _checked_id(store, model_id, options)
    config = convert_hf.read_config(path)
    with (
        store.locked(model_id, lambda: progress.note("waiting for another process")),
        store.staged(model_id) as staging,
    ):
        try:
            progress.note(f"Converting `{path}`")
            quantization = "int8" if options.quantization == "auto" else options.quantization
            start = convert_hf.convert(path, staging, quantization)
            tokens = set(json.loads((staging / "vocabulary.json").read_text(encoding="utf-8")))
            manifest = _describe_checkpoint(path, config, model_id, publisher, tokens, start)
            text = describe.render_manifest(manifest)
            write_record(staging, text, quantization_for(manifest, options), "full")
        except OSError as error:
            raise disk_error(error, staging) from error
    return store.get(model_id)


def _describe_checkpoint(
    path: Path, config: dict[str, Any], model_id: str, publisher: str, tokens: Container[str], start: str
) -> ModelManifest:
    tokenizer_config = _json_of(path / "tokenizer_config.json")
    template_path = path / "chat_template.jinja"
    template = template_path.read_text("utf-8") if template_path.is_file() else tokenizer_config.get("chat_template")
    family = config["model_type"]
    limits = (config.get(k) for k in ("max_position_embeddings", "n_positions", "sliding_window"))
    return ModelManifest(
        model_id=model_id,
        title=model_id,
        publisher=publisher,
        licence="unknown",
        family=family,
        format="safetensors",
        n_file_bytes=sum(f.stat().st_size for f in path.glob(convert_hf.WEIGHTS_PATTERN)),
        sha256="",
        sources=(),
        fim=describe.detect_fim(tokens, family, start),
        chat=describe.detect_chat(tokens, str(template or "")),
        end_tokens=describe.detect_end_tokens(tokens, [_token_text(tokenizer_config.get("eos_token"))]),
        context_tokens=min((int(n) for n in limits if n), default=CONTEXT_DEFAULT_TOKENS),
    )


def _checked_id(store: ModelStore, model_id: str, options: InstallOptions) -> str:
    """Errors: UsageError if a model cannot be called so or one is."""
    if not MODEL_ID.fullmatch(model_id):
        raise UsageError(f"`{model_id}` cannot be a model's id", "use letters, digits, `.`, `_` and `-`; see `--id`")
    if model_id in manifests.known_ids():
        raise UsageError(f"`{model_id}` is the id of a model that fimble knows", "give another one with `--id`")
    if store.has(model_id) and not options.again:
        raise UsageError(f"a model `{model_id}` is installed", "replace it with `--force`, or give another `--id`")
    return model_id


def _json_of(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _token_text(raw: Any) -> str:
    return str(raw.get("content", "")) if isinstance(raw, dict) else str(raw or "")
