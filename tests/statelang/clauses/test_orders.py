"""Numbers below and above a bound: the language holds exactly the texts that compare so."""

from __future__ import annotations

import operator
import pickle
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import statelang
from statelang.clauses.orders import less, related
from statelang.clauses.values import Undefined, read_number
from statelang.engine import validate
from statelang.walking.machine import Machine

TEXTS = st.one_of(
    st.from_regex(r"-?[0-9]{0,6}(\.[0-9]{0,6})?", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,3}(,[0-9]{3}){0,2}(\.[0-9]{1,3})?", fullmatch=True),
    st.text("-.,0123456789x", max_size=8),
)
BOUNDS = st.one_of(
    st.integers(-2_000, 2_000),
    st.fractions(max_denominator=40),
    st.decimals(-5_000, 5_000, places=3).map(Fraction),
)
RELATIONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@given(TEXTS, BOUNDS, st.sampled_from(sorted(RELATIONS)))
@example("-0", 0, "<")
@example("0.3333", Fraction(1, 3), "<")
@example("0.3334", Fraction(1, 3), "<")
@example("1,000", 1_000, ">=")
@example("-.5", Fraction(-1, 2), "<=")
@example("007", 7, "<")
def test_a_text_is_in_the_language_if_its_number_compares_so(
    text: str, bound: Fraction, relation: str
) -> None:
    """Every spelling counts: leading zeros, thousands, decimals, signs; what is no number is out."""
    try:
        expected = RELATIONS[relation](read_number(text), bound)
    except Undefined:
        expected = False
    assert expected == related(relation, bound).matches(text.encode())


@given(BOUNDS, st.integers(-30, 30))
def test_the_language_near_the_bound(bound: Fraction, offset: int) -> None:
    """Numbers that differ from the bound in the last places."""
    near = round(float(bound) + offset / 1_000, 3)
    text = f"{near:.3f}"
    assert less(bound).matches(text.encode()) == (read_number(text) < bound)


@pytest.mark.parametrize("bound", [0, 5, -5, 10**40, Fraction(1, 3), -(10**40)])
def test_there_is_a_number_on_either_side(bound: Fraction) -> None:
    """No bound leaves a side empty, and finding that out is quick."""
    assert related("<", bound).live and related(">", bound).live
    assert pickle.loads(pickle.dumps(less(bound))) is less(bound)


GUESS = """
//@ ghost low: number = 0

start : raise _raised
_raised : raise _raised
        | stop

//@ requires NUMBER > low and 90 >= NUMBER
//@ set low = NUMBER
raise : NUMBER NL
stop : "stop" NL

//@ type number
NUMBER : /[0-9]{1,3}/
NL : /\\n/
"""


def test_a_mask_enforces_an_order() -> None:
    """What is too small or too large cannot be begun, and `check` has nothing to say of it."""
    space = statelang.loads(GUESS)
    machine = Machine(space)
    at = machine.advance(machine.start(), b"87\n")
    assert at is not None
    for text in ("88", "90", "090", "89"):
        assert machine.advance(at, text.encode()) is not None
        assert validate(space, f"87\n{text}\nstop\n").holds
    for text in ("91", "100", "5\n", "87\n", "087\n"):
        assert machine.advance(at, text.encode()) is None
    assert "SL425" not in {finding.code for finding in statelang.check(GUESS)}
