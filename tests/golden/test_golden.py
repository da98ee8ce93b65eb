"""Pictures of what happens at a cursor, one table `[case-name]` each; a case's name is its path and its table.

`text` (policy)            `║` is the cursor; `shape = "line" | "block"` or `decline = "reason"`
`given` (filter, pipeline) `║` is the cursor, `├ ┤` what the model wrote there
`shown`                    `├ ┤` what is inserted, `╣` behind what it replaces; or `decline = "reason"`
`given` (stop)             as above; `┆` is where the generation is stopped, none if it is not

What stands before the first table counts for the whole file: `language`, `shape`, `indent_unit`,
`tab_width_columns`, `stop_reason`, `trigger`, `settings`.
A file in `filter/` is named after its filter and runs it alone.
"""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fimble.completion import policy
from fimble.completion.policy import Ask, PolicyFacts, decide
from fimble.completion.stop import StopRules
from fimble.engine.contract import EngineState
from fimble.postprocess import pipeline
from fimble.postprocess.draft import Draft, Filter, Place
from fimble.records import CursorWindow, Decline, DeclineReason, Shape, StopReason, Trigger
from fimble.settings import Settings

HERE = Path(__file__).parent
FILTERS = {step.__name__: step for step in pipeline.FILTERS}


@dataclass(frozen=True)
class Case:
    room: str
    file: str
    name: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.room}/{self.file}/{self.name}"

    def window(self, prefix: str, suffix: str) -> CursorWindow:
        return CursorWindow(
            prefix,
            suffix,
            self.facts["language"],
            self.facts.get("indent_unit", "    "),
            self.facts.get("tab_width_columns", 4),
        )

    @property
    def shape(self) -> Shape:
        return Shape(self.facts.get("shape", "line"))

    def answered(self) -> tuple[CursorWindow, str]:
        """Give the window and what the model wrote."""
        prefix, rest = self.facts["given"].split("║├")
        answer, suffix = rest.split("┤")
        return self.window(prefix, suffix), answer


def load() -> list[Case]:
    cases = []
    for path in sorted(HERE.glob("*/*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        shared = {key: value for key, value in data.items() if not isinstance(value, dict) or key == "settings"}
        tables = {key: value for key, value in data.items() if isinstance(value, dict) and key != "settings"}
        assert tables, f"{path} has no case"
        cases += [Case(path.parent.name, path.stem, name, shared | table) for name, table in tables.items()]
    return cases


CASES = load()


def of_room(*rooms: str) -> list[Any]:
    return [pytest.param(case, id=str(case)) for case in CASES if case.room in rooms]


def picture(window: CursorWindow, draft: Draft) -> str:
    replaced = window.suffix[: draft.n_replaced_after]
    mark = "╣" if replaced else ""
    return f"{window.prefix}├{draft.text}┤{replaced}{mark}{window.suffix[draft.n_replaced_after :]}"


def check(case: Case, filters: tuple[Filter, ...]) -> None:
    window, answer = case.answered()
    stop_reason = StopReason(case.facts.get("stop_reason", "end-token"))
    outcome = pipeline.apply(filters, Draft(answer), Place(window, case.shape, stop_reason))
    if "decline" in case.facts:
        assert isinstance(outcome, Decline), f"shown instead of declined:\n{picture(window, outcome)}"
        assert outcome.reason.value == case.facts["decline"]
    else:
        assert isinstance(outcome, Draft), f"declined: {outcome}"
        assert picture(window, outcome) == case.facts["shown"]


@pytest.mark.parametrize("case", of_room("filter"))
def test_filter_alone(case: Case) -> None:
    check(case, (FILTERS[case.file],))


@pytest.mark.parametrize("case", of_room("pipeline"))
def test_pipeline(case: Case) -> None:
    check(case, pipeline.FILTERS)


def decision(case: Case) -> Ask | Decline:
    window = case.window(*case.facts["text"].split("║"))
    text = window.prefix + window.suffix
    facts = PolicyFacts(
        settings=Settings(**{"delay_ms": 75, **case.facts.get("settings", {})}),
        trigger=Trigger(case.facts.get("trigger", "automatic")),
        window=window,
        engine_state=EngineState(case.facts.get("engine_state", "ready")),
        document_bytes=len(text.encode()),
        line_chars=len(window.line_prefix + window.line_suffix),
    )
    return decide(facts)


@pytest.mark.parametrize("case", of_room("policy"))
def test_policy(case: Case) -> None:
    outcome = decision(case)
    if "decline" in case.facts:
        assert isinstance(outcome, Decline), f"asked: {outcome}"
        assert outcome.reason.value == case.facts["decline"]
    else:
        assert isinstance(outcome, Ask), f"declined: {outcome}"
        assert outcome.shape is case.shape
        assert (outcome.lines_max == 1) is (case.shape is Shape.LINE)
        if "delay_ms" in case.facts:
            assert outcome.delay_ms == case.facts["delay_ms"]


@pytest.mark.parametrize("case", of_room("stop"))
def test_stop(case: Case) -> None:
    window, marked = case.answered()
    before, *after = marked.split("┆")
    answer = before + "".join(after)
    rules = StopRules(window, case.shape, case.facts.get("lines_max", 16))
    stopped_at = next((end for end in range(len(answer) + 1) if rules.should_stop(answer[:end])), None)
    expected = len(before) if after else None
    assert stopped_at == expected, f"stopped after {answer[:stopped_at]!r}"


def producible_reasons() -> set[DeclineReason]:
    """Find every reason that the rooms under test name."""
    sources = [Path(policy.__file__), *Path(pipeline.__file__).parent.glob("*.py")]
    names = {
        node.attr
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "DeclineReason"
    }
    return {DeclineReason[name] for name in names}


def test_every_decline_reason_has_a_case() -> None:
    shown = {DeclineReason(case.facts["decline"]) for case in CASES if "decline" in case.facts}
    assert producible_reasons() - shown == set()


def test_every_filter_has_a_file() -> None:
    assert {case.file for case in CASES if case.room == "filter"} == set(FILTERS)
