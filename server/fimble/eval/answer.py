"""Two ways to answer a hole: the completion service as editors get it, and the bare model with its layout."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.completion.service import CompletionService
from fimble.context.window import cut
from fimble.engine.contract import Engine, GenerationRequest
from fimble.errors import EngineError
from fimble.eval.candidate import Candidate, Hole, hole_as_published, hole_for_editor
from fimble.eval.task import InfillingTask
from fimble.fim import prompt as fim_prompt
from fimble.manifest import FimTokens
from fimble.records import CancelToken, DeclineReason, Trigger
from fimble.text.document import DocumentSnapshot

# A service that answers so was not asked properly: the run must stop, not count it against the model.
NOT_THE_MODELS_FAULT = {
    DeclineReason.DISABLED,
    DeclineReason.LANGUAGE_OFF,
    DeclineReason.PATH_OFF,
    DeclineReason.DOCUMENT_NOT_OPEN,
    DeclineReason.MODEL_NOT_INSTALLED,
    DeclineReason.MODEL_LOADING,
    DeclineReason.ENGINE_FAILED,
    DeclineReason.CANCELLED,
    DeclineReason.SUPERSEDED,
    DeclineReason.DOCUMENT_CHANGED,
    DeclineReason.SHUTTING_DOWN,
}
# Every hole of the benchmark with what is around it fits; the bare model is shown all of it.
BARE_BUDGET = fim_prompt.PromptBudget(prefix_tokens=2048, suffix_tokens=2048)
BARE_LINE_TOKENS_MAX = 64
BARE_TOKENS_MAX = 256


class ServiceAnswerer:
    """Asks the completion service, as by the key that asks for a suggestion."""

    def __init__(self, service: CompletionService, set_name: str) -> None:
        self._service = service
        self._set_name = set_name

    def hole(self, task: InfillingTask) -> Hole:
        return hole_for_editor(task, self._set_name)

    async def answer(self, task: InfillingTask, hole: Hole) -> Candidate:
        document = DocumentSnapshot(f"untitled:{task.task_id}.py", "python", 1, hole.text)
        request = CompletionRequest(document, hole.offset, Trigger.INVOKED)
        result = await self._service.complete(request, CancelToken(), lambda: document)
        self._service.closed(document.uri)
        return _candidate(result, hole)


class BareAnswerer:
    """Asks the model itself: the prompt layout and the benchmark's own cutting, nothing of the service."""

    def __init__(self, engine: Engine, fim: FimTokens, single_line: bool) -> None:
        self._engine = engine
        self._fim = fim
        self._single_line = single_line

    def hole(self, task: InfillingTask) -> Hole:
        return hole_as_published(task)

    async def answer(self, task: InfillingTask, hole: Hole) -> Candidate:
        window = cut(DocumentSnapshot(task.task_id, "python", 1, hole.text), hole.offset)
        laid_out = fim_prompt.build(window, self._fim, self._engine.tokenizer, BARE_BUDGET)
        request = GenerationRequest(
            laid_out.prompt,
            BARE_LINE_TOKENS_MAX if self._single_line else BARE_TOKENS_MAX,
            should_stop=_has_whole_line if self._single_line else None,
        )
        row = (await self._engine.generate(request))[0]
        text = first_line(row.text) if self._single_line else row.text
        trace = {"n_decoded_tokens": row.n_decoded_tokens, "stop_reason": row.stop_reason.value, "raw": row.text}
        return Candidate(text, hole.offset, hole.offset, trace=trace)


def first_line(text: str) -> str:
    """Give the first line that is not blank, with its line end; the benchmark's holes are such lines."""
    lines = [line for line in text.split("\n") if line.strip()]
    return f"{lines[0]}\n" if lines else ""


def _has_whole_line(text: str) -> bool:
    return "\n" in text.lstrip("\n")


def _candidate(result: CompletionResult, hole: Hole) -> Candidate:
    trace: dict[str, Any] = plain(dataclasses.asdict(result.trace))
    if result.completions:
        best = result.completions[0]
        return Candidate(best.text, best.start_offset, best.end_offset, trace=trace)
    reason = result.decline.reason if result.decline else DeclineReason.EMPTY_ANSWER
    if reason in NOT_THE_MODELS_FAULT:
        detail = f": {result.decline.detail}" if result.decline and result.decline.detail else ""
        raise EngineError(f"the completion service declined with `{reason.value}`{detail}", "run `fimble doctor`")
    return Candidate("", hole.offset, hole.offset, reason.value, trace)


def plain(value: Any) -> Any:
    """Give `value` with enums as their values, for JSON."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
