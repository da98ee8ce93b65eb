"""Secrets in the text of a document: found by their shape and masked before a prompt is laid out. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from fimble.records import CursorWindow

MASK = "*"


class Secret(NamedTuple):
    """One found secret: its kind and the code points it takes."""

    kind: str
    start_offset: int
    end_offset: int


class _Shape(NamedTuple):
    """A secret begins at one of its marks; the pattern tells how far it goes (its first group, if it has one)."""

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    is_word: bool = True
    """A mark within a longer word is no mark."""


_KEY_BEGIN, _KEY_END = (rf"-----{word} [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----" for word in ("BEGIN", "END"))
_KEY_END_MARK = "-----END "
_CUT_KEY = re.compile(rf"(?:(?!{_KEY_BEGIN})[\s\S])*?{_KEY_END}")
_KEY = "private key"
SHAPES = (
    # RFC 7468, section 2; a window may have lost the last line, and `find` looks after a lost first one.
    _Shape(_KEY, ("-----BEGIN ",), re.compile(rf"{_KEY_BEGIN}(?:[\s\S]*?{_KEY_END}|[\s\S]*)"), is_word=False),
    # Prefixes and lengths as the issuers document them for secret scanning.
    _Shape("AWS access key", ("AKIA", "ASIA"), re.compile(r"A(?:KIA|SIA)[0-9A-Z]{16}(?![0-9A-Za-z])")),
    _Shape("GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), re.compile(r"gh[pousr]_[A-Za-z0-9]{36,255}")),
    _Shape("GitHub token", ("github_pat_",), re.compile(r"github_pat_[A-Za-z0-9_]{22,255}")),
    _Shape("GitLab token", ("glpat-",), re.compile(r"glpat-[A-Za-z0-9_-]{20,}")),
    _Shape("Slack token", ("xox",), re.compile(r"xox[abeoprs]-[A-Za-z0-9-]{10,}")),
    _Shape("Slack webhook", ("hooks.slack.com",), re.compile(r"hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,}")),
    _Shape("Stripe key", ("sk_", "rk_"), re.compile(r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    _Shape("Google API key", ("AIza",), re.compile(r"AIza[0-9A-Za-z_-]{35}")),
    _Shape("OpenAI key", ("sk-",), re.compile(r"sk-(?:proj-|svcacct-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{20,}")),
    _Shape("npm token", ("npm_",), re.compile(r"npm_[A-Za-z0-9]{36}")),
    _Shape("PyPI token", ("pypi-",), re.compile(r"pypi-[A-Za-z0-9_-]{50,}")),
    _Shape("Hugging Face token", ("hf_",), re.compile(r"hf_[A-Za-z0-9]{30,}")),
    _Shape("SendGrid key", ("SG.",), re.compile(r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}")),
    _Shape(
        "JSON web token",
        ("eyJ",),
        re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ),
    _Shape("password in a URL", ("://",), re.compile(r"://([^\s/:@'\"]{1,64}:[^\s/@'\"]{3,128})@"), is_word=False),
)

CHUNK_CHARS = 4_096
MARKS = frozenset(mark for shape in SHAPES for mark in shape.marks) | {_KEY_END_MARK}
MARK_CHARS_MAX = max(len(mark) for mark in MARKS)


def _grouped(marks: Iterable[str]) -> list[tuple[re.Pattern[str], list[str]]]:
    """Put the marks that end in the same rare character together: the text is searched for that once, not for each."""
    groups: dict[str, list[str]] = {}
    for mark in sorted(marks):
        groups.setdefault(mark[-1] if mark[-1] in "_-" else mark, []).append(mark)
    behind = {key: "|".join(f"(?<={re.escape(mark)})" for mark in alike) for key, alike in groups.items()}
    return [(re.compile(f"{re.escape(key)}(?:{behind[key]})"), alike) for key, alike in groups.items()]


_GROUPS = _grouped(MARKS)


def find(text: str) -> list[Secret]:
    """Give the secrets in `text`, in order and without overlap."""
    return _found(text, MARKS)


def masked_text(text: str) -> str:
    """Give `text` with each character of a secret as `*`; length and line ends stay."""
    return _masked(text, MARKS)


def masked(window: CursorWindow) -> CursorWindow:
    """Give the window without its secrets; the cursor may stand within one, so both sides are read as one."""
    near = window.prefix[-MARK_CHARS_MAX:] + window.suffix[:MARK_CHARS_MAX]
    marks = _marks_in(window.prefix) | _marks_in(window.suffix) | _marks_in(near)
    if not marks:
        return window
    text = window.prefix + window.suffix
    hidden = _masked(text, marks)
    if hidden == text:
        return window
    n_prefix_chars = len(window.prefix)
    return replace(window, prefix=hidden[:n_prefix_chars], suffix=hidden[n_prefix_chars:])


def _marks_in(text: str) -> frozenset[str]:
    """Give the marks in `text`; of one that was typed on since, only the end is searched again."""
    starts = range(0, len(text), CHUNK_CHARS)
    found = [_marks_in_chunk(text[start : start + CHUNK_CHARS + MARK_CHARS_MAX]) for start in starts]
    return frozenset().union(*found)


@lru_cache(maxsize=128)
def _marks_in_chunk(chunk: str) -> frozenset[str]:
    groups = (marks for pattern, marks in _GROUPS if pattern.search(chunk))
    return frozenset(mark for marks in groups for mark in marks if mark in chunk)


def _masked(text: str, marks: frozenset[str]) -> str:
    parts: list[str] = []
    done_offset = 0
    for secret in _found(text, marks):
        parts += [text[done_offset : secret.start_offset], _mask(text[secret.start_offset : secret.end_offset])]
        done_offset = secret.end_offset
    return "".join([*parts, text[done_offset:]]) if parts else text


def _found(text: str, marks: frozenset[str]) -> list[Secret]:
    found = sorted(_all(text, marks), key=lambda secret: secret.start_offset)
    apart: list[Secret] = []
    for secret in found:
        if not apart or secret.start_offset >= apart[-1].end_offset:
            apart.append(secret)
        elif secret.end_offset > apart[-1].end_offset:
            apart[-1] = apart[-1]._replace(end_offset=secret.end_offset)
    return apart


def _all(text: str, marks: frozenset[str]) -> Iterator[Secret]:
    if _KEY_END_MARK in marks and (cut := _CUT_KEY.match(text)) is not None:
        yield Secret(_KEY, 0, cut.end())
    for shape in SHAPES:
        for mark in marks.intersection(shape.marks):
            offset = text.find(mark)
            while offset >= 0:
                match = shape.pattern.match(text, offset)
                if match is not None and not (shape.is_word and _is_within_word(text, offset)):
                    yield Secret(shape.kind, *match.span(1 if shape.pattern.groups else 0))
                offset = text.find(mark, match.end() if match is not None else offset + 1)


def _is_within_word(text: str, offset: int) -> bool:
    return offset > 0 and (text[offset - 1].isalnum() or text[offset - 1] == "_")


def _mask(secret: str) -> str:
    return re.sub(r"[^\r\n]", MASK, secret)
