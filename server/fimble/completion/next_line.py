"""What is shown where a line was just taken: the next one, which is there, or held, or written now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fimble.completion.answer import place
from fimble.completion.candidate import judge
from fimble.completion.launch import Launcher
from fimble.completion.policy import Ask
from fimble.completion.prefetch import place_ahead
from fimble.completion.question import Question
from fimble.completion.request import CompletionRequest
from fimble.completion.stop import StopRules
from fimble.completion.tracing import TraceBuilder
from fimble.postprocess.draft import Draft
from fimble.records import CancelToken, Completion, CursorWindow, Generation, Shape, StopReason

NEXT_LINE = "next-line"


@dataclass(frozen=True)
class NextLineRules(StopRules):
    """The rules for the line below the cursor's; what they are given begins with the end of the cursor's line."""

    def reason(self, text: str) -> str:
        return super().reason(text[1:]) if text[1:] else ""


async def next_line(
    request: CompletionRequest,
    window: CursorWindow,
    token: CancelToken,
    deadline_at_s: float,
    launcher: Launcher,
    trace: TraceBuilder,
) -> list[Completion] | None:
    """Give the line behind the cursor's with the line end before it; None where nobody knows it or it does not fit.

    The window's line is whole. Errors: those of the engine.
    """
    uri, below = request.document.uri, replace(window, prefix=window.prefix + "\n")
    ask = Ask(Shape.LINE, 1, launcher.limits.line_tokens_max, 0, 0, 0)  # of which no prompt is made
    cache = "held"
    hit = launcher.cache.lookup(uri, below)
    if hit is not None and hit.text.strip() and not hit.ends_line:
        row, source, n_before = Generation(hit.text, 0, hit.stop_reason), hit.source, hit.n_typed_chars
        cache = NEXT_LINE
    else:
        question = Question(request, window, ask, token, deadline_at_s)
        rules = NextLineRules.build(below, ask)
        found = await launcher.past_line(question, rules, trace)
        if found is None and _write(request, launcher):
            found, cache = await launcher.past_line(question, rules, trace, reuses=True), "miss"
        if found is None:
            return None
        flight, goal, whole = found
        row = replace(whole, text=whole.text.removeprefix("\n"))
        source, n_before = flight.source, len(goal.typed) + 1
        trace.generated(row)
    if row.stop_reason is StopReason.CANCELLED or not row.text.strip():
        return None
    candidate = judge(row, row.text, below, Shape.LINE)
    if not candidate.fits or not isinstance(candidate.outcome, Draft):
        return None
    draft = candidate.outcome
    completion = place(replace(draft, text="\n" + draft.text), request)
    if completion is None:
        return None
    trace.shape, trace.cache, trace.filters, trace.is_whole = Shape.LINE, cache, draft.applied, True
    trace.shows(source, n_before + len(row.text))
    trace.part("postprocess")
    return [completion]


def _write(request: CompletionRequest, launcher: Launcher) -> bool:
    """Have the next line written, the indentation an editor gives it given; says whether it is. Errors: the engine's.

    The editor asks once behind what was taken: what came later would be seen with the next key only.
    """
    found = place_ahead(request, launcher)
    if found is None:
        return False
    question, base, given = found
    line = replace(question, ask=replace(question.ask, shape=Shape.LINE, lines_max=1))
    return given != "" and launcher.ahead(line, base, given, is_asked=True)
