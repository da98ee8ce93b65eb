"""The tools that a contributor runs (`poe lint`, `types`, `arch`) pass; CI has no other list of them."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "ruff", "check", "server", "tests"),
        ("-m", "ruff", "format", "--check", "server", "tests"),
        ("-m", "mypy"),
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    ],
    ids=["lint", "format", "types", "import-contracts"],
)
def test_tool_has_no_complaint(run_python, arguments):
    finished = run_python(*arguments)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_import_contracts_cover_every_room(root, package):
    """A new package without a place in the layers would be outside every rule."""
    import tomllib

    configured = (root / "pyproject.toml").read_text(encoding="utf-8")
    layers = tomllib.loads(configured)["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name.strip("() ") for layer in layers for name in layer.split("|")}
    rooms = {f"fimble.{path.stem}" for path in package.iterdir() if _is_room(path)}
    assert rooms - placed == set()


def _is_room(path):
    if path.is_dir():
        return (path / "__init__.py").is_file()
    return path.suffix == ".py" and path.stem not in {"__init__", "__main__"}
