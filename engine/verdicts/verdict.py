"""Judge a trace: does it parse, is every step right, does it match the gold answer?

Needs no model and no tensor library. The three verdicts are kept apart (an answer alone leaves
wrong steps in place: RL-STaR, arXiv 2410.23912). A trace is read once, with its contracts; from the
first step that breaks one on it is read as plain grammar, and its fields for its answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from attrs import evolve, frozen

from statelang.diagnostics import StatelangError
from statelang.engine.verdicts.answers import found_answer, judge_answer
from statelang.engine.verdicts.first_error import (
    TraceError,
    contract_error,
    grammar_error,
    step_number,
)
from statelang.space import StateSpace
from statelang.tools import Function
from statelang.walking.course import Checkpoint, Course, Step
from statelang.walking.machine import Machine
from statelang.walking.strides import Strides

MAX_BYTES: Final = 16_000_000


@frozen
class Verdict:
    """Three verdicts on one trace.

    `contracts` is None where the grammar already fails; `answer` is None without a gold answer or
    where the space declares none. `found` is the answer that the trace gives.
    """

    grammar: bool
    contracts: bool | None
    answer: bool | None
    error: TraceError | None = None
    steps: tuple[Step, ...] = ()
    found: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing fails; None counts as neither."""
        return self.grammar and self.contracts is not False and self.answer is not False

    def as_dict(self) -> dict[str, Any]:
        """The verdict as plain values, for JSON."""
        error = self.error
        return {
            "grammar": self.grammar,
            "contracts": self.contracts,
            "answer": self.answer,
            "error": None
            if error is None
            else {
                "step": error.step,
                "line": error.line,
                "column": error.column,
                "rule": error.rule,
                "message": error.message,
                "expected": list(error.expected),
            },
        }


def validate(
    space: StateSpace,
    text: str,
    problem: Mapping[str, Any] | None = None,
    tools: Mapping[str, Function] | None = None,
) -> Verdict:
    """The verdicts on one trace.

    Args:
        space: The state space.
        text: The whole trace, without a stop token.
        problem: `answer` (the gold answer, if there is one) and the space's inputs.
        tools: The functions that `writes` clauses name, to run them again and compare; without
            them, what stands in such a field is taken as it is.

    Raises:
        StatelangError: an input that the space declares, or a function, is missing or of another
            type.
    """
    validator = Validator(space, problem, tools)
    _check_text(text)
    if len(text) > MAX_BYTES:
        raise StatelangError(
            f"a trace of {len(text):,} characters is too long to judge at once; at most "
            f"{MAX_BYTES:,} are read. Give it to a `Validator` in pieces."
        )
    steps = validator.feed(text)
    verdict = validator.close()
    return evolve(verdict, steps=steps + verdict.steps)


@frozen(eq=False)
class _Machines:
    """What is learnt about a space, shared by all traces."""

    judging: Strides
    plain: Strides
    lenient: Strides


@lru_cache(maxsize=32)
def _machines(space: StateSpace) -> _Machines:
    return _Machines(
        Strides(Machine(space, guards=False)),
        Strides(Machine(space, contracts=False)),
        Strides(Machine(space, guards=False, judges=False)),
    )


