"""Expressions on a configuration: what they evaluate to, and the guards a mask is made of."""

from __future__ import annotations

from fractions import Fraction

import pytest
from attrs import frozen
from hypothesis import assume, given
from hypothesis import strategies as st

from statelang.clauses import parsing, resolve
from statelang.clauses.expression import (
    Expression,
    Inexact,
    conjuncts,
    enforceable,
    excludes,
    guards,
)
from statelang.clauses.values import Undefined, Value
from statelang.regular.automaton import ANYTHING, NOTHING
from tests.statelang.names import FIELDS, REGISTERS, Names

WORD, NUM = list(FIELDS).index("WORD"), list(FIELDS).index("NUMBER")
VALUES: dict[str, Value] = {
    "n": Fraction(5, 3),
    "word": "ab",
    "open": frozenset({"a", "ab"}),
    "seen": frozenset({2, Fraction(1, 2)}),
    "known": {"a": 2, "b": Fraction(-1, 2)},
    "plans": {"a": "b"},
    "row": (2, 0),
    "flag": True,
}


@frozen
class At:
    """A configuration: fields, registers, counts, and the last step."""

    slots: tuple[Value | None, ...] = (None,) * (len(FIELDS) + 1)
    registers: tuple[Value, ...] = tuple(VALUES[name] for name in REGISTERS)
    counts: tuple[int, ...] = (2,)
    lasts: tuple[Value | None, ...] | None = None

    def last(self, action: int) -> tuple[Value | None, ...]:
        if self.lasts is None:
            raise Undefined("there is no such step yet")
        return self.lasts


def with_fields(**fields: Value) -> At:
    """A configuration in which some fields are read."""
    return At(tuple(fields.get(name.replace(".", "_")) for name in [*FIELDS, ""]))


def expression(text: str) -> Expression:
    """A resolved expression."""
    return resolve.resolve(parsing.parse(f"set n = {text}").children[1], Names())


def holds(condition: Expression, view: At) -> bool:
    """Whether a condition is true; undefined is false."""
    try:
        return bool(condition.evaluate(view))
    except Undefined:
        return False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - 4 / 8", Fraction(13, 2)),
        ("n - 2 / 3", 1),
        ("-n", Fraction(-5, 3)),
        ("1 - 2 - 3", -4),
        ("not flag or n > 1", True),
        ("open <= {\"a\", \"ab\", \"c\"}", True),
        ("open < open", False),
        ("open - {word}", frozenset({"a"})),
        ("open & {\"ab\", \"c\"} | {\"d\"}", frozenset({"ab", "d"})),
        ("known | {\"a\": 7}", {"a": 7, "b": Fraction(-1, 2)}),
        ("known - {\"a\"}", {"b": Fraction(-1, 2)}),
        ("known - keys(known)", {}),
        ("known[\"a\"] + 1", 3),
        ("if n < 1 then \"x\" else word", "ab"),
        ("word in open and \"z\" not in open", True),
        ("\"a\" in known and 0 in row", True),
        ("size(open) + size(known) + size(row) + size(word)", 8),
        ("sorted(open)", ("a", "ab")),
        ("values(known)", frozenset({2, Fraction(-1, 2)})),
        ("fill(\"a * (b + 1)\", known)", "2 * (-0.5 + 1)"),
        ("value(\"a * (b + 1)\", known)", 1),
        ("value(\"1/3\") == 1 / 3", True),
        ("count(solve)", 2),
        ("div(7, 2) + mod(7, 2)", 4),
        ("digits(205)", (2, 0, 5)),
        ("{\"a\": 1} == {\"a\": 2 / 2}", True),
    ],
)  # fmt: skip
def test_expressions_have_exact_values(text: str, value: Value) -> None:
    """Each form evaluates to what the documentation says, in exact arithmetic."""
    assert expression(text).evaluate(At()) == value


@pytest.mark.parametrize(
    "text",
    ["1 / 0", "known[\"z\"]", "NUMBER + 1", "last(solve).WORD", "value(\"z\")", "fill(\"z\", known)",
     "div(1, 0)", "mod(1, 0)", "digits(-1)", "n / (n - n)"],
)  # fmt: skip
def test_what_has_no_value_is_undefined(text: str) -> None:
    """A missing key, an unread field, a division by zero: `Undefined`, nothing else."""
    with pytest.raises(Undefined):
        expression(text).evaluate(At())


def test_and_and_or_stop_early() -> None:
    """The right side is not looked at where the left one decides."""
    assert expression('flag or known["z"] == 1').evaluate(At()) is True
    assert expression('not flag and known["z"] == 1').evaluate(At()) is False
    with pytest.raises(Undefined):
        expression('known["z"] == 1 or flag').evaluate(At())


