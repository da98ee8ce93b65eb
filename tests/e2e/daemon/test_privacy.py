"""What `fimble privacy` and an editor are told of files and text that must not be read."""

from __future__ import annotations

import json

SECRET = "ghp_" + "aB3" * 12


async def privacy(home, path, *arguments):
    return await home.command("privacy", str(path), "--set", "engine=scripted", *arguments)


async def test_prompt_is_printed_with_its_secrets_masked(home, tmp_path) -> None:
    home.script()
    path = tmp_path / "a.py"
    path.write_text(f'token = "{SECRET}"\ndef add(a, b):\n    return\n\nend = 1\n')
    code, out, err = await privacy(home, path, "--line", "3", "--column", "5")
    assert code == 0, err
    assert SECRET not in out and "*" * len(SECRET) in out
    assert "«<|fim_suffix|>»" in out and "def add(a, b):" in out and "end = 1" in out
    assert "masked: GitHub token in line 1" in err


async def test_refused_files_say_why(home, tmp_path) -> None:
    home.script()
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / ".fimbleignore").write_text("private_*\n")
    (tmp_path / "private_a.py").write_text("a = 1\n")
    _code, out, err = await privacy(home, tmp_path / ".env", "--line", "1", "--column", "1")
    assert out == "" and "path-off (**/.env)" in err
    _code, out, err = await privacy(home, tmp_path / "private_a.py", "--line", "1", "--column", "1", "--json")
    told = json.loads(out)
    assert told["prompt"] is None and told["refused"]["detail"] == "private_* (.fimbleignore)", err


async def test_editor_gets_no_ghost_text_in_an_ignored_file(home, tmp_path) -> None:
    home.script({"text": "return 1"})
    (tmp_path / ".fimbleignore").write_text("private_*\n")
    editor = await home.real()
    for name in ("private_a.py", "public_a.py"):
        editor.open("def f():\n    ", (tmp_path / name).as_uri())
    assert await editor.ghost(1, 4, (tmp_path / "private_a.py").as_uri()) is None
    assert await editor.ghost(1, 4, (tmp_path / "public_a.py").as_uri()) == "return 1"


async def test_secret_reaches_no_model(home, tmp_path) -> None:
    home.script({"text": "leaked", "when": SECRET}, {"text": "masked", "when": "*" * len(SECRET)})
    editor = await home.real()
    editor.open(f'token = "{SECRET}"\nuse = ')
    assert await editor.ghost(1, 6) == "masked"
