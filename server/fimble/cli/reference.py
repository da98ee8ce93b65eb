"""Write README's option and command reference from the code that defines them. No command is described here."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from fimble import options
from fimble.cli.main import COMMANDS, build_parser
from fimble.cli.whole_file import write_whole
from fimble.errors import FimbleError, UsageError, render
from fimble.settings import SECRET_GLOBS

BLOCKS = ("commands", "options")


def updated(text: str) -> str:
    """Give `text` with each generated block renewed.

    Errors: UsageError if a block's markers are missing.
    """
    for name in BLOCKS:
        opening, closing = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(opening)}\n.*?{re.escape(closing)}", re.DOTALL)
        if not pattern.search(text):
            raise UsageError(f"there is no block from `{opening}` to `{closing}`", "put both markers into the file")
        body = commands_markdown() if name == "commands" else options_markdown()
        block = f"{opening}\n{body}\n{closing}"
        # A function, because a backslash in the replacement text is not an escape.
        text = pattern.sub(lambda _match, block=block: block, text)  # type: ignore[misc]
    return text


def options_markdown() -> str:
    """Give the table of the settings."""
    globs = ", ".join(f"`{glob}`" for glob in SECRET_GLOBS)
    return f"{options.reference_markdown()}\n\nDefault of `globs_off`: {globs}."


def commands_markdown() -> str:
    """Give one section for each command.

    Rendered from the parsers' arguments, since `format_help` differs between Python versions and terminal widths.
    """
    parser = build_parser(list(COMMANDS))
    return "\n\n".join(_section(name, child, 3) for name, child in _children(parser))


def _section(name: str, parser: argparse.ArgumentParser, depth: int) -> str:
    parts = [f"{'#' * depth} `{parser.prog}`", f"{parser.description or ''}"]
    rows = [_row(action) for action in parser._actions if _is_documented(action)]
    if rows:
        parts.append("\n".join(["| argument | what it does |", "|---|---|", *rows]))
    if parser.epilog:
        parts.append(f"```text\n{parser.epilog.strip()}\n```")
    parts += [_section(f"{name} {child_name}", child, depth + 1) for child_name, child in _children(parser)]
    return "\n\n".join(part for part in parts if part)


def _children(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                child = action.choices[choice.dest]
                if not child.description:
                    child.description = choice.help
                yield choice.dest, child


def _is_documented(action: argparse.Action) -> bool:
    hidden = (argparse._HelpAction, argparse._VersionAction, argparse._SubParsersAction)
    return not isinstance(action, hidden) and action.help is not argparse.SUPPRESS


def _row(action: argparse.Action) -> str:
    takes_value = action.nargs != 0
    shown = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    value = " ".join(shown) if isinstance(shown, tuple) else str(shown)
    if not action.option_strings:
        name = f"`{action.metavar or action.dest}`"
    else:
        name = ", ".join(f"`{flag} {value}`" if takes_value else f"`{flag}`" for flag in action.option_strings)
    text = (action.help or "") % {"default": action.default, "prog": "fimble", "dest": action.dest}
    if takes_value and action.default not in (None, False, "", [], argparse.SUPPRESS) and "default" not in text:
        text += f" (default: `{action.default}`)"
    # A bare `|` would end the table's cell, in code spans too.
    return f"| {name.replace('|', chr(92) + '|')} | {text.replace('|', chr(92) + '|')} |"


def main(argv: list[str] | None = None) -> int:
    """Renew the reference in a file; with `--check`, say whether it is up to date (exit 1 if not)."""
    parser = argparse.ArgumentParser(prog="python -m fimble.cli.reference", description=__doc__)
    parser.add_argument("file", metavar="FILE", type=Path, help="the Markdown file with the markers")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the file is out of date")
    args = parser.parse_args(argv)
    path: Path = args.file
    try:
        text = path.read_text(encoding="utf-8")
        renewed = updated(text)
    except OSError as error:
        sys.stderr.write(render(FimbleError(f"cannot read `{path}`: {error.strerror}")) + "\n")
        return 1
    except FimbleError as error:
        sys.stderr.write(render(error) + "\n")
        return error.exit_code
    if renewed == text:
        return 0
    if args.check:
        stale = FimbleError(f"the reference in `{path}` is out of date", f"run `python -m fimble.cli.reference {path}`")
        sys.stderr.write(render(stale) + "\n")
        return 1
    write_whole(path, renewed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
