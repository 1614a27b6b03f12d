"""Which of a space's registers, counts and fields have finitely many values, and what these are.

A parameter of 64 bits can hold only those. Values are found by walking the program with one
register at a time, its own gates in force and everything else at any value it may have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from attrs import frozen

from statelang.clauses.values import Undefined, Value
from statelang.compiling.events import CloseScope, EndSpan, Event, Gate, OpenAction, OpenScope
from statelang.compiling.program import Call, Pass, Program, Read
from statelang.exports.reading import MAX_VALUES, Key, View, reads
from statelang.regular.automaton import NOTHING, Regular, TooComplex

MAX_COMBINATIONS: Final = 4_096
_LONGEST: Final = 200  # bytes of a text that may stand in a rule
_MAX_STEPS: Final = 200_000  # places, each with a value, that a walk may visit

Domains = Mapping[Key, tuple[Value | None, ...]]


def words(language: Regular, most: int = MAX_VALUES) -> tuple[str, ...] | None:
    """Every text of a language, shortest first; None where there are more than `most`."""
    found: list[str] = []
    todo = [(language, b"")]
    while todo:
        following: list[tuple[Regular, bytes]] = []
        for state, text in todo:
            if state.nullable:
                found.append(text.decode())
            for kind in state.classes:
                if len(following) > 16 * most:
                    return None
                for byte in (b for b in range(256) if kind >> b & 1):
                    after = state.step(byte)
                    try:
                        if after is NOTHING or not after.live:
                            break  # bytes of one class step alike
                    except TooComplex:
                        return None
                    following.append((after, text + bytes((byte,))))
        if len(found) > most or len(todo) > 16 * most or (todo and len(todo[0][1]) > _LONGEST):
            return None
        todo = following
    return tuple(found)


# ---- the program, looked over ----------------------------------------------------------------


@frozen
class Site:
    """An event, the action whose rule it stands in (-1 between steps), and whether it stands in a
    part that is in itself."""

    event: Event
    action: int
    recursive: bool


def sites(program: Program) -> Iterator[Site]:
    """Every event of the program."""
    inner: list[tuple[int, int]] = []
    for state in program.states:
        for edge in _reached(program, state):
            if isinstance(edge, Pass) and edge.event is not None:
                yield Site(edge.event, -1, False)
    seen = set()
    for entry, action in bodies(program).items():
        for edge in _reached(program, entry):
            if isinstance(edge, Call):
                inner.append((edge.entry, action))
            if not isinstance(edge, Read) and edge.event is not None:
                yield Site(edge.event, action, False)
    while inner:
        entry, action = inner.pop()
        if entry in seen:
            continue
        seen.add(entry)
        for edge in _reached(program, entry):
            if isinstance(edge, Call):
                inner.append((edge.entry, action))
            if not isinstance(edge, Read) and edge.event is not None:
                yield Site(edge.event, action, True)


def bodies(program: Program) -> dict[int, int]:
    """Where each action's body is entered."""
    found = {}
    for at, edges in enumerate(program.edges):
        for edge in edges:
            if isinstance(edge, Pass) and isinstance(edge.event, OpenAction):
                found[at] = edge.event.action
    return found


def _reached(program: Program, entry: int) -> Iterator[Read | Pass | Call]:
    """The edges of one body; those of a state lead to other states, which are bodies too."""
    seen, todo = {entry}, [entry]
    while todo:
        for edge in program.edges[todo.pop()]:
            yield edge
            if edge.target not in seen and edge.target not in program.states:
                seen.add(edge.target)
                todo.append(edge.target)


