"""What is typed of a file, and where the typist stops."""

from __future__ import annotations

import json

import pytest

from fimble.bench.replay.script import SourceFile, draw_files, functions, key_at, load, make_script, n_keys
from fimble.errors import UsageError

PYTHON = """import os


class Store:
    def path(
        self,
        name: str,
    ) -> str:
        if not name:
            return ""

        return os.path.join(self.root, name)

    root = "."


def short():
    return 1
"""
GO = """package main

func pick(names []string) string {
\tfor _, name := range names {
\t\tif name != "" {
\t\t\treturn name
\t\t}
\t}
\treturn ""
}

func (s *Store) all() []string {
\ts.lock()
\treturn s.names
}
"""
RUST = """impl Queue {
    pub(crate) fn pop(&self) -> Option<Task> {
        let mut inner = self.inner.lock();
        inner.pop_front()
    }
}
"""
TYPESCRIPT = """export async function read(
  path: string,
): Promise<string> {
  const text = await load(path);
  return text.trim();
}

const x = 1;
"""


@pytest.mark.parametrize(
    ("language", "text", "first", "last"),
    [
        ("python", PYTHON, "def path(", "return os.path.join(self.root, name)"),
        ("go", GO, "func pick(names []string) string {", "}"),
        ("rust", RUST, "pub(crate) fn pop(&self) -> Option<Task> {", "}"),
        ("typescript", TYPESCRIPT, "export async function read(", "}"),
    ],
)
def test_functions_are_found_whole(language, text, first, last):
    start, end = functions(SourceFile("a", language, text))[0]
    lines = text[start:end].split("\n")
    assert (lines[0], lines[-1].strip()) == (first, last)


def test_functions_too_short_are_left_out():
    assert len(functions(SourceFile("a.py", "python", PYTHON))) == 1
    assert len(functions(SourceFile("a.go", "go", GO))) == 2


def test_script_is_the_file_and_whole_lines_are_typed():
    file = SourceFile("a.go", "go", GO)
    script = make_script(file, 60, 6, seed=7)
    assert script.before + script.text + script.after == GO
    assert script.before.endswith("\n")
    assert script.text[script.typed_chars :][:1] in ("", "\n")
    assert script.typed_chars >= 60
    assert script == make_script(file, 60, 6, seed=7)


def test_stops_stand_where_their_kind_is():
    script = make_script(SourceFile("a.py", "python", PYTHON), 500, 9, seed=3)
    assert len(script.line_stop_offsets) == len(script.mid_stop_offsets) == 3
    for offset in script.line_stop_offsets:
        assert script.text[:offset].rstrip(" ").endswith("\n")
        assert not script.text[offset].isspace()
    for offset in script.mid_stop_offsets:
        line = script.text[:offset].rpartition("\n")[2]
        assert len(line.strip()) >= 2
        assert script.text[offset] != "\n"


def test_no_stops_at_all():
    script = make_script(SourceFile("a.py", "python", PYTHON), 500, 0, seed=3)
    assert not script.line_stop_offsets
    assert not script.mid_stop_offsets


def test_file_without_a_function_is_refused():
    with pytest.raises(UsageError):
        make_script(SourceFile("a.py", "python", "x = 1\n"), 100, 3, seed=7)


def test_line_end_brings_its_indentation():
    text = "a\n    b\n\n\tc"
    keys, offset = [], 0
    while offset < len(text):
        keys.append(key_at(text, offset))
        offset += len(keys[-1])
    assert keys == ["a", "\n    ", "b", "\n", "\n\t", "c"]
    assert n_keys(text) == 6


def test_files_are_drawn_from_all_languages(tmp_path):
    rows = [{"path": f"{n}.x", "language": language, "text": ""} for n, language in enumerate("aaabbc")]
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    files = load(data)
    assert {file.language for file in draw_files(files, 3, seed=7)} == {"a", "b", "c"}
    assert draw_files(files, 3, seed=7) == draw_files(files, 3, seed=7)
    assert draw_files(files, None, seed=7) == draw_files(files, 9, seed=7) == files


@pytest.mark.parametrize("content", ["", "{", '{"path": "a"}\n', "[1]\n"])
def test_data_that_is_none(tmp_path, content):
    data = tmp_path / "data.jsonl"
    data.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError):
        load(data)
