"""Numbers: how they are read, and the language of all spellings of a value."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from statelang.clauses.values import (
    ANY,
    MAX_DIGITS,
    NUMBER,
    NUMBER_TEXTS,
    ROUNDED_PLACES,
    TEXT,
    TRUTH,
    Number,
    Type,
    Undefined,
    any_of,
    list_of,
    map_of,
    places_of,
    read_number,
    rounded,
    set_of,
    simplest,
    spell,
    spelled,
    spelled_rounded,
)

SPELLED = re.compile(r"-?(?:(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)")
texts = st.from_regex(SPELLED, fullmatch=True)
short = st.text("0123456789.,-", max_size=7)
decimals = st.builds(
    lambda digits, places: simplest(Fraction(digits, 10**places)),
    st.integers(-(10**7), 10**7),
    st.integers(0, 5),
)
fractions = st.builds(Fraction, st.integers(-9999, 9999), st.integers(1, 60)).map(simplest)


def reading(text: str) -> Number | None:
    """What a text reads as, by the standard library; None where it is no number."""
    return Fraction(text.replace(",", "")) if SPELLED.fullmatch(text) else None


@given(texts | short)
@example("1,250")
@example("1,25")
@example("0,123")
@example("-.5")
@example("5.")
@example("")
@example("-")
@example("+1")
@example("１")
def test_a_number_is_read_by_its_value(text: str) -> None:
    """A text of the documented form reads as its exact value; any other is no number."""
    expected = reading(text)
    if expected is None:
        with pytest.raises(Undefined):
            read_number(text)
    else:
        found = read_number(text)
        assert found == expected
        assert isinstance(found, int) == (expected.denominator == 1)


@given(texts | short)
def test_the_language_of_numbers_is_what_can_be_read(text: str) -> None:
    """`NUMBER_TEXTS` holds a text exactly when it reads as a number."""
    assert NUMBER_TEXTS.matches(text.encode()) == (reading(text) is not None)


def test_a_number_has_a_longest_spelling() -> None:
    """Past the bound a text is no number, so that no trace costs more than its length."""
    assert read_number("1" * MAX_DIGITS) == int("1" * MAX_DIGITS)
    with pytest.raises(Undefined):
        read_number("1" * (MAX_DIGITS + 1))


@given(decimals)
def test_the_shortest_spelling_reads_back(value: Number) -> None:
    """`spell` writes a text that reads as the value, with nothing to leave out."""
    text = spell(value)
    assert read_number(text) == value
    assert not re.fullmatch(r"-?0[0-9].*|.*\.[0-9]*0|.*\.|-0", text)


@pytest.mark.parametrize(
    "value",
    [Fraction(1, 3), Fraction(5, 7), 10**MAX_DIGITS, 10**5000],
    ids=["third", "sevenths", "401 digits", "5001 digits"],
)
def test_a_value_without_a_spelling_is_undefined(value: Number) -> None:
    """Decimals that never end and numbers beyond the bound are not written."""
    with pytest.raises(Undefined):
        spell(value)


@given(texts | short, decimals, st.booleans())
@example("-0.0", 0, False)
@example(".0", 0, False)
@example("0.50", Fraction(1, 2), False)
@example("001,000", 1000, False)
@example("-1,000.0", -1000, False)
def test_the_spellings_of_a_value_are_what_reads_as_it(
    text: str, value: Number, its_own: bool
) -> None:
    """`spelled(v)` holds a text exactly when the text reads as `v`."""
    own = reading(text)
    if its_own and own is not None:
        value = simplest(Fraction(own))
    assert spelled(value).matches(text.encode()) == (own is not None and own == value)


@given(fractions, st.integers(0, 3), st.booleans())
@example(Fraction(5, 2), 0, False)
@example(Fraction(-5, 2), 0, False)
@example(Fraction(-1, 200), 1, True)
def test_every_padded_spelling_is_one_of_the_spellings(
    value: Number, zeros: int, grouped: bool
) -> None:
    """Leading and trailing zeros and groups of thousands change no value."""
    try:
        text = spell(value)
    except Undefined:
        assert not spelled(value).live
        return
    sign, size = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, places = size.partition(".")
    front = f"{int(whole):,}" if grouped else "0" * zeros + whole
    back = f".{places}{'0' * zeros}" if places or zeros else ""
    assert spelled(value).matches(f"{sign}{front}{back}".encode())


@given(st.text(max_size=5), st.text(max_size=5))
def test_a_text_is_spelled_by_itself(value: str, other: str) -> None:
    """The spelling of a text is the text."""
    assert spelled(value).matches(other.encode()) == (value == other)


@given(
    st.lists(decimals | st.text("ab", max_size=2), max_size=4), texts | st.text("ab", max_size=2)
)
def test_one_of_several_values(values: list[Number | str], text: str) -> None:
    """`any_of` holds what reads as one of the values."""
    own = reading(text)
    expected = text in values or (own is not None and own in [v for v in values if v != text])
    assert any_of(values).matches(text.encode()) == expected


@given(fractions, st.integers(0, ROUNDED_PLACES))
def test_rounding_is_half_away_from_zero(value: Number, places: int) -> None:
    """The rounded value is a multiple of the last place, nearest, halves away from zero."""
    result, unit = rounded(value, places), Fraction(1, 10**places)
    assert Fraction(result) / unit == int(Fraction(result) / unit)
    gap = abs(Fraction(result) - Fraction(value))
    assert gap <= unit / 2
    if gap == unit / 2:
        assert abs(Fraction(result)) > abs(Fraction(value))


@given(fractions, texts | short, st.integers(0, 4), st.booleans())
@example(Fraction(1, 200), "-0.01", 0, False)
@example(Fraction(-1, 300), "-0.00", 0, False)
@example(Fraction(-1, 300), "0", 0, False)
@example(Fraction(5, 3), "1.67", 0, False)
@example(Fraction(5, 3), "2", 0, False)
@example(Fraction(5, 3), "1.670", 0, False)
def test_rounded_spellings_are_what_the_value_rounds_to(
    value: Number, text: str, places: int, its_own: bool
) -> None:
    """`spelled_rounded(v)` holds a text exactly when it reads as `v` rounded to its own places."""
    if its_own:
        digits = f"{int(rounded(value, places) * 10**places):0{places + 1 + (value < 0)}d}"
        text = f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}".rstrip(".")
    own = reading(text)
    assume(own is None or places_of(text) <= ROUNDED_PLACES)
    expected = own is not None and own == rounded(value, places_of(text))
    assert spelled_rounded(value).matches(text.encode()) == expected


def test_the_places_of_a_text() -> None:
    """Places are counted as they are written, zeros included."""
    assert [places_of(text) for text in ("12", "1.5", "-.250", "1,000.00")] == [0, 1, 3, 2]


def test_types_accept_what_may_stand_for_them() -> None:
    """A type accepts itself, the unknown type, and `{}` where it is a set or a map."""
    empty = Type("empty")
    assert set_of(TEXT).accepts(empty)
    assert map_of(TEXT, NUMBER).accepts(empty)
    assert not list_of(TEXT).accepts(empty)
    assert not NUMBER.accepts(TEXT)
    assert not set_of(TEXT).accepts(set_of(NUMBER))
    assert set_of(ANY).accepts(set_of(NUMBER))
    assert not map_of(TEXT, NUMBER).accepts(map_of(TEXT, TEXT))
    assert TRUTH.accepts(TRUTH)


def test_types_are_written_as_in_a_grammar_file() -> None:
    """A type prints as its author writes it."""
    assert str(map_of(TEXT, set_of(NUMBER))) == "map[text, set[number]]"
    assert str(list_of(TRUTH)) == "list[truth]"


def test_only_texts_and_numbers_are_written_in_a_field() -> None:
    """A set, a map or a truth value has no spelling."""
    for value in (True, frozenset({1}), {"a": 1}, (1, 2)):
        with pytest.raises(TypeError):
            spelled.__wrapped__(value)
