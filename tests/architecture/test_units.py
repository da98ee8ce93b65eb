"""Every number in a record or a setting says in its name what it counts or measures."""

from __future__ import annotations

import ast
import re

import pytest

UNIT = re.compile(
    r"^(n|n_.+"
    # An indentation is in columns, a line is one number from 0.
    r"|(.*_)?(ms|s|mib|mb|tokens|lines|bytes|offset|utf16|columns|chars|width|indent|line)(_max|_min|_per_token|_per_step)?"
    # Without a dimension: identifiers, a document's version, shares of one and their bounds, log-probabilities.
    r"|(.*_)?(id|version|share|share_.+|probability|temperature|priority|sequence|times|times_one|seed|signal|exit_code)"
    # Constants of a network, as its papers call them.
    r"|epsilon|rotary_base"
    # Places as the protocol and the file formats call them, and the bounds of a share.
    r"|character|start|end|pid|(.*_)?port|low|high)$"
)
NUMBERS = {"int", "float", "int | None", "float | None"}


def test_number_fields_carry_their_unit(package):
    unnamed = []
    n_seen = 0
    for path in sorted(package.rglob("*.py")):
        for record in _dataclasses(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _number_fields(record):
                n_seen += 1
                if not UNIT.match(name.lstrip("_")):
                    unnamed.append(f"{path.relative_to(package)}: {record.name}.{name}")
    assert n_seen > 20, "the search for number fields is broken"
    assert not unnamed, "\n".join(unnamed)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("delay_ms", True),
        ("n_rows", True),
        ("block_lines_max", True),
        ("start_offset", True),
        ("request_id", True),
        ("timeout", False),
        ("size", False),
        ("length", False),
        ("ms_delay", False),
    ],
)
def test_unit_rule(name, allowed):
    assert bool(UNIT.match(name)) is allowed


def _dataclasses(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list):
            yield node


def _number_fields(record):
    for statement in record.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if ast.unparse(statement.annotation) in NUMBERS:
            yield statement.target.id
