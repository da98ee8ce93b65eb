"""Read and check the fields of JSON bodies. Every complaint names the field; values are never repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fimble.errors import UsageError


class Fields:
    """A JSON object whose fields are asked for by kind."""

    def __init__(self, raw: Any) -> None:
        """Errors: UsageError if `raw` is no object."""
        if not isinstance(raw, Mapping):
            raise UsageError("the body must be a JSON object")
        self._raw = raw

    def __contains__(self, name: str) -> bool:
        return self._raw.get(name) is not None

    def get(self, name: str) -> Any:
        return self._raw.get(name)

    def text(self, name: str, default: str = "") -> str:
        value = self._raw.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise UsageError(f"`{name}` must be a string")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Give a whole number; one beyond the limits is the limit, as other servers have it."""
        value = self._raw.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UsageError(f"`{name}` must be a number")
        return max(low, min(high, int(value)))

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self._raw.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise UsageError(f"`{name}` must be a number from {low:g} to {high:g}")
        return float(value)

    def flag(self, name: str) -> bool:
        value = self._raw.get(name)
        if value is not None and not isinstance(value, bool):
            raise UsageError(f"`{name}` must be true or false")
        return bool(value)

    def words(self, name: str, n_words_max: int = 16) -> tuple[str, ...]:
        """Give a string or a list of strings; empty ones are left out."""
        value = self._raw.get(name)
        if value is None:
            return ()
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(v, str) for v in found) or len(found) > n_words_max:
            raise UsageError(f"`{name}` must be a string or a list of at most {n_words_max} strings")
        return tuple(v for v in found if v)
