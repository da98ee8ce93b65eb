"""What ignore files rule out, compared with git itself where it is installed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess

import pytest

from fimble import ignore
from fimble.ignore import IgnoreRules, first_match, read_rules

NAMES = (".gitignore", ".fimbleignore")


@pytest.fixture
def repository(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("*.log\n/build/\n!keep.log\nsecret_*\n**/generated/**\n# comment\n\\#odd\n")
    (tmp_path / "src" / ".gitignore").write_text("!secret_sauce.py\nlocal.py\n")
    (tmp_path / ".fimbleignore").write_text("vendor/\n")
    return tmp_path


PATHS = [
    "a.py",
    "x.log",
    "keep.log",
    "build/out.py",
    "src/build/out.py",
    "src/secret_sauce.py",
    "src/secret_other.py",
    "secret_sauce.py",
    "src/local.py",
    "src/deep/local.py",
    "local.py",
    "src/generated/x/y.py",
    "#odd",
]


def is_out(root, name):
    path = root / name
    return first_match(path, read_rules(path.parent, NAMES)) is not None


@pytest.mark.parametrize("name", PATHS)
def test_rules_agree_with_git(repository, name):
    git = shutil.which("git")
    assert git is not None, "git is needed to check what it would say"
    shutil.rmtree(repository / ".git")
    subprocess.run([git, "init", "-q", str(repository)], check=True)
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("x")
    says = subprocess.run([git, "-C", str(repository), "check-ignore", "-q", name], check=False).returncode == 0
    assert is_out(repository, name) == says


def test_own_file_counts_without_a_repository_and_gitignore_does_not(repository):
    shutil.rmtree(repository / ".git")
    assert is_out(repository, "vendor/lib.py")
    assert not is_out(repository, "x.log")


async def test_reason_names_the_pattern_and_its_file(repository):
    rules = IgnoreRules()
    assert await rules.why((repository / "x.log").as_uri(), NAMES) == "*.log (.gitignore)"
    assert await rules.why((repository / "vendor/a.py").as_uri(), NAMES) == "vendor/ (.fimbleignore)"
    assert await rules.why((repository / "a.py").as_uri(), NAMES) is None
    assert await rules.why((repository / "x.log").as_uri(), ()) is None
    assert await rules.why("untitled:x.log", NAMES) is None


async def test_a_known_directory_is_not_read_again_on_the_typing_path(repository, monkeypatch):
    rules = IgnoreRules()
    await rules.why((repository / "a.py").as_uri(), NAMES)
    monkeypatch.setattr(ignore, "read_rules", lambda *_: pytest.fail("the disk was read"))
    assert await rules.why((repository / "x.log").as_uri(), NAMES) == "*.log (.gitignore)"


async def test_disk_that_hangs_rules_the_document_out(repository, monkeypatch):
    import threading

    released = threading.Event()
    monkeypatch.setattr(ignore, "READ_LIMIT_S", 0.02)
    monkeypatch.setattr(ignore, "read_rules", lambda *_: (released.wait(10), ())[1])
    assert await IgnoreRules().why((repository / "a.py").as_uri(), NAMES) == ignore.NOT_READ_YET
    released.set()


async def test_edited_ignore_file_counts_after_a_while(repository, monkeypatch):
    rules = IgnoreRules()
    uri = (repository / "a.py").as_uri()
    monkeypatch.setattr(ignore, "FRESH_S", 0.0)
    assert await rules.why(uri, NAMES) is None
    (repository / ".gitignore").write_text("a.py\n")
    await rules.why(uri, NAMES)
    await rules._read((repository, NAMES))
    assert await rules.why(uri, NAMES) == "a.py (.gitignore)"


async def test_cancelled_as_the_reading_ends_stays_cancelled(repository):
    rules = IgnoreRules()
    asking = asyncio.ensure_future(rules.why((repository / "a.py").as_uri(), NAMES))
    await asyncio.sleep(0)
    while rules._waiting:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
