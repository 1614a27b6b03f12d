"""Arithmetic in a trace: exact, against `fractions`, and never run as code."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.clauses import arithmetic
from statelang.clauses.values import Undefined, Value

VALUES: Mapping[Value, Value] = {"x": 3, "Tom": Fraction(5, 2), "s1": -7, "_y": 0}
Written = tuple[str, Fraction | None]  # a text and its value; None where a division is by zero


def _signed(sign: str, left: Written, right: Written, space: str) -> Written:
    (first, a), (second, b) = left, right
    text = f"({first}){space}{sign}{space}({second})"
    if a is None or b is None or (sign == "/" and b == 0):
        return text, None
    return text, {"+": a + b, "-": a - b, "*": a * b}[sign] if sign != "/" else a / b


_leaves: st.SearchStrategy[Written] = st.one_of(
    st.integers(0, 2000).map(lambda n: (str(n), Fraction(n))),
    st.integers(1000, 9_999_999).map(lambda n: (f"{n:,}", Fraction(n))),
    st.decimals(0, 50, places=2).map(lambda d: (str(d), Fraction(d))),
    st.sampled_from(sorted(map(str, VALUES))).map(lambda n: (n, Fraction(VALUES[n]))),  # type: ignore[arg-type]
    st.just((".5", Fraction(1, 2))),
)


def _grown(inner: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    spaces = st.sampled_from(["", " ", "  "])
    return st.one_of(
        st.builds(_signed, st.sampled_from("+-*/"), inner, inner, spaces),
        inner.map(lambda w: (f"-({w[0]})", None if w[1] is None else -w[1])),
        inner.map(
            lambda w: (f"- -{w[0]}", w[1]) if not w[0].startswith("-") and "(" not in w[0] else w
        ),
    )


@given(st.recursive(_leaves, _grown, max_leaves=8))
def test_the_value_is_the_exact_fraction(written: Written) -> None:
    """An arithmetic text has its exact value; a division by zero anywhere has none."""
    text, expected = written
    if expected is None:
        with pytest.raises(Undefined, match="division by zero"):
            arithmetic.value(text, VALUES)
    else:
        assert arithmetic.value(text, VALUES) == expected


@given(
    st.lists(st.integers(0, 30), min_size=2, max_size=7),
    st.lists(st.sampled_from("+-*/"), min_size=6, max_size=6),
)
def test_products_bind_before_sums_and_both_from_the_left(
    numbers: list[int], signs: list[str]
) -> None:
    """Without brackets, `*` and `/` come first and equals are taken from left to right."""
    text = str(numbers[0]) + "".join(f" {s} {n}" for s, n in zip(signs, numbers[1:], strict=False))
    terms: list[Fraction] = [Fraction(numbers[0])]
    for sign, number in zip(signs, numbers[1:], strict=False):
        if sign in "*/":
            if sign == "/" and number == 0:
                with pytest.raises(Undefined):
                    arithmetic.value(text, {})
                return
            terms[-1] = terms[-1] * number if sign == "*" else terms[-1] / number
        else:
            terms.append(Fraction(number if sign == "+" else -number))
    assert arithmetic.value(text, {}) == sum(terms)


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 +", "+ 1", "(1", "1)", "1 2", "2 ** 3", "1 // 2", "1,2 + 3", "5.", "x y", "1 = 1",
     "x(1)", "__import__('os')", "x.real", "x[0]", "1e3", "0x10", "1_000", "٣ + 1", "1; 2", "2 × 3"],
)  # fmt: skip
def test_what_is_no_arithmetic_is_undefined(text: str) -> None:
    """Anything but numbers, known names, brackets and four signs has no value."""
    with pytest.raises(Undefined):
        arithmetic.value(text, VALUES)


@given(st.text("0123456789+-*/(). ,xT", max_size=12))
def test_any_text_has_an_exact_value_or_none(text: str) -> None:
    """Reading is total: an exact number comes back, or `Undefined` is raised."""
    try:
        found = arithmetic.value(text, VALUES)
    except Undefined:
        return
    assert isinstance(found, (int, Fraction))
    assert isinstance(found, int) == (found.denominator == 1)


def test_an_unknown_name_is_undefined() -> None:
    """The message names the name that has no value."""
    with pytest.raises(Undefined, match="`Bob` has no value"):
        arithmetic.value("Bob + 1", VALUES)
    with pytest.raises(Undefined, match="`Bob` has no value"):
        arithmetic.fill("x * Bob", VALUES)


@pytest.mark.parametrize(
    "text",
    ["(" * 200 + "1" + ")" * 200, "-" * 200 + "1", "1" + "+1" * 5000, "*".join(["9" * 300] * 90)],
)
def test_size_and_depth_are_bounded(text: str) -> None:
    """Nesting, length and digits beyond the bounds are undefined, at once."""
    with pytest.raises(Undefined):
        arithmetic.value(text, {})


def test_names_are_the_identifiers_of_a_text() -> None:
    """Identifiers are found once each; numbers are none."""
    assert arithmetic.names("Tom * s1 + 12 - Tom + _y") == frozenset({"Tom", "s1", "_y"})
    assert arithmetic.names("3 + 4") == frozenset()


def test_filling_replaces_each_name_by_its_value() -> None:
    """A name becomes the shortest spelling of its value; the rest stays as it is written."""
    assert arithmetic.fill("Tom * s1+(x - 2)", VALUES) == "2.5 * -7+(3 - 2)"
    assert arithmetic.fill("s1 + s12", {"s1": 4, "s12": 5}) == "4 + 5"
    assert arithmetic.fill("a", {"a": "b + c"}) == "b + c"


def test_a_value_whose_decimals_never_end_cannot_be_filled_in() -> None:
    """A third has no spelling, so a text that needs it is undefined."""
    with pytest.raises(Undefined):
        arithmetic.fill("x + 1", {"x": Fraction(1, 3)})


@given(st.recursive(_leaves, _grown, max_leaves=5))
def test_a_filled_text_has_the_same_value(written: Written) -> None:
    """Values put in for names, where none is negative, leave the value of the text as it is."""
    text, expected = written
    if expected is None:
        return
    values: dict[Value, Value] = {
        name: abs(Fraction(value))  # type: ignore[arg-type]
        for name, value in VALUES.items()
    }
    try:
        before = arithmetic.value(text, values)
    except Undefined:
        with pytest.raises(Undefined):
            arithmetic.value(arithmetic.fill(text, values), {})
        return
    assert arithmetic.value(arithmetic.fill(text, values), {}) == before
