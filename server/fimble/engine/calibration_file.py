"""The file of what was measured on this machine, one entry a model and way of running it. Measures nothing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

from fimble.engine import figures as figures_of
from fimble.engine.cores import cpu_name, n_cores
from fimble.engine.figures import Figures
from fimble.log import LOGGER

FILE_VARIABLE = "FIMBLE_CALIBRATION"
SCHEMA_VERSION = 1
ENTRIES_MAX = 32
"""Models come and go, and so do versions; beyond this the entry measured longest ago goes."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured: these weights, run in this way, on this machine."""

    model: str
    weights: str
    quantization: str
    device: str
    compute_type: str
    n_threads: int
    cpu: str
    ctranslate2: str


def subject_here(
    model: str, weights_sha256: str, quantization: str, device: str, compute_type: str, n_threads: int
) -> Subject:
    """Give the subject on this machine; `n_threads` 0 means as many as the engine then takes."""
    version = importlib.metadata.version("ctranslate2")
    n_threads = n_threads or n_cores()
    return Subject(model, weights_sha256, quantization, device, compute_type, n_threads, cpu_name(), version)


def default_path() -> Path:
    """Give where the figures are kept; `FIMBLE_CALIBRATION` names another file."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_cache_dir("fimble")) / "calibration.json"


class CalibrationFile:
    """Figures by subject. What cannot be read counts as not measured, and is written anew."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def find(self, subject: Subject) -> Figures | None:
        """Give what was measured of the subject."""
        wanted = asdict(subject)
        for entry in self._entries():
            if entry.get("subject") == wanted:
                return _figures(entry)
        return None

    def keep(self, subject: Subject, figures: Figures) -> None:
        """Write the subject's figures, the others' beside them; a file that cannot be written is only logged.

        Of two processes that write at once the later one stays, and the other's model is measured again.
        """
        mine = asdict(subject)
        others = [e for e in self._entries() if e.get("subject") != mine and _figures(e) is not None]
        others.sort(key=lambda entry: str(entry["figures"]["measured_at"]))
        kept = [*others[-(ENTRIES_MAX - 1) :], {"subject": mine, "figures": figures.as_json()}]
        text = json.dumps({"version": SCHEMA_VERSION, "entries": kept}, indent=1) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            temporary = Path(name)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                temporary.replace(self.path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            LOGGER.warning("the calibration cannot be kept: %s", error)

    def _entries(self) -> list[dict[str, Any]]:
        try:
            raw = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError):
            LOGGER.info("the calibration file cannot be read: what it held is measured anew")
            return []
        if (
            not isinstance(raw, dict)
            or raw.get("version") != SCHEMA_VERSION
            or not isinstance(raw.get("entries"), list)
        ):
            return []
        return [entry for entry in raw["entries"] if isinstance(entry, dict)]


def _figures(entry: dict[str, Any]) -> Figures | None:
    try:
        return figures_of.from_json(entry["figures"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