def test_fields_read_as_their_type() -> None:
    """A number field is its value, a text field its text, a list field the texts in order."""
    view = with_fields(NUMBER="1,250.0", WORD="007", ITEMS=("b", "a"))
    assert expression("NUMBER").evaluate(view) == 1250
    assert expression("WORD").evaluate(view) == "007"
    assert expression("ITEMS").evaluate(view) == ("b", "a")
    assert expression('"a" in ITEMS').evaluate(view) is True


def test_the_last_step_and_the_old_registers() -> None:
    """`last` reads a step that is complete, `old` a register as the rule found it."""
    lasts = ("12", "x", None, None, None)
    assert expression("last(solve).NUMBER + 1").evaluate(At(lasts=lasts)) == 13
    kept = tuple(1 if name == "n" else VALUES[name] for name in REGISTERS)
    view = At((None,) * len(FIELDS) + (kept,))
    assert expression("n - old(n)").evaluate(view) == Fraction(2, 3)


@pytest.mark.parametrize(
    ("number", "exact", "expected"),
    [("1.67", "n", True), ("2", "n", True), ("1.7", "n", True), ("1.66", "n", False),
     ("1.666667", "n", True), ("3", "5 / 2", True), ("-3", "-5 / 2", True), ("0.50", "0.495", True)],
)  # fmt: skip
def test_rounding_goes_by_the_places_written(number: str, exact: str, expected: bool) -> None:
    """`F ~ e` rounds `e` half away from zero to the places of `F`."""
    assert expression(f"NUMBER ~ {exact}").evaluate(with_fields(NUMBER=number)) is expected


# ---- guards ----------------------------------------------------------------------------------

_number_values = st.sampled_from(
    [
        "2",
        "-1",
        "0",
        "1 / 2",
        "n",
        'known["a"]',
        'known["b"]',
        "size(open)",
        "(if flag then 2 else 0)",
    ]
)
_undefined_number = st.sampled_from(['known["z"]', "1 / 0"])
_text_values = st.sampled_from(['"a"', "word", '"2"', 'plans["a"]', '""'])
_others = st.sampled_from(["flag", "not flag", "n < 2", "true", "false"])


def _leaves(undefined: bool) -> dict[str, st.SearchStrategy[str]]:
    numbers = _number_values | _undefined_number if undefined else _number_values
    texts = _text_values | st.just('plans["z"]') if undefined else _text_values
    return {
        "NUMBER": st.one_of(
            st.builds("NUMBER {} {}".format, st.sampled_from(["==", "!=", "~"]), numbers),
            st.builds("{1} {0} NUMBER".format, st.sampled_from(["==", "!="]), numbers),
            st.builds("NUMBER {}in {}".format, st.sampled_from(["", "not "]),
                      st.sampled_from(["seen", "row", "{2, n}", "seen - {2}", "values(known)"])),
            _others,
        ),
        "WORD": st.one_of(
            st.builds("WORD {} {}".format, st.sampled_from(["==", "!="]), texts),
            st.builds("{1} {0} WORD".format, st.sampled_from(["==", "!="]), texts),
            st.builds("WORD {}in {}".format, st.sampled_from(["", "not "]),
                      st.sampled_from(["open", "known", '{"2", word}', "names(word)", "keys(plans)"])),
            _others,
        ),
    }  # fmt: skip


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("(if {2} then {0} else {1})".format, inner, inner, _others),
    )


def conditions(field: str, *, undefined: bool) -> st.SearchStrategy[str]:
    """Conditions on one field whose guards are exact."""
    return st.recursive(_leaves(undefined)[field], _grown, max_leaves=4)


_number_texts = st.sampled_from(
    [
        "2",
        "-1",
        "0",
        "-0",
        "0.5",
        ".5",
        "-0.5",
        "02",
        "2.0",
        "1.67",
        "1.7",
        "1.6",
        "3",
        "1,000",
        "-.50",
    ]
)
_word_texts = st.sampled_from(["a", "b", "ab", "2", "z", "A", "é"])


def allows(condition: Expression, slot: int, text: str) -> bool:
    """Whether the guard lets a text through, as the walk asks it: undefined lets nothing."""
    try:
        return condition.guard(slot, At()).matches(text.encode())
    except Undefined:
        return False


@given(conditions("NUMBER", undefined=False), _number_texts)
def test_a_guard_on_a_number_agrees_with_evaluation(text: str, written: str) -> None:
    """For every number a guard lets through exactly what makes the condition true."""
    condition = expression(text)
    assert enforceable(condition, NUM)
    assert allows(condition, NUM, written) == holds(condition, with_fields(NUMBER=written))


