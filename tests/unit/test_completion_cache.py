"""Typed-through hits, and what must not hit."""

from __future__ import annotations

from fimble.completion.cache import DOCUMENTS_MAX, ENTRIES_PER_DOCUMENT_MAX, CompletionCache
from fimble.completion.ledger import Source
from fimble.records import CursorWindow, Shape, StopReason


def put(cache: CompletionCache, prefix: str, suffix: str, text: str, uri: str = "u") -> None:
    cache.put(uri, CursorWindow(prefix, suffix), text, Shape.LINE, StopReason.RULE)


def look(cache: CompletionCache, prefix: str, suffix: str, uri: str = "u") -> str | None:
    hit = cache.lookup(uri, CursorWindow(prefix, suffix))
    return hit.text if hit else None


def test_same_place_and_typed_through() -> None:
    cache = CompletionCache()
    put(cache, "return ", "\n", "a + b")
    assert look(cache, "return ", "\n") == "a + b"
    assert look(cache, "return a +", "\n") == " b"


def test_backspace_returns_to_it() -> None:
    cache = CompletionCache()
    put(cache, "return ", "\n", "a + b")
    assert look(cache, "return a", "\n") == " + b"
    assert look(cache, "return ", "\n") == "a + b"


def test_other_text_typed_misses() -> None:
    cache = CompletionCache()
    put(cache, "return ", "\n", "a + b")
    assert look(cache, "return b", "\n") is None


def test_fully_typed_needs_a_new_answer() -> None:
    cache = CompletionCache()
    put(cache, "return ", "\n", "a")
    assert look(cache, "return a", "\n") is None


def test_changed_suffix_misses() -> None:
    cache = CompletionCache()
    put(cache, "f(", ")\n", "a, b")
    assert look(cache, "f(", "\n") is None


def test_changed_prefix_far_above_misses() -> None:
    cache = CompletionCache()
    put(cache, "import a\nreturn ", "\n", "x")
    assert look(cache, "import b\nreturn ", "\n") is None
    assert look(cache, "# import a\nreturn ", "\n") is None


def test_nothing_to_show_is_remembered_for_the_place_only() -> None:
    cache = CompletionCache()
    put(cache, "x", "\n", "")
    assert look(cache, "x", "\n") == ""
    assert look(cache, "xy", "\n") is None


def test_documents_do_not_mix_and_the_cache_is_bounded() -> None:
    cache = CompletionCache()
    put(cache, "a", "\n", "b", uri="one")
    assert look(cache, "a", "\n", uri="two") is None
    for n in range(DOCUMENTS_MAX):
        put(cache, "a", "\n", "b", uri=f"many-{n}")
    assert look(cache, "a", "\n", uri="one") is None
    for n in range(ENTRIES_PER_DOCUMENT_MAX + 1):
        put(cache, f"place {n}", "\n", "b", uri="many-5")
    assert look(cache, "place 0", "\n", uri="many-5") is None
    assert look(cache, "place 1", "\n", uri="many-5") == "b"


def put_others(cache: CompletionCache, prefix: str, *texts: str) -> None:
    cache.put_beside("u", CursorWindow(prefix, "\n"), [(text, StopReason.RULE, Source()) for text in texts])


def test_other_texts_of_a_place_are_found_only_against_its_own() -> None:
    cache = CompletionCache()
    put(cache, "return ", "\n", "a + b")
    put_others(cache, "return ", "sum(a)", "ab", "set()")
    assert look(cache, "return ", "\n") == "a + b"
    assert look(cache, "return a", "\n") == " + b"
    assert look(cache, "return s", "\n") == "um(a)"
    assert look(cache, "return se", "\n") == "t()"


def test_other_texts_are_replaced_bounded_and_nothing_without_a_text_of_the_place() -> None:
    cache = CompletionCache()
    put_others(cache, "return ", "sum(a)")
    assert look(cache, "return s", "\n") is None
    put(cache, "return ", "\n", "a + b")
    put_others(cache, "return ", "sum(a)")
    put_others(cache, "return ", *(f"{n}" * 3 for n in range(ENTRIES_PER_DOCUMENT_MAX)))
    assert look(cache, "return s", "\n") is None
    assert look(cache, "return 0", "\n") == "00"
    assert look(cache, f"return {ENTRIES_PER_DOCUMENT_MAX - 1}", "\n") is None
