"""The brake: no source file grows past 300 lines, tests and editor clients included."""

from __future__ import annotations

N_LINES_MAX = 300
SOURCE_SUFFIXES = {".py", ".ts", ".lua", ".el", ".mjs", ".js", ".sh"}


def test_no_source_file_is_longer_than_the_cap(root, project_files):
    sources = [path for path in project_files if path.suffix in SOURCE_SUFFIXES]
    assert len(sources) > 20, "the listing of source files is broken"
    n_lines = {path.relative_to(root).as_posix(): _count_lines(path) for path in sources}
    assert {name: n for name, n in n_lines.items() if n > N_LINES_MAX} == {}


def _count_lines(path):
    return path.read_bytes().count(b"\n") + 1
