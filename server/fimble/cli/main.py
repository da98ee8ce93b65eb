"""Find the command, run it, and turn errors into one line and a hint. Commands are imported only when asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from fimble import __version__
from fimble.errors import FimbleError, render

# Each module has `SUMMARY: str`, `EPILOG: str` (examples), `add_arguments(parser)` and `run(args) -> int`.
COMMANDS = {
    "serve": "fimble.cli.serve",
    "complete": "fimble.cli.complete",
    "action": "fimble.cli.action",
    "demo": "fimble.cli.demo",
    "models": "fimble.cli.models",
    "daemon": "fimble.cli.daemon",
    "privacy": "fimble.cli.privacy",
    "doctor": "fimble.cli.doctor",
    "stats": "fimble.cli.stats",
    "eval": "fimble.cli.eval",
    "bench": "fimble.cli.bench",
}

DESCRIPTION = "One local code-model backend for every editor."
EPILOG = """examples:
  fimble demo                       see it complete code in the terminal
  fimble serve                      what an editor is told to run
  fimble complete FILE --line 3 --column 8
"""


class Command(Protocol):
    """The shape of a command module."""

    SUMMARY: str
    EPILOG: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def load_command(name: str) -> Command:
    return cast(Command, importlib.import_module(COMMANDS[name]))


def build_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser with the given commands only: importing one must not cost the others' start-up."""
    parser = argparse.ArgumentParser(
        prog="fimble",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fimble {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        command = load_command(name)
        child = subparsers.add_parser(
            name,
            help=command.SUMMARY,
            description=command.SUMMARY,
            epilog=command.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(child)
        child.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; gives the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    names = [arguments[0]] if arguments and arguments[0] in COMMANDS else list(COMMANDS)
    args = build_parser(names).parse_args(arguments)
    try:
        return int(args.run(args))
    except FimbleError as error:
        sys.stderr.write(render(error) + "\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
