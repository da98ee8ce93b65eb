"""`fimble complete` and `fimble action` beside a running daemon: its model answers, and no second one is loaded."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import psutil
import pytest

SOURCE = "def add(a, b):\n    s = '😀'; return \n"
PLACE = ("--line", "2", "--column", "21")
SCRIPTED = ("--set", "engine=scripted", "--set", "log_level=error")
REFUSING_MS = 120_000


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "a.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.fixture
async def running(home):
    """Start the daemon with `answer` scripted; whoever runs a model of its own is answered differently."""

    async def start(answer, **more) -> None:
        home.script({"text": answer, **more})
        await home.real()
        home.script({"text": "alone()"})

    return start


async def until_sessions(home, n_sessions: int) -> None:
    async with asyncio.timeout(20):
        while len((await home.status())["sessions"]) != n_sessions:
            await asyncio.sleep(0.01)


async def test_completion_comes_from_the_daemon_unless_told_otherwise(home, running, source) -> None:
    await running("shared()")
    for more, expected in (((), "shared()\n"), (("--no-share",), "alone()\n")):
        code, out, err = await home.command("complete", str(source), *PLACE, *more, *SCRIPTED)
        assert (code, out, err) == (0, expected, "")
    await until_sessions(home, 1)


async def test_json_has_the_same_form_either_way(home, running, source) -> None:
    await running("alone()")
    answers = []
    for more in ((), ("--no-share",)):
        _code, out, err = await home.command("complete", str(source), *PLACE, "--json", *more, *SCRIPTED)
        answers.append(json.loads(out))
        assert err == ""
    place = {"line": 2, "column": 21, "offset": 35}
    assert answers[0]["completions"] == answers[1]["completions"] == [{"text": "alone()", "start": place, "end": place}]
    assert answers[0].keys() == answers[1].keys() and answers[0]["trace"].keys() == answers[1]["trace"].keys()
    assert answers[0]["trace"]["trigger"] == "invoked" and answers[0]["decline"] is None


async def test_settings_are_the_commands_own(home, running, source) -> None:
    await running("shared()")
    off = ("--set", "languages_off=['python']")
    code, out, err = await home.command("complete", str(source), *PLACE, *off, *SCRIPTED)
    assert (code, out) == (0, "") and "nothing suggested: language-off" in err
    _code, out, _err = await home.command("complete", str(source), *PLACE, "--alternatives", "2", "--json", *SCRIPTED)
    assert json.loads(out)["completions"]


async def test_no_daemon_is_started_for_one_question(home, source) -> None:
    home.script({"text": "alone()"})
    code, out, err = await home.command("complete", str(source), *PLACE, *SCRIPTED)
    assert (code, out, err) == (0, "alone()\n", "")
    assert home.daemon_pids == []


async def test_daemon_that_dies_in_the_middle_costs_a_warning_only(home, running, source) -> None:
    await running("word " * 100, prefill_ms=REFUSING_MS)
    asked = asyncio.ensure_future(home.command("complete", str(source), *PLACE, *SCRIPTED))
    await until_sessions(home, 2)
    os.kill(home.daemon_pids[0], signal.SIGKILL)
    code, out, err = await asked
    assert (code, out) == (0, "alone()\n")
    assert "warning: " in err and "runs the model itself" in err


async def test_place_that_others_can_write_is_not_asked(home, running, source) -> None:
    await running("shared()")
    [path] = home.directory.glob("*.sock")
    path.chmod(0o666)
    code, out, err = await home.command("complete", str(source), *PLACE, *SCRIPTED)
    assert (code, out) == (0, "alone()\n") and "can be written by other users" in err


@pytest.fixture
def interruptible():
    """Have the commands take an interrupt, which a shell lets whatever runs in its background ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
async def test_interrupted_command_leaves_the_daemon_free(home, running, source) -> None:
    # No two words are alike: a loop would be cut short, and the command done before it can be interrupted.
    await running(" + ".join(f"a{n}" for n in range(100)), token_ms=200)
    # Nor does a deadline end it while a busy machine looks for it.
    patient = ("--set", "deadline_ms=60000")
    asked = asyncio.ensure_future(home.command("complete", str(source), *PLACE, *patient, *SCRIPTED))
    await until_sessions(home, 2)
    [child] = [p for p in psutil.Process().children() if "complete" in p.cmdline()]
    child.send_signal(signal.SIGINT)
    code, _out, err = await asked
    assert code == 130 and "Traceback" not in err
    await until_sessions(home, 1)


@pytest.mark.parametrize("name", ["function", "tests", "explain", "fix"])
async def test_action_is_the_daemons_and_the_change_is_made_here(home, running, tmp_path, name) -> None:
    answers = {
        "function": "    return '😀' + x\n```\n",
        "tests": "f():\n    assert f(1) == 1\n```\n",
        "explain": "It does nothing.",
        "fix": "It returned nothing.\n```\ndef f(x):\n    return x\n```\n",
    }
    home.script({"text": answers[name]})
    await home.real()
    home.script({"text": "nothing of use"})
    path = tmp_path / "a.py"
    before = "text = '😀'\ndef f(x):\n    pass\n" if name != "tests" else "def f(x):\n    return x\n"
    path.write_text(before, encoding="utf-8")
    place = ("--range", "2:1") if name != "explain" else ("--range", "2:1-3:1")
    problem = ("--problem", "f returns nothing") if name == "fix" else ()
    code, out, err = await home.command("action", name, str(path), *place, *problem, "--json", *SCRIPTED)
    told = json.loads(out)
    assert code == 0 and told["refusal"] is None, (told, err)
    code, out, err = await home.command("action", name, str(path), *place, *problem, "--apply", *SCRIPTED)
    assert code == 0, err
    new = path.read_text(encoding="utf-8")
    match name:
        case "function":
            assert new == "text = '😀'\ndef f(x):\n    return '😀' + x\n" and "+    return '😀' + x" in out
        case "fix":
            assert new == "text = '😀'\ndef f(x):\n    return x\n"
        case "tests":
            assert new == before and "def test_f" in (tmp_path / "test_a.py").read_text()
        case _:
            assert new == before and out == "It does nothing.\n"


async def test_action_refused_by_the_daemon_says_why(home, running, tmp_path) -> None:
    await running("    return (\n```\n")
    path = tmp_path / "a.py"
    path.write_text("def f(x):\n    pass\n")
    code, out, err = await home.command("action", "function", str(path), "--range", "1:1", "--apply", *SCRIPTED)
    assert (code, out) == (1, "") and "nothing to apply" in err and "hint:" in err
    code, _out, err = await home.command("action", "functoin", str(path), "--range", "1:1", *SCRIPTED)
    assert code == 1 and "did you mean `function`" in err
