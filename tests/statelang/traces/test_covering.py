"""Few routes and traces that visit every transition."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.traces.covering import paths
from statelang.traces.marks import marked
from statelang.traces.routes import cover
from statelang.traces.tours import tours
from statelang.traces.visits import coverage, possible_pairs
from tests.statelang.traces.test_control import NESTED
from tests.strategies import OWN, SHIPPED, own_space, problem_for, space_named

# A machine with more ways through than it has calls, and another inside it.
MANY = """\
start : _m _x
_x : _m _y
_y : end
_m : a | b | c | d
   | _n _m
_n : p | q | r
""" + "".join(f'{name} : "{name}"\n' for name in ("end", "a", "b", "c", "d", "p", "q", "r"))


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Edges between 0 (the source) and 1 (the sink), each on a walk from source to sink."""
    count = draw(st.integers(2, 6))
    inner = st.integers(2, count)
    edges = draw(st.lists(st.tuples(inner | st.just(0), inner | st.just(1)), max_size=12))
    through = [(0, node) for node in range(2, count + 1)] + [
        (node, 1) for node in range(2, count + 1)
    ]
    return [*edges, *through]


def fewest(edges: list[tuple[int, int]]) -> int:
    """The most edges of which no two lie on one walk: no fewer walks can take them all."""
    reach = {(a, a) for edge in edges for a in edge} | set(edges)
    while True:
        more = {(a, d) for a, b in reach for c, d in reach if b == c} - reach
        if not more:
            break
        reach |= more
    apart = [
        {
            j
            for j, f in enumerate(edges)
            if i != j and (e[1], f[0]) not in reach and (f[1], e[0]) not in reach
        }
        for i, e in enumerate(edges)
    ]

    def largest(candidates: set[int]) -> int:
        best = 0
        while candidates:
            first = candidates.pop()
            best = max(best, 1 + largest(candidates & apart[first]))
        return best

    return largest(set(range(len(edges))))


@given(edges=graphs())
def test_the_fewest_walks(edges: list[tuple[int, int]]) -> None:
    """Walks from source to sink that take every edge, as few as the widest cut (Dilworth) allows."""
    found = tours(edges, 0, 1)
    assert set(range(len(edges))) == {index for walk in found for index in walk}
    for walk in found:
        assert (0, 1) == (edges[walk[0]][0], edges[walk[-1]][1])
        assert all(edges[a][1] == edges[b][0] for a, b in pairwise(walk))
    assert fewest(edges) == len(found)


@pytest.mark.parametrize("name", [*SHIPPED, *OWN, "NESTED", "MANY"])
def test_routes_take_every_transition(name: str) -> None:
    """Every route is an order of transitions from the start to the end that the graph allows."""
    texts = {"NESTED": NESTED, "MANY": MANY}
    space = statelang.loads(texts[name]) if name in texts else space_named(name)
    alternatives, found = marked(space).alternatives, cover(space)
    pairs = set(possible_pairs(alternatives))
    assert set(range(len(alternatives))) == {index for route in found.routes for index in route}
    assert all(pairs >= set(pairwise(route)) for route in found.routes)
    assert all("start" == alternatives[route[0]].source for route in found.routes)


@pytest.mark.parametrize(
    ("name", "number"), [("kwai_star", 4), ("kwai_star_formal", 4), ("prefix", 2), ("calls", 1)]
)
def test_the_number_of_routes(name: str, number: int) -> None:
    """Known spaces need this many, and it is proved."""
    found = cover(space_named(name))
    assert (number, True) == (len(found.routes), found.minimal)


def test_what_is_not_proved_is_not_claimed() -> None:
    """Where runs of a called machine are left over there are more routes, and no proof."""
    found = cover(statelang.loads(MANY))
    assert not found.minimal and len(found.routes) > 1


def test_routes_that_double_with_every_call_are_refused() -> None:
    """A machine whose shortest run is longer than can be written is an error, not a full memory."""
    rules = [f"_m{n} : _m{n + 1} _n{n}\n_n{n} : _m{n + 1} _e\n" for n in range(40)]
    text = "start : _m0 _e\n_e : e\n" + "".join(rules) + '_m40 : a\na : "a"\ne : "e"\n'
    with pytest.raises(StatelangError, match="more than 100,000 transitions"):
        cover(statelang.loads(text))


@pytest.mark.parametrize("name", OWN)
def test_small_spaces(name: str) -> None:
    """The traces are legal, and visit all but what no legal trace visits."""
    space, problem = own_space(name), problem_for(name)
    found = paths(space, problem)
    assert all(validate(space, text, problem).contracts for text in found.traces)
    visits = coverage(space, [(text, problem) for text in found.traces])
    never = {one for one, count in visits.transitions if not count}
    assert set(found.missed) == never
    missing = {(one.source, one.action) for one in never}
    assert ({("start", "down")} if name == "prefix" else set()) == missing


def test_gates_that_close_a_route() -> None:
    """Where one trace would do for the control graph and the contracts forbid it, there are more."""
    text = """\
    //@ ghost n: number = 0
    //@ limit a 1

    start : a _s
          | b _s
    _s : a _s
       | b _s
       | end
    a : "a"
    b : "b"
    end : "."
    """.replace("    //", "//").replace("    ", "", 0)
    space = statelang.loads(
        "\n".join(line[4:] if line.startswith("    ") else line for line in text.splitlines())
    )
    found = paths(space)
    assert () == found.missed
    assert coverage(space, [(one, None) for one in found.traces]).is_complete


def test_the_same_traces_every_time() -> None:
    """Nothing depends on an earlier call."""
    assert paths(own_space("prefix")) == paths(statelang.loads(own_space("prefix").source.text))


@pytest.mark.soak
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_spaces(name: str) -> None:
    """Every transition of a shipped space is reached."""
    found = paths(space_named(name))
    total = len(marked(space_named(name)).alternatives)
    print(
        f"{name}: {found.realised} of {found.planned} routes, {total - len(found.missed)} of {total}"
    )
    assert () == found.missed
