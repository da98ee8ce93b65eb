"""`fimble daemon`: start, stop and look at the process that all editors share."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from fimble.daemon import control, greeting
from fimble.daemon.place import Place, find_place
from fimble.daemon.starter import Starter

SUMMARY = "Start, stop and look at the process that all editors share."
EPILOG = """examples:
  fimble daemon status              who is connected, and what the daemon costs
  fimble daemon stop                end it if no editor is connected
  fimble daemon restart             start it afresh; connected editors keep their documents
  fimble daemon logs -n 50          the end of its log

Editors start the daemon by themselves: `fimble serve` does. It leaves when no editor has been connected for
`daemon_idle_exit_s`. What its log holds is set by `log_level` in config.toml, not by the sessions.
"""

ACTIONS = ("start", "stop", "status", "restart", "logs", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=ACTIONS, metavar="ACTION", help=f"{', '.join(ACTIONS[:-1])}, or run (in the foreground)"
    )
    parser.add_argument(
        "--force", action="store_true", help="stop or restart although editors are connected or it hangs"
    )
    parser.add_argument("--json", action="store_true", help="print the state as JSON")
    parser.add_argument("-n", "--lines", type=int, default=40, metavar="N", help="lines of the log to print (40)")


def run(args: argparse.Namespace) -> int:
    place = find_place()
    if args.action == "run":
        return _run(place)
    if args.action == "logs":
        return _logs(place, args.lines)
    if args.action == "stop":
        ended = control.stop(place, force=args.force)
        _say("stopped" if ended else "no daemon runs")
    elif args.action == "restart":
        control.stop(place, "restart", force=args.force)
        _start(place)
    elif args.action == "start":
        _start(place)
    return _status(place, as_json=args.json, is_asked=args.action == "status")


def _start(place: Place) -> None:
    joined = Starter(place).join(greeting.SESSION)
    joined.connection.close()


def _run(place: Place) -> int:
    from fimble.cli.daemon_process import run_process

    return run_process(place)


def _status(place: Place, *, as_json: bool, is_asked: bool) -> int:
    """Print the state; `status` itself fails if no daemon runs, so that a script may ask by the exit code."""
    state = control.status(place)
    if as_json:
        sys.stdout.write(json.dumps({"running": state is not None, **(state or {})}, indent=2) + "\n")
    elif state is not None:
        sys.stdout.write(_readable(state))
    elif is_asked:
        _say("no daemon runs")
    return 1 if state is None and is_asked else 0


def _readable(state: Mapping[str, Any]) -> str:
    lines = [
        f"daemon      running, pid {state['pid']}, fimble {state['version']}, up {_span(state['uptime_s'])}",
        f"sessions    {len(state['sessions'])}",
    ]
    for session in state["sessions"]:
        parts = [f"#{session['session']}", session.get("client") or "unnamed", f"open {_span(session['open_s'])}"]
        if "n_documents" in session:
            parts.append(f"{session['n_documents']} documents")
        lines.append("            " + ", ".join(parts))
    for engine in state.get("engines", ()):
        lines.append(f"model       {engine['model']}, {engine['state']}, {engine['n_sessions']} sessions")
    if "resident_bytes" in state:
        lines.append(f"memory      {state['resident_bytes'] / 1e6:.0f} MB")
    if not state["sessions"]:
        lines.append(f"idle        {_span(state['idle_s'])}, leaves after {_span(state['idle_exit_s'])}")
    return "\n".join(lines) + "\n"


def _span(duration_s: float) -> str:
    if duration_s < 90:
        return f"{duration_s:.0f} s"
    return f"{duration_s / 60:.0f} min" if duration_s < 5400 else f"{duration_s / 3600:.1f} h"


def _logs(place: Place, n_lines: int) -> int:
    try:
        text = place.log_path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        _say(f"there is no log at {place.log_path}")
        return 1
    for line in text.splitlines()[-n_lines:] if n_lines > 0 else ():
        sys.stdout.write(line + "\n")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
