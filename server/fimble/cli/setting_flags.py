"""The flags that lay settings over the user's file, the same for every command. Strict: a wrong value exits 2."""

from __future__ import annotations

import argparse
from typing import Any

from fimble import options
from fimble.settings import AUTO_MODEL, Settings


def add_setting_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--model` and `--set`."""
    parser.add_argument("--model", metavar="ID", help="model to use, as `fimble models list` shows it")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="assignments",
        help="set one option for this run; repeatable",
    )


def flagged_options(args: argparse.Namespace) -> dict[str, Any]:
    """Give what the flags say, raw. Errors: SettingsError for an assignment without an equals sign."""
    raw = dict(options.parse_assignment(text) for text in args.assignments)
    if args.model:
        raw["model"] = args.model
    return raw


def settings_from(args: argparse.Namespace) -> Settings:
    """Give the settings of this run: defaults, then the user's file, then the flags; `auto` is a model's id by then.

    Errors: SettingsError naming what is wrong and where.
    """
    from_file = options.resolve_strict(options.read_config_file(), source=f"`{options.config_path()}`")
    settings = options.resolve_strict(flagged_options(args), from_file)
    if settings.model != AUTO_MODEL:
        return settings
    # Most commands do without these imports.
    from fimble import calibration
    from fimble.engine.calibration_file import CalibrationFile
    from fimble.models.store import ModelStore

    return calibration.chosen(settings, ModelStore(), CalibrationFile())[0]
