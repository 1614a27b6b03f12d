"""Positions from which the same texts follow."""

from __future__ import annotations

import pytest

import statelang
from statelang.comparing import quotient as module
from statelang.comparing.quotient import quotient, simulation
from statelang.space import StateSpace

SUM = """
start : go _on
_on : go _on
    | say
go : "go " sum ";"
sum : ONE ("+" ONE)*
    | "(" sum ")"
say : "say " sum ";"
ONE : /[0-9]{1,3}/
"""


def entries(one: StateSpace, other: StateSpace) -> tuple[bool, bool, bool]:
    """Whether two spaces are in one class, and whether each is simulated by the other."""
    found = quotient([one.program, other.program])
    first, second = (
        classes[space.program.entry]
        for space, classes in zip((one, other), found.classes, strict=True)
    )
    related = simulation(found.ways)
    return first == second, (first, second) in related, (second, first) in related


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "/// A doc.\n\n"),
        ("go _on\n    | say", "say\n    | go _on"),
        ('ONE ("+" ONE)*\n    | "(" sum ")"', '"(" sum ")"\n    | ONE ("+" ONE)*'),
        ("_on", "_went"),
        ("sum", "total"),
        ("ONE", "DIGITS"),
        ("/[0-9]{1,3}/", "/[0-9][0-9]?[0-9]?|[0-9]{1,3}/"),
    ],
)
def test_other_writings_of_one_grammar(before: str, after: str) -> None:
    """Docs, order, names and ways to write a terminal make no difference, with recursion too."""
    text = SUM.replace(before, after) if before else after + SUM
    same, onward, back = entries(statelang.loads(SUM), statelang.loads(text))
    assert onward and back
    assert same or "{1,3}/" in before  # languages are one class only where they are one expression


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("| say", "| say\n    | say _on"),
        ('"(" sum ")"', '"(" sum ")"\n    | "[" sum "]"'),
        ("{1,3}", "{1,4}"),
        ('"+" ONE', '("+" | "-") ONE'),
    ],
)
def test_a_wider_grammar_simulates(before: str, after: str) -> None:
    """More transitions, more alternatives or a wider terminal: one way, and not back."""
    wider = statelang.loads(SUM.replace(before, after))
    assert (False, True, False) == entries(statelang.loads(SUM), wider)


@pytest.mark.parametrize(("bound", "value"), [("_MAX_WORK", 10), ("_MAX_CLASSES", 3)])
def test_beyond_the_bounds_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    """Where there is too much to look at, no space is said to follow another."""
    monkeypatch.setattr(module, bound, value)
    wider = statelang.loads(SUM.replace("{1,3}", "{1,4}"))
    assert (False, False, False) == entries(statelang.loads(SUM), wider)


def test_classes_are_fewer_than_positions() -> None:
    """Inside one program, positions are joined too."""
    space = statelang.load("kwai_star_formal")
    (classes,) = quotient([space.program]).classes
    assert len(classes) == len(space.program.edges) > 2 * len(set(classes))
