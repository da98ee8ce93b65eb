"""`fimble serve`: what an editor is told to run. Parses arguments; the session lives in `lsp`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, NoReturn

SUMMARY = "Serve one editor over standard input and output, or over a socket."
EPILOG = """examples:
  fimble serve                                   what an editor runs
  fimble serve --model qwen2.5-coder-1.5b        with another model
  fimble serve --set delay_ms=120 --set multiline=never
  fimble serve --tcp 127.0.0.1:9257              for an editor that connects
  fimble serve --no-share                        with a model of its own in this process

Editors share one daemon that holds the model (see `fimble daemon --help`); this process passes their messages on.

options of one session, later ones first: the command line, what the editor changes, what the editor sends
at the start, the user's config.toml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="standard input and output (this is the default)")
    parser.add_argument(
        "--tcp", metavar="HOST:PORT", help="wait for one editor at this address; port 0 takes a free one"
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="let `--tcp` listen where other machines can connect"
    )
    parser.add_argument(
        "--no-share", action="store_true", help="serve in this process, with the model in its own memory"
    )
    parser.add_argument("--model", metavar="ID", help="the model to run, as `fimble models list` shows it")
    parser.add_argument(
        "--set", dest="assignments", action="append", default=[], metavar="KEY=VALUE", help="set an option; repeatable"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until the editor leaves.

    Errors: SettingsError, UsageError before anything is served.
    """
    flags = _flags(args)
    if not args.no_share and args.tcp is None:
        from fimble.daemon.place import find_place
        from fimble.daemon.shim import attach
        from fimble.daemon.starter import Starter
        from fimble.errors import DaemonError

        try:
            return attach(list(flags.items()), lambda: Starter(find_place()))
        except DaemonError as error:
            reason = f"{error.message} (hint: {error.hint})" if error.hint else error.message
            sys.stderr.write(f"warning: {reason}; this editor is served by a process of its own\n")
    return _serve_alone(args, flags)


def _flags(args: argparse.Namespace) -> dict[str, Any]:
    """Give the options of the command line. Errors: SettingsError if one is wrong."""
    flags: dict[str, Any] = {}
    if args.assignments:
        # A shim without flags does without these imports: its memory is paid once an editor.
        from fimble.options import parse_assignment, resolve_strict

        flags = dict(parse_assignment(assignment) for assignment in args.assignments)
        # Wrong flags end here, with exit code 2, and not in the middle of a session.
        resolve_strict(flags, source="the command line")
    if args.model is not None:
        flags["model"] = args.model
    return flags


def _serve_alone(args: argparse.Namespace, flags: dict[str, Any]) -> NoReturn:
    """Serve in this process."""
    from fimble import garbage, log
    from fimble.app import Application
    from fimble.engine.calibration_file import CalibrationFile
    from fimble.lsp import transport
    from fimble.lsp.server import FimbleServer, create_server
    from fimble.settings import Settings
    from fimble.statistics.recorder import Recorder
    from fimble.statistics.store import default_path

    address = transport.parse_address(args.tcp, allow_remote=args.allow_remote) if args.tcp else None
    log.configure(_log_level(flags))

    recorder = Recorder(default_path())

    def make_app(settings: Settings) -> Application:
        return Application(settings, recorder=recorder, calibration_file=CalibrationFile())

    def make_server() -> FimbleServer:
        server = create_server(make_app, flags)
        garbage.keep_out_of_typing()
        return server

    exit_code = transport.run_tcp(make_server, *address) if address else transport.run_stdio(make_server)
    recorder.close()
    _leave(exit_code)


def _log_level(flags: dict[str, Any]) -> str:
    return str(flags.get("log_level", "info"))


def _leave(exit_code: int) -> NoReturn:
    """End the process at once: a prefill cannot be interrupted, and a thread in one must not hold the exit."""
    sys.stderr.flush()
    os._exit(exit_code)
