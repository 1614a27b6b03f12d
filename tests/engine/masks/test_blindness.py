"""Clauses that are blind mean the same on values in which two new words are exchanged."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.clauses.expression import Expression, Field, Last, parts
from statelang.clauses.values import Type, Undefined
from statelang.compiling.env import Env
from statelang.compiling.program import Program
from statelang.engine.masks.blindness import Effects, effects, expressions, is_blind, is_plain
from statelang.regular.regex import parse
from tests.strategies import SHIPPED

EXCHANGED = {"Bob": "Xanthe", "Xanthe": "Bob"}
PIECES = ("Bob", "Xanthe", "Ann", "Bobby", "s1", " + ", " - ", " * ", "(", ")", "7", "12", ",", "é")
MORE = """
//@ ghost names: set[text] = {}
//@ ghost lines: list[text] = []
//@ ghost spelled: map[text, text] = {}
//@ ghost known: map[text, number] = {}

start : say _more
_more : say _more
      | stop
//@ requires WORD == "self" or WORD in keys(spelled) or fill(line, spelled) == line
//@ requires names(line) - names <= keys(known) | {WORD} or value(line, known) < 9
//@ requires size(lines) == 0 or lines[0] != fill(line, known)
//@ set names = (names | names(line)) & {WORD, last(say).WORD}
//@ set lines = lines + [line]
//@ set known = known | {WORD: value(line, known)}
say : WORD ": " line "\\n"
line : WORD " + " WORD
stop : ".\\n"
WORD : /[A-Za-z]{1,7}/
"""
SPACES = {name: statelang.load(name) for name in SHIPPED} | {"more": statelang.loads(MORE)}

texts = st.sampled_from(("Bob", "Xanthe", "7")) | st.lists(st.sampled_from(PIECES), max_size=5).map(
    "".join
)


def exchanged(value: Any) -> Any:
    """The value with each of two words in the place of the other."""
    match value:
        case str():
            return re.sub("[A-Za-z_][A-Za-z0-9_]*", lambda m: EXCHANGED.get(m[0], m[0]), value)
        case Mapping():
            return {exchanged(key): exchanged(item) for key, item in value.items()}
        case tuple() | frozenset():
            return type(value)(map(exchanged, value))
    return value


def values(type: Type) -> st.SearchStrategy[Any]:
    """Values of a type."""
    inner = [values(argument) for argument in type.arguments]
    match type.name:
        case "text":
            return texts
        case "number":
            return st.integers(-9, 99) | st.just(Fraction(1, 2))
        case "set":
            return st.frozensets(inner[0], max_size=4)
        case "list":
            return st.lists(inner[0], max_size=4).map(tuple)
        case "map":
            return st.dictionaries(*inner, max_size=4)
    return st.just({})


@st.composite
def views(draw: st.DrawFn, program: Program) -> tuple[Any, ...]:
    """Registers, counts, and texts for the fields of a step."""
    registers = tuple(draw(values(type)) for _, type, _ in program.registers)
    counts = tuple(draw(st.integers(0, 3)) for _ in program.actions)
    return registers, counts, tuple(draw(st.lists(texts, min_size=12, max_size=12)))


def environment(expression: Expression, view: tuple[Any, ...]) -> Env:
    """What a clause may look at: the fields that are lists hold two texts each."""
    registers, counts, written = view
    lists = {
        part.slot
        for part in parts([expression])
        if isinstance(part, (Field, Last)) and part.type.name == "list"
    }
    slots = tuple((text, "Ann") if i in lists else text for i, text in enumerate(written))
    return Env(registers, counts, dict.fromkeys(range(len(counts)), slots), slots)


def meant(expression: Expression, env: Env) -> object:
    try:
        return expression.evaluate(env)
    except Undefined:
        return Undefined


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_a_blind_clause_means_the_same_of_other_words(name: str, data: st.DataObject) -> None:
    program = SPACES[name].program
    clauses = [e for e in expressions(program) if all(map(is_blind, parts([e])))]
    view = data.draw(views(program))
    assert [exchanged(meant(e, environment(e, view))) for e in clauses] == [
        meant(e, environment(e, exchanged(view))) for e in clauses
    ]


def test_all_clauses_of_the_shipped_spaces_are_blind() -> None:
    for name in SHIPPED:
        assert all(map(is_blind, parts(expressions(SPACES[name].program)))), name


@pytest.mark.parametrize(
    ("clause", "is_seen"),
    [
        ("size(WORD) == 3", False),
        ('sorted({WORD})[0] == "a"', False),
        ("names(WORD) <= names", True),
        ("value(WORD, known) == 3", True),
    ],
)
def test_what_sees_letters_is_not_blind(clause: str, is_seen: bool) -> None:
    space = statelang.loads(MORE.replace('WORD == "self"', clause))
    assert (effects(space.program) is not None) == is_seen


@pytest.mark.parametrize(
    ("name", "action", "plain"),
    [
        ("kwai_star_formal", "formalize", True),
        ("kwai_star_formal", "decompose", False),  # `names(...) <= ...` narrows no field
        ("kwai_star_formal", "solve_subproblem", False),  # `work` is more than a terminal
        ("kwai_star_formal", "verify", True),
    ],
)
def test_steps_in_which_conditions_narrow_terminals(name: str, action: str, plain: bool) -> None:
    program = SPACES[name].program
    assert is_plain(program, program.actions.index(action)) == plain


@pytest.mark.parametrize(
    ("expected", "left", "right"),
    [
        (True, "say", "tell"),
        (False, "say", "said"),  # a terminal holds the one
        (False, "say", "Say"),
        (False, "sa", "te"),  # of which it begins
    ],
)
def test_words_with_the_same_effect(expected: bool, left: str, right: str) -> None:
    known = Effects([parse("[a-z]+"), parse("said|sa"), parse("id|d")])
    assert (known.of(left.encode()) is known.of(right.encode())) == expected
