"""Read infilling tasks and draw from them. The data is the user's folder; none is shipped, none is written."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from pathlib import Path

from fimble.errors import FimbleError

# Source: file names of openai/human-eval-infilling: data/.
FILE_STEMS = {
    "single-line": "HumanEval-SingleLineInfilling",
    "multi-line": "HumanEval-MultiLineInfilling",
    "random-span": "HumanEval-RandomSpanInfilling",
    "random-span-light": "HumanEval-RandomSpanInfillingLight",
}
# In these sets the hole is one or more whole lines; in the others it starts and ends anywhere.
WHOLE_LINE_SETS = ("single-line", "multi-line")


@dataclass(frozen=True, slots=True)
class InfillingTask:
    """One hole: `prompt` before it, `suffix` after it, `canonical_solution` what the author wrote there.

    `test` defines `check(candidate)`, which raises unless the function `entry_point` is right.
    """

    task_id: str
    entry_point: str
    prompt: str
    suffix: str
    canonical_solution: str
    test: str


def load(data_dir: Path, set_name: str) -> list[InfillingTask]:
    """Read one set from `data_dir` or its folder `infilling`, as `.jsonl.gz` or `.jsonl`.

    Errors: FimbleError if the file is missing or a line of it is not a task.
    """
    stem = FILE_STEMS[set_name]
    names = [f"{stem}.jsonl.gz", f"{stem}.jsonl"]
    found = [
        path for folder in (data_dir, data_dir / "infilling") for name in names if (path := folder / name).is_file()
    ]
    if not found:
        raise FimbleError(
            f"`{data_dir}` has no `{names[0]}`", "give the folder of the HumanEval-Infilling files with `--data`"
        )
    return [_parse(line, found[0], number) for number, line in enumerate(_lines(found[0]), start=1) if line.strip()]


def draw(tasks: list[InfillingTask], n_tasks_max: int | None, seed: int) -> list[InfillingTask]:
    """Draw tasks; with one seed a larger draw begins with the smaller one, so that a run can be widened."""
    drawn = list(tasks)
    random.Random(seed).shuffle(drawn)
    return drawn if n_tasks_max is None else drawn[:n_tasks_max]


def _lines(path: Path) -> list[str]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        # Not splitlines(): a task's text may hold U+2028 and the like.
        return content.decode("utf-8").split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FimbleError(f"cannot read `{path}`: {error}", "fetch the file again") from error


def _parse(line: str, path: Path, number: int) -> InfillingTask:
    try:
        raw = json.loads(line)
        return InfillingTask(**{name: str(raw[name]) for name in InfillingTask.__slots__})
    except (ValueError, KeyError, TypeError) as error:
        raise FimbleError(
            f"`{path}` line {number} is not an infilling task: {error}", "fetch the file again"
        ) from error
