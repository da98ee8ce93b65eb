"""textDocument/completion: the same suggestions in the menu, for editors without ghost text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability

from fimble.lsp.asking import Answer, ask
from fimble.lsp.commands import accepted_command
from fimble.records import Completion, Trigger
from fimble.settings import Settings

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

TRIGGER_CHARACTERS = [".", "(", "=", ":"]
OPTIONS = types.CompletionOptions(trigger_characters=TRIGGER_CHARACTERS)
LABEL_CHARS_MAX = 60
SORT_LAST = "\uffff"
"""Sorts after the language server's own items: the menu is theirs."""
_WORD_BEFORE = re.compile(r"\w*\Z")


def register_for(ls: FimbleServer, capabilities: types.ClientCapabilities, settings: Settings) -> None:
    """Register the method if the setting `completion_menu` and the client ask for it."""
    if _is_wanted(capabilities, settings):
        ls.feature(types.TEXT_DOCUMENT_COMPLETION, OPTIONS)(completion)


def register_late(ls: FimbleServer) -> None:
    """Register the method after a change of settings, with a client that can take it then."""
    assert ls.app is not None
    capabilities = ls.client_capabilities
    is_new = types.TEXT_DOCUMENT_COMPLETION not in ls.protocol.fm.features
    can = get_capability(capabilities, "text_document.completion.dynamic_registration", False)
    if is_new and can and _is_wanted(capabilities, ls.app.settings):
        ls.feature(types.TEXT_DOCUMENT_COMPLETION, OPTIONS)(completion)
        ls.register_dynamically(
            types.TEXT_DOCUMENT_COMPLETION, {"documentSelector": None, "triggerCharacters": TRIGGER_CHARACTERS}
        )


def _is_wanted(capabilities: types.ClientCapabilities, settings: Settings) -> bool:
    has_ghost_text = get_capability(capabilities, "text_document.inline_completion") is not None
    return settings.completion_menu == "always" or (settings.completion_menu == "auto" and not has_ghost_text)


async def completion(ls: FimbleServer, params: types.CompletionParams) -> types.CompletionList:
    """Answer with at most one item; the list is incomplete, so the editor asks again as the user types on."""
    assert ls.app is not None
    if not _is_wanted(ls.client_capabilities, ls.app.settings):
        return types.CompletionList(is_incomplete=True, items=[])
    answer = await ask(ls, params.text_document.uri, params.position, Trigger.AUTOMATIC)
    usable = [c for c in answer.completions if answer.is_on_one_line(c)] if answer else []
    items = [_item(c, answer) for c in usable[:1]] if answer else []
    return types.CompletionList(is_incomplete=True, items=items)


def _item(completion: Completion, answer: Answer) -> types.CompletionItem:
    """Give the item for a whole word: menus compare the word before the cursor with what they offer."""
    document = answer.document
    line_start = document.line_start(document.line_of(completion.start_offset))
    word_match = _WORD_BEFORE.search(document.text[line_start : completion.start_offset])
    word = word_match.group() if word_match else ""
    text = word + completion.text
    first_line = text.strip().split("\n", 1)[0].rstrip()
    item_range = answer.range_of(completion.start_offset - len(word), completion.end_offset)
    fenced = f"```{document.language}\n{text}\n```"
    return types.CompletionItem(
        label=first_line[:LABEL_CHARS_MAX],
        kind=types.CompletionItemKind.Text,
        detail="fimble",
        documentation=types.MarkupContent(types.MarkupKind.Markdown, fenced),
        sort_text=SORT_LAST,
        filter_text=text,
        text_edit=types.TextEdit(item_range, text),
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        command=accepted_command(completion.completion_id),
    )