def fields(program: Program) -> dict[Key, tuple[str, ...]]:
    """The fields that are one terminal of few texts, each with the texts."""
    found: dict[Key, tuple[str, ...]] = {}
    bad: set[Key] = set()
    for entry, action in bodies(program).items():
        ends: dict[int, Regular] = {}
        edges = list(_reached(program, entry))
        for edge in edges:
            if isinstance(edge, Read):
                ends[edge.target] = edge.language
        by_position = {id(edge): at for at, row in enumerate(program.edges) for edge in row}
        for edge in edges:
            if not isinstance(edge, Pass) or not isinstance(edge.event, EndSpan):
                continue
            language = ends.get(by_position[id(edge)])
            texts = words(language) if language is not None else None
            for slot, is_list in edge.event.slots:
                key = ("slot", action, slot)
                if texts is None or is_list:
                    bad.add(key)
                else:
                    found[key] = tuple(dict.fromkeys((*found.get(key, ()), *texts)))
    return {key: texts for key, texts in found.items() if key not in bad}


def values_of(
    program: Program, register: int, first: Value, domains: Domains
) -> tuple[Value, ...] | None:
    """Every value that a number or text register may have; None where there are too many, or it
    depends on what is not finite."""
    key = ("register", 0, register)
    known: dict[Value, None] = {first: None}
    actions: dict[int, int | None] = {at: -1 for at in range(len(program.edges))}
    for at in _recursive(program):
        actions[at] = None
    for entry, action in bodies(program).items():
        for at in positions(program, entry):
            actions[at] = action
    returns = [e.target for row in program.edges for e in row if isinstance(e, Call)]
    seen = {(program.entry, first)}
    todo = [(program.entry, first)]
    while todo:
        at, value = todo.pop()
        following: list[tuple[int, Value]] = []
        if not program.edges[at]:
            following = [(target, value) for target in returns]
        for edge in program.edges[at]:
            event = None if isinstance(edge, Read) else edge.event
            if event is not None and not _may_pass(event, key, value, actions[at]):
                continue
            place = edge.entry if isinstance(edge, Call) else edge.target
            after = _after(event, key, value, actions[at], domains)
            if after is None:
                return None
            following += [(place, new) for new in after]
        for place, new in following:
            known[new] = None
            if len(known) > MAX_VALUES or len(seen) > _MAX_STEPS:
                return None
            if (place, new) not in seen:
                seen.add((place, new))
                todo.append((place, new))
    return tuple(known)


def positions(program: Program, entry: int) -> set[int]:
    """Those of one body; a body of states ends where other states begin."""
    seen, todo = {entry}, [entry]
    while todo:
        for edge in program.edges[todo.pop()]:
            if edge.target not in seen and edge.target not in program.states:
                seen.add(edge.target)
                todo.append(edge.target)
    return seen


def _recursive(program: Program) -> set[int]:
    """The positions of parts that are in themselves: no condition in them is carried."""
    known = {*program.states, *bodies(program)}
    calls = {e.entry for row in program.edges for e in row if isinstance(e, Call)} - known
    return {at for entry in calls for at in positions(program, entry)}


def _may_pass(event: Event, key: Key, value: Value, action: int | None) -> bool:
    if action is None:
        return True
    gates = event.gates if isinstance(event, OpenScope) else ()
    gates = event.clauses if isinstance(event, Gate) else gates
    for clause in gates:
        if reads(clause.expression, action) == frozenset((key,)):
            try:
                if not clause.expression.evaluate(View({key: value}, action)):  # type: ignore[arg-type]
                    return False
            except Undefined:
                return False
    return True


def _after(
    event: Event | None, key: Key, value: Value, action: int | None, domains: Domains
) -> set[Value] | None:
    """The values of a register after an event; None where they cannot be told."""
    if not isinstance(event, CloseScope) or action is None:
        return {value}
    for index, _, clause in event.sets:
        if index != key[2]:
            continue
        read = reads(clause.expression, action)
        if read is None or not all(one == key or one in domains for one in read):
            return None
        others = [one for one in read if one != key]
        found: set[Value] = set()
        for number, chosen in enumerate(product(*(domains[one] for one in others))):
            if number > MAX_COMBINATIONS:
                return None
            view = View({key: value, **dict(zip(others, chosen, strict=True))}, action)
            try:
                found.add(clause.expression.evaluate(view))  # type: ignore[arg-type]
            except Undefined:
                continue
        return found
    return {value}
