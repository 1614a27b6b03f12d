"""The first illegal step of a trace: where it stands, what was legal there, what a clause saw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import attrs
from attrs import frozen

from statelang.clauses.expression import Count, Expression, Field, Last, Register
from statelang.clauses.values import Undefined, Value, spell
from statelang.compiling.env import Broken, Env
from statelang.engine.verdicts.first_error import ways_on
from statelang.engine.verdicts.verdict import Verdict
from statelang.source import Source
from statelang.space import StateSpace
from statelang.traces.alignment import control
from statelang.walking.machine import Blame, Configuration, Machine

_WIDTH: Final = 80  # characters of a value that are shown
_MOST_ITEMS: Final = 20


@frozen
class Fault:
    """The first illegal step.

    `step`, `line` and `column` count from 1; `start` is where the step begins, in characters;
    `rule` is the clause that breaks, or what is wrong with the grammar. `states` are where the
    trace stood before the step (several where the order of steps does not decide it), `legal` the
    actions that were open there, and `the end`. For a clause `place` is its line in the grammar
    file, and `saw` the values it was judged on, by name.
    """

    step: int
    line: int
    column: int
    start: int
    rule: str
    message: str
    states: tuple[str, ...]
    legal: tuple[str, ...]
    place: int | None = None
    saw: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=32)
def _judging(space: StateSpace) -> Machine:
    return Machine(space, guards=False)


def find_fault(
    space: StateSpace, verdict: Verdict, data: bytes, problem: Mapping[str, Any] | None = None
) -> Fault:
    """The first illegal step of a trace whose verdict is against it: of what the contracts forbid
    and what the grammar does not read, that which stands first."""
    judging = _judging(space)
    source = Source(data.decode(errors="replace"))
    at = before = judging.start(problem)
    offset = 0
    for step in verdict.steps:
        end = offset + len(source.text[step.start : step.end].encode())
        blame = Blame()
        after = judging.advance(at, data[offset:end], blame)
        if after is None:
            return _broken(space, verdict, source, data, at, blame, step.action)
        before, at, offset = at, after, end
    if verdict.grammar:
        blame = Blame()
        judging.ends(at, blame)
        return _broken(space, verdict, source, data, at, blame, None)
    error = verdict.error
    assert error is not None
    inside = error.step <= len(verdict.steps)
    legal = _legal(judging, before if inside else at)
    start = verdict.steps[error.step - 1].start if inside else len(source.text)
    states = _states(space, verdict, error.step)
    return Fault(
        error.step, error.line, error.column, start, error.rule, error.message, states, legal
    )


def _broken(
    space: StateSpace,
    verdict: Verdict,
    source: Source,
    data: bytes,
    at: Configuration,
    blame: Blame,
    action: str | None,
) -> Fault:
    """The clause that ends every reading of a step: of those on its own action the furthest."""

    def is_written(env: Env) -> bool:
        trail = env.trail
        return trail is None or trail.end >= 0 or space.program.actions[trail.action] == action

    entries = [entry for entry in blame.entries if is_written(entry[1].env)] or blame.entries
    offset, broken = max(entries, key=lambda entry: entry[0])
    trail = broken.env.trail
    number = 1 if trail is None else trail.number + (trail.end >= 0)
    line, column = source.position(len(data[:offset].decode(errors="replace")))
    inside = number <= len(verdict.steps)
    name = f"`{verdict.steps[number - 1].action}`" if inside else "the end"
    return Fault(
        step=number,
        line=line,
        column=column,
        start=verdict.steps[number - 1].start if inside else len(source.text),
        rule=broken.clause.text,
        message=f"step {number}, {name}: `{broken.clause.text}` does not hold",
        states=_states(space, verdict, number),
        legal=_legal(_judging(space), at),
        place=space.source.position(broken.clause.span.start)[0],
        saw=tuple(_saw(space, broken)),
    )


def _states(space: StateSpace, verdict: Verdict, step: int) -> tuple[str, ...]:
    places = control(space).after(one.action for one in verdict.steps[: step - 1])
    return tuple(dict.fromkeys(place.state if place else "the end" for place in places))


def _legal(machine: Machine, at: Configuration) -> tuple[str, ...]:
    """The actions that may begin at a place between two steps, and `the end`."""
    ways = ways_on(machine, at)
    return tuple(dict.fromkeys(name for kind, name in ways if kind in ("action", "end")))


# ---- what a clause saw -----------------------------------------------------------------------


def _saw(space: StateSpace, broken: Broken) -> Iterator[tuple[str, str]]:
    """Fields, registers and counts of a clause with their values, each once."""
    program, seen = space.program, set()
    for one in _names(broken.clause.expression):
        match one:
            case Field():
                name = one.name
            case Register():
                name = program.registers[one.index][0]
            case Count():
                name = f"count({program.actions[one.action]})"
            case Last():
                action, _, path = one.name.partition(".")
                name = f"last({action}).{path}"
            case _:
                continue
        if name in seen:
            continue
        seen.add(name)
        try:
            shown = _shown(one.evaluate(broken.env))
        except Undefined as undefined:
            shown = f"undefined: {undefined}"
        yield name, shown if len(shown) <= _WIDTH else shown[: _WIDTH - 3] + "..."


def _names(value: object) -> Iterator[Expression]:
    """An expression and all within it."""
    if isinstance(value, Expression):
        yield value
        for field in attrs.fields(type(value)):
            yield from _names(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _names(item)


def _shown(value: Value) -> str:
    """A value as the contract language writes it, the first items of a long one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Fraction)):
        try:
            return spell(value)
        except Undefined:
            return "a number that no decimals spell"
    if isinstance(value, str):
        return f'"{value}"'.replace("\n", "\\n")
    if isinstance(value, Mapping):
        items = [f"{_shown(key)}: {_shown(item)}" for key, item in _some(value.items())]
        return "{" + ", ".join(items) + "}"
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(_shown(item) for item in _some(value))) + "}"
    return "[" + ", ".join(_shown(item) for item in _some(value)) + "]"


def _some(items: Iterable[Any]) -> Iterator[Any]:
    return islice(items, _MOST_ITEMS)
