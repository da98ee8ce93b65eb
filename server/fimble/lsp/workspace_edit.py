"""An action's result as one WorkspaceEdit, in the form the client can take. Decides nothing about its content."""

from __future__ import annotations

from lsprotocol import types
from pygls.capabilities import get_capability

from fimble.actions.outcome import ActionResult, Edit, FileText
from fimble.text.document import DocumentSnapshot
from fimble.text.location import uri_of
from fimble.text.position import Encoding, to_position

ANNOTATION = "fimble"


def can_create_files(capabilities: types.ClientCapabilities) -> bool:
    kinds = get_capability(capabilities, "workspace.workspace_edit.resource_operations", None) or []
    changes = get_capability(capabilities, "workspace.workspace_edit.document_changes", False)
    return bool(changes) and types.ResourceOperationKind.Create in kinds


def build(
    result: ActionResult,
    document: DocumentSnapshot,
    encoding: Encoding,
    capabilities: types.ClientCapabilities,
    *,
    preview: bool,
) -> types.WorkspaceEdit:
    """Give one edit that is one undo step; `document` is the snapshot that the result's offsets mean.

    With `preview`, a client that knows change annotations is asked to let the user look first.
    """
    documents = bool(get_capability(capabilities, "workspace.workspace_edit.document_changes", False))
    if not documents:
        changes = {document.uri: [_text_edit(document, e, encoding) for e in result.edits]} if result.edits else {}
        return types.WorkspaceEdit(changes=changes)
    annotated = documents and get_capability(capabilities, "workspace.workspace_edit.change_annotation_support", None)
    note = ANNOTATION if annotated else None
    parts: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = []
    if result.edits:
        identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
        parts.append(types.TextDocumentEdit(identifier, _edits(document, result.edits, encoding, note)))
    for file in result.files:
        parts += _file_parts(file, encoding, note)
    annotations = None
    if note is not None:
        description = result.reason or None
        annotations = {note: types.ChangeAnnotation(result.title, needs_confirmation=preview, description=description)}
    return types.WorkspaceEdit(document_changes=parts, change_annotations=annotations)


def _file_parts(
    file: FileText, encoding: Encoding, note: str | None
) -> list[types.CreateFile | types.TextDocumentEdit]:
    uri = uri_of(file.path)
    snapshot = DocumentSnapshot(uri, file.language, 0, file.old_text or "")
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=None)
    edit = types.TextDocumentEdit(identifier, _edits(snapshot, file.edits, encoding, note))
    if file.old_text is not None:
        return [edit]
    options = types.CreateFileOptions(overwrite=False, ignore_if_exists=False)
    return [types.CreateFile(uri=uri, options=options, annotation_id=note), edit]


def _edits(
    document: DocumentSnapshot, edits: tuple[Edit, ...], encoding: Encoding, note: str | None
) -> list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit]:
    plain = [_text_edit(document, edit, encoding) for edit in edits]
    if note is None:
        return [*plain]
    return [types.AnnotatedTextEdit(annotation_id=note, range=e.range, new_text=e.new_text) for e in plain]


def _text_edit(document: DocumentSnapshot, edit: Edit, encoding: Encoding) -> types.TextEdit:
    return types.TextEdit(range_of(document, edit.start_offset, edit.end_offset, encoding), edit.text)


def range_of(document: DocumentSnapshot, start_offset: int, end_offset: int, encoding: Encoding) -> types.Range:
    start, end = to_position(document, start_offset, encoding), to_position(document, end_offset, encoding)
    return types.Range(types.Position(*start), types.Position(*end))
