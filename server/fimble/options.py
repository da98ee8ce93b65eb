"""Turn what an editor, a file or a flag sent into `Settings`. Decides what is valid; applies nothing."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from fimble.errors import SettingsError
from fimble.settings import Settings, declared

CONFIG_FILE_NAME = "config.toml"


def config_path() -> Path:
    """Give the user's settings file (it need not exist)."""
    return Path(platformdirs.user_config_dir("fimble")) / CONFIG_FILE_NAME


def resolve(raw: Mapping[str, Any], base: Settings | None = None) -> tuple[Settings, list[str]]:
    """Lay raw options over `base` one by one.

    Gives the settings and one warning for each option that is unknown or invalid; such an option keeps its
    value in `base`.
    Source: option by option with a message, astral-sh/ruff: crates/ruff_server/src/session/settings.rs.
    """
    settings = base or Settings()
    warnings: list[str] = []
    changes: dict[str, Any] = {}
    fields = {f.name: f for f in declared()}
    for key, value in raw.items():
        field = fields.get(key)
        if field is None:
            warnings.append(f"unknown option `{key}` is ignored{_nearest(key, fields)}")
            continue
        accepted, problem = _accept(field, value)
        if problem:
            kept = getattr(settings, key)
            warnings.append(f"option `{key}` {problem}; `{_shown(kept)}` is kept")
        else:
            changes[key] = accepted
    if not changes:
        return settings, warnings
    explicit = settings.explicit.union(changes)
    return dataclasses.replace(settings, **changes, explicit=explicit), warnings


def resolve_strict(raw: Mapping[str, Any], base: Settings | None = None, source: str = "") -> Settings:
    """Lay raw options over `base`, refusing what is unknown or invalid.

    Errors: SettingsError naming every bad option (the command line exits 2).
    """
    settings, warnings = resolve(raw, base)
    if warnings:
        where = f" in {source}" if source else ""
        raise SettingsError(
            "; ".join(w.split("; `")[0] for w in warnings) + where,
            "`fimble serve --help` lists the options and their defaults",
        )
    return settings


def read_config_file(path: Path | None = None) -> dict[str, Any]:
    """Read the user's TOML file; a missing file is an empty mapping.

    Errors: SettingsError with line and column if it is not TOML or not readable.
    """
    path = path or config_path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read `{path}`: {error}", "make it a readable UTF-8 file") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"`{path}` is not TOML: {error}", "mend the line named, or remove it") from error


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read one `KEY=VALUE` of the command line; the value is TOML, or a bare string.

    Errors: SettingsError without an equals sign.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SettingsError(f"`{text}` is not KEY=VALUE", "for example `--set delay_ms=120`")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    return key.strip(), parsed


def reference_markdown() -> str:
    """Give the option reference of the README."""
    rows = ["| option | default | what it does |", "|---|---|---|"]
    for field in declared():
        rules = field.metadata
        doc = rules["doc"]
        if "choices" in rules:
            doc += " One of " + ", ".join(f"`{c}`" for c in rules["choices"]) + "."
        elif "minimum" in rules:
            doc += f" {rules['minimum']} to {rules['maximum']}."
        default = field.default
        shown = "(see below)" if field.name == "globs_off" else f"`{_shown(default)}`"
        rows.append(f"| `{field.name}` | {shown} | {doc} |")
    return "\n".join(rows)


def _accept(field: dataclasses.Field[Any], value: Any) -> tuple[Any, str]:
    """Give the value to use, or what is wrong with it."""
    default, rules = field.default, field.metadata
    if isinstance(default, bool):
        return (value, "") if isinstance(value, bool) else (None, "must be true or false")
    if isinstance(default, int):
        # LSP clients written in JavaScript or Lua may send 75.0 for 75.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return None, "must be a whole number"
        low, high = rules["minimum"], rules["maximum"]
        return (value, "") if low <= value <= high else (None, f"must be {low} to {high}")
    if isinstance(default, tuple):
        if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
            return tuple(value), ""
        return None, "must be a list of strings"
    if not isinstance(value, str):
        return None, "must be a string"
    choices = rules.get("choices")
    if choices and value not in choices:
        return None, "must be one of " + ", ".join(choices)
    return value, ""


def _nearest(key: str, fields: Mapping[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(key, list(fields), n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{v}"' for v in value) + "]"
    return str(value)
