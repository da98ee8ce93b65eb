"""Which documents no action may read. Asks for rules and looks at text; reads no file itself."""

from __future__ import annotations

from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.context import exclusion, secrets
from fimble.settings import Settings
from fimble.text.document import DocumentSnapshot


async def admit(document: DocumentSnapshot, settings: Settings, ignored: exclusion.IgnoredFiles | None) -> None:
    """Refuse a document that must not be read. Errors: ActionRefusedError.

    An action writes code back, so a secret cannot be masked on its way to the model: where the model is on
    another machine, a document with one in it is refused.
    """
    glob = exclusion.excluded_by(document.uri, settings.globs_off)
    if glob is not None:
        raise ActionRefusedError(
            Refusal.PATH_OFF, f"this file is left out (`{glob}`)", "change `globs_off` if that is wrong"
        )
    rule = await ignored.why(document.uri, settings.ignore_files) if ignored is not None else None
    if rule is not None:
        raise ActionRefusedError(
            Refusal.PATH_OFF, f"this file is left out (`{rule}`)", "change `ignore_files` if that is wrong"
        )
    if settings.is_remote and (found := secrets.find(document.text)):
        line = document.line_of(found[0].start_offset) + 1
        raise ActionRefusedError(
            Refusal.SECRET,
            f"line {line} holds what looks like a secret ({found[0].kind}), and the model is on a server",
            "take it out of the file, or run the action with a local model",
        )
