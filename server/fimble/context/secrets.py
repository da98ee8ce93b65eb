"""Secrets in the text of a document: found by their shape and masked before a prompt is laid out. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from fimble.records import CursorWindow

MASK = "*"


class Secret(NamedTuple):
    """One found secret: its kind and the code points it takes."""

    kind: str
    start_offset: int
    end_offset: int


class _Shape(NamedTuple):
    """`marks`: one of these stands in every text that has the secret, so that most texts cost only a search."""

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(kind: str, marks: tuple[str, ...], pattern: str) -> _Shape:
    return _Shape(kind, marks, re.compile(pattern))


_KEY_BEGIN, _KEY_END = (rf"-----{word} [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----" for word in ("BEGIN", "END"))
_EDGE = r"(?<![A-Za-z0-9_])"
SHAPES = (
    # RFC 7468, section 2; a window may have lost the first or the last line.
    _shape(
        "private key",
        ("PRIVATE KEY",),
        rf"{_KEY_BEGIN}(?:[\s\S]*?{_KEY_END}|[\s\S]*)|\A(?:(?!{_KEY_BEGIN})[\s\S])*?{_KEY_END}",
    ),
    # Prefixes and lengths as the issuers document them for secret scanning.
    _shape("AWS access key", ("AKIA", "ASIA"), _EDGE + r"A(?:KIA|SIA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _shape("GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _EDGE + r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _shape("GitHub token", ("github_pat_",), _EDGE + r"github_pat_[A-Za-z0-9_]{22,255}"),
    _shape("GitLab token", ("glpat-",), _EDGE + r"glpat-[A-Za-z0-9_-]{20,}"),
    _shape("Slack token", ("xox",), _EDGE + r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _shape("Slack webhook", ("hooks.slack.com",), r"hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,}"),
    _shape("Stripe key", ("_live_", "_test_"), _EDGE + r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _shape("Google API key", ("AIza",), _EDGE + r"AIza[0-9A-Za-z_-]{35}"),
    _shape("OpenAI key", ("sk-",), _EDGE + r"sk-(?:proj-|svcacct-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{20,}"),
    _shape("npm token", ("npm_",), _EDGE + r"npm_[A-Za-z0-9]{36}"),
    _shape("PyPI token", ("pypi-",), _EDGE + r"pypi-[A-Za-z0-9_-]{50,}"),
    _shape("Hugging Face token", ("hf_",), _EDGE + r"hf_[A-Za-z0-9]{30,}"),
    _shape("SendGrid key", ("SG.",), _EDGE + r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    _shape("JSON web token", ("eyJ",), _EDGE + r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    _shape("password in a URL", ("://",), r"(?<=://)[^\s/:@'\"]{1,64}:[^\s/@'\"]{3,128}(?=@)"),
)


def find(text: str) -> list[Secret]:
    """Give the secrets in `text`, in order and without overlap."""
    found = sorted(_all(text), key=lambda secret: secret.start_offset)
    apart: list[Secret] = []
    for secret in found:
        if not apart or secret.start_offset >= apart[-1].end_offset:
            apart.append(secret)
        elif secret.end_offset > apart[-1].end_offset:
            apart[-1] = apart[-1]._replace(end_offset=secret.end_offset)
    return apart


def masked_text(text: str) -> str:
    """Give `text` with each character of a secret as `*`; length and line ends stay."""
    parts: list[str] = []
    done_offset = 0
    for secret in find(text):
        parts += [text[done_offset : secret.start_offset], _mask(text[secret.start_offset : secret.end_offset])]
        done_offset = secret.end_offset
    return "".join([*parts, text[done_offset:]]) if parts else text


def masked(window: CursorWindow) -> CursorWindow:
    """Give the window without its secrets; the cursor may stand within one, so both sides are read as one."""
    text = window.prefix + window.suffix
    hidden = masked_text(text)
    if hidden == text:
        return window
    n_prefix_chars = len(window.prefix)
    return replace(window, prefix=hidden[:n_prefix_chars], suffix=hidden[n_prefix_chars:])


def _all(text: str) -> Iterator[Secret]:
    for shape in SHAPES:
        if any(mark in text for mark in shape.marks):
            for match in shape.pattern.finditer(text):
                yield Secret(shape.kind, match.start(), match.end())


def _mask(secret: str) -> str:
    return re.sub(r"[^\r\n]", MASK, secret)
