"""Strategies for users: drawn traces are legal, near misses are not, and both shrink."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.space import StateSpace, Transition
from statelang.testing import (
    mutants,
    prefixes,
    problems,
    state_machine,
    traces,
)
from statelang.walking.machine import Machine
from tests.strategies import OWN, SHIPPED, own_space, problem_for, space_named

SPACES = [*SHIPPED, *OWN]
FORMAL = statelang.load("kwai_star_formal")
some = settings(max_examples=settings().max_examples // 3)  # of each space


def of(space: StateSpace, text: str) -> list[str]:
    """The actions of a trace."""
    return [step.action for step in validate(space, text).steps]


# ---- traces ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPACES)
@some
@given(data=st.data())
def test_every_drawn_trace_is_legal(name: str, data: st.DataObject) -> None:
    """A drawn trace parses and satisfies every contract, whatever is drawn."""
    space, problem = space_named(name), problem_for(name)
    trace = data.draw(traces(space, problem))
    verdict = validate(space, trace, problem)
    assert (verdict.grammar, verdict.contracts, verdict.error) == (True, True, None)


@pytest.mark.parametrize("name", SPACES)
def test_every_action_is_drawn(name: str) -> None:
    """Among some hundreds of traces each action of the space occurs."""
    space, problem, seen = space_named(name), problem_for(name), Counter[str]()

    @settings(max_examples=120, phases=[Phase.generate], database=None)
    @given(traces(space, problem))
    def draw(trace: str) -> None:
        seen.update(step.action for step in validate(space, trace, problem).steps)

    draw()
    assert set(seen) == {action.name for action in space.actions}


@pytest.mark.soak
@pytest.mark.parametrize("piece", range(20))
def test_a_hundred_thousand_draws_are_legal(
    piece: int, record_count: Callable[[str, int], None]
) -> None:
    """Five thousand draws for each piece, over all spaces without an end: no illegal trace."""
    unbounded = [name for name in SPACES if name != "pick"]  # which has 340 traces
    name = unbounded[piece % len(unbounded)]
    space, problem = space_named(name), problem_for(name)

    @seed(piece)
    @settings(max_examples=5_000, phases=[Phase.generate], database=None)
    @given(traces(space, problem))
    def draw(trace: str) -> None:
        record_count("drawn traces judged", 1)
        assert validate(space, trace, problem).contracts is True

    draw()


@some
@given(data=st.data())
def test_no_trace_has_more_steps_than_asked_for(data: st.DataObject) -> None:
    """`max_steps` bounds the trace, down to the shortest there is."""
    most = data.draw(st.integers(3, 8))
    trace = data.draw(traces(FORMAL, max_steps=most))
    assert 3 <= len(of(FORMAL, trace)) <= most


def test_a_bound_below_the_shortest_trace_is_refused() -> None:
    """The error names the least number of steps."""
    with pytest.raises(StatelangError, match="has at least 3 steps, `max_steps` is 2"):
        traces(FORMAL, max_steps=2)


def test_a_space_without_a_legal_trace_draws_nothing() -> None:
    """Where contracts leave no way to the end, no trace is made up."""
    space = statelang.loads(
        '//@ ghost n: number = 0\n\nstart : a\n//@ requires n == 1\na : "x"\n', "locked"
    )
    drawn = []

    @settings(max_examples=5, database=None, suppress_health_check=list(HealthCheck))
    @given(traces(space))
    def draw(trace: str) -> None:
        drawn.append(trace)

    with pytest.raises(Exception, match="Unable to satisfy"):
        draw()
    assert drawn == []


# Each shrinks to one text, whatever Hypothesis drew first.
SHORTEST = [
    (
        "kwai_star",
        lambda t: True,
        "<formalize>a</formalize>\n<parent unchecked>0: a</parent>\n<summarize>0</summarize>\n",
    ),
    (
        "kwai_star_formal",
        lambda t: True,
        "<formalize>Aa = 0\nfind Aa</formalize>\n<parent>Aa = 0</parent>\n"
        "<summarize>0</summarize>\n",
    ),
    ("traffic", lambda t: t.count("car\n") >= 5, "car\n" * 5 + "cars: 5\n"),
    ("pick", lambda t: t.count("look") > 1, "look re\nlook red\nchoose re\n"),
    ("calls", lambda t: t.count("→") > 1, "→ hé A\n→ hé A\nbye A2\n"),
]


@pytest.mark.parametrize(("name", "wanted", "shortest"), SHORTEST, ids=[s[0] for s in SHORTEST])
def test_traces_shrink_to_the_shortest_and_plainest(name: str, wanted: Any, shortest: str) -> None:
    """What fails is shown as the least trace that fails."""
    drawn = traces(space_named(name), problem_for(name))
    assert shortest == find(drawn, wanted, settings=settings(max_examples=1000, database=None))


@pytest.mark.soak
def test_a_rare_trace_shrinks() -> None:
    """Three solutions and one taken back: found, and brought down to what that needs."""
    found = find(
        traces(FORMAL),
        lambda trace: trace.count("<solve>") >= 3 and "<backtrack>" in trace,
        settings=settings(
            max_examples=5000, database=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert validate(FORMAL, found).contracts is True
    assert len(of(FORMAL, found)) <= 11 and found.count("\n") <= 16


# ---- problems --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pick", "share"])
@given(data=st.data())
def test_problems_are_drawn_by_the_types_of_inputs(name: str, data: st.DataObject) -> None:
    """Without a problem the inputs are drawn, and one example sees one problem."""
    space = own_space(name)
    problem = data.draw(problems(space))
    assert set(problem) == {register.name for register in space.inputs}
    assert validate(space, data.draw(traces(space)), problem).contracts is True


@given(data=st.data())
def test_a_problem_may_be_a_strategy(data: st.DataObject) -> None:
    """Inputs may be drawn by the user's own strategy, shared with the test."""
    options = st.lists(st.sampled_from(["a", "bb", "é"]), min_size=1, unique=True)
    problem = st.shared(st.fixed_dictionaries({"options": options}), key="own")
    asked, trace = data.draw(problem), data.draw(traces(own_space("pick"), problem))
    assert validate(own_space("pick"), trace, asked).contracts is True


