"""Results of single tasks in a JSON Lines file, so that an interrupted run goes on. Holds benchmark text only."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import fimble
from fimble.errors import FimbleError

# Raised when judging or laying out tasks changes: older results are then not comparable.
EVAL_VERSION = 1
# A change in these rooms cannot change an answer.
ROOMS_WITHOUT_INFLUENCE = ("bench", "cli", "daemon", "eval", "lsp", "sandbox")


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What came of one task. `text` is the answer, `trace` the service's account of it."""

    task_id: str
    passed: bool
    exact: bool
    failure: str = ""
    declined: str = ""
    text: str = ""
    total_ms: float = 0.0
    trace: dict[str, Any] = field(default_factory=dict)


def code_sha256(root: Path = Path(fimble.__file__).parent) -> str:
    """Give the hash of the package's source files that can change an answer."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if name.parts[0] not in ROOMS_WITHOUT_INFLUENCE:
            digest.update(str(name).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def config_key(config: Mapping[str, Any]) -> str:
    """Give the short hash under which results of one configuration are filed."""
    canonical = json.dumps({**config, "eval_version": EVAL_VERSION}, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class ResultLog:
    """An append-only file of results. One line is one write, so a torn last line is all a crash can leave."""

    def __init__(self, path: Path, config: Mapping[str, Any], forget: bool = False) -> None:
        """Read what `path` holds for `config`; `forget` asks every task again, and newer lines count.

        Errors: FimbleError if the file cannot be read or made.
        """
        self.path = path
        self.key = config_key(config)
        self._known: dict[str, TaskResult] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise FimbleError(f"cannot use `{path}`: {error}", "choose another file with `--out`") from error
        self._torn = bool(content) and not content.endswith(b"\n")
        described = self._read(content)
        if forget:
            self._known.clear()
        if not described:
            self._write({"config": self.key, "settings": dict(config)})

    def get(self, task_id: str) -> TaskResult | None:
        return self._known.get(task_id)

    def add(self, result: TaskResult) -> None:
        """File one result. Errors: FimbleError if the disk does not take it."""
        self._write({"config": self.key, **asdict(result)})
        self._known[result.task_id] = result

    def _read(self, content: bytes) -> bool:
        """Take the lines of this configuration; tells whether it is described there."""
        described = False
        for line in content.split(b"\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue  # the torn line of an interrupted run
            if not isinstance(record, dict) or record.pop("config", None) != self.key:
                continue
            if "task_id" in record:
                result = TaskResult(**record)
                self._known[result.task_id] = result
            else:
                described = True
        return described

    def _write(self, record: Mapping[str, Any]) -> None:
        line = ("\n" if self._torn else "") + json.dumps(record, ensure_ascii=False, default=str) + "\n"
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(line.encode("utf-8", "backslashreplace"))
                os.fsync(file.fileno())
        except OSError as error:
            raise FimbleError(f"cannot write `{self.path}`: {error}", "choose another file with `--out`") from error
        self._torn = False
