"""`fimble demo` and `fimble doctor` as processes: the real server under them, a script for a model."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

SCRIPTED = ("--set", "engine=scripted")


@pytest.fixture
def fimble(environment):
    """Run one command line; gives exit code, standard output and standard error."""

    async def run(*arguments, **changes):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "fimble",
            *arguments,
            env=environment | changes,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode, out.decode(), err.decode()

    return run


async def test_demo_types_and_takes_what_the_server_suggests(fimble, script):
    script({"text": "read_text()\n", "when": "        text = path."})
    exit_code, out, err = await fimble("demo", "--fast", "--json", *SCRIPTED)
    assert exit_code == 0, err
    figures = json.loads(out)
    assert figures["steps"][0]["accepted"] == "read_text()"
    assert "        text = path.read_text()\n" in figures["text"]
    assert figures["n_accepted"] == sum(step["accepted"] is not None for step in figures["steps"]) >= 1
    assert figures["n_requests"] > 300, "one request a key"


async def test_demo_without_a_terminal_tells_it_in_plain_lines(fimble, script):
    script()
    exit_code, out, err = await fimble("demo", "--fast", *SCRIPTED)
    assert exit_code == 0, err
    assert "typed     │ def read_words(folder: Path) -> list[str]:" in out
    assert "nothing   │ suggested; typed on" in out
    assert "p95" in out
    assert "\x1b" not in out


async def test_demo_saves_its_picture(fimble, script, tmp_path):
    script({"text": "read_text()\n", "when": "        text = path."})
    picture = tmp_path / "demo.svg"
    exit_code, _out, err = await fimble("demo", "--fast", "--plain", "--save-picture", str(picture), *SCRIPTED)
    assert exit_code == 0, err
    assert picture.read_text(encoding="utf-8").startswith("<svg")


async def test_demo_without_model_or_network_says_what_to_do(fimble):
    exit_code, out, err = await fimble("demo", FIMBLE_OFFLINE="1")
    assert (exit_code, out) == (1, "")
    assert "is not installed yet: fetching it" in err
    assert "could not be fetched" in err
    assert "hint: " in err
    assert "Traceback" not in err


async def test_demo_in_an_unknown_language_is_wrong_usage(fimble):
    exit_code, _out, err = await fimble("demo", "--language", "cobol", *SCRIPTED)
    assert exit_code == 2
    assert "there is no sample in `cobol`" in err


async def examined(fimble, *arguments, **changes):
    exit_code, out, err = await fimble("doctor", "--json", *arguments, **changes)
    assert "Traceback" not in err
    return exit_code, json.loads(out)


def of(findings, subject):
    return [finding for finding in findings if finding["subject"] == subject]


def configure(environment, text):
    (Path(environment["XDG_CONFIG_HOME"]) / "fimble" / "config.toml").write_text(text, encoding="utf-8")


async def test_doctor_finds_nothing_wrong_where_nothing_is(fimble, script, environment):
    configure(environment, 'engine = "scripted"\n')
    script()
    exit_code, findings = await examined(fimble)
    assert [finding for finding in findings if finding["verdict"] == "fail"] == []
    assert exit_code == 0
    assert "answers `initialize`" in of(findings, "server")[0]["detail"]
    assert {"python", "packages", "engine", "settings", "disk", "memory", "network"} <= {
        finding["subject"] for finding in findings
    }


async def test_doctor_names_a_missing_model_and_how_to_get_it(fimble):
    exit_code, findings = await examined(fimble)
    assert exit_code == 1
    (model,) = of(findings, "model")
    assert (model["verdict"], model["hint"]) == ("fail", "run `fimble models pull qwen2.5-coder-0.5b`")
    (server,) = of(findings, "server")
    assert server["verdict"] == "fail"
    assert "not installed" in server["detail"]


async def test_doctor_names_a_wrong_settings_file(fimble, script, environment):
    configure(environment, 'engine = "scripted"\nspeed = 9\n')
    exit_code, findings = await examined(fimble)
    assert exit_code == 1
    (settings,) = of(findings, "settings")
    assert "unknown option `speed`" in settings["detail"]


async def test_doctor_names_a_damaged_model(fimble, script, environment):
    configure(environment, 'engine = "scripted"\n')
    script()
    broken = Path(environment["FIMBLE_DATA_DIR"]) / "broken"
    broken.mkdir(parents=True)
    (broken / "fimble.toml").write_text("not = [toml", encoding="utf-8")
    exit_code, findings = await examined(fimble)
    assert exit_code == 1
    (model,) = of(findings, "model")
    assert "`broken`" in model["detail"]


async def test_doctor_says_when_the_network_is_off(fimble, script, environment):
    configure(environment, 'engine = "scripted"\n')
    script()
    exit_code, findings = await examined(fimble, FIMBLE_OFFLINE="1")
    assert (exit_code, of(findings, "network")[0]["verdict"]) == (0, "warn")


async def test_doctor_for_people_gives_hints_and_a_count(fimble):
    exit_code, out, _err = await fimble("doctor")
    assert exit_code == 1
    assert "hint: run `fimble models pull qwen2.5-coder-0.5b`" in out
    assert "2 failed" in out
