"""The walk: one meaning with Lark, bytes as they come, inputs, ends, and steps."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import LarkError

import statelang
from statelang.diagnostics import StatelangError
from statelang.walking.machine import Blame, Configuration, Machine
from tests.strategies import (
    OWN,
    PREFIX,
    SHIPPED,
    edited,
    own_space,
    problem_for,
    space_named,
    traces,
)

SPACES = [*SHIPPED, *OWN]


@cache
def lark(name: str) -> Lark:
    """Plain Lark, without contracts."""
    return Lark(space_named(name).source.text, parser="lalr")


@cache
def machine(name: str, contracts: bool = False) -> Machine:
    """The walk of a space."""
    return Machine(space_named(name), contracts=contracts)


def accepts(walk: Machine, text: str, problem: dict[str, Any] | None = None) -> bool:
    """Whether a machine reads a whole text."""
    end = walk.advance(walk.start(problem), text.encode())
    return end is not None and walk.ends(end) is not None


def parses(name: str, text: str) -> bool:
    """Whether plain Lark reads a whole text."""
    try:
        lark(name).parse(text)
    except LarkError:
        return False
    return True


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_the_machine_and_lark_have_one_meaning(name: str, data: st.DataObject) -> None:
    """Without contracts a trace, whole or edited, is read exactly when plain Lark parses it."""
    text = data.draw(edited(name) | traces(name))
    assert accepts(machine(name), text, problem_for(name)) == parses(name, text)


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_contracts_only_take_away(name: str, data: st.DataObject) -> None:
    """What is read with contracts is read without them, and every walked trace is."""
    text = data.draw(traces(name))
    assert accepts(machine(name, True), text, problem_for(name))
    other = data.draw(edited(name))
    if accepts(machine(name, True), other, problem_for(name)):
        assert accepts(machine(name), other, problem_for(name))


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_guards_change_nothing_but_when(name: str, data: st.DataObject) -> None:
    """Narrowing fields as they are written, and judging them when they end, accept the same."""
    text = data.draw(edited(name))
    judging = Machine(space_named(name), guards=False)
    assert accepts(machine(name, True), text, problem_for(name)) == accepts(
        judging, text, problem_for(name)
    )


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("contracts", [False, True])
@given(data=st.data())
def test_bytes_may_come_one_by_one_or_at_once(
    name: str, contracts: bool, data: st.DataObject
) -> None:
    """However a text is cut, the walk ends in the same place or dies."""
    text = data.draw(edited(name)).encode()
    walk, problem = machine(name, contracts), problem_for(name)
    whole = walk.advance(walk.start(problem), text)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    for places in (range(len(text) + 1), cuts):
        at: Configuration | None = walk.start(problem)
        bounds = [0, *places, len(text)]
        for start, end in itertools.pairwise(bounds):
            at = walk.advance(at, text[start:end]) if at is not None else None
        assert (at is None) == (whole is None)
        if at is not None and whole is not None:
            assert at.length == whole.length == len(text)
            assert [thread for thread, _ in at.alive] == [thread for thread, _ in whole.alive]
            assert [env.registers for _, env in at.alive] == [e.registers for _, e in whole.alive]
            assert (walk.ends(at) is None) == (walk.ends(whole) is None)


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_the_accepted_bytes_are_the_longest_that_live(name: str, data: st.DataObject) -> None:
    """`accepted` counts the bytes up to the first that no walk survives."""
    text = data.draw(edited(name)).encode()
    walk, start = machine(name), machine(name).start(problem_for(name))
    taken = walk.accepted(start, text)
    assert walk.advance(start, text[:taken]) is not None
    if taken < len(text):
        assert walk.advance(start, text[: taken + 1]) is None


def test_a_step_is_pure() -> None:
    """A configuration is never changed: two ways on from one place do not meet."""
    walk = machine("prefix", True)
    start = walk.start()
    before = walk.advance(start, b"go ")
    assert before is not None
    up, home = walk.advance(before, b"up\n"), walk.advance(before, b"home")
    assert up is not None and home is None
    assert walk.advance(before, b"up\n") is not None
    assert {env.registers for _, env in before.alive} == {(0,)}
    assert [env.registers for _, env in up.alive] == [(1,)]


def test_actions_with_one_beginning_are_carried_together() -> None:
    """Until the text tells them apart, every open action lives, each with its own registers."""
    walk = machine("prefix", True)
    one = walk.advance(walk.start(), b"go up\ngo ")
    assert one is not None and len(one.alive) == 3
    two = walk.advance(one, b"up\ngo ")
    assert two is not None and len(two.alive) == 1, "up is closed at 2, stop at any but 1"
    assert walk.advance(two, b"u") is None and walk.advance(two, b"h") is None
    assert walk.advance(two, b"lower\n") is not None


def test_the_end_is_where_the_file_says() -> None:
    """A trace ends after an action without a next state, or where a state may stop."""
    assert accepts(machine("calls", True), "→ hé AB\n→ hé C\nbye C2\n")
    for text in ("", "→ hé AB\n", "→ hé AB\nbye AB1", "→ hé AB\nbye AB1\n\n", "→ hé AB\nbye B1\n"):
        assert not accepts(machine("calls", True), text)


def test_an_empty_alternative_lets_a_trace_stop() -> None:
    """A state with an empty alternative may be the last; the empty trace is legal at `start`."""
    walk = Machine(statelang.loads('start : a _more\n      |\n_more : a _more\n      |\na : "x"\n'))
    assert [accepts(walk, text) for text in ("", "x", "xxx", "y", "xy")] == [True] * 3 + [False] * 2


def test_gates_open_and_close_transitions() -> None:
    """A clause on a transition is judged on the registers when the transition is taken."""
    hello = "→ hé A\n"
    walk = machine("calls", True)
    assert accepts(walk, hello * 3 + "bye A3\n")
    assert not accepts(walk, hello * 4 + "bye A4\n")
    assert accepts(machine("calls"), hello * 4 + "bye A4\n")


def test_a_limit_counts_complete_steps() -> None:
    """`limit look 3` lets an action happen three times and no more."""
    problem = {"options": ["a", "b", "c", "d"]}
    three = "look a\nlook b\nlook c\n"
    assert accepts(machine("pick", True), three + "choose a\n", problem)
    assert not accepts(machine("pick", True), three + "look d\nchoose a\n", problem)


def test_sets_of_one_rule_are_simultaneous_and_parts_come_first() -> None:
    """All `set` lines of a rule see the registers after its parts, none sees another's."""
    walk = Machine(
        statelang.loads(
            "//@ ghost a: number = 1\n//@ ghost b: number = 2\n\nstart : swap _s\n_s : swap _s\n"
            "   | show\n//@ set a = b\n//@ set b = a + old(a)\nswap : mark\n//@ set a = a + 10\n"
            'mark : "s"\n//@ requires first.N == a and second.N == b\nshow : first " " second\n'
            "first : N\nsecond : N\n//@ type number\nN : /[0-9]+/\n"
        )
    )
    # one swap: the part makes a 11; then a = b = 2, and b = a + old(a) = 11 + 1
    assert accepts(walk, "s2 12")
    assert not accepts(walk, "s2 13")
    # another: the part makes a 12; then a = 12, b = 12 + 2
    assert accepts(walk, "ss12 14")


