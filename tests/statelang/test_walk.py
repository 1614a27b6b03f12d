"""Random legal traces: legal by construction, repeatable, and of every kind."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.walk import walk
from tests.strategies import OWN, SEEDS, SHIPPED, own_space, problem_for, space_named, walked

SPACES = [*SHIPPED, *OWN]


@cache
def actions(name: str) -> list[list[str]]:
    """The actions of many walked traces."""
    space, problem = space_named(name), problem_for(name)
    return [
        [step.action for step in validate(space, walked(name, seed), problem).steps]
        for seed in range(SEEDS)
    ]


@pytest.mark.parametrize("name", SPACES)
def test_every_walked_trace_validates(name: str) -> None:
    """For many seeds the trace parses and every contract holds."""
    space, problem = space_named(name), problem_for(name)
    for seed in range(SEEDS):
        verdict = validate(space, walked(name, seed), problem)
        assert (verdict.grammar, verdict.contracts, verdict.error) == (True, True, None), seed


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(-(2**70), 2**70))
def test_any_integer_is_a_seed(name: str, seed: int) -> None:
    """Whatever the seed, the trace validates, and the same seed gives the same trace."""
    space, problem = space_named(name), problem_for(name)
    trace = walk(space, seed, problem=problem)
    assert validate(space, trace, problem).contracts is True
    assert walk(space, seed, problem=problem) == trace


@pytest.mark.parametrize("name", SPACES)
def test_seeds_give_different_traces(name: str) -> None:
    """Seeds spread over the space: few traces come twice."""
    assert len({walked(name, seed) for seed in range(SEEDS)}) > SEEDS // 8


@pytest.mark.parametrize("name", SPACES)
def test_every_action_and_state_is_walked(name: str) -> None:
    """Among many traces each action of the space occurs."""
    seen = {action for trace in actions(name) for action in trace}
    assert seen == {action.name for action in space_named(name).actions}


def test_a_walk_does_not_depend_on_those_before_it() -> None:
    """A trace is a function of space and seed: in a fresh copy of the space it is the same."""
    before = [walk(own_space("lists"), seed) for seed in (5, 3)]
    fresh = statelang.loads(own_space("lists").source.text, "another")
    assert [walk(fresh, seed) for seed in (3, 5)] == before[::-1]


def test_a_walk_reads_the_problem() -> None:
    """The inputs of a problem bind the trace; without them there is none."""
    for seed in range(3):
        assert walk(own_space("pick"), seed, problem={"options": ["zz"]}) == "look zz\nchoose zz\n"
    with pytest.raises(StatelangError, match="`options`"):
        walk(own_space("pick"), 0)


def test_a_space_without_a_legal_trace_says_so() -> None:
    """Where contracts leave no way to the end, the walk names the space and the next step."""
    space = statelang.loads(
        '//@ ghost n: number = 0\n\nstart : a\n//@ requires n == 1\na : "x"\n', "locked"
    )
    with pytest.raises(StatelangError, match="no legal trace of `locked` was found"):
        walk(space, 0)
    with pytest.raises(StatelangError, match="no legal trace of `pick`"):
        walk(own_space("pick"), 0, problem={"options": []})


COUNTED = """
//@ ghost n: number = 0

start : go _on
_on : go _on
    | stop

//@ set n = n + 1
go : "go " WORD "\\n"
//@ requires n CONDITION
stop : "stop\\n"

WORD : /[a-z]{1,5}/
"""


def test_a_walk_that_locks_begins_again() -> None:
    """A walk that has gone past the only way out is given up soon and a shorter one drawn; where
    there is none, all walks together are bounded."""
    narrow = statelang.loads(COUNTED.replace("CONDITION", "== 2"))
    for seed in range(3):
        assert walk(narrow, seed).count("go ") == 2
    with pytest.raises(StatelangError, match="no legal trace"):
        walk(statelang.loads(COUNTED.replace("CONDITION", "== 0")), 0)
