"""Turn a place and an `Ask` into filtered completions, from the cache or from the engine. Holds nothing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from fimble.completion.cache import CompletionCache
from fimble.completion.policy import Ask
from fimble.completion.request import CompletionRequest
from fimble.completion.stop import StopRules
from fimble.completion.tracing import TraceBuilder
from fimble.engine.contract import Engine, GenerationRequest, Priority
from fimble.fim import prompt as fim_prompt
from fimble.manifest import FimTokens
from fimble.postprocess import pipeline
from fimble.records import CancelToken, Completion, CursorWindow, Decline, DeclineReason, FimPrompt, Shape, StopReason
from fimble.settings import Settings

ALTERNATIVE_TOKENS_MAX = 32
"""Rows of a batch cannot be stopped one by one, so alternatives are kept short."""
ALTERNATIVE_TEMPERATURE = 0.8
_completion_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Question:
    """One place to complete, and how."""

    request: CompletionRequest
    window: CursorWindow
    ask: Ask
    token: CancelToken
    deadline_at_s: float


class Answerer:
    """Answers one question at a time for the service."""

    def __init__(self, engine: Engine, fim: FimTokens, settings: Settings, cache: CompletionCache) -> None:
        self._engine = engine
        self._fim = fim
        self._settings = settings
        self._cache = cache

    def from_cache(self, question: Question, trace: TraceBuilder) -> list[Completion] | Decline | None:
        """Give what is left of a suggestion typed through, filtered for the place as it is now; None: ask."""
        request = question.request
        if request.n_alternatives > 1:
            return None
        hit = self._cache.lookup(request.document.uri, question.window)
        if hit is None:
            return None
        trace.shape, trace.cache = hit.shape, "typed-through" if hit.n_typed_chars else "hit"
        draft = self._filter(hit.text, question, hit.shape, hit.stop_reason, trace)
        trace.part("cache")
        if isinstance(draft, Decline):
            return None if hit.n_typed_chars else draft
        return [draft]

    async def from_engine(self, question: Question, trace: TraceBuilder) -> list[Completion] | Decline:
        """Ask the model. Errors: PromptBudgetError, EngineError, ModelError."""
        request, ask, window = question.request, question.ask, question.window
        trace.shape = ask.shape
        laid_out = fim_prompt.build(
            healed(window),
            self._fim,
            self._engine.tokenizer,
            fim_prompt.PromptBudget(ask.prefix_tokens_max, ask.suffix_tokens_max),
        )
        trace.n_prefix_tokens, trace.n_suffix_tokens = laid_out.n_prefix_tokens, laid_out.n_suffix_tokens
        trace.n_head_tokens = len(laid_out.prompt.head)
        trace.part("prompt")
        rule = StopRules.build(window, ask)
        spared = spared_space(window)
        [generation] = await self._engine.generate(
            GenerationRequest(
                prompt=laid_out.prompt,
                n_tokens_max=ask.decoded_tokens_max,
                priority=Priority.TYPING,
                token=question.token,
                should_stop=lambda text: rule.should_stop(text.removeprefix(spared)),
                deadline_at_s=question.deadline_at_s,
            )
        )
        trace.generated(generation)
        if generation.stop_reason is StopReason.CANCELLED:
            return Decline(question.token.reason or DeclineReason.CANCELLED)
        text = generation.text.removeprefix(spared)
        if not text and generation.stop_reason is StopReason.DEADLINE:
            return Decline(DeclineReason.DEADLINE)
        self._cache.put(request.document.uri, window, text, ask.shape, generation.stop_reason)
        first = self._filter(text, question, ask.shape, generation.stop_reason, trace)
        if request.n_alternatives <= 1:
            return first if isinstance(first, Decline) else [first]
        others = await self._alternatives(question, laid_out.prompt, trace)
        if isinstance(first, Decline):
            return _distinct(others) if others else first
        return _distinct([first, *others])

    async def _alternatives(self, question: Question, prompt: FimPrompt, trace: TraceBuilder) -> list[Completion]:
        """Sample further rows in one batch: four cost about one and a half (server/bench/README.md)."""
        if question.token.cancelled:
            return []
        generations = await self._engine.generate(
            GenerationRequest(
                prompt=prompt,
                n_tokens_max=min(question.ask.decoded_tokens_max, ALTERNATIVE_TOKENS_MAX),
                priority=Priority.TYPING,
                token=question.token,
                deadline_at_s=question.deadline_at_s,
                n_rows=question.request.n_alternatives - 1,
                temperature=ALTERNATIVE_TEMPERATURE,
            )
        )
        trace.part("alternatives")
        shown: list[Completion] = []
        for generation in generations:
            trace.n_decoded_tokens += generation.n_decoded_tokens
            text = generation.text.removeprefix(spared_space(question.window))
            rule = StopRules.build(question.window, question.ask)
            cut = next((text[:n] for n in range(1, len(text) + 1) if rule.should_stop(text[:n])), text)
            completion = self._filter(cut, question, question.ask.shape, generation.stop_reason, trace)
            if isinstance(completion, Completion):
                shown.append(completion)
        return shown

    def _filter(
        self, text: str, question: Question, shape: Shape, stop_reason: StopReason, trace: TraceBuilder
    ) -> Completion | Decline:
        """Run the pipeline and place the text in the document, with its line ends."""
        request = question.request
        draft = pipeline.run(text, question.window, shape, stop_reason)
        trace.part("postprocess")
        if isinstance(draft, Decline):
            return draft
        trace.filters = draft.applied
        selected = request.selected
        text, start_offset = draft.text, request.offset
        end_offset = request.offset + draft.n_replaced_after
        if selected is not None:
            # The editor shows ghost text only if it continues the selected item over the item's own range.
            typed = request.document.text[selected.start_offset : request.offset]
            if not (typed + text).startswith(selected.text):
                return Decline(DeclineReason.SELECTION_MISMATCH)
            text, start_offset = typed + text, selected.start_offset
            end_offset = max(end_offset, selected.end_offset)
        end_of_line = request.document.end_of_line
        return Completion(
            completion_id=f"c{next(_completion_ids)}",
            text=text if end_of_line == "\n" else text.replace("\n", end_of_line),
            start_offset=start_offset,
            end_offset=end_offset,
        )


def spared_space(window: CursorWindow) -> str:
    """Give the one space before the cursor that is left out of the prompt, or nothing.

    The tokenizer joins a space to the word after it: a prompt that ends in a space asks for a word that the
    model has hardly ever seen written so, and spends its alternatives on white space.
    """
    return " " if window.prefix.endswith(" ") else ""


def healed(window: CursorWindow) -> CursorWindow:
    """Give the window as the prompt has it, without the spared space."""
    return replace(window, prefix=window.prefix[:-1]) if spared_space(window) else window


def _distinct(completions: list[Completion]) -> list[Completion]:
    """Keep the first of equal suggestions."""
    return list({(c.text, c.start_offset, c.end_offset): c for c in reversed(completions)}.values())[::-1]