def test_a_set_that_is_undefined_fails_the_step() -> None:
    """A step whose `set` has no value is not complete."""
    text = (
        '//@ ghost m: map[text, number] = {"a": 1}\n//@ ghost n: number = 0\n\nstart : get\n'
        "//@ set n = m[W]\nget : W\nW : /[ab]/\n"
    )
    walk = Machine(statelang.loads(text))
    assert accepts(walk, "a") and not accepts(walk, "b")


def test_an_empty_map_is_equal_to_an_empty_map() -> None:
    """`{}` is the empty set and the empty map, so a register that is empty equals it."""
    text = '//@ ghost m: map[text, text] = {{}}\n\nstart : a\n//@ requires {}\na : "x"\n'
    for condition in ("m == {}", "size(m) == 0", "m - {} == {}", "{} == m", 'm | {"a": "b"} != {}'):
        walk = Machine(statelang.loads(text.format(condition)))
        assert accepts(walk, "x"), condition


def test_a_recursive_part_has_fields_of_its_own() -> None:
    """Contracts inside a recursive rule are judged at every depth."""
    walk = Machine(
        statelang.loads(
            'start : a\na : pair\n//@ requires left.N == right.N\npair : "(" left pair? right ")"\n'
            "left : N\nright : N\n//@ type number\nN : /[0-9]/\n"
        )
    )
    assert accepts(walk, "(1(2(33)2)1)")
    for text in ("(1(2(34)2)1)", "(1(2(33)2)2)", "(1(2(33)1)1)"):
        assert not accepts(walk, text)


