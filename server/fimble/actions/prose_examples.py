"""Read examples out of prose: `f(3) == 4`, `f(3) ➞ 4`, `Input: 3` over `Output: 4`, `for n = 3 the output is 4`.

Takes only what can be read in one way, in English and Chinese. Runs nothing; Python values alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

CALL_CHARS_MAX = 600
PLACES_MAX = 100
"""Places of one form that are looked at: a text with more is no explanation, and each costs some parsing."""
VALUE_CHARS_MAX = 400
CLOSINGS_MAX = 40
VALUE_LINES_MAX = 6
# What a Chinese keyboard gives for brackets and commas; one character for one.
_FULL_WIDTH = str.maketrans("\uff08\uff09\uff0c\uff1a\uff1d\u3010\u3011", "(),:=[]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# Typographic quotes, which editors and translators put in.
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})
_SIGN = r"(?:={1,3}>?|[-–—]{1,2}>|[➞→⇒➔⟹⟶])"
_WORD = (
    r"(?:,?[ \t]*(?:the )?(?:(?:function|it|result|output|answer)[ \t]+)?"
    r"(?:(?:should|must|will|would)[ \t]+)?(?:returns?|gives?|yields?|outputs?|equals?|produces?|is|be|evaluates to)"
    r"(?:[ \t]+equal to)?"
    r"|[,\uff0c]?[ \t]*(?:函数|结果|输出|答案)?[ \t]*(?:应该|应当|应|将|会)?(?:返回|输出|得到|等于|为|是))"
)
_GIVES = re.compile(
    rf"[ \t`*]*(?:(?P<sign>{_SIGN}|[:\uff1a])|(?P<word>{_WORD}))[ \t`*:\uff1a]*(?:\n[ \t]*)?", re.IGNORECASE
)
_ARROW = re.compile(r"[ \t`*]*(?:={1,3}>|[-–—]{1,2}>|[➞→⇒➔⟹⟶])[ \t`*]*")
_INPUT = re.compile(r"^[ \t#*•-]*(?:\w+[ \t]*\d*[.)][ \t]*)?(?:inputs?|输入)[ \t`*]*[:\uff1a=][ \t`*]*", re.I | re.M)
_OUTPUT = re.compile(
    r"[ \t`*,\uff0c;\uff1b#-]*\n?[ \t#*•-]*(?:outputs?|returns?|输出|返回)[ \t`*]*[:\uff1a=][ \t`*]*", re.IGNORECASE
)
_FOR = re.compile(r"(?:\b(?:for|when|if|given)[ \t]+|(?:对于|给定|如果|当|若)[ \t]*)(?:inputs?|输入)?[ \t::`]*", re.I)
_RESULT = re.compile(
    r"[ \t`*]*[,\uff0c]?[ \t]*(?:(?:the|your|this)[ \t]+)?"
    r"(?:function|output|result|answer|it|函数|输出|结果|答案)[ \t]*"
    r"(?:(?:should|must|will|would|应该|应当|应|将|会)[ \t]*)?"
    r"(?:returns?|gives?|outputs?|be|is|equals?|返回|输出|得到|等于|为|是)[ \t]*(?:equal to)?[ \t:\uff1a`*]*",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^[ \t]*(?:[#*•][ \t]*|-[ \t]+|\d+[.)][ \t]+)*[`]*", re.MULTILINE)
# What may follow a value that ends there; `3 times` and `[1] or [2]` do not.
_ENDS = re.compile(
    r"[ \t`*\"']*(?:$|[.](?!\w)|[。;\uff1b、)(\uff08\uff09#!]|[,\uff0c](?![ \t]*[\d\[({\"'-])|//"
    r"|\b(?:because|since|as|and|explanation)\b|因为|由于|[-–—]{1,2}[ \t])",
    re.IGNORECASE | re.MULTILINE,
)
_SUM = re.compile(r"[\d \t+*/().%-]+=[ \t]*(-?\d+(?:\.\d+)?)[ \t.]*$")
_CLOSING = {"[": "]", "(": ")", "{": "}"}
_SCALAR = re.compile(
    r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?:true|false|none|null)\b",
    re.IGNORECASE,
)
_SPELLED = {"true": "True", "false": "False", "none": "None", "null": "None"}


def find(text: str, name: str, parameters: Sequence[str]) -> list[tuple[str, str]]:
    """Give calls of the function `name` with the value that `text` says they have, both as Python source."""
    text = text.translate(_QUOTES)
    found: dict[str, str | None] = {}
    for call, want in _read(text, name, parameters):
        # Two different values for one call: at least one was misread.
        found[call] = want if found.get(call, want) == want else None
    for call, want in _read(text.translate(_FULL_WIDTH), name, parameters):
        # In a Chinese string a full-width comma is itself.
        if not _CJK.search(call + want):
            found.setdefault(call, want)
    return [(call, want) for call, want in found.items() if want is not None]


def _read(text: str, name: str, parameters: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from _calls(text, name)
    yield from _pairs(text, name, parameters)
    yield from _bare(text, name, parameters)


def _calls(text: str, name: str) -> Iterator[tuple[str, str]]:
    for match in islice(re.finditer(rf"(?<![\w.]){re.escape(name)}[ \t]*\(", text), PLACES_MAX):
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        # Doctests are read as what they are; a header is no call.
        if ">>>" in before or before.rstrip().endswith("def"):
            continue
        end = _call_end(text, match.start())
        gives = _GIVES.match(text, end) if end else None
        if gives is None:
            continue
        want = _value(text, gives.end(), after_word=gives.group("word") is not None)
        if want is not None:
            yield text[match.start() : end], want


def _pairs(text: str, name: str, parameters: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Read `Input: … Output: …` and `for x = … the output should be …`."""
    for opened, between in ((_INPUT, _OUTPUT), (_FOR, _RESULT)):
        for match in islice(opened.finditer(text), PLACES_MAX):
            middle = next(
                (m for m in between.finditer(text, match.end(), match.end() + CALL_CHARS_MAX) if m.end() > m.start()),
                None,
            )
            if middle is None:
                continue
            call = _call_of(text[match.end() : middle.start()], name, parameters)
            want = _value(text, middle.end(), after_word=True) if call else None
            if call and want is not None:
                yield call, want


