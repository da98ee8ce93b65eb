"""Write the server's options into the clients' own lists; `--check` only says whether they are up to date.

No option is described here: names, defaults, bounds and documentation come from `fimble.settings`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from fimble import __version__, settings

CLIENTS = Path(__file__).resolve().parent.parent
PACKAGE_JSON = CLIENTS / "vscode" / "package.json"
VIM_HELP = CLIENTS / "nvim" / "doc" / "fimble.txt"
LUA_OPTIONS = CLIENTS / "nvim" / "lua" / "fimble" / "server_options.lua"

MACHINE_SETTINGS = ("engine", "remote_url", "remote_model", "run_examples")
"""Where text is sent and whether code is run. A folder that is opened must not decide that, nor which program is the
server: VS Code reads a setting of scope `machine` from the user's own settings alone."""

OWN_SETTINGS: dict[str, dict[str, Any]] = {
    "path": {
        "type": "string",
        "default": "",
        "scope": "machine",
        "markdownDescription": "The `fimble` command. Empty looks on the `PATH`, then in the extension's own "
        "environment.",
    },
    "arguments": {
        "type": "array",
        "items": {"type": "string"},
        "default": [],
        "scope": "machine",
        "markdownDescription": 'More arguments of `fimble serve`, such as `["--no-share"]`.',
    },
    "package": {
        "type": "string",
        "default": "",
        "scope": "machine",
        "markdownDescription": "What pip installs into the extension's own environment: a requirement, a wheel or a "
        "folder. Empty is the version that belongs to this extension.",
    },
    "trace.server": {
        "type": "string",
        "enum": ["off", "messages", "verbose"],
        "default": "off",
        "scope": "window",
        "markdownDescription": "Write the messages between editor and server to the log. They hold document text.",
    },
}


def json_schema(declared: dataclasses.Field[Any]) -> dict[str, Any]:
    """Give the setting as VS Code's settings editor reads it."""
    rules, default = declared.metadata, declared.default
    schema: dict[str, Any]
    if isinstance(default, bool):
        schema = {"type": "boolean"}
    elif isinstance(default, int):
        schema = {"type": "integer", "minimum": rules["minimum"], "maximum": rules["maximum"]}
    elif isinstance(default, tuple):
        schema, default = {"type": "array", "items": {"type": "string"}}, list(default)
    else:
        schema = {"type": "string"}
        if "choices" in rules:
            schema["enum"] = list(rules["choices"])
    scope = "machine" if declared.name in MACHINE_SETTINGS else "window"
    return {**schema, "default": default, "scope": scope, "markdownDescription": rules["doc"]}


def package_json() -> str:
    """Give package.json with the version and the settings of this server."""
    manifest = json.loads(PACKAGE_JSON.read_text(encoding="utf-8"))
    manifest["version"] = __version__
    properties = {f"fimble.{key}": value for key, value in OWN_SETTINGS.items()}
    properties |= {f"fimble.{field.name}": json_schema(field) for field in settings.declared()}
    ordered = {key: {"order": n, **value} for n, (key, value) in enumerate(properties.items())}
    manifest["contributes"]["configuration"] = {"title": "fimble", "properties": ordered}
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def vim_help() -> str:
    """Give the help file with the options between its markers."""
    text = VIM_HELP.read_text(encoding="utf-8")
    head = text.index("\n\n", text.index("SERVER OPTIONS")) + 2
    before, after = text[:head], text[text.index("=" * 78, head) :]
    entries = []
    for declared in settings.declared():
        tag = f"*fimble-{declared.name}*"
        line = f"{declared.name}" + tag.rjust(78 - len(declared.name))
        doc = " ".join((_choices(declared), _default(declared))).strip()
        body = textwrap.fill(declared.metadata["doc"].replace("`", '"') + " " + doc, 74, break_on_hyphens=False)
        entries.append(line + "\n" + textwrap.indent(body, "    "))
    return before + "\n\n".join(entries) + "\n\n" + after


def _choices(declared: dataclasses.Field[Any]) -> str:
    rules = declared.metadata
    if "choices" in rules:
        return "One of " + ", ".join(f'"{choice}"' for choice in rules["choices"]) + "."
    if "minimum" in rules:
        return f"{rules['minimum']} to {rules['maximum']}."
    return ""


def _default(declared: dataclasses.Field[Any]) -> str:
    default = declared.default
    if isinstance(default, bool):
        return f"Default: {str(default).lower()}."
    if isinstance(default, tuple):
        return f"Default: a list of {len(default)} globs." if default else "Default: {}."
    return f"Default: {default}."


def lua_options() -> str:
    """Give the Lua class of the options: what `vim.validate` checks and the language server completes."""
    lines = [
        "-- Generated by editor-client/scripts/generate_settings.py from the server's settings.",
        "local M = {}",
        "",
        "---@class (exact) fimble.ServerOptions",
    ]
    rows = []
    for declared in settings.declared():
        kind, lua_kind = _lua_type(declared)
        lines.append(f"---@field {declared.name}? {kind} {declared.metadata['doc']}")
        rows.append(f'  {declared.name} = "{lua_kind}",')
    return "\n".join([*lines, "", "---@type table<string, string>", "M.types = {", *rows, "}", "", "return M", ""])


def _lua_type(declared: dataclasses.Field[Any]) -> tuple[str, str]:
    default = declared.default
    if isinstance(default, bool):
        return "boolean", "boolean"
    if isinstance(default, int):
        return "integer", "number"
    if isinstance(default, tuple):
        return "string[]", "table"
    choices = declared.metadata.get("choices")
    return ("|".join(f'"{choice}"' for choice in choices) if choices else "string"), "string"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a list is out of date")
    args = parser.parse_args()
    stale = []
    for path, make in ((PACKAGE_JSON, package_json), (VIM_HELP, vim_help), (LUA_OPTIONS, lua_options)):
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        wanted = make()
        if current == wanted:
            continue
        stale.append(path.relative_to(CLIENTS).as_posix())
        if not args.check:
            path.write_text(wanted, encoding="utf-8")
    if stale and args.check:
        sys.stderr.write(f"error: out of date: {', '.join(stale)}\n\nhint: run `python {Path(__file__).name}`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