def test_numbers_that_grow_without_end_stay_within_bounds() -> None:
    """A register that is squared again and again is undefined at some size, not a crash."""
    walk = Machine(
        statelang.loads(
            "//@ ghost n: number = 10\n\nstart : grow _s\n_s : grow _s\n   | show\n//@ set n = n * n\n"
            'grow : "x"\n//@ requires N == n\nshow : "n" N\n//@ type number\nN : /[0-9]{1,500}/\n'
        )
    )
    assert accepts(walk, "xxn10000")
    assert not accepts(walk, "x" * 14 + "n1")


def test_blame_names_the_clause_that_broke() -> None:
    """Whoever asks is told which clause ended a walk, and where."""
    walk, blame = Machine(own_space("traffic"), guards=False), Blame()
    assert walk.advance(walk.start(), b"car\ncars: 2\n", blame) is None
    assert [(at, broken.clause.text) for at, broken in blame.entries] == [
        (len(b"car\ncars: 2"), "requires NUMBER == cars")
    ]


# ---- inputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "problem", "message"),
    [
        ("pick", None, "the problem has no `options`, an input of type `set[text]`"),
        ("pick", {}, "the problem has no `options`"),
        ("pick", {"options": "red"}, "'red' is not a list"),
        ("pick", {"options": [1]}, "1 is not a text"),
        ("pick", {"options": None}, "is no `set[text]`: None is not a list"),
        ("pick", {"options": ["\ud800"]}, "surrogates not allowed"),
        ("share", {"total": 1}, "the problem has no `parts`"),
        ("share", {"total": "many", "parts": 1}, "`many` is not a number"),
        ("share", {"total": "1\n2", "parts": 1}, r"`1\n2` is not a number"),
        ("share", {"total": True, "parts": 1}, "True is not a number"),
        ("share", {"total": float("nan"), "parts": 1}, "nan is not a finite number"),
        ("share", {"total": float("inf"), "parts": 1}, "inf is not a finite number"),
        ("share", {"total": [1], "parts": 1}, "[1] is not a number"),
    ],
)
def test_a_missing_or_wrong_input_is_one_paragraph(
    name: str, problem: dict[str, Any] | None, message: str
) -> None:
    """An input that is missing or of another type is an error that names it and its type."""
    with pytest.raises(StatelangError) as caught:
        machine(name, True).start(problem)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("total", "answer"), [(10, "3.33"), ("1,0", None), ("10.5", "3.5"), (0.1, "0.033")]
)
def test_numbers_of_a_problem_are_exact(total: Any, answer: str | None) -> None:
    """An input is read by its decimal spelling, never by its binary one."""
    problem = {"total": total, "parts": 3}
    if answer is None:
        with pytest.raises(StatelangError):
            machine("share", True).start(problem)
    else:
        assert accepts(machine("share", True), f"share {answer}\nwas {answer}\n", problem)


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_a_set_may_come_as_any_collection(kind: type) -> None:
    """A set of texts is read from a list, a tuple or a set."""
    problem = {"options": kind(["a", "b"])}
    assert accepts(machine("pick", True), "look b\nchoose b\n", problem)


def test_maps_and_truths_are_read_too() -> None:
    """Every type of the language can come with a problem."""
    text = (
        "//@ input price: map[text, number]\n//@ input sale: truth\n//@ input row: list[number]\n"
        '//@ input word: text\n\nstart : a\n//@ requires N == price[word] and sale and 2 in row\na : "x" N\n'
        "//@ type number\nN : /[0-9]/\n"
    )
    walk = Machine(statelang.loads(text))
    problem = {"price": {"pen": "3"}, "sale": True, "row": [1, 2], "word": "pen"}
    assert accepts(walk, "x3", problem)
    assert not accepts(walk, "x3", {**problem, "sale": False})
    for name, value in (("price", [1]), ("sale", 1), ("row", {"a": 1}), ("word", 3)):
        with pytest.raises(StatelangError, match=f"`{name}`"):
            walk.start({**problem, name: value})


def test_places_are_shared_between_walks() -> None:
    """What is learnt about a place is remembered: a second walk makes no new one."""
    walk = Machine(statelang.loads(PREFIX))
    text = b"go up\ngo down\ngo higher\ngo home\n"
    first = walk.advance(walk.start(), text)
    known = len(walk._threads)
    assert first is not None and walk.advance(walk.start(), text) is not None
    assert len(walk._threads) == known
