"""What the typist of the demo types, read from a file in the package. Strict: a wrong sample is an error."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from fimble.errors import UsageError


@dataclass(frozen=True, slots=True)
class Step:
    """Type `typed`, wait for ghost text and take it; without any, type `otherwise`."""

    typed: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of which `before` and `after` stand from the start; the steps are typed between them."""

    language: str
    file_name: str
    before: str
    after: str
    steps: tuple[Step, ...]


def languages() -> list[str]:
    """Give the languages there is a sample for."""
    folder = resources.files(__package__) / "samples"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(language: str) -> Sample:
    """Read the sample of `language`. Errors: UsageError with the languages there are."""
    if language not in languages():
        raise UsageError(f"there is no sample in `{language}`", "known: " + ", ".join(languages()))
    text = (resources.files(__package__) / "samples" / f"{language}.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    steps = tuple(Step(step["type"], step["otherwise"]) for step in raw["steps"])
    return Sample(raw["language"], raw["file_name"], raw["before"], raw["after"], steps)


def keystrokes(typed: str) -> list[str]:
    """Cut what is typed into keys; the indentation after a line end comes with it, as editors insert it."""
    keys: list[str] = []
    for char in typed:
        if char == " " and keys and keys[-1][0] == "\n":
            keys[-1] += char
        else:
            keys.append(char)
    return keys
