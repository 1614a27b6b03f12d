"""The cheapest edits to the order of steps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import statelang
from statelang.engine import validate
from statelang.traces.alignment import align
from statelang.traces.pieces import Pieces
from tests.statelang.traces.test_control import NESTED
from tests.strategies import OWN, edited, problem_for, space_named, traces

# Walking the prose space takes seconds; what it shows the formal one shows too.
SPACES = [pytest.param("kwai_star", marks=pytest.mark.soak), "kwai_star_formal", *OWN]
# A quarter of the examples: each walks, reads and searches whole traces.
FEW = settings(max_examples=settings().max_examples // 4)


@st.composite
def mutants(draw: st.DrawFn, name: str) -> str:
    """A walked trace with one step left out, put in twice or anywhere, or replaced by another."""
    text = draw(traces(name))
    space = space_named(name)
    steps = [text[s.start : s.end] for s in validate(space, text, problem_for(name)).steps]
    at = draw(st.integers(0, len(steps) - 1))
    other = draw(st.sampled_from(steps))
    after = at + draw(st.integers(0, 1))
    return "".join(steps[:at] + draw(st.sampled_from([[], [other]])) + steps[after:])


@pytest.mark.parametrize("name", SPACES)
@FEW
@given(data=st.data())
def test_a_legal_trace_costs_nothing(name: str, data: st.DataObject) -> None:
    """The moves of a legal trace are its own steps, and they cut it without a gap."""
    text = data.draw(traces(name))
    found = align(space_named(name), text.encode())
    steps = validate(space_named(name), text, problem_for(name)).steps
    assert (0, False) == (found.cost, found.cut)
    assert [step.action for step in steps] == [move.action for move in found.moves]


@pytest.mark.parametrize("name", SPACES)
@FEW
@given(data=st.data())
def test_one_edit_costs_at_most_one(name: str, data: st.DataObject) -> None:
    """A step left out, put in or replaced is one edit from legal."""
    text = data.draw(mutants(name))
    assert align(space_named(name), text.encode()).cost <= 1


@pytest.mark.parametrize("name", SPACES)
@FEW
@given(data=st.data())
def test_what_parses_costs_nothing_and_the_rest_something(name: str, data: st.DataObject) -> None:
    """The cost is 0 exactly where the grammar reads the text; the cost never exceeds the worst."""
    text = data.draw(edited(name))
    found = align(space_named(name), text.encode())
    assert validate(space_named(name), text, problem_for(name)).grammar == (found.cost == 0)
    assert 0 <= found.cost <= found.worst
    pieces = found.pieces
    assert text.encode() == b"".join(text.encode()[p.start : p.end] for p in pieces)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("().", 0), ("(i", 2), ("(()", 2), ("))).", 2), ("(i).(i).", 3), ("(((((((.", 4),
        ("?", 3), ("(?).", 1), ("", 3),
    ],
)  # fmt: skip
def test_calls(text: str, cost: int) -> None:
    """Where machines call themselves the stack is part of the search."""
    assert cost == align(statelang.loads(NESTED), text.encode()).cost


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("car\ncar\n", [("car", "car\n"), ("car", "car\n")]),
        ("cat\ncar\n", [(None, "cat\n"), ("car", "car\n")]),
        ("carcar\n", [(None, "car"), ("car", "car\n")]),
        ("car\n?!cars: 1\n", [("car", "car\n"), (None, "?!"), ("report", "cars: 1\n")]),
        ("cars: x\n", [(None, "cars: x\n")]),
    ],
)
def test_what_no_action_reads(text: str, pieces: list[tuple[str | None, str]]) -> None:
    """Unreadable text is one piece up to the next opening literal."""
    found = align(space_named("traffic"), text.encode()).pieces
    assert pieces == [(p.action, text[p.start : p.end]) for p in found]


def test_every_reading_of_a_step_is_kept() -> None:
    """Actions that share a text are told apart by the order of steps."""
    space = statelang.loads('start : a _next\n_next : b\na : "x"\nb : "x"\n')
    assert ["a", "b"] == [piece.action for piece in Pieces(space, b"xx").at(0)]
    assert 0 == align(space, b"xx").cost
    assert 1 == align(space, b"xxx").cost


@pytest.mark.parametrize("text", ["x" * 1_000_000, "car\n" * 5_000 + "?"])
def test_long_texts(text: str) -> None:
    """A megabyte of garbage is one piece; thousands of right steps are passed at no cost."""
    found = align(space_named("traffic"), text.encode())
    assert (1 if "car" in text else 2, False) == (found.cost, found.cut)


@pytest.mark.soak
def test_a_search_that_is_cut_says_so() -> None:
    """Past its bound the search deletes what is left, and the cost is no longer the least."""
    found = align(space_named("traffic"), b"cars: 1\n" * 250_000)
    assert found.cut
    assert found.cost <= found.worst
