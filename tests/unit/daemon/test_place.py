"""Where the daemon is looked for, and what is not trusted there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fimble.daemon.place import Place, find_place, prepare
from fimble.errors import UntrustedPlaceError

UNSET = ("FIMBLE_RUNTIME_DIR", "XDG_RUNTIME_DIR", "FIMBLE_SCRIPT", "FIMBLE_DATA_DIR", "FIMBLE_DAEMON_LOG")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)


def test_session_directory_or_one_of_the_users_own(monkeypatch, tmp_path, recwarn, capsys):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert find_place().directory == tmp_path / "fimble"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert find_place().directory == tmp_path / f"fimble-{os.getuid()}"
    assert not recwarn.list and capsys.readouterr().err == ""


def test_other_models_or_answers_mean_another_daemon(monkeypatch, tmp_path):
    monkeypatch.setenv("FIMBLE_RUNTIME_DIR", str(tmp_path))
    names = {find_place().name}
    for variable in ("FIMBLE_SCRIPT", "FIMBLE_DATA_DIR"):
        monkeypatch.setenv(variable, "/elsewhere")
        names.add(find_place().name)
    assert len(names) == 3


def test_path_too_long_for_a_socket_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("FIMBLE_RUNTIME_DIR", str(tmp_path / ("x" * 120)))
    with pytest.raises(UntrustedPlaceError, match="too long"):
        find_place()


def test_directory_is_made_for_the_user_alone(tmp_path):
    tmp_path.chmod(0o700)
    place = Place(tmp_path / "fimble", "daemon")
    prepare(place)
    assert place.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("mode", "parent_mode"), [(0o755, 0o700), (0o700, 0o777)])
def test_directory_that_others_may_change_is_refused(tmp_path: Path, mode, parent_mode):
    directory = tmp_path / "fimble"
    directory.mkdir()
    directory.chmod(mode)
    tmp_path.chmod(parent_mode)
    with pytest.raises(UntrustedPlaceError):
        prepare(Place(directory, "daemon"))
    tmp_path.chmod(0o700)


def test_link_in_its_place_is_refused(tmp_path: Path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "fimble").symlink_to(tmp_path / "real")
    with pytest.raises(UntrustedPlaceError, match="does not belong"):
        prepare(Place(tmp_path / "fimble", "daemon"))
