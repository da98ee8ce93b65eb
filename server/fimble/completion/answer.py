"""Turn a place and an `Ask` into filtered completions, from the cache or from the engine. Holds nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace

from fimble.completion.candidate import Candidate, in_order, judge
from fimble.completion.launch import Launcher, judge_part
from fimble.completion.question import Question
from fimble.completion.request import CompletionRequest
from fimble.completion.second_look import FIRST_WORDS, Beginnings, beginnings
from fimble.completion.stop import StopRules
from fimble.completion.tracing import TraceBuilder
from fimble.engine.contract import GenerationRequest, Priority
from fimble.fim.prompt import LaidOutPrompt
from fimble.postprocess import pipeline
from fimble.postprocess.draft import Draft
from fimble.records import Completion, Decline, DeclineReason, Shape, StopReason, Trigger

SAMPLED_TOKENS_MAX = 32
SAMPLING_TEMPERATURE = 0.8
ROWS_AT_ONCE = 2
"""Each row copies what is read of the prompt (66 MiB of 384 tokens, 0.5B); four took 390 MiB more than one."""
AT_LINE_END = "line-end"
WHOLE = (StopReason.RULE, StopReason.END_TOKEN)
_completion_ids = itertools.count(1)


class Answerer:
    """Answers one question at a time for the service."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._engine = launcher.engine
        self._settings = launcher.settings
        self._cache = launcher.cache
        self._flights = launcher.flights

    def from_cache(self, question: Question, trace: TraceBuilder) -> list[Completion] | Decline | None:
        """Give what is left of a suggestion typed through, filtered for the place as it is now; None: ask."""
        request, shape, uri = question.request, question.ask.shape, question.request.document.uri
        if request.n_alternatives > 1:
            return None
        hit = self._cache.lookup(uri, question.window)
        if hit is None:
            return None
        if hit.n_typed_chars and hit.n_typed_chars >= (hit.source.ahead_from_offset or hit.n_typed_chars):
            self._flights.ledger.followed(hit.source)
        if hit.ends_line and shape is Shape.LINE:
            trace.shape, trace.cache, trace.is_whole = shape, AT_LINE_END, True
            is_invoked = request.trigger is Trigger.INVOKED
            return None if is_invoked else Decline(DeclineReason.EMPTY_ANSWER, "the line is whole")
        shape = shape if hit.ends_line else hit.shape
        # Filtered anew, but not judged: whether it fits was asked when it was kept, and costs a parse.
        outcome = pipeline.run(hit.text, question.window, shape, hit.stop_reason)
        trace.part("cache")
        if isinstance(outcome, Decline) and hit.n_typed_chars:
            return None
        trace.shape, trace.cache = shape, "typed-through" if hit.n_typed_chars else "hit"
        trace.cache = "type-ahead" if hit.is_switch else trace.cache
        trace.is_whole = hit.stop_reason in WHOLE
        if isinstance(outcome, Decline):
            return outcome
        trace.shows(hit.source, hit.n_typed_chars + len(outcome.text))
        return self._shown([outcome], question, trace)

    async def from_engine(self, question: Question, trace: TraceBuilder) -> list[Completion] | Decline:
        """Ask the model. Errors: PromptBudgetError, EngineError, ModelError."""
        ask, window, uri = question.ask, question.window, question.request.document.uri
        trace.shape = ask.shape
        flight, goal, row = await self._launcher.first(question, trace)
        trace.generated(row)
        if row.stop_reason is StopReason.CANCELLED:
            return Decline(question.token.reason or DeclineReason.CANCELLED)
        if not row.text and row.stop_reason is StopReason.DEADLINE:
            return Decline(DeclineReason.DEADLINE)
        trace.shows(flight.source, len(goal.typed) + len(row.text))
        if trace.cache == "part":
            flight.give_up()
            self._flights.keep(uri, flight)
            part = judge_part(row.text, question).outcome
            return part if isinstance(part, Decline) else self._shown([part], question, trace)
        trace.is_whole = row.stop_reason in WHOLE
        first = judge(row, row.text, window, ask.shape)
        if first.calls_for_others:
            flight.end_hold()
        # The prompt is that of the place where the generation began.
        laid_out = self._launcher.lay_out(question) if goal.typed else flight.laid_out
        ordered = in_order(first, await self._others(question, laid_out, first, trace))
        best = ordered[0] if ordered else first
        source = flight.source if best is first and not goal.typed else None
        self._cache.put(uri, window, best.text, ask.shape, best.stop_reason, source)
        if best is first:
            self._flights.keep(uri, flight)
        else:
            self._flights.stop(uri)
            trace.source = None
        if not ordered:
            assert isinstance(first.outcome, Decline)
            return first.outcome
        drafts = [c.outcome for c in ordered[: question.request.n_alternatives] if isinstance(c.outcome, Draft)]
        return self._shown(drafts, question, trace)

    async def _others(
        self, question: Question, laid_out: LaidOutPrompt, first: Candidate, trace: TraceBuilder
    ) -> list[Candidate]:
        """Give further answers: asked for by a key, or since the first one does not fit."""
        if question.token.cancelled or first.stop_reason is StopReason.DEADLINE:
            return []
        if question.is_late and isinstance(first.outcome, Draft):
            return []
        n_rows = self._settings.n_second_opinions if first.calls_for_others else 0
        found: list[Candidate] = []
        trace.second_look = first.doubt if n_rows else ""
        for begin in beginnings(first, question.window) if n_rows else ():
            found += await self._begun(question, begin, n_rows, trace)
        n_rows = 0 if first.is_half or any(c.fits for c in found) else n_rows
        n_rows = max(n_rows, question.request.n_alternatives - 1)
        if not n_rows or question.token.cancelled:
            return found
        request = self._request(question, laid_out, min(question.ask.decoded_tokens_max, SAMPLED_TOKENS_MAX))
        while n_rows > 0 and not question.token.cancelled:
            # One sampled row would be a greedy one again.
            sampled = replace(request, n_rows=ROWS_AT_ONCE, temperature=SAMPLING_TEMPERATURE)
            rows = await self._engine.generate(sampled)
            trace.more(rows, "sampled")
            found += [judge(row, laid_out.answer(row.text), question.window, question.ask.shape) for row in rows]
            n_rows -= ROWS_AT_ONCE
            if question.request.n_alternatives == 1 and any(c.fits for c in found):
                break
        return found

    async def _begun(self, question: Question, begin: Beginnings, n_rows: int, trace: TraceBuilder) -> list[Candidate]:
        """Decode answers that begin as the lines below call for, and as the likeliest words that may stand there."""
        ask = question.ask
        tokenizer = self._engine.tokenizer
        laid_out = self._launcher.lay_out(question, begin.window(question.window))
        request = self._request(question, laid_out, min(ask.decoded_tokens_max, SAMPLED_TOKENS_MAX), begin.lead)
        asked = replace(request, n_rows=FIRST_WORDS, first_tokens=True, should_stop=None)
        words = [] if begin.is_wanted_alone else await self._engine.generate(asked)
        starts = {tuple(tokenizer.encode(laid_out.owed + start)): 0.0 for start in begin.wanted}
        for word in words:
            if begin.may_begin(word.text):
                starts.setdefault(tuple(tokenizer.encode(word.text)), word.log_probability or 0.0)
        chosen = tuple(starts)[:n_rows]
        is_unheard = not begin.is_wanted_alone and not any(word.n_decoded_tokens for word in words)
        if is_unheard or not chosen or question.token.cancelled:
            return []
        found: list[Candidate] = []
        for start in chosen:
            likeliest = max((c.log_probability or 0.0 for c in found if c.fits), default=float("-inf"))
            if question.token.cancelled or likeliest >= starts[start]:
                break  # no line is likelier than its first word, nor is any that comes behind this one
            [row] = await self._engine.generate(replace(request, starts=(start,)))
            if not row.text:
                break  # it was cancelled, or too late, while it waited for its turn
            trace.more([row], "begun")
            likely = replace(row, log_probability=(row.log_probability or 0.0) + starts[start])
            found.append(judge(likely, begin.lead + laid_out.answer(row.text), question.window, ask.shape))
        return found

    def _request(
        self, question: Question, laid_out: LaidOutPrompt, n_tokens_max: int, lead: str = ""
    ) -> GenerationRequest:
        rules = StopRules.build(question.window, question.ask)
        return GenerationRequest(
            prompt=laid_out.prompt,
            n_tokens_max=n_tokens_max,
            priority=Priority.TYPING,
            token=question.token,
            should_stop=lambda text: rules.should_stop(lead + laid_out.answer(text)),
            deadline_at_s=question.deadline_at_s,
        )

    def _shown(self, drafts: list[Draft], question: Question, trace: TraceBuilder) -> list[Completion] | Decline:
        """Place the drafts in the document."""
        placed: list[Completion] = []
        for draft in drafts:
            completion = place(draft, question.request)
            if completion is not None:
                trace.filters = trace.filters if placed else draft.applied
                placed.append(completion)
        trace.part("postprocess")
        return placed or Decline(DeclineReason.SELECTION_MISMATCH)


def place(draft: Draft, request: CompletionRequest) -> Completion | None:
    """Put a draft into the document, with its line ends; None if it does not continue the selected item."""
    text, start_offset = draft.text, request.offset
    end_offset = request.offset + draft.n_replaced_after
    selected = request.selected
    if selected is not None:
        # The editor shows ghost text only if it continues the selected item over the item's own range.
        typed = request.document.text[selected.start_offset : request.offset]
        if not (typed + text).startswith(selected.text):
            return None
        text, start_offset = typed + text, selected.start_offset
        end_offset = max(end_offset, selected.end_offset)
    end_of_line = request.document.end_of_line
    return Completion(
        completion_id=f"c{next(_completion_ids)}",
        text=text if end_of_line == "\n" else text.replace("\n", end_of_line),
        start_offset=start_offset,
        end_offset=end_offset,
    )