def test_inputs_that_cannot_be_drawn_are_refused_by_name() -> None:
    """Where hardly any drawn value fits, the error names the inputs and what to pass."""
    space = statelang.loads(
        '//@ input secret: text\n\nstart : a\n//@ requires secret == "open sesame"\na : "x" W\n'
        "W : /[a-z]/\n",
        "cave",
    )

    @settings(database=None, suppress_health_check=list(HealthCheck))
    @given(traces(space))
    def draw(trace: str) -> None:
        raise AssertionError(trace)

    with pytest.raises(StatelangError, match=r"`cave` has inputs \(`secret`\).* pass `problem`"):
        draw()


def test_a_missing_input_of_a_given_problem_is_named() -> None:
    """A mapping without a declared input is an error as everywhere."""

    @given(traces(own_space("share"), {"total": 1}))
    def draw(trace: str) -> None:
        raise AssertionError(trace)

    with pytest.raises(StatelangError, match="`parts`"):
        draw()


# ---- prefixes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPACES)
@some
@given(data=st.data())
def test_a_prefix_can_be_walked(name: str, data: st.DataObject) -> None:
    """Every prefix is alive in the machine, contracts included."""
    space, problem = space_named(name), problem_for(name)
    prefix = data.draw(prefixes(space, problem))
    machine = Machine(space)
    assert machine.advance(machine.start(problem), prefix.encode()) is not None


# ---- mutants ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPACES)
@some
@given(data=st.data())
def test_no_mutant_is_legal(name: str, data: st.DataObject) -> None:
    """A mutant breaks the rule that it names, at the step that it names."""
    space, problem = space_named(name), problem_for(name)
    mutant = data.draw(mutants(space, problem=problem))
    verdict = validate(space, mutant.text, problem)
    assert not verdict.holds and verdict.error is not None
    assert (mutant.rule, mutant.step) == (verdict.error.rule, verdict.error.step)


RULES = [
    "grammar", "incomplete", "end", "verify", "backtrack", "requires RESULT == value(work)",
    "requires ID not in names", "requires ID == last(solve_subproblem).ID",
    "requires RESULT == known[goal]", "requires work == fill(plan_now, known)",
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=10)
@given(data=st.data())
def test_a_rule_is_broken_on_demand(rule: str, data: st.DataObject) -> None:
    """With `rule` every mutant breaks that clause, or fails in a step of that action."""
    mutant = data.draw(mutants(FORMAL, rule))
    verdict = validate(FORMAL, mutant.text)
    assert verdict.error is not None
    failing = verdict.steps[verdict.error.step - 1 : verdict.error.step]
    assert rule == mutant.rule or rule in [step.action for step in failing]


def test_an_unknown_rule_is_refused() -> None:
    """The nearest rule of the space is named."""
    with pytest.raises(StatelangError, match=r"did you mean `requires RESULT == value\(work\)`"):
        mutants(FORMAL, "requires RESULT == valu(work)")


# ---- stateful tests --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPACES)
def test_the_state_machine_takes_legal_steps(name: str) -> None:
    """Each step is one of a transition that is open, and at the end the trace validates."""
    space, problem, taken = space_named(name), problem_for(name), Counter[str]()

    class Walks(state_machine(space, problem)):  # type: ignore[misc]
        def on_step(self, transition: Transition, text: str) -> None:
            assert transition in space.transitions
            taken[transition.action or ""] += 1
            assert self.trace.endswith(text)

        def on_end(self) -> None:
            assert validate(space, self.trace, self.problem).contracts is True
            taken["the end"] += 1

    steps = settings(max_examples=15, stateful_step_count=15, phases=[Phase.generate])
    run_state_machine_as_test(Walks, settings=steps)
    assert taken["the end"] and taken[space.actions[0].name]


def test_a_wrong_engine_is_found_out() -> None:
    """A subclass that drives an engine with a fault fails, and the failure is reported."""
    space = own_space("traffic")

    class Counts(state_machine(space)):  # type: ignore[misc]
        def on_start(self) -> None:
            self.cars = 0

        def on_step(self, transition: Transition, text: str) -> None:
            self.cars += text == "car\n"
            assert self.cars < 4, "the engine counts to three"

    with pytest.raises(AssertionError, match="counts to three"):
        run_state_machine_as_test(Counts, settings=settings(phases=[Phase.generate]))
