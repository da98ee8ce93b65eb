"""Settings from the four places they come from, and what is said about wrong ones."""

from pathlib import Path

import pytest
from lsprotocol import types

SOURCE = "def add(a, b):\n    return \n"


def push(editor, settings):
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=settings))


async def test_wrong_options_are_named_once_and_defaults_kept(start, script):
    script("a + b")
    options = {"delay_ms": "soon", "dely_ms": 5, "multiline": "never", "other": {"section": 1}}
    editor = await (await start(options=options)).until_ready()
    editor.open(SOURCE)
    assert len(await editor.ghost(1, 11)) == 1
    (message,) = [m for m in editor.client.messages if m.type == types.MessageType.Warning]
    assert "`delay_ms` must be a whole number" in message.message
    assert "did you mean `delay_ms`?" in message.message
    assert "other" not in message.message

    push(editor, {"fimble": {"delay_ms": 0}})
    await editor.status()
    assert len(editor.client.messages) == 1, "a problem that is known is not shown again"


@pytest.mark.parametrize("capabilities", ["visual_studio_code"], indirect=True)
class TestOneClient:
    async def test_pushed_settings_take_effect(self, start, script):
        script("a + b")
        editor = await (await start()).until_ready()
        editor.open(SOURCE)
        push(editor, {"fimble": {"enabled": False}})
        assert await editor.ghost(1, 11) == []
        assert await editor.reason() == "disabled"
        await editor.until(lambda: editor.statuses[-1]["state"] == "off")
        assert editor.statuses[-1]["hint"]

        push(editor, {"fimble": {}})
        assert len(await editor.ghost(1, 11)) == 1, "an option that is not set any more has its default again"

    async def test_settings_are_pulled(self, start, script):
        script("a + b")
        editor = await start(configuration={"fimble": {"languages_off": ["python"]}})
        await editor.until_ready()
        editor.open(SOURCE)
        assert await editor.ghost(1, 11) == []
        assert await editor.reason() == "language-off"
        assert "workspace/didChangeConfiguration" in [r.method for r in editor.registered]

        editor.client.set_configuration({"model": "other"}, section="fimble")
        push(editor, None)
        await editor.until_status("model", "other")
        await editor.until_ready()
        assert len(await editor.ghost(1, 11)) == 1

    async def test_later_places_go_over_earlier_ones(self, start, script, environment):
        path = Path(environment["XDG_CONFIG_HOME"]) / "fimble" / "config.toml"
        path.write_text('languages_off = ["python"]\nmodel = "from-file"\n')
        editor = await (await start(options={"model": "from-options"})).until_ready()
        editor.open(SOURCE)
        await editor.ghost(1, 11)
        assert await editor.reason() == "language-off"
        assert (await editor.status())["model"] == "from-options"
        push(editor, {"fimble": {"model": "from-change"}})
        assert (await editor.status())["model"] == "from-change"

    async def test_command_line_is_last(self, start, script):
        editor = await start("--model", "from-flag", options={"model": "from-options"})
        assert (await editor.status())["model"] == "from-flag"

    async def test_broken_file_is_a_warning(self, start, script, environment):
        script("a + b")
        (Path(environment["XDG_CONFIG_HOME"]) / "fimble" / "config.toml").write_text("delay_ms = \n")
        editor = await (await start()).until_ready()
        (message,) = editor.client.messages
        assert "config.toml` is not TOML" in message.message
        editor.open(SOURCE)
        assert len(await editor.ghost(1, 11)) == 1


async def test_model_is_not_loaded_before_it_is_wanted(start, script):
    script(" 1\n")
    editor = await start(options={"enabled": False, "actions": False, "delay_ms": 0})
    editor.open("x =\n")
    assert await editor.ghost(0, 3) == []
    assert await editor.reason() == "disabled"
    push(editor, {"fimble": {"enabled": True, "actions": False, "delay_ms": 0}})
    await editor.until_ready()
    assert [item.insert_text for item in await editor.ghost(0, 3)] == [" 1"]
