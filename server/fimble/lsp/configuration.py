"""An editor's options in layers: file, initialization, later changes, command line. Applies nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fimble.errors import SettingsError
from fimble.options import read_config_file, resolve, resolve_strict
from fimble.settings import Settings

SECTION = "fimble"


class OptionLayers:
    """Raw options and what they come to; a later layer goes over an earlier one, key by key.

    Order: the user's file, initialization options, changes sent later, command line. The command line is last
    because it was written for this process alone. A later change takes the place of the change before it.
    """

    def __init__(self, flags: Mapping[str, Any]) -> None:
        resolve_strict(flags, source="the command line")
        self._flags = dict(flags)
        self._file: dict[str, Any] = {}
        self._initial: dict[str, Any] = {}
        self._changed: dict[str, Any] = {}
        self._file_problem: str | None = None
        self._shown: set[str] = set()
        self._warnings: list[str] = []
        self.settings = Settings()
        self._resolve()

    def read_file(self, path: Path | None = None) -> None:
        """Take the user's file; one that cannot be read becomes a warning."""
        try:
            self._file = read_config_file(path)
        except SettingsError as error:
            self._file_problem = f"{error.message} ({error.hint})"
        self._resolve()

    def set_initial(self, raw: Any) -> None:
        self._initial = _own_options(raw)
        self._resolve()

    def set_changed(self, raw: Any, *, is_section: bool = False) -> bool:
        """Take what the editor sent later; False if it holds nothing for fimble.

        `is_section` says that it is the section's content, so that empty means "no option is set".
        """
        options = _own_options(raw)
        says_something = options or is_section or (isinstance(raw, Mapping) and SECTION in raw)
        if not says_something or raw is None:
            return False
        self._changed = options
        self._resolve()
        return True

    def take_warnings(self) -> list[str]:
        """Give the warnings since the last call, none twice in a session."""
        fresh = [warning for warning in dict.fromkeys(self._warnings) if warning not in self._shown]
        self._shown.update(fresh)
        return fresh

    def _resolve(self) -> None:
        settings, self._warnings = Settings(), [self._file_problem] if self._file_problem else []
        for layer in (self._file, self._initial, self._changed, self._flags):
            settings, warnings = resolve(layer, settings)
            self._warnings += warnings
        self.settings = settings


def _own_options(raw: Any) -> dict[str, Any]:
    """Give fimble's options out of what an editor sent, with the section or bare.

    No option is a mapping, so a mapping is another server's section, or what another client likes to send.
    """
    if not isinstance(raw, Mapping):
        return {}
    if SECTION in raw:
        inner = raw[SECTION]
        return dict(inner) if isinstance(inner, Mapping) else {}
    return {key: value for key, value in raw.items() if isinstance(key, str) and not isinstance(value, Mapping)}
