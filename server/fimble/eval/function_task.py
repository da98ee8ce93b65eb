"""Read tasks that ask for a whole function, as the document a user would have open. None of the data is shipped."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimble.errors import FimbleError, UsageError

XL_LANGUAGES = ("python", "go", "java", "javascript", "typescript")
X_LANGUAGES = ("python", "js", "java", "cpp", "go", "rust")
FIX_LANGUAGES = ("python", "js", "go", "java")
LSP_IDS = {"js": "javascript"}
NATURAL = {"zh": "Chinese", "en": "English"}
# Its prompt has a stray quote that no Python can parse.
ZH_BROKEN = "Python/142"


@dataclass(frozen=True, slots=True)
class FunctionTask:
    """One task. The action is asked at `offset` of `document`; `test` goes after the result.

    `start` goes before the result, where the benchmark keeps imports of its tests apart.
    """

    task_id: str
    language: str
    document: str
    offset: int
    test: str
    start: str = ""


def load(data_dir: Path, set_name: str) -> list[FunctionTask]:
    """Read a set: `humaneval`, `humaneval-zh`, `mbpp`, `humaneval-xl:LANG:zh|en`, `humaneval-x:LANG`.

    Errors: UsageError for an unknown set; FimbleError if its file is missing or is not what it should be.
    """
    kind, *parts = set_name.split(":")
    if kind == "humaneval" and not parts:
        return [_python(r) for r in _rows(data_dir, "humaneval/HumanEval.jsonl")]
    if kind == "humaneval-zh" and not parts:
        rows = _rows(data_dir, "zh/humaneval_python_cn.jsonl")
        return [_python({**r, "prompt": r["prompt"] + "\n"}) for r in rows if r["task_id"] != ZH_BROKEN]
    if kind == "mbpp" and not parts:
        return [_mbpp(r) for r in _rows(data_dir, "mbpp/sanitized-mbpp.json") if 11 <= int(r["task_id"]) <= 510]
    if kind == "humaneval-xl" and len(parts) == 2 and parts[0] in XL_LANGUAGES and parts[1] in NATURAL:
        rows = _rows(data_dir, f"xl/{parts[0]}_{NATURAL[parts[1]]}.jsonl")
        return [_stub(r, parts[0], r["prompt"]) for r in rows]
    if kind == "humaneval-x" and len(parts) == 1 and parts[0] in X_LANGUAGES:
        language = LSP_IDS.get(parts[0], parts[0])
        return [
            _stub(r, language, _x_prompt(r, parts[0]))
            for r in _rows(data_dir, f"humaneval-x/humaneval_{parts[0]}.jsonl")
        ]
    raise UsageError(
        f"no set is called `{set_name}`",
        "known: humaneval, humaneval-zh, mbpp, humaneval-xl:LANG:zh, humaneval-xl:LANG:en, humaneval-x:LANG",
    )


def load_fix(data_dir: Path, language: str) -> list[FunctionTask]:
    """Read HumanEvalFix: the document is the described function with its bug. Errors: FimbleError."""
    lsp_id = LSP_IDS.get(language, language)
    tasks: list[FunctionTask] = []
    for row in _rows(data_dir, f"humanevalfix/humanevalpack_{language}.jsonl"):
        prompt = row["prompt"] if language != "go" else "package main\n\n" + row["prompt"]
        document = prompt + row["buggy_solution"]
        start = row.get("test_setup", "") if language == "go" else ""
        test = row["test"] + (
            f"\ncheck({row['entry_point']})\n" if language == "python" and "\ncheck(" not in row["test"] else ""
        )
        tasks.append(FunctionTask(row["task_id"], lsp_id, document, len(prompt), test, start))
    return tasks


def draw(tasks: list[FunctionTask], limit: int | None, seed: int) -> list[FunctionTask]:
    """Draw `limit` tasks; with one seed, a larger draw begins with the smaller one."""
    drawn = list(tasks)
    random.Random(seed).shuffle(drawn)
    return drawn if limit is None else drawn[:limit]


def _python(row: dict[str, Any]) -> FunctionTask:
    prompt = row["prompt"].rstrip() + "\n"
    name = row.get("entry_point") or re.findall(r"^def (\w+)", prompt, re.MULTILINE)[-1]
    test = row["test"] if re.search(r"^check\(", row["test"], re.MULTILINE) else f"{row['test']}\ncheck({name})\n"
    return FunctionTask(str(row["task_id"]), "python", prompt, len(prompt) - 1, test)


def _mbpp(row: dict[str, Any]) -> FunctionTask:
    """Put the wish and its tests into a comment, as the benchmark's own prompt does.

    Source: Austin et al. 2021, arXiv:2108.07732, section 3: the tests are part of the prompt.
    """
    raw = row["test_list"]
    tests: list[str] = raw if isinstance(raw, list) else json.loads(json.dumps(_literal(raw)))
    lines = [row["prompt"].strip(), "Your code should satisfy these tests:", *(t.strip() for t in tests)]
    document = "".join(f"# {line}\n" for text in lines for line in text.splitlines())
    test = "\n".join([*(row.get("test_imports") or []), *tests]) + "\n"
    return FunctionTask(f"mbpp/{row['task_id']}", "python", document, 2, test)


def _stub(row: dict[str, Any], language: str, prompt: str) -> FunctionTask:
    if language == "python":
        return _python({**row, "prompt": prompt})
    # Close what the prompt opens: the user's editor would have.
    n_open = prompt.count("{") - prompt.count("}")
    closing = "".join("    " * level + "}\n" for level in reversed(range(max(1, n_open))))
    start = row.get("test_setup", "") if language == "go" else ""
    return FunctionTask(str(row["task_id"]), language, prompt + closing, len(prompt), row["test"], start)


def _x_prompt(row: dict[str, Any], language: str) -> str:
    if language == "rust":
        return str(
            row["declaration"].rstrip().rpartition("\n")[0]
            + row["prompt"].rstrip()
            + "\n"
            + row["declaration"].rstrip().rpartition("\n")[2]
            + "\n"
        )
    return str(row["prompt"] if language != "go" else "package main\n\n" + row["prompt"])


def _rows(data_dir: Path, name: str) -> list[dict[str, Any]]:
    found = [p for n in (name, name + ".gz") for p in (data_dir / n, data_dir / Path(n).name) if p.is_file()]
    if not found:
        raise FimbleError(f"`{data_dir}` has no `{name}`", "give the folder of the benchmark's files with `--data`")
    path = found[0]
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = content.decode("utf-8")
        rows = json.loads(text) if path.suffix == ".json" else [json.loads(r) for r in text.split("\n") if r.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise FimbleError(f"cannot read `{path}`: {error}", "fetch the file again") from error
    if not all(isinstance(r, dict) for r in rows):
        raise FimbleError(f"`{path}` is not a list of tasks", "fetch the file again")
    return list(rows)


def _literal(text: str) -> list[str]:
    import ast

    value = ast.literal_eval(text)
    return [str(v) for v in value]
