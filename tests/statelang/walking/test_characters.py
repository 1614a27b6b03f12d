"""Patterns of Python's `re` for terminals: the same language, decided character by character."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from statelang.regular import regex
from statelang.regular.automaton import NOTHING, Regular, both, other_than
from statelang.walking.characters import Form, Unfit, form
from tests.statelang.regular.test_regex import LETTERS, patterns


def fitting(language: Regular) -> Form:
    """The pattern of a language that has one."""
    try:
        return form(language)
    except Unfit:
        assume(False)
        raise


@given(patterns, st.data())
@example("[^a]{1,3}", None)
@example("(é|[à-ü]x?)+", None)
def test_a_pattern_is_the_language(pattern: str, data: st.DataObject | None) -> None:
    """`re` matches the whole of exactly the texts of the language."""
    language = regex.parse(pattern)
    found = fitting(language)
    texts = ["", "a", "B", "é", "€", "\n", "ab", "\U0001f600"]
    if data is not None:
        texts.append(data.draw(st.text(LETTERS, max_size=5)))
        if language is not NOTHING:
            texts.append(data.draw(st.from_regex(re.compile(pattern), fullmatch=True)))
    for text in texts:
        assert language.matches(text.encode()) == bool(re.fullmatch(found.pattern, text)), text


@given(patterns, st.text(LETTERS, max_size=4), st.sampled_from(LETTERS))
def test_first_and_more_are_told(pattern: str, text: str, char: str) -> None:
    """A character that begins a text is in `first`; one with which a complete text goes on in
    `more`."""
    language = regex.parse(pattern)
    found = fitting(language)
    before = language
    for byte in text.encode():
        before = before.step(byte)
    after = before
    for byte in char.encode():
        after = after.step(byte)
    goes_on = after.live

    def has(ranges: tuple[tuple[int, int], ...]) -> bool:
        return any(low <= ord(char) <= high for low, high in ranges)

    assert text or not goes_on or has(found.first)
    assert not (before.nullable and goes_on) or has(found.more)
    assert found.nullable == language.nullable


@pytest.mark.parametrize(
    "language",
    [
        regex.parse("(a|ab)c"),
        regex.parse("(a*)*b"),
        regex.parse("a?a"),
        regex.parse("[ab]+b"),
        both(regex.parse("a+"), other_than(regex.parse("aa"))),
    ],
)
def test_what_one_character_does_not_decide_is_refused(language: Regular) -> None:
    """Two ways to go on with one character, and languages that are no expression, have no
    pattern: `re` would have to try one after the other."""
    with pytest.raises(Unfit):
        form(language)


@pytest.mark.parametrize("pattern", ["(?:[a-c]x?)*d", "[^<]{1,800}<", "(?:a{1,50}b){1,50}c"])
def test_no_pattern_goes_back(pattern: str) -> None:
    """A text that fails at its end is read once: a million characters are no matter."""
    language = form(regex.parse(pattern)).pattern
    text = "ax" * 500_000 if "x" in pattern else "a" * 1_000_000
    assert re.match(language, text) is None
