"""What somebody without the editors is told: the names of what is missing, and the way out."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from editors.tools import ROOT

INSTALL = ROOT / "tests" / "editors" / "install.sh"
NEEDED = ["bash", "dirname", "cksum", "cat", "grep", "sed", "fc-list"]


@pytest.fixture
def run(tmp_path):
    """Run the script as a user who has no editor: on a PATH with little on it, and with an empty cache."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in NEEDED:
        if found := shutil.which(name):
            (commands / name).symlink_to(found)
    (commands / "id").write_text(f"#!{shutil.which('bash')}\necho 1000\n")
    (commands / "id").chmod(0o755)

    def run_script(*arguments, with_apt=True):
        if with_apt:
            (commands / "apt-get").symlink_to("/bin/false")
        environment = os.environ | {"PATH": str(commands), "FIMBLE_EDITORS_DIR": str(tmp_path / "editors")}
        return subprocess.run([INSTALL, *arguments], env=environment, capture_output=True, text=True, timeout=60)

    return run_script


def test_check_names_what_is_missing(run):
    done = run("--check")
    assert done.returncode == 1
    assert "error: missing: " in done.stderr
    for name in ("chromium", "emacs-nox", "elpa-eglot", "lua-check", "node and Neovim", "code-server"):
        assert name in done.stderr
    assert "hint: run `tests/editors/install.sh`" in done.stderr


def test_without_root_the_packages_are_named(run, tmp_path):
    done = run()
    assert done.returncode == 1
    assert "error: these system packages are missing for the tests in real editors: " in done.stderr
    assert "hint: run `sudo apt-get install --no-install-recommends " in done.stderr
    assert "pytest tests --ignore tests/editors" in done.stderr
    assert not (tmp_path / "editors").exists()


def test_without_debian_the_packages_are_named(run):
    done = run(with_apt=False)
    assert done.returncode == 1
    assert "chromium" in done.stderr
    assert "sudo" not in done.stderr