class Validator:
    """Judges one trace as it comes, in pieces of any size.

    Args:
        space, problem, tools: as for `validate`.

    Raises:
        StatelangError: as `validate`.

    Memory is that of the longest step and of what the registers hold, whatever the number of steps.

    >>> import statelang
    >>> from statelang.engine import Validator
    >>> space = statelang.load("kwai_star_formal")
    >>> validator = Validator(space)
    >>> [step.action for step in validator.feed("<formalize>Ann = 3\\nfind Ann</formalize>\\n<par")]
    ['formalize']
    >>> [step.action for step in validator.feed("ent>Ann = 4</parent>\\n")]
    ['solve_parent']
    >>> validator.error.step, validator.error.rule
    (2, 'requires RESULT == known[goal]')
    """

    def __init__(
        self,
        space: StateSpace,
        problem: Mapping[str, Any] | None = None,
        tools: Mapping[str, Function] | None = None,
    ) -> None:
        self._space = space
        self._problem = problem
        machines = self._machines = _machines(space)
        thread, env = machines.judging.machine.start(problem, tools).alive[0]
        self._judged = Course(
            machines.judging, Checkpoint(thread, env), beside=machines.plain.machine
        )
        self._plain: Course | None = None  # from the first step that breaks a contract
        self._lenient: Course | None = None
        self._actions: dict[int, str] = {}  # of the steps from there on, up to `_last`
        self._last = 0  # the number of the last step of which a clause broke
        self._grammar_error: TraceError | None = None
        self._rest: tuple[Step, ...] = ()  # of the step in which the grammar broke

    def feed(self, text: str) -> tuple[Step, ...]:
        """Read on; the steps that `text` completes. Past an error of the grammar there are none."""
        if self._grammar_error is not None:
            return ()
        _check_text(text)
        clean, invalid = _clean(text)
        if self._plain is None:
            self._judged.feed(clean, invalid=invalid)
            steps = self._judged.take_steps()
            return steps if self._judged.alive else steps + self._go_on_plain(invalid=invalid)
        return self._feed_plain(clean, invalid=invalid)

    @property
    def error(self) -> TraceError | None:
        """The first error so far: of the grammar if there is one, else of a contract."""
        if self._grammar_error is not None or self._plain is None:
            return self._grammar_error
        known, under_way = dict(self._actions), self._plain.open_step()
        if under_way is not None:
            known.setdefault(self._plain.told + 1, under_way.action)
        return contract_error(self._judged, known)

    def close(self) -> Verdict:
        """The verdicts on the whole trace; of its steps, those that `feed` has not told."""
        space = self._space
        steps: tuple[Step, ...] = ()
        if self._plain is None:
            final = self._judged.ends()
            if final is not None:
                found = found_answer(space, final)
                answer = judge_answer(space, found, self._problem)
                return Verdict(True, True, answer, None, self._judged.take_steps(), found)
            steps = self._go_on_plain(invalid=False)
        plain, lenient = self._plain, self._lenient
        assert plain is not None and lenient is not None
        if self._grammar_error is None:
            if plain.ends() is not None:
                steps += self._told(plain)
            else:
                steps += self._broken_off(plain)
        if self._grammar_error is not None:
            answer = judge_answer(space, None, self._problem)
            return Verdict(False, None, answer, self._grammar_error, steps + self._rest)
        final = lenient.ends()
        found = found_answer(space, final) if final is not None else None
        answer = judge_answer(space, found, self._problem)
        return Verdict(True, False, answer, self.error, steps, found)

    # -- from the first step on that breaks a contract

    def _go_on_plain(self, *, invalid: bool) -> tuple[Step, ...]:
        """Read the step that broke a contract, and what follows, again as plain grammar."""
        judged, machines = self._judged, self._machines
        self._last = max((step_number(b.env) for _, b in judged.blame.entries), default=0)
        self._plain = judged.again(machines.plain)
        self._lenient = judged.again(machines.lenient)
        return self._feed_plain(judged.text, invalid=invalid)

    def _feed_plain(self, text: str, *, invalid: bool) -> tuple[Step, ...]:
        plain, lenient = self._plain, self._lenient
        assert plain is not None and lenient is not None
        plain.feed(text, invalid=invalid)
        if not plain.alive:
            return self._broken_off(plain, b"\xff" if invalid else b"")
        lenient.feed(text)
        return self._told(plain)

    def _told(self, plain: Course) -> tuple[Step, ...]:
        number, steps = plain.told, plain.take_steps()
        first = number - len(steps) + 1
        for index, step in enumerate(steps[: max(0, self._last - first + 1)]):
            self._actions[first + index] = step.action
        return steps

    def _broken_off(self, plain: Course, tail: bytes = b"") -> tuple[Step, ...]:
        self._grammar_error, self._rest = grammar_error(plain, tail)
        return plain.take_steps()


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise StatelangError(
            f"a trace is a text, not {type(text).__name__}; give a `str`, as `bytes.decode` does"
        )


def _clean(text: str) -> tuple[str, bool]:
    """A text up to the first lone surrogate, and whether there is one."""
    try:
        text.encode()
    except UnicodeEncodeError as surrogate:
        return text[: surrogate.start], True
    return text, False
