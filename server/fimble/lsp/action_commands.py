"""workspace/executeCommand: run an action, clear a review, show the last answer that was not applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from fimble.log import LOGGER
from fimble.lsp import review_diagnostics, shown
from fimble.lsp.action_run import Outcome, Wanted, run_action, tell
from fimble.lsp.workspace_edit import build, can_create_files
from fimble.statistics.tally import Event

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

RUN = "fimble.action"
CLEAR_REVIEW = "fimble.clearReview"
SHOW_ANSWER = "fimble.showAnswer"


def register(server: FimbleServer) -> None:
    for name, handler in ((RUN, run), (CLEAR_REVIEW, clear_review), (SHOW_ANSWER, show_answer)):
        server.command(name)(handler)


async def run(ls: FimbleServer, *arguments: Any) -> dict[str, Any]:
    """Run `{name, uri, range, instruction?, version?}`, apply or show what comes of it, and say what was done."""
    wanted = Wanted.of(arguments[0]) if arguments else None
    if wanted is None:
        message = "`fimble.action` takes {name, uri, range, instruction?, version?}"
        return {"done": False, "refusal": "not-here", "message": message, "hint": None}
    outcome = await run_action(ls, wanted)
    result = outcome.result
    said: dict[str, Any] = {
        "done": result.refusal is None,
        "refusal": result.refusal.value if result.refusal else None,
        "message": result.message,
        "hint": result.hint,
        "reason": result.reason,
        "notes": list(result.notes),
        "total_ms": round(result.total_ms, 1),
        "n_decoded_tokens": result.n_decoded_tokens,
    }
    if result.refusal is not None:
        tell(ls, result)
        return said
    if result.findings:
        review_diagnostics.publish(ls, outcome)
        said["findings"] = len(result.findings)
    elif result.edits or result.files:
        said |= await _apply(ls, outcome)
    if result.markdown and not result.edits and not said.get("applied"):
        said["markdown"] = result.markdown
        if not result.findings:
            shown.remember(ls, wanted, outcome)
            await shown.show(ls, f"{result.action}.md", result.markdown)
    return said


async def _apply(ls: FimbleServer, outcome: Outcome) -> dict[str, Any]:
    """Send the edit; gives whether the editor took it."""
    assert ls.app is not None and outcome.document is not None
    if outcome.result.files and not can_create_files(ls.client_capabilities):
        ls.edit_outcomes.closed(outcome.document.uri)
        return {"applied": False}
    edit = build(
        outcome.result,
        outcome.document,
        ls.documents.encoding,
        ls.client_capabilities,
        preview=ls.app.settings.action_preview,
    )
    try:
        answer = await ls.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, label=outcome.result.title))
    except JsonRpcException:
        LOGGER.warning("the client refuses `workspace/applyEdit`")
        return {"applied": False, "done": False, "refusal": "not-applied"}
    if answer.applied:
        if outcome.result.edits:
            ls.edit_outcomes.made(outcome.document.uri)
        else:
            ls.count(outcome.result.action, outcome.document.language, Event.ACCEPTED)
        return {"applied": True}
    ls.edit_outcomes.closed(outcome.document.uri)
    message = f"the editor did not take the change{f': {answer.failure_reason}' if answer.failure_reason else ''}"
    ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"fimble: {message}"))
    return {"applied": False, "done": False, "refusal": "not-applied", "message": message}


def clear_review(ls: FimbleServer, *arguments: Any) -> dict[str, Any]:
    """Take back the remarks on the document named, or all."""
    uri = arguments[0] if arguments and isinstance(arguments[0], str) else None
    return {"cleared": review_diagnostics.clear(ls, uri)}


async def show_answer(ls: FimbleServer, *_: Any) -> dict[str, Any]:
    """Show what the model answered last, applied or not."""
    if not ls.last_answer:
        return {"markdown": None}
    await shown.show(ls, "answer.md", ls.last_answer)
    return {"markdown": ls.last_answer}
