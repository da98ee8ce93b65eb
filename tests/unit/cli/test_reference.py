"""README's generated blocks."""

from __future__ import annotations

import argparse

import pytest

from fimble.cli import reference
from fimble.cli.main import COMMANDS
from fimble.errors import UsageError
from fimble.settings import declared

EMPTY = (
    "top\n<!-- generated: options -->\n<!-- end of options -->\n"
    "mid\n<!-- generated: commands -->\nstale\n<!-- end of commands -->\nend\n"
)


def test_blocks_are_renewed_and_the_rest_is_kept():
    text = reference.updated(EMPTY)
    assert text.startswith("top\n<!-- generated: options -->\n| option")
    assert text.endswith("<!-- end of commands -->\nend\n")
    assert "stale" not in text
    assert reference.updated(text) == text


def test_every_option_and_every_command_is_there():
    text = reference.updated(EMPTY)
    for field in declared():
        assert f"| `{field.name}` |" in text
    for name in COMMANDS:
        assert f"### `fimble {name}`" in text


def test_missing_marker_is_named():
    with pytest.raises(UsageError, match="generated: commands"):
        reference.updated(EMPTY.replace("<!-- end of commands -->", ""))


def test_check_says_when_a_file_is_out_of_date(tmp_path, capsys):
    path = tmp_path / "README.md"
    path.write_text(EMPTY, encoding="utf-8")
    assert reference.main([str(path), "--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == EMPTY
    assert reference.main([str(path)]) == 0
    assert reference.main([str(path), "--check"]) == 0


def test_arguments_of_nested_commands_are_shown_with_their_defaults():
    parser = argparse.ArgumentParser(prog="fimble")
    children = parser.add_subparsers()
    models = children.add_parser("models", help="Handle models.")
    pull = models.add_subparsers().add_parser("pull", help="Fetch one.")
    pull.add_argument("id", metavar="ID", help="which | what")
    pull.add_argument("--tries", type=int, default=3, metavar="N", help="how often")
    pull.add_argument("--note", default="", metavar="TEXT", help="your words")
    pull.add_argument("--secret", help=argparse.SUPPRESS)
    name, child = next(reference._children(parser))
    text = reference._section(name, child, 3)
    assert "### `fimble models`\n\nHandle models." in text
    assert "#### `fimble models pull`\n\nFetch one." in text
    assert "| `ID` | which \\| what |" in text
    assert "| `--tries N` | how often (default: `3`) |" in text
    assert "| `--note TEXT` | your words |" in text
    assert "secret" not in text
