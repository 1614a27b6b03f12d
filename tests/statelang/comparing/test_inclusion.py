"""Shortest texts of one grammar that are none of another, against every text of a length."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import LarkError

import statelang
from statelang.comparing.inclusion import Inclusion, Side, compare
from statelang.comparing.quotient import quotient, simulation
from statelang.space import StateSpace
from statelang.walking.machine import Configuration, Machine

LONGEST = 7
ACTIONS = {
    "a": ['"a;"', '"a" X ";"', '"a" X? ";"', '"a" (X Y)~1..2 ";"', '"a" "x" ";"'],
    "b": ['"b" nest ";"', '"b" X ";"', '"b" (Y X?)* ";"'],
    "c": ['"c;"', '"c" Y? ";"', '"c" nest "," nest ";"'],
}
NESTS = ['"x" | "(" nest ")"', '"x" | "(" nest ")" | "y"', '"x" | "(" nest "," nest ")"']
WORDS = ["/x/", "/[xé]/", '"x" | "xx"']


def lines() -> list[st.SearchStrategy[str]]:
    """One strategy for each line of a small grammar: three states, repetition, recursion."""
    targets = {"start": ["", " _p", " _q"], "_p": ["", " _p", " _q"], "_q": ["", " _q"]}
    options = {
        state: st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from(ends)), min_size=1, max_size=3,
            unique_by=lambda step: step[0],
        ).map(lambda steps: " | ".join(map("".join, steps)))
        for state, ends in targets.items()
    }  # fmt: skip
    bodies = {
        **options,
        **{name: st.sampled_from(choices) for name, choices in ACTIONS.items()},
        "nest": st.sampled_from(NESTS),
        "X": st.sampled_from(WORDS),
        "Y": st.just('"y"'),
    }
    return [body.map(f"{name} : {{}}\n".format) for name, body in bodies.items()]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[StateSpace, StateSpace]:
    """Two small spaces that differ in at most two lines."""
    choices = lines()
    one = [draw(choice) for choice in choices]
    other = list(one)
    for number in draw(st.lists(st.integers(0, len(one) - 1), max_size=2)):
        other[number] = draw(choices[number])
    try:
        return statelang.loads("".join(one)), statelang.loads("".join(other))
    except statelang.GrammarError:
        reject()


def sides(one: StateSpace, other: StateSpace) -> tuple[Side, Side, frozenset[tuple[int, int]]]:
    """Both spaces, ready to be compared."""
    machines = [Machine(space, contracts=False) for space in (one, other)]
    found = quotient([machine.program for machine in machines])
    first, second = (Side(m, c) for m, c in zip(machines, found.classes, strict=True))
    return first, second, simulation(found.ways)


def texts(space: StateSpace) -> Iterator[str]:
    """Every text of a space up to a number of bytes, over the characters of the tests."""
    machine = Machine(space, contracts=False)
    todo: list[tuple[str, Configuration]] = [("", machine.start())]
    while todo:
        text, at = todo.pop()
        if machine.ends(at) is not None:
            yield text
        for char in "abc;(),xyé":
            longer = text + char
            if len(longer.encode()) <= LONGEST:
                after = machine.advance(at, char.encode())
                if after is not None:
                    todo.append((longer, after))


def parses(parser: Lark, text: str) -> bool:
    """Whether Lark reads a text."""
    try:
        parser.parse(text)
    except LarkError:
        return False
    return True


@given(pairs())
def test_against_every_text(spaces: tuple[StateSpace, StateSpace]) -> None:
    """A witness is one for Lark too, and no text is shorter; without one, no text is."""
    first, second = spaces
    one, other = first.source.text, second.source.text
    parser = Lark(other, parser="earley")
    found = compare(*sides(first, second), limit=3_000)
    lengths = [len(text.encode()) for text in texts(first) if not parses(parser, text)]

    if found.witness is not None:
        assert parses(Lark(one, parser="earley"), found.witness)
        assert not parses(parser, found.witness)
        assert len(found.witness.encode()) == found.below
        assert min([found.below, *lengths]) == found.below
    elif found.below is None:
        assert [] == lengths
    else:
        assert all(length >= found.below for length in lengths)


BASE = 'start : go\ngo : "<" sum ">"\nsum : N (OP N)*\n    | "(" sum ")"\nN : /[0-9]/\nOP : "+"\n'


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("sum : N", "sum : N | N", None),
        ('OP : "+"', 'OP : "+" | "-"', "<0-0>"),
        ("[0-9]/", "[0-9]{1,2}/", "<00>"),
        ('"(" sum ")"', '"(" sum ")"\n    | "[]"', "<[]>"),
        ("start : go\n", "start : go _on\n_on : go\n    |\n", "<0><0>"),
    ],
)
def test_shortest_witness(before: str, after: str, expected: str | None) -> None:
    """What a change adds is shown by a shortest text; the other way round there is proof."""
    base, wider = statelang.loads(BASE), statelang.loads(BASE.replace(before, after))
    first, second, related = sides(base, wider)

    forth = compare(first, second, related)
    assert (None, None) == (forth.witness, forth.below)
    assert expected == compare(second, first, related).witness


def test_a_witness_far_behind_free_text() -> None:
    """Long free text before the difference costs little: the walk heads for the end."""
    text = 'start : say _said\n_said : end\nsay : "<" LINE ">"\nend : "x"\nLINE : /[^<>]{1,5000}/\n'
    ours, theirs, related = sides(
        statelang.loads(text), statelang.loads(text.replace('"x"', '"y"'))
    )
    assert Inclusion("<a>x", 4, 5) == compare(ours, theirs, related)


def test_what_is_not_decided_has_a_length() -> None:
    """Within bounds, recursion written in two ways is the same for every text below a length."""
    one = statelang.loads(BASE)
    other = statelang.loads(BASE.replace("N (OP N)*\n", "N | N OP more\n") + "more : N (OP N)*\n")
    found = compare(*sides(other, one), limit=500)
    assert found.witness is None
    assert found.below is None or found.below > 10


def test_the_same_in_every_run() -> None:
    """A witness does not depend on the order of sets."""
    wider = BASE.replace("[0-9]/", "[0-9a-z]/").replace('"[]"', '"<>"')
    spaces = statelang.loads(wider), statelang.loads(BASE)
    assert {"<a>"} == {compare(*sides(*spaces)).witness for _ in range(20)}
