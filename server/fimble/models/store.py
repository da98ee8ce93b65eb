"""Where installed models lie, and how they get there whole or not at all. No network and no conversion here.

<root>/<model id>/      model.bin, config.json, tokenizer.json, vocabulary.json, fimble.toml
<root>/.downloads/      publishers' files, whole or in part
<root>/.staging/        folders being written; renamed into place when they are finished
<root>/.locks/          one lock a model, held while its files change
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import platformdirs

from fimble import manifest as manifests
from fimble.errors import ModelError, ModelNotInstalledError, UnknownModelError
from fimble.manifest import ModelManifest
from fimble.models.record import (
    RECORD_NAME,
    InstalledModel,
    check_hashes,
    check_sizes,
    read_record,
)

MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
REPLACED_SUFFIX = ".replaced"


def default_root() -> Path:
    """Give `FIMBLE_DATA_DIR`, or the models' folder in the user's cache directory."""
    configured = os.environ.get("FIMBLE_DATA_DIR")
    return Path(configured) if configured else Path(platformdirs.user_cache_dir("fimble")) / "models"


class ModelStore:
    """The installed models under one root folder."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    @property
    def download_dir(self) -> Path:
        return self.root / ".downloads"

    def get(self, model_id: str) -> InstalledModel:
        """Give an installed model, its files present in full size.

        Errors: ModelNotInstalledError; UnknownModelError if it is also in no manifest; ModelFilesError if damaged.
        """
        if not self.has(model_id):
            if model_id in manifests.known_ids():
                raise ModelNotInstalledError(model_id)
            raise UnknownModelError(
                f"no model is called `{model_id}`",
                "known: " + ", ".join(sorted({*manifests.known_ids(), *self._ids()})),
            )
        model = read_record(self.root / model_id)
        check_sizes(model)
        return model

    def path(self, model_id: str) -> Path:
        """Give the folder of an installed model. Errors: as `get`."""
        return self.get(model_id).path

    def manifest(self, model_id: str) -> ModelManifest:
        """Give the manifest of an installed model: the shipped one if it is of the same file, else its own copy.

        So what a newer fimble knows better about a model holds without converting it again.
        Errors: as `get`.
        """
        own = self.get(model_id).manifest
        if model_id in manifests.known_ids():
            shipped = manifests.load(model_id)
            if shipped.sha256 == own.sha256:
                return shipped
        return own

    def has(self, model_id: str) -> bool:
        """Say whether a folder of that model is in place (damaged or not)."""
        return bool(MODEL_ID.fullmatch(model_id)) and (self.root / model_id / RECORD_NAME).is_file()

    def installed(self) -> list[InstalledModel]:
        """Give the undamaged installed models by id."""
        models = []
        for model_id in self._ids():
            with contextlib.suppress(ModelError):
                models.append(self.get(model_id))
        return models

    def damaged(self) -> dict[str, ModelError]:
        """Give what is wrong with each installed model that cannot be used."""
        found: dict[str, ModelError] = {}
        for model_id in self._ids():
            try:
                self.get(model_id)
            except ModelError as error:
                found[model_id] = error
        return found

    def verify(self, model_id: str) -> InstalledModel:
        """Read every file of a model and compare its hash with the one taken at installation.

        Errors: as `get`; ModelFilesError naming the file that differs.
        """
        model = self.get(model_id)
        check_hashes(model)
        return model

    def remove(self, model_id: str) -> None:
        """Delete a model and what was downloaded for it. Errors: ModelNotInstalledError, UnknownModelError."""
        if not self.has(model_id):
            self.get(model_id)
        with self.locked(model_id):
            leaving = self.root / ".staging" / f"{model_id}.removed"
            (self.root / model_id).replace(leaving)
            shutil.rmtree(leaving)
        with contextlib.suppress(ModelError):
            for file in self.download_dir.glob(manifests.load(model_id).sha256 + "*"):
                file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self, model_id: str, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Be the only process that changes this model; `on_wait` is called once if another one is at it.

        The lock goes with the process, so whatever lies in staging for this model then is a dead one's.
        """
        lock_dir = self.root / ".locks"
        for folder in (lock_dir, self.root / ".staging", self.download_dir):
            folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(lock_dir / f"{model_id}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if on_wait:
                on_wait()
            lock.acquire()
        try:
            self._clear_leftovers(model_id)
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def staged(self, model_id: str) -> Iterator[Path]:
        """Give an empty folder to fill; it becomes the model's folder if the block ends without an error.

        The caller holds the model's lock. A model that was there is replaced.
        """
        staging = self.root / ".staging" / f"{model_id}.new"
        staging.mkdir(parents=True)
        try:
            yield staging
            self._put_in_place(model_id, staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _put_in_place(self, model_id: str, staging: Path) -> None:
        target = self.root / model_id
        replaced = self.root / ".staging" / (model_id + REPLACED_SUFFIX)
        if target.exists():
            target.replace(replaced)
        staging.replace(target)
        shutil.rmtree(replaced, ignore_errors=True)

    def _clear_leftovers(self, model_id: str) -> None:
        staging = self.root / ".staging"
        replaced = staging / (model_id + REPLACED_SUFFIX)
        if replaced.exists() and not (self.root / model_id).exists():
            # A process died between the two renames: the old model is still whole.
            replaced.replace(self.root / model_id)
        for ending in (".new", ".removed", REPLACED_SUFFIX):
            shutil.rmtree(staging / (model_id + ending), ignore_errors=True)

    def _ids(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if p.is_dir() and self.has(p.name))
