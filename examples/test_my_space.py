"""Property tests of a state space and of what is built on it; copy this file and put yours in.

The space is one that ships with statelang, and `solve` stands for the code under test.
"""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

import statelang
from statelang.engine import validate
from statelang.testing import Mutant, mutants, prefixes, state_machine, traces

SPACE = statelang.load("kwai_star_formal")
RESULT = re.compile(r"<solve>(\w+) = .* = (-?\d+)</solve>")


def solve(trace: str) -> dict[str, int]:
    """The code under test: what each entity has come to, by a regular expression."""
    return {name: int(result) for name, result in RESULT.findall(trace)}


@given(traces(SPACE))
def test_every_legal_trace_is_read(trace: str) -> None:
    """Each solution is found, and the last one of an entity counts."""
    assert len(solve(trace)) == len({*re.findall(r"<solve>(\w+)", trace)})
    assert validate(SPACE, trace).contracts is True


@settings(max_examples=20)
@given(mutants(SPACE, "requires RESULT == value(work)"))
def test_a_wrong_result_is_found(mutant: Mutant) -> None:
    """A result that is not the value of its calculation is not the sum that is written."""
    verdict = validate(SPACE, mutant.text)
    assert verdict.error is not None
    assert verdict.steps[verdict.error.step - 1].action == "solve_subproblem"


@given(traces(SPACE), st.data())
def test_what_is_known_grows_with_the_trace(trace: str, data: st.DataObject) -> None:
    """A beginning of a trace says nothing that the trace does not hold."""
    beginning = trace[: data.draw(st.integers(0, len(trace)))]
    assert solve(beginning).keys() <= solve(trace).keys()


@given(prefixes(SPACE))
def test_no_beginning_breaks_the_reader(prefix: str) -> None:
    """Half a trace is read as far as it goes."""
    assert isinstance(solve(prefix), dict)


class Follows(state_machine(SPACE)):  # type: ignore[misc]  # a class made from the space
    """Drives the code under test along, step by step."""

    def on_start(self) -> None:
        self.open: set[str] = set()

    def on_step(self, transition: statelang.Transition, text: str) -> None:
        if transition.action == "decompose":
            self.open = {*re.findall(r"\w+", text)} - {"decompose"}
        elif transition.action == "solve_subproblem":
            assert {*solve(text)} <= self.open


TestFollows = Follows.TestCase
TestFollows.settings = settings(max_examples=10, stateful_step_count=12)
