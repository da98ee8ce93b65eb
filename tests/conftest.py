"""One action on a picture of a document, with the model's answer scripted."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from fimble.actions.outcome import ActionResult, apply_edits
from fimble.actions.place import Place, Problem
from fimble.actions.plan import Wish
from fimble.actions.service import ActionService
from fimble.app import SCRIPTED_MANIFEST
from fimble.engine.scripted import ScriptedBackend
from fimble.engine.worker import EngineWorker
from fimble.records import CancelToken
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

CURSOR = "║"
APART = ("interop",)
"""Folders that need what the test command does not install; CONTRIBUTING.md has theirs."""


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name what this run leaves out, so that its absence is not taken for success."""
    asked = " ".join(config.args)
    left_out = [f"tests/{name}" for name in APART if f"tests/{name}" not in asked]
    return [f"not part of this run: {', '.join(left_out)} (see CONTRIBUTING.md)"] if left_out else []


@dataclass
class Files:
    """A workspace in memory; a folder is whatever a file or `folders` says."""

    texts: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    root: str = "/project"

    def read(self, path):
        return self.texts.get(path)

    def root_of(self, path):
        return self.root

    def is_folder(self, path):
        return path in self.folders


@dataclass
class Ran:
    """What one action did."""

    result: ActionResult
    old: str
    prompts: list[str]

    @property
    def new(self):
        return apply_edits(self.old, self.result.edits)

    @property
    def refusal(self):
        return self.result.refusal.value if self.result.refusal else None


def picture(text, language="python", uri="file:///project/sample.py", problem=""):
    """Give the place that one or two `║` mark."""
    start = text.index(CURSOR)
    text = text.replace(CURSOR, "", 1)
    end = text.find(CURSOR)
    text, end = (text.replace(CURSOR, "", 1), end) if end >= 0 else (text, start)
    problems = (Problem(problem, start, end),) if problem else ()
    return Place(DocumentSnapshot(uri, language, 1, text), start, end, problems)


@pytest.fixture
def place():
    return picture


@pytest.fixture
def files():
    return Files


@pytest.fixture
async def act():
    """Run an action on a picture; `answers` are given one after the other, `newest` is the text afterwards."""
    workers = []

    async def run(
        name,
        text,
        *answers,
        language="python",
        uri="file:///project/sample.py",
        instruction="",
        problem="",
        workspace=None,
        newest=None,
        manifest=SCRIPTED_MANIFEST,
        **settings,
    ):
        backend = ScriptedBackend()
        for answer in answers:
            backend.enqueue(answer)
        worker = EngineWorker(lambda: backend)
        workers.append(worker)
        worker.start()
        await worker.wait_ready()
        where = picture(text, language, uri, problem)
        service = ActionService(worker, manifest, Settings(**({"n_candidates": 1} | settings)))
        document = where.document
        after = document if newest is None else DocumentSnapshot(uri, language, 2, newest)
        wish = Wish(workspace or Files(), instruction)
        result = await service.run(name, where, wish, CancelToken(), lambda: after)
        return Ran(result, where.text, [backend.prompt_text(call.prompt) for call in backend.calls])

    yield run
    for worker in workers:
        worker.close()
