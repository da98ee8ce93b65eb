"""The scanner against a stack, where there are only brackets; and whatever text comes, in every language."""

from __future__ import annotations

import code_text
from hypothesis import given
from hypothesis import strategies as st

from fimble.postprocess.language import facts_of
from fimble.postprocess.scan import CODE, PAIRS, scan
from fimble.postprocess.site import survey
from fimble.records import CursorWindow


@given(st.text(alphabet="([{)]}ab \n", max_size=40))
def test_brackets_alone_agree_with_a_stack(text: str) -> None:
    stack: list[str] = []
    unmatched: list[str] = []
    for char in text:
        if char in PAIRS:
            stack.append(char)
        elif char in PAIRS.values():
            opener = next(opener for opener, closer in PAIRS.items() if closer == char)
            if opener in stack:
                while stack.pop() != opener:
                    pass
            else:
                unmatched.append(char)
    found = scan(text, facts_of("python"))
    assert [bracket.char for bracket in found.openers] == stack
    assert [bracket.char for bracket in found.closers] == unmatched
    assert found.inside == CODE


@code_text.few
@given(text=code_text.code, language=st.sampled_from(code_text.LANGUAGES))
def test_reading_in_two_parts_gives_the_same_state(text: str, language: str) -> None:
    """A line end outside of everything is a place where reading can start anew."""
    facts = facts_of(language)
    for index, char in enumerate(text):
        head = scan(text[: index + 1], facts)
        if char == "\n" and head.inside == CODE and not head.openers:
            assert scan(text[index + 1 :], facts).inside == scan(text, facts).inside


@code_text.few
@given(window=code_text.windows)
def test_offsets_and_lines_are_the_texts_own(window: CursorWindow) -> None:
    found = scan(window.prefix, facts_of(window.language))
    for bracket in found.openers:
        assert window.prefix[bracket.offset] == bracket.char
        assert window.prefix.count("\n", 0, bracket.offset) == bracket.line
    site = survey(window)
    assert len(site.closed) == len(site.openers)
    assert list(site.levels) == sorted(set(site.levels), reverse=True)