def _bare(text: str, name: str, parameters: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Read lines of the form `[1, 2] -> 3`."""
    for match in islice(_BULLET.finditer(text), PLACES_MAX):
        start = match.end()
        line_end = text.find("\n", start)
        line_end = len(text) if line_end < 0 else line_end
        arrow = _ARROW.search(text, start, line_end)
        if arrow is None:
            continue
        given = text[start : arrow.start()].strip(" \t`*")
        given = given[1:-1] if len(parameters) > 1 and given.startswith("(") and given.endswith(")") else given
        call = _call_of(given, name, parameters)
        want = _value(text, arrow.end(), after_word=False) if call else None
        if call and want is not None:
            yield call, want


def _call_end(text: str, start: int) -> int | None:
    """Give where the call that begins at `start` ends, if its arguments are plain values."""
    return _closed_at(text, start, ")", _is_plain_call)


def _call_of(arguments: str, name: str, parameters: Sequence[str]) -> str | None:
    """Give the call with these arguments if they fit the parameters."""
    arguments = arguments.strip(" \t\n`*,\uff0c;\uff1b.。")
    call = f"{name}({arguments})"
    if not arguments or not _is_plain_call(call):
        return None
    parsed = _expression(call)
    assert isinstance(parsed, ast.Call)
    named = [k.arg for k in parsed.keywords]
    if named:
        return call if not parsed.args and set(named) == set(parameters) else None
    return call if len(parsed.args) == len(parameters) else None


def _expression(source: str) -> ast.expr | None:
    try:
        return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_plain_call(source: str) -> bool:
    call = _expression(source)
    if not isinstance(call, ast.Call):
        return False
    values = [*call.args, *(k.value for k in call.keywords if k.arg is not None)]
    return len(values) == len(call.args) + len(call.keywords) and all(_is_plain(v) for v in values)


def _is_plain(value: ast.expr) -> bool:
    """Say whether an expression is a value written out; `[1, 2, ...]` is not."""
    if any(isinstance(n, ast.Constant) and n.value is Ellipsis for n in ast.walk(value)):
        return False
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _value(text: str, start: int, *, after_word: bool) -> str | None:
    """Give the value that stands at `start`, over several lines only inside brackets."""
    line_end = text.find("\n", start)
    line = text[start:] if line_end < 0 else text[start:line_end]
    if (added := _SUM.match(line)) is not None:
        return added.group(1)
    if line[:1] in _CLOSING:
        line = "\n".join(text[start : start + VALUE_CHARS_MAX].split("\n")[:VALUE_LINES_MAX])
        end = _closed_at(line, 0, _CLOSING[line[0]], _is_written_value)
    else:
        scalar = _SCALAR.match(line)
        end = scalar.end() if scalar else None
    if end is None:
        return None
    piece, follows = line[:end], line[end:]
    # A word may begin a sentence that goes on: `returns 3 times`.
    goes_on = _ENDS.match(follows) is None and (after_word or not re.match(r"[ \t]+(?!or\b)[A-Za-z]", follows))
    return None if goes_on else _SPELLED.get(piece.lower(), piece)


def _closed_at(text: str, start: int, closing: str, accepts: Callable[[str], bool]) -> int | None:
    """Give the end of the shortest stretch from `start` to a closing bracket that `accepts` takes."""
    end = start
    for _ in range(CLOSINGS_MAX):
        end = text.find(closing, end) + 1
        if not 0 < end <= start + CALL_CHARS_MAX:
            return None
        if accepts(text[start:end]):
            return end
    return None


def _is_written_value(source: str) -> bool:
    value = _expression(source)
    # `(3)` may mean 3, or a tuple of one.
    return value is not None and isinstance(value, ast.Tuple) == source.startswith("(") and _is_plain(value)
