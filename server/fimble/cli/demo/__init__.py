"""`fimble demo`: a file typed in the terminal through the real server. Knows the server only through the protocol."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from fimble.cli.demo import sample as samples
from fimble.cli.demo.picture import Recorder
from fimble.cli.demo.sample import Sample, Step
from fimble.cli.demo.typist import Screen, Shown, Typist
from fimble.cli.demo.view import LiveView, PlainView, summary, timings
from fimble.cli.server_session import wait_until_ready
from fimble.cli.setting_flags import add_setting_flags, flagged_options, settings_from
from fimble.cli.stdio_client import StdioClient, serve_command
from fimble.errors import FimbleError, ModelNotInstalledError
from fimble.models.store import ModelStore
from fimble.settings import Settings

SUMMARY = "Watch fimble complete code in the terminal, and how fast."
EPILOG = """examples:
  fimble demo                          types a Python file at human speed
  fimble demo --model qwen2.5-coder-1.5b
  fimble demo --fast --json            no pauses; figures for a script

The first run fetches the model. Every key goes to `fimble serve`, a child process, as an editor would send it;
ghost text is drawn dimmed, and what stands at a pause is accepted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", default="python", metavar="ID", help="language of the sample (default: python)")
    parser.add_argument("--plain", action="store_true", help="lines instead of a moving picture; so without a terminal")
    parser.add_argument("--fast", action="store_true", help="no human pauses between keys")
    parser.add_argument("--json", action="store_true", help="print what was suggested and the figures as JSON")
    parser.add_argument("--save-picture", type=Path, metavar="FILE", help="also save the run as a moving SVG picture")
    add_setting_flags(parser)


def run(args: argparse.Namespace) -> int:
    settings = settings_from(args)
    sample = samples.load(args.language)
    if settings.engine != "scripted":
        pull_if_missing(settings.model)
    return asyncio.run(_play(args, settings, sample))


def pull_if_missing(model_id: str) -> None:
    """Fetch the model, with its progress on standard error, unless it is there.

    Errors: FimbleError if it could not be fetched; the reason has been printed by then.
    """
    try:
        ModelStore().path(model_id)
    except ModelNotInstalledError as error:
        sys.stderr.write(f"model `{model_id}` is not installed yet: fetching it, once\n")
        # A process of its own gives the converter's memory back before the server starts.
        pull = [sys.executable, "-m", "fimble", "models", "pull", model_id]
        if subprocess.run(pull, stdout=sys.stderr, check=False).returncode != 0:
            raise FimbleError(
                f"model `{model_id}` could not be fetched", "see above; `fimble doctor` may know more"
            ) from error


async def _play(args: argparse.Namespace, settings: Settings, sample: Sample) -> int:
    console = Console(stderr=args.json)
    steps: list[dict[str, Any]] = []
    async with StdioClient(serve_command(), on_notification=_log_message) as client:
        await client.initialize(flagged_options(args))
        title = settings.model if settings.engine != "scripted" else "scripted answers"
        # Draws in a terminal only, and is gone when the model is there.
        with console.status(f"loading {title} …"):
            load_ms = await wait_until_ready(client)
        typist = Typist(client, sample, lambda _screen: None, hurried=args.fast)
        recorder = Recorder(sample, title, typist.tally) if args.save_picture else None
        plain = args.plain or args.json or not console.is_terminal
        view = PlainView(console) if plain else LiveView(console, sample, title, typist.tally)
        typist.on_screen = _both(view.on_screen, recorder.on_screen if recorder else None)

        def on_step(step: Step, accepted: Shown | None) -> None:
            view.on_step(step, accepted)
            steps.append(_step_as_json(step, accepted))

        with view:
            await typist.play(on_step)
    if args.json:
        figures = {"model": title, **summary(typist.tally, load_ms), "steps": steps, "text": typist.text}
        sys.stdout.write(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    else:
        console.print(timings(typist.tally, title, load_ms))
    if recorder is not None:
        recorder.save(args.save_picture, timings(typist.tally, title, load_ms))
    return 0


def _both(first: Callable[[Screen], None], second: Callable[[Screen], None] | None) -> Callable[[Screen], None]:
    def draw(screen: Screen) -> None:
        first(screen)
        if second is not None:
            second(screen)

    return draw


def _step_as_json(step: Step, accepted: Shown | None) -> dict[str, Any]:
    return {
        "typed": step.typed,
        "accepted": accepted.text if accepted else None,
        "answer_ms": round(accepted.answer_ms, 1) if accepted else None,
    }


def _log_message(method: str, params: Any) -> None:
    """Pass on what the server wants a person to know."""
    if method == "window/showMessage":
        sys.stderr.write(f"server: {params.get('message', '')}\n")
