"""README, CI and the code say the same thing."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from fimble.cli import reference

PICTURE_BYTES_MAX = 1_000_000


def command_after(text: str, marker: str) -> str:
    """Give the one line of the code block that follows `<!-- marker -->`."""
    blocks = re.findall(rf"<!-- {re.escape(marker)} -->\n```(?:sh)?\n(.*?)\n```", text, re.DOTALL)
    assert len(blocks) == 1, f"README.md needs exactly one block after <!-- {marker} -->"
    assert "\n" not in blocks[0], "the command is one line that can be pasted"
    return blocks[0]


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def test_generated_reference_is_up_to_date(root):
    path = root / "README.md"
    assert reference.updated(path.read_text(encoding="utf-8")) == path.read_text(encoding="utf-8"), (
        "run `poe docs` and commit README.md"
    )


def test_first_command_runs_the_demo(readme):
    assert command_after(readme, "demo command").endswith("fimble demo")


def test_second_command_runs_every_test(readme, root):
    command = command_after(readme, "test command")
    assert command.endswith("-m pytest"), "no tier may be left out by an argument"
    assert readme.index("<!-- demo command -->") < readme.index("<!-- test command -->")


def test_ci_owns_no_command_of_its_own(root):
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert "<!-- test command -->" in script
    for word in ("pytest", "ruff", "mypy", "pip install"):
        assert word not in re.sub(r"(?m)^\s*#.*$", "", script), f"`{word}` belongs to README's command"


def test_ci_is_executable(root):
    assert (root / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("block", "exit_code", "said"),
    [
        ("<!-- test command -->\n```sh\necho ran && echo it\n```\n```sh\necho other\n```\n", 0, "ran\nit\n"),
        ("<!-- test command -->\n```sh\nfalse && echo it\n```\n", 1, ""),
        ("```sh\necho other\n```\n", 1, ""),
    ],
    ids=["runs it", "fails with it", "finds none"],
)
def test_ci_runs_the_block_after_the_marker(root, tmp_path, block, exit_code, said):
    script = tmp_path / ".ci" / "run"
    script.parent.mkdir()
    shutil.copy(root / ".ci" / "run", script)
    (tmp_path / "README.md").write_text("```sh\necho first\n```\n" + block, encoding="utf-8")
    finished = subprocess.run([script], cwd="/", capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (exit_code, said)


@pytest.mark.parametrize("document", ["README.md", "server/ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_named_files_exist(root, document):
    """A link, or a path in backquotes that looks like one of ours, leads somewhere."""
    text = (root / document).read_text(encoding="utf-8")
    folder = (root / document).parent
    tops = (root, root / "server" / "fimble")
    links = re.findall(r"\]\(([^)#:\s]+)\)", text)
    paths = re.findall(r"`((?:server|tests|models|editor-client|\.ci)/[\w./-]+)`", text)
    missing = [link for link in links if not (folder / link).exists()]
    missing += [path for path in paths if not any((top / path).exists() for top in tops)]
    assert missing == []


def test_pictures_are_small(root, readme):
    pictures = [root / name for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme)]
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size > PICTURE_BYTES_MAX] == []


def test_every_invariant_names_a_test_that_exists(root):
    text = (root / "server" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text[text.index("## Invariants") :]
    section = section[: section.index("\n## ", 3)]
    items = re.split(r"\n(?=\d+\. )", section)[1:]
    assert len(items) >= 8
    for item in items:
        assert re.search(r"`tests/[\w./-]+`", item), f"no test named in: {item[:80]}"
