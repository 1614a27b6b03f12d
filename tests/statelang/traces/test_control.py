"""The control graph: orders of actions, calls and returns included."""

from __future__ import annotations

import pytest

import statelang
from statelang.traces.alignment import control
from tests.strategies import own_space, space_named

NESTED = """\
start : _list _after
_after : end
_list : open _items
_items : item _items
       | _list _items
       | close
open : "("
item : "i"
close : ")"
end : "."
"""


def order(text: str) -> list[str]:
    """The actions of a text of the nested space."""
    names = {"(": "open", "i": "item", ")": "close", ".": "end"}
    return [names[char] for char in text]


@pytest.mark.parametrize(
    ("text", "allowed", "ends"),
    [
        ("", True, False), ("(", True, False), ("()", True, False), ("().", True, True),
        ("((i)i).", True, True), ("(()", True, False), ("(().", False, False), ("i", False, False),
    ],
)  # fmt: skip
def test_calls_return_where_they_were_made(text: str, allowed: bool, ends: bool) -> None:
    """A machine that calls itself comes back once for each call."""
    graph = control(statelang.loads(NESTED))
    places = graph.after(order(text))
    assert allowed == bool(places)
    assert ends == any(graph.ends(place) for place in places)


def test_a_stop_returns_to_the_caller() -> None:
    """An empty alternative ends a called machine, not the trace."""
    graph = control(own_space("calls"))
    (place,) = graph.after(["hello"])
    assert place is not None and not graph.ends(place)
    assert [("hello", "_more"), ("bye", None)] == [
        (action, to.state if to else None) for action, to in graph.steps(place)
    ]


@pytest.mark.parametrize(
    ("name", "shortest"),
    [("kwai_star_formal", 3), ("traffic", 2), ("pick", 2), ("calls", 2), ("sum", 2)],
)
def test_the_shortest_order(name: str, shortest: int) -> None:
    """Every place knows the least number of steps to the end."""
    graph = control(space_named(name))
    assert graph.start is not None
    assert shortest == graph.start.left
