"""What lies in an installed model's folder: `fimble.toml`, its manifest with an `[installed]` table. No model code."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from fimble.errors import ModelFilesError
from fimble.manifest import ModelManifest, parse

RECORD_NAME = "fimble.toml"
NEEDED_FILES = ("model.bin", "config.json", "tokenizer.json")
CHUNK_BYTES = 1 << 20
CONVERTER_VERSION = 2
"""Of what turns a GGUF file into a model; raised when the same file becomes a better one. 1 knew no smoothing."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as it was when the model was installed."""

    name: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this machine."""

    model_id: str
    path: Path
    quantization: str
    vocabulary: str
    manifest: ModelManifest
    files: tuple[StoredFile, ...]
    converter_version: int = CONVERTER_VERSION

    @property
    def is_outdated(self) -> bool:
        """Whether its file would become a better model today."""
        return self.manifest.format == "gguf" and self.converter_version < CONVERTER_VERSION

    @property
    def n_bytes(self) -> int:
        return sum(file.n_bytes for file in self.files)


def write_record(folder: Path, manifest_text: str, quantization: str, vocabulary: str) -> None:
    """Write `fimble.toml` for the files that lie in `folder` now, with their hashes."""
    lines = [
        manifest_text.rstrip(),
        "",
        "# Written by fimble when the model was installed; `fimble models verify` compares.",
        "[installed]",
        f'quantization = "{quantization}"',
        f'vocabulary = "{vocabulary}"',
        f"converter_version = {CONVERTER_VERSION}",
    ]
    for path in sorted(p for p in folder.iterdir() if p.is_file() and p.name != RECORD_NAME):
        lines += [
            "",
            "[[installed.files]]",
            f'name = "{path.name}"',
            f"n_bytes = {path.stat().st_size}",
            f'sha256 = "{sha256_of(path)}"',
        ]
    (folder / RECORD_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_record(folder: Path) -> InstalledModel:
    """Read what was installed in `folder`.

    Errors: ModelFilesError if the record is missing, unreadable or incomplete.
    """
    path = folder / RECORD_NAME
    try:
        text = path.read_text(encoding="utf-8")
        manifest = parse(text, str(path))
        installed = tomllib.loads(text)["installed"]
        files = tuple(StoredFile(f["name"], int(f["n_bytes"]), f["sha256"]) for f in installed["files"])
        model = InstalledModel(
            manifest.model_id,
            folder,
            installed["quantization"],
            installed["vocabulary"],
            manifest,
            files,
            int(installed.get("converter_version", 1)),
        )
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelFilesError(f"`{path}` is not a model's record: {error}", _mend(folder.name)) from error
    if model.model_id != folder.name:
        raise ModelFilesError(f"`{path}` belongs to the model `{model.model_id}`", _mend(folder.name))
    return model


def check_sizes(model: InstalledModel) -> None:
    """Compare names and sizes, which costs no reading.

    Errors: ModelFilesError naming the file that is missing or has another size.
    """
    known = {file.name for file in model.files}
    for name in NEEDED_FILES:
        if name not in known:
            raise ModelFilesError(f"model `{model.model_id}` lacks `{name}`", _mend(model.model_id))
    for file in model.files:
        path = model.path / file.name
        found = path.stat().st_size if path.is_file() else None
        if found != file.n_bytes:
            state = "is missing" if found is None else f"has {found} bytes, expected {file.n_bytes}"
            raise ModelFilesError(f"`{file.name}` of model `{model.model_id}` {state}", _mend(model.model_id))


def check_hashes(model: InstalledModel) -> None:
    """Compare every byte with what was installed.

    Errors: ModelFilesError naming the file and both hashes.
    """
    check_sizes(model)
    for file in model.files:
        found = sha256_of(model.path / file.name)
        if found != file.sha256:
            raise ModelFilesError(
                f"`{file.name}` of model `{model.model_id}` has sha256 {found}, expected {file.sha256}",
                _mend(model.model_id),
            )


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _mend(model_id: str) -> str:
    return f"run `fimble models remove {model_id}`, then pull or add it again"
