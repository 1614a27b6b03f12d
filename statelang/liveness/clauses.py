"""Every clause of a program, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from statelang.clauses import expression as ex
from statelang.compiling.env import Clause
from statelang.compiling.events import BeginSpan, CloseScope, EndSpan, Gate, OpenAction, OpenScope
from statelang.compiling.program import Call, Program


def all_clauses(program: Program) -> Iterator[Clause]:
    """Conditions and `set` lines, in the order of the positions; some more than once."""
    for edges in program.edges:
        for edge in edges:
            yield from clauses_of(getattr(edge, "event", None))


def clauses_of(event: Any) -> Iterator[Clause]:
    """Conditions and `set` lines of one event."""
    match event:
        case Gate(clauses=clauses) | EndSpan(clauses=clauses):
            yield from clauses
        case OpenScope(gates=gates):
            yield from gates
        case BeginSpan(guards=guards):
            yield from (clause for _, clause in guards)
        case CloseScope(clauses=clauses, sets=sets):
            yield from clauses
            yield from (clause for _, _, clause in sets)


def constants(program: Program) -> Iterator[int]:
    """Ghost registers that no step sets: they keep their first value."""
    changed = {
        index
        for edges in program.edges
        for edge in edges
        if isinstance(event := getattr(edge, "event", None), CloseScope)
        for index, _, _ in event.sets
    }
    for index, (_, _, initial) in enumerate(program.registers):
        if isinstance(initial, ex.Constant) and index not in changed and index != program.tools:
            yield index


def shape(expression: ex.Expression) -> tuple[object, ...]:
    """What an expression says, wherever its fields are kept: the same for all uses of a rule."""
    names = ("name", "index", "action", "relation", "function")
    return tuple(
        (type(part).__name__, *(str(getattr(part, name)) for name in names if _plain(part, name)))
        for part in ex.parts([expression])
    ) + tuple(repr(p.value) for p in ex.parts([expression]) if isinstance(p, ex.Constant))


def _plain(part: ex.Expression, name: str) -> bool:
    return isinstance(getattr(part, name, None), (str, int))


def needed(program: Program) -> list[frozenset[int]]:
    """For each position the fields, as slots, and the clauses, as ids, that matter from there on.

    What was read in one round of a repetition is forgotten in the next: walks that differ in
    nothing else are one.
    """
    uses: list[frozenset[int]] = [frozenset()] * len(program.edges)
    users: dict[int, list[int]] = {}
    for place, edges in enumerate(program.edges):
        for edge in edges:
            users.setdefault(edge.target, []).append(place)
    todo = list(range(len(program.edges)))
    while todo:
        place = todo.pop()
        found: set[int] = set()
        for edge in program.edges[place]:
            found |= _before(getattr(edge, "event", None), uses[edge.target])
        if not found <= uses[place]:
            uses[place] = frozenset(found)
            todo += users.get(place, ())
    return uses


def landing(program: Program, place: int) -> int:
    """The next position where there is a choice, an event, or a state."""
    while place not in program.states and len(program.edges[place]) == 1:
        (edge,) = program.edges[place]
        if isinstance(edge, Call) or getattr(edge, "event", None) is not None:
            break
        place = edge.target
    return place


def _before(event: Any, after: frozenset[int]) -> frozenset[int]:
    if isinstance(event, OpenAction):
        return frozenset()
    if isinstance(event, EndSpan):
        after -= {slot for slot, is_list in event.slots if not is_list}
    own = frozenset[int]().union(*(clause.expression.slots for clause in clauses_of(event)))
    if isinstance(event, CloseScope):
        own |= {id(clause) for clause in event.clauses}
    if isinstance(event, OpenScope):
        after -= set(event.slots)
    return after | own
