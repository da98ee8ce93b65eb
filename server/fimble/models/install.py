"""Bring a model to this machine: download, convert, put in place. The only orchestrator of this room."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from fimble import manifest as manifests
from fimble.errors import ModelError
from fimble.manifest import ModelManifest
from fimble.models import download
from fimble.models.part_file import check_disk_space, disk_error
from fimble.models.progress import NoProgress, Progress
from fimble.models.record import InstalledModel, write_record
from fimble.models.store import ModelStore

QUANTIZATION_CHOICES = ("auto", "int8", "int8_float16", "float16", "float32")
VOCABULARY_CHOICES = ("full", "code")
_GROWTH = {"int8": 1.4, "int8_float16": 1.4, "float16": 2.7, "float32": 5.3}
"""Bytes written per byte of a Q4_K_M file, rounded up. Least where the output is the embeddings again: 1.01 in int8."""


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """How a model is to be brought here. `source_order` empty means as configured."""

    quantization: str = "auto"
    vocabulary: str = "full"
    source_order: tuple[str, ...] = ()
    again: bool = False
    keep_download: bool = False


def pull(
    store: ModelStore, model_id: str, options: InstallOptions | None = None, progress: Progress | None = None
) -> InstalledModel:
    """Install the shipped model `model_id`, or give it as it is if it is there in this form.

    Safe to run in several processes: one works, the others wait and find it.
    Errors: UnknownModelError, NoSourceError, HashMismatchError, DiskFullError, ModelError.
    """
    options, progress = options or InstallOptions(), progress or NoProgress()
    manifest = manifests.load(model_id)
    quantization = quantization_for(manifest, options)
    order = download.source_order(options.source_order)
    with store.locked(model_id, lambda: progress.note(f"waiting for another process that installs `{model_id}`")):
        present = _present(store, model_id, quantization, options.vocabulary)
        if present and not options.again:
            return present
        n_bytes_after = int(manifest.n_file_bytes * _GROWTH[quantization])
        source = download.fetch(manifest, store.download_dir, order, progress, n_bytes_after)
        convert_gguf_into(store, manifest, manifest_text(model_id), source, options, progress)
        if not options.keep_download:
            source.unlink()
        return store.get(model_id)


def convert_gguf_into(
    store: ModelStore, manifest: ModelManifest, text: str, source: Path, options: InstallOptions, progress: Progress
) -> None:
    """Convert a GGUF file into the store; the caller holds the model's lock.

    Errors: ModelFilesError, UnsupportedFamilyError, ConversionError, DiskFullError.
    """
    # Imported here: the converter loads ctranslate2's writer, which nothing else of this room needs.
    from fimble.models import convert_gguf

    quantization = quantization_for(manifest, options)
    check_disk_space(store.root, int(source.stat().st_size * _GROWTH[quantization]), manifest.model_id)

    def on_tensor(done: int, total: int) -> None:
        if done == 1:
            progress.start(f"Converting {manifest.model_id}", total, "steps")
        progress.update(done)

    with store.staged(manifest.model_id) as staging:
        try:
            convert_gguf.convert(source, staging, quantization, options.vocabulary, on_tensor)
            write_record(staging, text, quantization, options.vocabulary)
        except OSError as error:
            raise disk_error(error, staging) from error


def quantization_for(manifest: ModelManifest, options: InstallOptions) -> str:
    return manifest.default_quantization if options.quantization == "auto" else options.quantization


def manifest_text(model_id: str) -> str:
    """Give the text of a shipped manifest."""
    return (manifests.manifest_dir() / f"{model_id}.toml").read_text(encoding="utf-8")


def _present(store: ModelStore, model_id: str, quantization: str, vocabulary: str) -> InstalledModel | None:
    with contextlib.suppress(ModelError):
        model = store.get(model_id)
        if (model.quantization, model.vocabulary) == (quantization, vocabulary):
            return model
    return None
