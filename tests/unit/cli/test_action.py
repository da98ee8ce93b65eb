"""`fimble action` as a person runs it, with a scripted engine."""

from __future__ import annotations

import json
import stat

import pytest

from fimble.cli.main import main

STUB = "def f(x):\r\n    pass\r\n"


@pytest.fixture
def action(tmp_path, monkeypatch, capfd):
    """Run `fimble action` with an answer scripted; gives the exit code, stdout and stderr."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FIMBLE_SCRIPT", str(tmp_path / "script.json"))

    def run(answer, *arguments):
        (tmp_path / "script.json").write_text(json.dumps({"answers": [{"text": answer}]}))
        code = main(["action", *arguments, "--set", "engine=scripted", "--set", "log_level=error"])
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(STUB.encode())
    return path


def test_change_is_shown_as_a_diff_and_not_written(action, source):
    code, out, _ = action("    return x\n```\n", "function", str(source), "--range", "1:1")
    assert code == 0 and "-    pass" in out and "+    return x" in out
    assert source.read_bytes() == STUB.encode()


def test_apply_writes_with_the_files_line_ends_and_mode(action, source):
    source.chmod(0o640)
    code, _, err = action("    return x\n```\n", "function", str(source), "--range", "1:1", "--apply")
    assert code == 0 and f"wrote {source}" in err
    assert source.read_bytes() == b"def f(x):\r\n    return x\r\n"
    assert stat.S_IMODE(source.stat().st_mode) == 0o640
    assert not list(source.parent.glob(".*fimble-new"))


def test_byte_order_mark_stays(action, source):
    source.write_bytes(b"\xef\xbb\xbf" + STUB.encode())
    assert action("    return x\n```\n", "function", str(source), "--range", "1:1", "--apply")[0] == 0
    assert source.read_bytes() == b"\xef\xbb\xbfdef f(x):\r\n    return x\r\n"


def test_nothing_to_apply_says_why_and_exits_1(action, source):
    code, out, err = action("    return (\n```\n", "function", str(source), "--range", "1:1", "--apply")
    assert (code, out) == (1, "") and "nothing to apply" in err and "hint:" in err
    assert source.read_bytes() == STUB.encode()


def test_json_has_everything(action, source):
    code, out, _ = action("    return x\n```\n", "function", str(source), "--range", "1:1", "--json")
    said = json.loads(out)
    assert code == 0 and said["refusal"] is None
    assert said["edits"] and said["checks"] and "return x" in said["raw_text"]


def test_new_file_is_written_once(action, source):
    source.write_text("def add(a, b):\n    return a + b\n")
    answer = "add():\n    assert add(1, 2) == 3\n```\n"
    assert action(answer, "tests", str(source), "--range", "1:1", "--apply")[0] == 0
    assert "def test_add" in (source.parent / "test_a.py").read_text()


def test_list_asks_no_model(action, source):
    code, out, _ = action("", "list", str(source), "--range", "1:1")
    assert code == 0 and out.startswith("function ")


def test_text_goes_to_stdout(action, source):
    assert action("It does nothing.", "explain", str(source), "--range", "1:1-2:1")[:2] == (0, "It does nothing.\n")


@pytest.mark.parametrize("place", ["1", "1:1-", "a:b", "0:1", "9:1", "1:99", "2:1-1:1"])
def test_wrong_range_is_wrong_usage(action, source, place):
    code, out, err = action("x", "explain", str(source), "--range", place)
    assert (code, out) == (2, "") and err.startswith("error: ")


def test_unknown_action_is_named(action, source):
    code, _, err = action("x", "documnt", str(source), "--range", "1:1")
    assert code == 1 and "did you mean `document`" in err
