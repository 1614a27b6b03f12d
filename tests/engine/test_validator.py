"""A trace judged in pieces: as whole, byte by byte, and in flat memory."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.engine import Validator, Verdict, validate
from statelang.walking.course import Step
from statelang.walking.machine import Machine
from tests.strategies import (
    WORKED,
    edited,
    own_space,
    problem_for,
    space_named,
    traces,
)

SPACES = ["kwai_star", "traffic", "calls", "prefix", "lists"]


def by_bytes(name: str, text: str) -> tuple[bool, bool | None, list[Step] | None]:
    """Grammar, contracts and steps as the byte machines have them, without any stride."""
    space, problem, data = space_named(name), problem_for(name), text.encode()
    plain, judging = Machine(space, contracts=False), Machine(space, guards=False)
    read = plain.advance(plain.start(problem), data)
    ended = plain.ends(read) if read is not None else None
    if ended is None:
        return False, None, None
    judged = judging.advance(judging.start(problem), data)
    holds = judged is not None and judging.ends(judged) is not None
    steps, trail = [], ended.trail
    while trail is not None:
        start, end = (len(data[:at].decode()) for at in (trail.start, trail.end))
        steps.append(Step(space.program.actions[trail.action], start, end))
        trail = trail.before
    return True, holds, steps[::-1]


def in_pieces(name: str, text: str, cuts: list[int], problem: dict[str, Any]) -> Verdict:
    """The verdict on a text that comes in pieces, with all its steps."""
    validator = Validator(space_named(name), problem)
    bounds = [0, *cuts, len(text)]
    told = [step for start, end in pairwise(bounds) for step in validator.feed(text[start:end])]
    verdict = validator.close()
    return evolve(verdict, steps=(*told, *verdict.steps))


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_strides_judge_as_the_bytes_do(name: str, data: st.DataObject) -> None:
    """Grammar, contracts and steps are those of a walk byte by byte."""
    text = data.draw(edited(name) | traces(name))
    grammar, contracts, steps = by_bytes(name, text)
    verdict = validate(space_named(name), text, problem_for(name))
    assert (verdict.grammar, verdict.contracts) == (grammar, contracts)
    assert steps is None or steps == list(verdict.steps)


def unquoted(verdict: Verdict) -> Verdict:
    """Without the text that an error of the grammar quotes: in pieces not all of it has come."""
    error = verdict.error
    if error is None or error.rule != "grammar":
        return verdict
    return evolve(verdict, error=evolve(error, message=error.message.partition("` is not")[2]))


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_pieces_make_the_whole(name: str, data: st.DataObject) -> None:
    """However a text is cut, all that is said of it is the same."""
    text = data.draw(edited(name) | traces(name))
    some = st.sets(st.integers(0, len(text)), max_size=8).map(sorted)
    cuts = data.draw(some | st.just(list(range(1, len(text)))))
    problem = {**problem_for(name), "answer": data.draw(st.sampled_from(["1", "red", "72"]))}
    whole = validate(space_named(name), text, problem)
    assert unquoted(in_pieces(name, text, cuts, problem)) == unquoted(whole)


def test_a_known_space_is_read_by_strides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its places are known, no byte of a trace is walked one by one."""
    space, text = statelang.load("kwai_star"), WORKED["kwai_star"]
    for _ in range(50):
        validate(space, text)

    def never(*_: object) -> object:
        raise AssertionError("a byte was walked")

    monkeypatch.setattr(Machine, "to_next_step", never)
    assert validate(space, text).contracts is True


def test_the_first_error_is_known_when_it_is_read() -> None:
    """Before it `error` is None; after it the verdict and the error of `close` are known."""
    validator = Validator(own_space("traffic"))
    assert validator.feed("car\nca") == (Step("car", 0, 4),)
    assert validator.error is None
    assert validator.feed("r\ncars: 3\n") == (Step("car", 4, 8), Step("report", 8, 16))
    error = validator.error
    assert error is not None
    assert (error.step, error.line, error.column) == (3, 3, 8)
    assert error.rule == "requires NUMBER == cars"
    assert validator.feed("more") == ()
    late = validator.error
    assert late is not None and late.rule == "end"
    assert validator.feed("and more") == ()
    assert validator.close() == Verdict(False, None, None, late)


def test_nothing_is_told_twice() -> None:
    """What `feed` gave, `close` does not give again."""
    validator = Validator(own_space("traffic"))
    assert len(validator.feed("car\ncar\ncars: 2\n")) == 3
    assert validator.close() == Verdict(True, True, None, None, (), "2")


def test_a_surrogate_ends_the_grammar_wherever_it_comes() -> None:
    """A lone surrogate is no text: the trace is illegal from there, in whole and in pieces."""
    for text in ("car\n\ud800", "car\nca\udfffr\ncars: 2\n", "\ud800"):
        whole = validate(own_space("traffic"), text)
        assert whole.grammar is False
        pieces = in_pieces("traffic", text, list(range(1, len(text))), {})
        assert unquoted(pieces) == unquoted(whole)


def test_answers_are_read_past_a_broken_contract() -> None:
    """A trace with a wrong step still has its answer, whatever cut it comes in."""
    whole = validate(own_space("traffic"), "car\ncars: 7\n", {"answer": "7"})
    assert (whole.contracts, whole.answer, whole.found) == (False, True, "7")


LONG = r"""
//@ ghost n: number = 0
//@ answer stop.NUMBER as number

start : go _on
_on : go _on
    | stop

//@ requires NUMBER == n + 1
//@ set n = NUMBER
go : "go " NUMBER ": " LINE "\n"
//@ requires NUMBER == n
stop : "stop " NUMBER "\n"

//@ type number
NUMBER : /[0-9]{1,9}/
LINE : /[^\n]{1,80}/
"""

CHILD = f"""
import sys
import statelang
from statelang.engine import Validator

steps, size = int(sys.argv[1]), 4096
validator = Validator(statelang.loads({LONG!r}))
told, text = 0, ""

def peak():  # `getrusage` would begin with the peak of the process that started this one
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

for number in range(1, steps + 1):
    text += f"go {{number}}: one more step of a long way\\n"
    if len(text) > size:
        told, text = told + len(validator.feed(text)), ""
    if number == 5_000:
        before = peak()
told += len(validator.feed(text + f"stop {{steps}}\\n"))
verdict = validator.close()
assert verdict.holds and verdict.found == str(steps) and told == steps + 1
print(peak() - before)
"""


def growth(steps: int) -> int:
    """By how many kibibytes the peak memory of a child grows past the first 5,000 steps."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(steps)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@on_linux
def test_a_long_trace_needs_no_more_memory() -> None:
    """100,000 steps in pieces need as much memory as 5,000."""
    assert growth(100_000) < 1_500


@on_linux
@pytest.mark.soak
def test_a_million_steps_need_no_more_memory() -> None:
    """Nor do a million."""
    assert growth(1_000_000) < 1_500
