"""textDocument/inlineCompletion: ghost text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from fimble.lsp.asking import Answer, ask
from fimble.lsp.commands import accepted_command
from fimble.records import Completion, Trigger

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer


def register(server: FimbleServer) -> None:
    # Without options pygls does not advertise the capability.
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(inline_completion)


async def inline_completion(ls: FimbleServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Answer with the suggestions, best first; with none if there is nothing to show, for whatever reason."""
    context = params.context
    is_invoked = context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
    trigger = Trigger.INVOKED if is_invoked else Trigger.AUTOMATIC
    answer = await ask(ls, params.text_document.uri, params.position, trigger, context.selected_completion_info)
    if answer is None:
        return types.InlineCompletionList([])
    return types.InlineCompletionList([_item(c, answer) for c in answer.completions if answer.is_on_one_line(c)])


def _item(completion: Completion, answer: Answer) -> types.InlineCompletionItem:
    return types.InlineCompletionItem(
        insert_text=completion.text,
        filter_text=_filter_text(completion, answer),
        range=answer.range_of(completion.start_offset, completion.end_offset),
        command=accepted_command(completion.completion_id),
    )


def _filter_text(completion: Completion, answer: Answer) -> str:
    """Give a text that starts with what is replaced: an editor hides an item for which that does not hold.

    Source: LSP 3.18, InlineCompletionItem.filterText.
    """
    replaced = answer.document.text[completion.start_offset : completion.end_offset]
    return completion.text if completion.text.startswith(replaced) else replaced + completion.text
