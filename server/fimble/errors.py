"""The one tree of errors a person may see. No I/O, no imports of other rooms.

    FimbleError                      a message and, where there is one, the way out
    ├── UsageError                   the command line or a strict file is wrong (exit 2)
    │   └── SettingsError            a named setting is unknown or of the wrong type
    ├── ModelError
    │   ├── UnknownModelError        no manifest has that id
    │   ├── ModelNotInstalledError   known, but its files are not on this machine
    │   ├── HashMismatchError        the bytes are not the publisher's bytes
    │   ├── ModelFilesError          truncated, foreign or damaged files
    │   ├── UnsupportedFamilyError   an architecture that no converter knows
    │   └── ConversionError          a converter could not do its work
    ├── DownloadError
    │   ├── NoSourceError            every source failed; each one's reason is in the message
    │   └── DiskFullError            not enough room, found before or while writing
    ├── PromptBudgetError            the sentinels alone exceed the token budget
    ├── EngineError                  the model could not be loaded or run
    └── DaemonError                  the shared process cannot be reached, started or trusted
        ├── UntrustedPlaceError      its directory or socket is another's or open to others
        └── OtherVersionError        a daemon of another version is serving and cannot be replaced now

The typing path never shows these for user text: it answers with a `Decline`.
"""

from __future__ import annotations


class FimbleError(Exception):
    """An error with its remedy.

    `message` is one sentence in sentence case without a full stop; `hint` says what to do.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(FimbleError):
    exit_code = 2


class SettingsError(UsageError):
    pass


class ModelError(FimbleError):
    pass


class UnknownModelError(ModelError):
    pass


class ModelNotInstalledError(ModelError):
    def __init__(self, model_id: str) -> None:
        super().__init__(f"model `{model_id}` is not installed", f"run `fimble models pull {model_id}`")
        self.model_id = model_id


class HashMismatchError(ModelError):
    def __init__(self, what: str, expected_sha256: str, found_sha256: str) -> None:
        super().__init__(
            f"{what} has sha256 {found_sha256}, expected {expected_sha256}",
            "the file was removed; pull again, or try another source order with `--source`",
        )
        self.expected_sha256 = expected_sha256
        self.found_sha256 = found_sha256


class ModelFilesError(ModelError):
    pass


class UnsupportedFamilyError(ModelError):
    pass


class ConversionError(ModelError):
    pass


class DownloadError(FimbleError):
    pass


class NoSourceError(DownloadError):
    pass


class DiskFullError(DownloadError):
    pass


class PromptBudgetError(FimbleError):
    pass


class EngineError(FimbleError):
    pass


class DaemonError(FimbleError):
    pass


class UntrustedPlaceError(DaemonError):
    pass


class OtherVersionError(DaemonError):
    pass


def render(error: FimbleError) -> str:
    """Give the text a person sees on stderr: the error line, a blank line, the hint."""
    lines = f"error: {error.message}"
    return f"{lines}\n\nhint: {error.hint}" if error.hint else lines
