"""Events as plain functions, for stretches of a trace that are read at once.

They do to an `Env` what `Event.happen` does, with two differences that make them cheap: `slots` is
a list while they act, and a step that is complete is told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import frozen

from statelang.clauses.values import Undefined
from statelang.compiling.env import Clause, Env, Frames, Trail
from statelang.compiling.events import (
    BeginSpan,
    CloseAction,
    CloseScope,
    EndSpan,
    Event,
    Gate,
    OpenAction,
    OpenScope,
    PopFrame,
    PushFrame,
)
from statelang.walking.closures import closure

Told = tuple[int, int, int]  # a complete step: its action, its start and end in characters
Happening = Callable[[Any, "re.Match[str]", int, list[Told]], Clause | None]


@frozen
class Mark:
    """An event, before the text of a group or, if it is late, after it."""

    event: Event
    group: int
    late: bool


def happenings(marks: Sequence[Mark], groups: Sequence[int]) -> Iterator[Happening]:
    """What happens on a way; a field that begins and ends on it is written from its text."""
    began: list[int] = []
    fields: dict[int, int] = {}
    for index, mark in enumerate(marks):
        if isinstance(mark.event, BeginSpan):
            began.append(index)
        elif isinstance(mark.event, EndSpan) and began:
            fields[index] = began.pop()
    written = set(fields.values())
    for index, mark in enumerate(marks):
        if index in fields and isinstance(mark.event, EndSpan):
            yield _field(mark.event, _between(marks[fields[index]], mark, groups))
        elif index not in written:
            yield from _happening(mark.event, _place(mark))


def _place(mark: Mark) -> Callable[[re.Match[str]], int]:
    group = mark.group
    return (lambda found: found.end(group)) if mark.late else (lambda found: found.start(group))


Text = Callable[[Any, "re.Match[str]"], str]


def _between(start: Mark, end: Mark, groups: Sequence[int]) -> Text | int:
    """The text between two marks; the group, where it is one."""
    first = groups.index(start.group) + start.late
    last = groups.index(end.group) + end.late - 1
    if first == last:
        return groups[first]
    if first > last:
        return lambda env, found: ""
    one, other = groups[first], groups[last]
    return lambda env, found: found.string[found.start(one) : found.end(other)]


def _happening(event: Event, place: Callable[[re.Match[str]], int]) -> Iterator[Happening]:
    match event:
        case OpenAction():
            yield _opened(event, place)
        case CloseAction():
            yield _closed(event, place)
        case Gate(clauses=clauses):
            yield _judged(clauses)
        case OpenScope():
            if event.slots:
                yield _scope(event)
            if event.gates:
                yield _judged(event.gates)
        case CloseScope(clauses=clauses, sets=sets, keeping=None):
            for clause in clauses:
                yield _waiting(clause, clause.last)
            if sets:
                yield _set(sets)
        case EndSpan():  # of a field that began on an earlier way

            def text(env: Env, found: re.Match[str]) -> str:
                *starts, start = env.starts
                env.starts = tuple(starts)
                return found.string[start : place(found)]

            yield _field(event, text)
        case PushFrame(size=size):

            def push(env: Any, found: re.Match[str], base: int, told: list[Told]) -> None:
                env.frames = Frames(tuple(env.slots), env.frames)
                env.slots = [None] * size

            yield push
        case PopFrame():

            def pop(env: Any, found: re.Match[str], base: int, told: list[Told]) -> None:
                env.slots, env.frames = list(env.frames.slots), env.frames.outer

            yield pop
        case _:

            def happen(
                env: Any, found: re.Match[str], base: int, told: list[Told]
            ) -> Clause | None:
                env.slots = tuple(env.slots)
                broken = event.happen(env, b"", place(found), base)
                env.slots = list(env.slots)
                return broken

            yield happen


def _opened(event: OpenAction, place: Callable[[re.Match[str]], int]) -> Happening:
    action, size = event.action, event.size

    def opened(env: Any, found: re.Match[str], base: int, told: list[Told]) -> None:
        before = env.trail
        number = 1 if before is None else before.number + 1
        env.trail = Trail(action, base + place(found), -1, None, number)
        env.slots, env.frames, env.starts = [None] * size, None, ()

    return opened


def _closed(event: CloseAction, place: Callable[[re.Match[str]], int]) -> Happening:
    action, keep = event.action, event.keep

    def closed(env: Any, found: re.Match[str], base: int, told: list[Told]) -> None:
        counts = list(env.counts)
        counts[action] += 1
        env.counts = tuple(counts)
        if keep:
            env.lasts = {**env.lasts, action: tuple(env.slots)}
        trail, end = env.trail, base + place(found)
        told.append((trail.action, trail.start, end))
        env.trail = Trail(trail.action, trail.start, end, None, trail.number)
        env.slots, env.frames, env.starts = (), None, ()

    return closed


def _judged(clauses: Sequence[Clause]) -> Happening:
    conditions = [(closure(clause.expression), clause) for clause in clauses]
    if len(conditions) == 1:
        ((condition, one),) = conditions

        def judged_one(
            env: Any, found: re.Match[str], base: int, told: list[Told]
        ) -> Clause | None:
            try:
                return None if condition(env) else one
            except Undefined:
                return one

        return judged_one

    def judged(env: Any, found: re.Match[str], base: int, told: list[Told]) -> Clause | None:
        for holds, clause in conditions:
            try:
                if not holds(env):
                    return clause
            except Undefined:
                return clause
        return None

    return judged


def _waiting(clause: Clause, last: int | None) -> Happening:
    judged = _judged((clause,))
    if last is None:
        return judged

    def waiting(env: Env, found: re.Match[str], base: int, told: list[Told]) -> Clause | None:
        return judged(env, found, base, told) if env.slots[last] is None else None

    return waiting


def _scope(event: OpenScope) -> Happening:
    slots, opening = event.slots, event.opening

    def opened(env: Any, found: re.Match[str], base: int, told: list[Told]) -> None:
        for slot in slots:
            env.slots[slot] = None
        if opening is not None:
            env.slots[opening] = env.registers

    return opened


def _set(sets: Sequence[tuple[int, Any, Clause]]) -> Happening:
    values = [(i, t.name == "map", closure(c.expression), c) for i, t, c in sets]

    def set_(env: Any, found: re.Match[str], base: int, told: list[Told]) -> Clause | None:
        registers = list(env.registers)
        for index, is_map, value, clause in values:
            try:
                due = value(env)
            except Undefined:
                return clause
            registers[index] = {} if is_map and not due else due
        env.registers = tuple(registers)
        return None

    return set_


def _one_field(slot: int, group: int, clause: Clause) -> Happening:
    condition = closure(clause.expression)

    def happen(env: Any, found: re.Match[str], base: int, told: list[Told]) -> Clause | None:
        env.slots[slot] = found[group]
        try:
            return None if condition(env) else clause
        except Undefined:
            return clause

    return happen


def _field(event: EndSpan, text: Text | int) -> Happening:
    """Write a field, and judge what it decides."""
    slots = event.slots
    if isinstance(text, int) and len(slots) == 1 and not slots[0][1]:
        slot, group = slots[0][0], text
        if len(event.clauses) == 1:
            return _one_field(slot, group, event.clauses[0])

        def write(env: Any, found: re.Match[str], base: int, told: list[Told]) -> Clause | None:
            env.slots[slot] = found[group]
            return None

    else:

        def write(env: Any, found: re.Match[str], base: int, told: list[Told]) -> Clause | None:
            read = found[text] if isinstance(text, int) else text(env, found)
            for slot, is_list in slots:
                env.slots[slot] = (*(env.slots[slot] or ()), read) if is_list else read
            return None

    if not event.clauses:
        return write
    judged = _judged(event.clauses)

    def happen(env: Any, found: re.Match[str], base: int, told: list[Told]) -> Clause | None:
        write(env, found, base, told)
        return judged(env, found, base, told)

    return happen