@pytest.mark.parametrize("written", ["5/3", "2", "2.0", "3", "-2", "02"])
@pytest.mark.parametrize("second", ["NUMBER > 0", "NUMBER >= 2", "2 > NUMBER", "NUMBER != 2"])
@pytest.mark.parametrize("first", ["NUMBER == 2", 'known["a"] == NUMBER', "NUMBER == 0 - 2"])
def test_guards_beside_an_equality_agree_with_evaluation(
    first: str, second: str, written: str
) -> None:
    """An order beside an equality is judged on its number; together they let the same through."""
    conditions = [expression(first), expression(second)]
    expected = all(holds(condition, with_fields(NUMBER=written)) for condition in conditions)
    left = guards([(NUM, condition) for condition in conditions], At())
    assert all(guard.matches(written.encode()) for guard in left) == expected


def test_an_order_beside_an_equality_makes_no_automaton() -> None:
    """All texts or none are left by it."""
    conditions = [(NUM, expression(text)) for text in ("NUMBER == 2", "NUMBER > 0", "NUMBER > 2")]
    assert guards(conditions, At())[1:] == [ANYTHING, NOTHING]


@given(conditions("WORD", undefined=False), _word_texts)
def test_a_guard_on_a_text_agrees_with_evaluation(text: str, written: str) -> None:
    """For every text a guard lets through exactly what makes the condition true."""
    condition = expression(text)
    assert enforceable(condition, WORD)
    assert allows(condition, WORD, written) == holds(condition, with_fields(WORD=written))


@given(conditions("NUMBER", undefined=True), _number_texts)
def test_a_guard_agrees_where_something_is_undefined(text: str, written: str) -> None:
    """What is undefined makes the whole condition false, in the guard as in the evaluation."""
    condition = expression(text)
    assert allows(condition, NUM, written) == holds(condition, with_fields(NUMBER=written))


@given(conditions("WORD", undefined=True), _word_texts)
def test_a_guard_on_a_text_agrees_where_something_is_undefined(text: str, written: str) -> None:
    """The same for a field that is a text."""
    condition = expression(text)
    assert allows(condition, WORD, written) == holds(condition, with_fields(WORD=written))


@given(
    conditions("NUMBER", undefined=False),
    st.sampled_from(["1,00", "x", "2.", "--2", "", "1" * 401]),
)
def test_a_guard_lets_no_text_through_that_is_no_number(text: str, written: str) -> None:
    """A text that reads as no number is undefined, so no condition on it holds."""
    condition = expression(text)
    assume(NUM in condition.slots)
    assert allows(condition, NUM, written) == holds(condition, with_fields(NUMBER=written))


@pytest.mark.parametrize(
    "text",
    ["NUMBER + 1 < 3", "NUMBER + 1 == 3", "NUMBER == part.NUMBER and part.NUMBER == NUMBER * 2",
     "value(WORD) == 2", "size(WORD) == 2", "if NUMBER == 1 then flag else true", "NUMBER == NUMBER",
     "WORD in names(WORD)", "NUMBER in {NUMBER}"],
)  # fmt: skip
def test_what_no_automaton_expresses_is_inexact(text: str) -> None:
    """Such a condition is not enforceable, and its guard says so instead of guessing."""
    condition = expression(text)
    slot = WORD if "WORD" in text else NUM
    assert not enforceable(condition, slot)
    with pytest.raises(Inexact):
        condition.guard(slot, with_fields(part_NUMBER="1"))


def test_a_guard_on_another_field_reads_this_one() -> None:
    """The last field is guarded, the fields before it are read."""
    condition = expression("NUMBER == 2 * part.NUMBER")
    guard = condition.guard(NUM, with_fields(part_NUMBER="4"))
    assert guard.matches(b"8") and guard.matches(b"08.0") and not guard.matches(b"4")


def test_a_closed_condition_guards_all_or_nothing() -> None:
    """A condition without the field is decided at once."""
    assert expression("n > 1").guard(NUM, At()).matches(b"anything")
    assert expression("n < 1").guard(NUM, At()) is NOTHING


def test_conjuncts_are_the_parts_of_a_top_level_and() -> None:
    """Each part is decided on its own; an `or` stays whole."""
    parts = conjuncts(expression("flag and (NUMBER == 1 or flag) and WORD in open"))
    assert [sorted(part.slots) for part in parts] == [[], [NUM], [WORD]]


def test_conditions_that_only_exclude() -> None:
    """`!=` and `not in` rule out single texts; others decide what is written."""
    assert excludes(expression("NUMBER != 2"))
    assert excludes(expression("WORD not in open"))
    assert not excludes(expression("WORD in open"))
    assert not excludes(expression("NUMBER == 2"))
