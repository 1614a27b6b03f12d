from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.training import sums

NUMBERS = st.from_regex(r"[1-9][0-9]{0,3}(\.[0-9]{1,2})?", fullmatch=True)


@st.composite
def calculations(draw: st.DrawFn) -> tuple[str, Fraction | None]:
    """A calculation as text, with the value it has by `Fraction` alone."""
    operands = draw(st.lists(NUMBERS, min_size=1, max_size=4))
    signs = draw(st.lists(st.sampled_from("+-"), min_size=3, max_size=3))
    text, value = operands[0], Fraction(operands[0])
    for sign, operand in zip(signs, operands[1:], strict=False):
        text += sign + operand
        value += Fraction(operand) if sign == "+" else -Fraction(operand)
    return text, value


class TestTokens:
    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("48/2", ("48", "/", "2")),
            ("71+-3", ("71", "+", "-3")),
            ("48-3", ("48", "-", "3")),
            ("(-17)+43", ("(", "-17", ")", "+", "43")),
            (".5*40", (".5", "*", "40")),
            ("2*((7)+(4))", ("2", "*", "(", "(", "7", ")", "+", "(", "4", ")", ")")),
            ("-153", ("-153",)),
        ],
    )
    def test_a_minus_belongs_to_a_number_where_an_operand_is_due(
        self, text: str, tokens: tuple[str, ...]
    ) -> None:
        assert sums.tokens(text) == tokens

    @pytest.mark.parametrize(
        "text",
        ["", "+7", "3*+6", "560//10", "2x", "(3", "3)", "3+", "1,000+2", "-(3+4)", "3 + 4", "1e9"],
    )
    def test_error_where_it_is_no_calculation(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not a calculation"):
            sums.tokens(text)

    @given(calculations())
    def test_tokens_lose_nothing(self, calculation: tuple[str, Fraction]) -> None:
        assert "".join(sums.tokens(calculation[0])) == calculation[0]


class TestValue:
    @given(calculations())
    def test_value_is_exact(self, calculation: tuple[str, Fraction]) -> None:
        text, value = calculation
        assert sums.value(sums.tokens(text)) == value

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("2+3*4", 14),
            ("8/4/2", 1),
            ("8-4-2", 2),
            ("(1/6)*12", 2),
            ("71+-3", 68),
            ("48--3", 51),
            ("-20+10", -10),
        ],
    )
    def test_products_before_sums_from_the_left(self, text: str, value: int) -> None:
        assert sums.value(sums.tokens(text)) == value

    def test_division_by_zero_has_no_value(self) -> None:
        assert sums.value(("7", "/", "(", "2", "-", "2", ")")) is None


class TestSpelling:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (Fraction(3), "3"),
            (Fraction(-7, 2), "-3.5"),
            (Fraction(1, 1_000_000), "0.000001"),
            (Fraction(10**12 - 1), "999999999999"),
        ],
    )
    def test_shortest_spelling(self, value: Fraction, text: str) -> None:
        assert sums.spell(value) == text

    @pytest.mark.parametrize(
        "value", [Fraction(1, 3), Fraction(1, 10**7), Fraction(10**12), Fraction(-1, 7)]
    )
    def test_no_spelling_where_a_trace_has_none(self, value: Fraction) -> None:
        assert sums.spell(value) is None

    @given(st.integers(-(10**9), 10**9), st.integers(0, 6))
    def test_a_spelled_value_reads_back(self, scaled: int, places: int) -> None:
        value = Fraction(scaled, 10**places)
        text = sums.spell(value)
        assert text is not None
        assert sums.number(text) == value

    @pytest.mark.parametrize(
        ("value", "text", "is_it"),
        [
            (Fraction(5, 3), "1.67", True),
            (Fraction(5, 3), "1.66", False),
            (Fraction(5, 3), "2", True),
            (Fraction(1, 8), ".13", True),
            (Fraction(10), "10.00", True),
            (Fraction(10), "10.01", False),
        ],
    )
    def test_rounded_half_up_to_the_places_written(
        self, value: Fraction, text: str, is_it: bool
    ) -> None:
        assert sums.written_as(value, text) is is_it

    @pytest.mark.parametrize("text", ["", "1,000", "1.", "--1", "1e3", "x", "1234567890123"])
    def test_error_where_it_is_no_number(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not a number"):
            sums.number(text)
