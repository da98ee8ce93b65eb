"""What the project's files must not say: registry hosts, places on one machine, names without a subject."""

from __future__ import annotations

import re

# In pieces, so that this file passes its own test.
UNWANTED = {
    "host of a package registry": re.compile(
        "|".join(
            re.escape(".".join(parts))
            for parts in [
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("npmjs", "org"),
                ("npmjs", "com"),
                ("yarnpkg", "com"),
                ("download.pytorch", "org"),
                ("debian", "org"),
            ]
        )
    ),
    "path of one machine": re.compile("/" + r"(root|work)/[\w.]"),
}
BINARY_SUFFIXES = {".png", ".vsix", ".gz", ".gif", ".woff2", ".ico"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}


def test_no_file_says_what_it_must_not(root, project_files):
    found = []
    for path in project_files:
        if path.suffix in BINARY_SUFFIXES:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for what, pattern in UNWANTED.items():
            found += [f"{path.relative_to(root)}: {what}: {match.group()}" for match in pattern.finditer(text)]
    assert not found, "\n".join(found)


def test_unwanted_words_are_recognised():
    registry, machine = UNWANTED.values()
    assert registry.search("https://" + "pypi" + ".org/simple")
    assert machine.search("see /" + "root/x")
    assert not machine.search("see /usr/bin/python3 and framework/x")


def test_modules_are_named_for_their_subject(root, project_files):
    stems = {path.relative_to(root).as_posix() for path in project_files if path.stem.lower() in VAGUE_NAMES}
    assert stems == set()
