"""What traces visit: the alternatives that the machine says were taken."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.traces.marks import marked
from statelang.traces.visits import coverage, possible_pairs, visited
from tests.statelang.traces.test_control import NESTED
from tests.strategies import OWN, edited, own_space, problem_for, space_named, traces

# Walking the prose space takes seconds; what it shows the formal one shows too.
SPACES = [pytest.param("kwai_star", marks=pytest.mark.soak), "kwai_star_formal", *OWN]
# A quarter of the examples: each walks, reads and searches whole traces.
FEW = settings(max_examples=settings().max_examples // 4)

# Two transitions of one action; what follows tells which was taken.
TWO_WAYS = """\
start : step _first
      | step _second
_first : a
_second : b
step : "s"
a : "a"
b : "b"
"""


@pytest.mark.parametrize("name", SPACES)
@FEW
@given(data=st.data())
def test_the_transitions_of_a_trace(name: str, data: st.DataObject) -> None:
    """They write the steps of the verdict, follow one another in the control graph, and there are
    none where the verdict is against the trace."""
    space, problem = space_named(name), problem_for(name)
    text = data.draw(traces(name) | edited(name))
    found, verdict = visited(space, text, problem), validate(space, text, problem)
    assert (found is not None) == (verdict.contracts is True)
    if found is not None:
        alternatives = marked(space).alternatives
        actions = [one.action for one in map(alternatives.__getitem__, found) if one.action]
        assert [step.action for step in verdict.steps] == actions
        assert set(possible_pairs(alternatives)) >= set(pairwise(found))


def test_two_transitions_of_one_action() -> None:
    """What the machine says happened is counted, not what the order of actions might have been."""
    found = coverage(statelang.loads(TWO_WAYS), [("sb", None)])
    assert {"start": 1, "_first": 0, "_second": 1} == found.states
    assert [0, 1, 0, 1] == [visits for _, visits in found.transitions]


def test_counts() -> None:
    """States, transitions and pairs by how often they are visited; illegal traces apart."""
    found = coverage(
        own_space("calls"),
        [("→ hé A\nbye A1\n", None), ("→ hé A\n→ hé A\nbye A2\n", None), ("", None)],
    )
    assert (2, 1, False) == (found.legal, found.illegal, not found.is_complete)
    assert {"start": 2, "_greetings": 2, "_more": 3, "_body": 2} == found.states
    assert [2, 2, 1, 2, 2] == [visits for _, visits in found.transitions]
    names = [one.action or one.call or "stop" for one, _ in found.transitions]
    assert ["_greetings", "hello", "hello", "stop", "bye"] == names
    pairs = {(names[a], names[b]): visits for (a, b), visits in found.pairs.items()}
    assert ("stop", "bye") in pairs and ("hello", "bye") not in pairs


def test_pairs_across_returns() -> None:
    """After the end of a called machine comes what follows each call of it, and nothing else."""
    alternatives = marked(statelang.loads(NESTED)).alternatives
    names = [one.action or one.call or "stop" for one in alternatives]
    pairs = {(names[first], names[second]) for first, second in possible_pairs(alternatives)}
    after_close = {second for first, second in pairs if first == "close"}
    assert {"item", "_list", "close", "end"} == after_close
    assert {"_list"} == {first for first, second in pairs if second == "open"}


def test_traces_are_read_as_a_stream() -> None:
    """Each trace is asked for once, after the one before it has been counted."""
    asked = []

    def stream() -> object:
        for number in range(100):
            asked.append(number)
            yield "car\ncars: 1\n", None

    assert 100 == coverage(own_space("traffic"), stream()).legal  # type: ignore[arg-type]
    assert list(range(100)) == asked


def test_problems() -> None:
    """Each trace is judged with its own problem; a missing input is an error."""
    text = "look re\nchoose re\n"
    problems = [{"options": ["re"]}, {"options": ["blue"]}]
    found = coverage(own_space("pick"), [(text, problem) for problem in problems])
    assert (1, 1) == (found.legal, found.illegal)
    with pytest.raises(StatelangError, match="`options`"):
        coverage(own_space("pick"), [(text, None)])
