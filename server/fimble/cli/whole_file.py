"""How a command writes a file of its own: all of it or nothing."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 under another name first: who reads the file meanwhile, or after a crash, finds it whole."""
    staged = path.with_name(path.name + ".new")
    staged.write_text(text, encoding="utf-8")
    staged.replace(path)
