"""A code action from request to result: the one orchestrator. Owns order and cancellation; decides nothing itself.

No protocol types, no model library. The only disk it sees is the workspace's, and it writes nowhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fimble.actions import catalogue, chat, privacy, stop
from fimble.actions.candidates import Candidate, best, judge
from fimble.actions.outcome import ActionRefusedError, ActionResult, Check, Refusal
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.rebase import rebase
from fimble.context.exclusion import IgnoredFiles, excluded_by
from fimble.engine.contract import Engine, EngineState, GenerationRequest, Priority
from fimble.errors import FimbleError, ModelError
from fimble.log import LOGGER
from fimble.manifest import ModelManifest
from fimble.metrics import Metrics
from fimble.records import CancelToken, FimPrompt, Generation, StopReason
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot

SAMPLED_TEMPERATURE = 0.6
"""Of the further candidates: enough to differ, little enough to stay code.

Source: between 0.2 (best for one sample) and 0.8 (best for many), Chen et al. 2021, arXiv:2107.03374, figure 5.
"""
PROGRESS_EVERY_S = 0.1

Newest = Callable[[], DocumentSnapshot | None]
OnText = Callable[[str], None]


@dataclass(slots=True)
class _Run:
    """What one request used up so far."""

    started_at_s: float
    prompt: FimPrompt = field(default_factory=lambda: FimPrompt((), ()))
    n_decoded_tokens: int = 0
    n_candidates: int = 0


@dataclass(slots=True)
class ActionService:
    """Runs the actions of one editor session. Its requests wait for each other in the engine's queue, in order."""

    engine: Engine
    manifest: ModelManifest
    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    ignored: IgnoredFiles | None = None

    @property
    def has_chat(self) -> bool:
        return self.manifest.chat is not None

    def offers(self, place: Place) -> list[Offer]:
        """Give what makes sense at the place; asks no model."""
        if excluded_by(place.document.uri, self.settings.globs_off):
            return []
        return catalogue.offers(place, has_chat=self.has_chat)

    async def run(
        self,
        name: str,
        place: Place,
        wish: Wish,
        token: CancelToken,
        newest: Newest,
        on_text: OnText | None = None,
    ) -> ActionResult:
        """Give what to apply or show, or why nothing.

        `newest` gives the document as it is when the result is ready (None: closed). `on_text` gets the answer so
        far, on the event loop. Never raises for what the user, the document or the model says. If the task is
        cancelled, the token is set and the engine stops within one decoded token.
        """
        run = _Run(time.monotonic())
        title = name
        try:
            action = catalogue.find(name)
            title = action.title
            await privacy.admit(place.document, self.settings, self.ignored)
            self._admit(action)
            plan = await asyncio.to_thread(action.plan, place, wish)
            candidate = await self._ask(plan, place, token, run, on_text)
            result = self._result(action, plan, place, candidate, newest)
        except asyncio.CancelledError:
            token.cancel()
            raise
        except ActionRefusedError as error:
            result = ActionResult(
                name,
                title,
                refusal=error.refusal,
                message=error.message,
                hint=error.hint,
                version=place.document.version,
            )
        except FimbleError as error:
            result = ActionResult(
                name,
                title,
                refusal=self._why(error),
                message=error.message,
                hint=error.hint,
                version=place.document.version,
            )
        return self._finished(result, run, place)

    def _admit(self, action: Action) -> None:
        """Refuse what need not be asked. Errors: ActionRefusedError."""
        if action.needs_chat and not self.has_chat:
            raise ActionRefusedError(
                Refusal.NO_CHAT, f"model `{self.manifest.model_id}` has no chat format", "choose an instruct model"
            )
        if self.engine.state in (EngineState.UNLOADED, EngineState.LOADING):
            raise ActionRefusedError(Refusal.MODEL_LOADING, "the model is loading", "try again in a moment")
        if self.engine.error is not None:
            raise self.engine.error

    async def _ask(self, plan: Plan, place: Place, token: CancelToken, run: _Run, on_text: OnText | None) -> Candidate:
        """Ask once, greedily; only if something speaks against that answer, ask for the others in one batch."""
        run.prompt = self._prompt(plan)
        greedy = await self._generate(plan, place, token, run, on_text)
        candidates = [await self._judge(place, plan, generation) for generation in greedy]
        n_more = self.settings.n_candidates - 1
        if candidates[0].convinces or not plan.verified or n_more < 1 or token.cancelled:
            return candidates[0]
        failed = candidates[0].failed_check or candidates[0].doubts[0]
        LOGGER.info("action candidate failed: %s; asking for %d more", _named(failed), n_more)
        # One row would be the greedy one again.
        sampled = await self._generate(plan, place, token, run, None, n_rows=max(2, n_more))
        candidates += [await self._judge(place, plan, generation) for generation in sampled]
        return best(candidates)

    def _prompt(self, plan: Plan) -> FimPrompt:
        n_tokens_max = min(
            self.settings.action_prompt_tokens_max, self.manifest.context_tokens - self.settings.action_tokens_max
        )
        if self.manifest.chat is not None:
            return chat.lay_out(plan.ask, self.manifest.chat, self.engine.tokenizer, n_tokens_max)
        assert plan.infill is not None
        return chat.lay_out_infill(plan.infill, self.manifest.fim, self.engine.tokenizer, n_tokens_max)

    async def _generate(
        self,
        plan: Plan,
        place: Place,
        token: CancelToken,
        run: _Run,
        on_text: OnText | None,
        n_rows: int = 1,
    ) -> list[Generation]:
        language, prefill = place.facts.language, plan.ask.prefill

        def should_stop(text: str) -> bool:
            # Looked at once a line: the rules speak of whole lines.
            if not text.endswith("\n") and "\n" not in text[-8:]:
                return False
            ended = plan.fenced and self.has_chat and stop.fenced_end(prefill, text, language) is not None
            return ended or stop.is_looping(text)

        request = GenerationRequest(
            prompt=run.prompt,
            n_tokens_max=self.settings.action_tokens_max,
            priority=Priority.ACTION,
            token=token,
            should_stop=should_stop,
            on_text=_on_loop(on_text) if on_text is not None else None,
            deadline_at_s=run.started_at_s + self.settings.action_deadline_ms / 1000,
            n_rows=n_rows,
            temperature=SAMPLED_TEMPERATURE if n_rows > 1 else 0.0,
        )
        generations = await self.engine.generate(request)
        if token.cancelled or any(g.stop_reason is StopReason.CANCELLED for g in generations):
            raise ActionRefusedError(Refusal.CANCELLED, "cancelled")
        run.n_candidates += len(generations)
        run.n_decoded_tokens += sum(g.n_decoded_tokens for g in generations)
        return generations

    async def _judge(self, place: Place, plan: Plan, generation: Generation) -> Candidate:
        return await asyncio.to_thread(
            judge, place, plan, generation, chat=self.has_chat, runs_examples=self.settings.run_examples
        )

    def _result(self, action: Action, plan: Plan, place: Place, candidate: Candidate, newest: Newest) -> ActionResult:
        result = ActionResult(
            action.name,
            action.title,
            version=place.document.version,
            raw_text=candidate.raw_text,
            checks=candidate.checks,
        )
        failed, draft = candidate.failed_check, candidate.draft
        if failed is not None or draft is None:
            message = failed.detail or failed.name if failed else "the answer is of no use"
            hint = "nothing was changed; the model's answer can be looked at, or say more of what you want"
            refusal = failed.refusal if failed else Refusal.NO_CODE
            return replace(result, refusal=refusal, message=message, hint=hint)
        document = newest()
        if document is None:
            return replace(result, refusal=Refusal.DOCUMENT_CLOSED, message="the document was closed meanwhile")
        edits = rebase(place.text, document.text, draft.edits)
        if edits is None:
            return replace(
                result,
                refusal=Refusal.DOCUMENT_CHANGED,
                message="the document was changed at this place meanwhile",
                hint="nothing was overwritten; run the action again",
            )
        notes = [*plan.notes, *(f"look at the change: {check.detail}" for check in candidate.doubts)]
        if place.syntax is None and draft.edits:
            notes.append(f"{place.facts.title} was not parsed: look at the change")
        findings = draft.findings if document.text == place.text else ()
        return replace(
            result,
            version=document.version,
            edits=edits,
            files=draft.files,
            markdown=draft.markdown,
            findings=findings,
            reason=draft.reason,
            message=_message(action.makes, draft.reason, len(findings)),
            notes=tuple(notes),
        )

    def _why(self, error: FimbleError) -> Refusal:
        if isinstance(error, ModelError):
            return Refusal.MODEL_NOT_INSTALLED
        return Refusal.ENGINE_FAILED

    def _finished(self, result: ActionResult, run: _Run, place: Place) -> ActionResult:
        total_ms = (time.monotonic() - run.started_at_s) * 1000
        outcome = result.refusal.value if result.refusal else "done"
        self.metrics.count(
            f"action.{result.action}.{outcome}" if result.action in catalogue.BY_NAME else "action.unknown"
        )
        self.metrics.observe_ms("action", total_ms)
        LOGGER.info(
            "action %s in %s: %s; %d prompt tokens, %d candidates, %d decoded tokens, %.0f ms",
            result.action if result.action in catalogue.BY_NAME else "unknown",
            place.document.language,
            outcome,
            run.prompt.n_tokens,
            run.n_candidates,
            run.n_decoded_tokens,
            total_ms,
        )
        return replace(
            result,
            n_candidates=run.n_candidates,
            n_prompt_tokens=run.prompt.n_tokens,
            n_decoded_tokens=run.n_decoded_tokens,
            total_ms=total_ms,
        )


def _on_loop(on_text: OnText) -> OnText:
    """Give a listener for the engine's thread that passes the text on to the event loop, not too often."""
    loop = asyncio.get_running_loop()
    last_at_s = 0.0

    def listen(text: str) -> None:
        nonlocal last_at_s
        now_s = time.monotonic()
        if now_s - last_at_s >= PROGRESS_EVERY_S and not loop.is_closed():
            last_at_s = now_s
            loop.call_soon_threadsafe(on_text, text)

    return listen


def _named(check: Check) -> str:
    return check.refusal.value if check.refusal is not None else "unknown"


def _message(makes: str, reason: str, n_findings: int) -> str:
    if makes == "findings":
        return f"{n_findings} remarks" if n_findings != 1 else "1 remark"
    return reason
