"""The orchestration of one request, with the real worker and a scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from fimble.app import Application
from fimble.completion.request import CompletionRequest, CompletionResult, SelectedCompletion
from fimble.engine.scripted import Answer, ScriptedBackend
from fimble.records import CancelToken, DeclineReason, Trigger
from fimble.text.document import DocumentSnapshot
from scripted_app import SETTINGS, applied, running, until


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest.fixture
async def app(backend: ScriptedBackend) -> AsyncIterator[Application]:
    async with running(backend) as app:
        yield app


def place(marked: str, uri: str = "file:///a.py", language: str = "python", **changes: object) -> CompletionRequest:
    """Make the request for the text with `║` at the cursor."""
    document = DocumentSnapshot(uri, language, 1, marked.replace("║", ""))
    return replace(CompletionRequest(document, marked.index("║")), **changes)  # type: ignore[arg-type]


async def ask(
    app: Application,
    request: CompletionRequest,
    newest: Callable[[], DocumentSnapshot | None] | None = None,
    token: CancelToken | None = None,
) -> CompletionResult:
    return await app.completion.complete(request, token or CancelToken(), newest or (lambda: request.document))


def reason(result: CompletionResult) -> DeclineReason | None:
    assert not result.completions
    return result.decline.reason if result.decline else None


async def test_shows_what_the_model_wrote(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue("a + b\nprint('more')")
    result = await ask(app, place("def add(a, b):\n    return a║\n"))
    assert result.trace.outcome == "shown"
    assert result.trace.n_decoded_tokens > 0
    backend.enqueue(" b\nmore")
    result = await ask(app, place("def add(a, b):\n    return a +║\n"))
    assert applied(result) == "def add(a, b):\n    return a + b\n"


async def test_space_before_the_cursor_is_left_to_the_model(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue(" b\n")
    result = await ask(app, place("x = a + ║\n"))
    assert applied(result) == "x = a + b\n"
    assert backend.prompt_text(backend.calls[0].prompt).endswith("x = a +")


async def test_crlf_document_gets_crlf(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue("    y = 1\n    return y\n")
    result = await ask(app, place("def f():\r\n║"))
    assert applied(result) == "def f():\r\n    y = 1\r\n    return y"
    assert "\r" not in backend.prompt_text(backend.calls[0].prompt)


async def test_three_keystrokes_one_generation_two_superseded(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, delay_ms=30))
    backend.answers.append(Answer("(self):", token_ms=0))
    requests = [place(f"class A:\n    def {typed}║\n") for typed in ("r", "ru", "run")]
    results = await asyncio.gather(*(ask(app, request) for request in requests))
    assert [r.trace.reason for r in results] == ["superseded", "superseded", ""]
    assert len(backend.calls) == 1


async def test_running_generation_stops_within_one_token_of_the_next_key(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("word " * 40, token_ms=4, times=1))
    backend.answers.append(Answer("short"))
    first = asyncio.ensure_future(ask(app, place("a = ║")))
    await until(lambda: backend.calls)
    second = asyncio.ensure_future(ask(app, place("ab = ║")))
    assert reason(await first) is DeclineReason.SUPERSEDED
    assert (await second).trace.outcome == "shown"
    assert (await first).trace.n_decoded_tokens < 40 * 5


async def test_typed_through_costs_no_request(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue(" first + second\n")
    await ask(app, place("total =║\n"))
    result = await ask(app, place("total = first║\n"))
    assert applied(result) == "total = first + second\n"
    assert result.trace.cache == "typed-through"
    assert len(backend.calls) == 1


async def test_answer_is_rebased_on_what_was_typed_meanwhile(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue(" first + second\n")
    request = place("total =║\n")
    newer = DocumentSnapshot(request.document.uri, "python", 2, "total = fir\n")
    result = await ask(app, request, newest=lambda: newer)
    assert applied(result) == "total = first + second\n"


async def test_answer_that_no_longer_fits_is_declined(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue(" first\n")
    request = place("total =║\n")
    newer = DocumentSnapshot(request.document.uri, "python", 2, "total = 1\n")
    assert reason(await ask(app, request, newest=lambda: newer)) is DeclineReason.DOCUMENT_CHANGED
    backend.enqueue(" first\n")
    assert reason(await ask(app, place("t2 =║\n"), newest=lambda: None)) is DeclineReason.DOCUMENT_NOT_OPEN


async def test_cancelled_task_stops_the_engine_and_is_explained(app: Application, backend: ScriptedBackend) -> None:
    backend.answers.append(Answer("word " * 400, token_ms=4))
    token = CancelToken()
    task = asyncio.ensure_future(ask(app, place("x = ║"), token=token))
    await until(lambda: backend.calls)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert token.cancelled
    trace = app.completion.explain()
    assert trace is not None
    assert trace.reason == "cancelled"


async def test_deadline_still_serves_whole_lines(app: Application, backend: ScriptedBackend) -> None:
    app.apply(replace(SETTINGS, deadline_ms=300, multiline="always"))
    backend.answers.append(Answer("    first = 1\n    second = 2\n" + "    n += one_more_word\n" * 99, token_ms=25))
    result = await ask(app, place("def f():\n║"))
    assert result.trace.stop_reason == "deadline"
    assert result.completions[0].text.startswith("    first = 1")


async def test_selected_item_is_continued_over_its_range(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue("nt(value)\n")
    selected = SelectedCompletion("print", start_offset=0, end_offset=3)
    result = await ask(app, place("pri║\n", selected=selected))
    completion = result.completions[0]
    assert (completion.text, completion.start_offset, completion.end_offset) == ("print(value)", 0, 3)


async def test_selected_item_that_the_model_disagrees_with(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue("vate = 1\n")
    selected = SelectedCompletion("print", start_offset=0, end_offset=3)
    result = await ask(app, place("pri║\n", selected=selected))
    assert reason(result) is DeclineReason.SELECTION_MISMATCH


async def test_invoked_gives_several_distinct_alternatives(app: Application, backend: ScriptedBackend) -> None:
    backend.answers.append(Answer(" value"))
    request = place("total =║\n", trigger=Trigger.INVOKED, n_alternatives=3)
    result = await ask(app, request)
    assert [c.text for c in result.completions] == [" value", " value2"]


async def test_second_look_where_the_first_answer_repeats_what_follows(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("total = 0\n", times=1))
    backend.answers.append(Answer("", rows=["total = 0\n", "names = []\n"], times=1))
    result = await ask(app, place("def f():\n    ║\n    total = 0\n    return total\n"))
    assert applied(result).startswith("def f():\n    names = []\n    total = 0\n")
    assert result.trace.second_look == "repeats-suffix"
    assert backend.calls[1].n_rows > 1


async def test_second_look_prefers_the_line_that_can_stand_above_a_deeper_one(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("return 1\n", times=1))
    backend.answers.append(Answer("", rows=["pass\n", "if ready:\n"], times=1))
    result = await ask(app, place("def f():\n    ║\n        return 2\n"))
    assert result.completions[0].text == "if ready:"


async def test_first_answer_of_doubtful_fit_is_still_shown_if_no_other_fits(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.answers.append(Answer("return 1\n", times=1))
    backend.answers.append(Answer("", rows=["pass\n", "break\n"], times=1))
    result = await ask(app, place("def f():\n    ║\n        return 2\n"))
    assert [c.text for c in result.completions] == ["return 1"]


async def test_no_second_look_where_it_is_off_or_the_first_fits(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue("names = []\n")
    await ask(app, place("def f():\n    ║\n    total = 0\n"))
    app.apply(replace(SETTINGS, n_second_opinions=0))
    backend.enqueue("total = 0\n")
    declined = await ask(app, place("def g():\n    ║\n    total = 0\n    return total\n"))
    assert reason(declined) is DeclineReason.REPEATS_SUFFIX
    assert [call.n_rows for call in backend.calls] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "request_", "expected"),
    [
        ({"enabled": False}, place("x = ║"), DeclineReason.DISABLED),
        ({"languages_off": ("python",)}, place("x = ║"), DeclineReason.LANGUAGE_OFF),
        ({}, place("KEY=║", uri="file:///srv/.env"), DeclineReason.PATH_OFF),
        ({}, place("x = ║" + "y" * 9000), DeclineReason.LINE_TOO_LONG),
        ({"document_bytes_max": 10}, place("x = ║ and more text"), DeclineReason.DOCUMENT_TOO_LARGE),
        ({}, place("\0\1\0 = ║"), DeclineReason.NOT_TEXT),
        ({}, place("║"), DeclineReason.NOTHING_TO_COMPLETE),
        ({}, replace(place("x║"), offset=99), DeclineReason.POSITION_OUTSIDE),
    ],
    ids=lambda value: value.value if isinstance(value, DeclineReason) else "",
)
async def test_declines_without_asking_the_model(
    app: Application,
    backend: ScriptedBackend,
    changes: dict[str, object],
    request_: CompletionRequest,
    expected: DeclineReason,
) -> None:
    app.apply(replace(SETTINGS, **changes))  # type: ignore[arg-type]
    assert reason(await ask(app, request_)) is expected
    assert not backend.calls


async def test_engine_failure_is_a_decline_and_the_next_request_works(
    app: Application, backend: ScriptedBackend
) -> None:
    backend.enqueue(RuntimeError("no memory"))
    backend.enqueue(" 1\n")
    failed = await ask(app, place("x =║\n"))
    assert reason(failed) is DeclineReason.ENGINE_FAILED
    assert "no memory" in failed.trace.detail
    assert (await ask(app, place("x =║\n"))).completions


async def test_sentinels_in_the_users_text_stay_text(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue(" 1\n")
    await ask(app, place("s = '<|fim_middle|>'\nx =║\n<|fim_suffix|>"))
    sentinels = [i for i in backend.calls[0].prompt.tail if i >= 256]
    assert sentinels == [256, 257, 258]


async def test_before_start_and_after_close_are_named() -> None:
    app = Application(SETTINGS, make_backend=ScriptedBackend)
    assert reason(await ask(app, place("x = ║"))) is DeclineReason.MODEL_LOADING
    app.start()
    await app.engine.wait_ready()
    app.close()
    assert reason(await ask(app, place("x = ║"))) is DeclineReason.SHUTTING_DOWN


async def test_accepted_is_counted_once_and_unknown_ids_are_ignored(app: Application, backend: ScriptedBackend) -> None:
    backend.enqueue(" 1\n")
    result = await ask(app, place("x =║\n"))
    app.completion.accepted(result.completions[0].completion_id)
    app.completion.accepted(result.completions[0].completion_id)
    app.completion.accepted("unknown")
    assert app.metrics.counts()["completion.accepted"] == 1


async def test_traces_and_logs_hold_no_document_text(
    app: Application, backend: ScriptedBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.enqueue(" hunter2_answer\n")
    result = await ask(app, place("hunter2_prompt =║\n"))
    assert "hunter2" not in repr(result.trace)
    assert "hunter2" not in caplog.text
