"""Strides: stretches of a trace that are read at once, where one character decides each turn.

From a place between two texts the ways on form a tree: each exit reads a terminal or a literal and
leads to the next place. Where no two ways can read the same text (each is left apart from the next
by one character), the tree is one pattern of Python's `re`, whose match is the only reading that
the byte machine would have kept, and the events on that way happen one after the other. A place
that is not like that has no stride, and is walked byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from attrs import define, field, frozen

from statelang.compiling.events import (
    CloseAction,
    Event,
)
from statelang.regular.automaton import EMPTY, NOTHING, Regular, lowest
from statelang.walking.characters import Form, Ranges, Unfit, apart, character_class, form, united
from statelang.walking.happenings import Happening, Mark, happenings
from statelang.walking.machine import Machine
from statelang.walking.places import Exit, Thread

_MOST_WAYS: Final = 8  # of one stride
_MOST_EXITS: Final = 64  # of one place: each is compared with each
_MOST_READS: Final = 40  # one after the other
_MOST_PAIRS: Final = 500  # states in which two texts are compared
_VISITS: Final = 4  # of a place before its stride is made: a pattern costs a millisecond
_MOST_KNOWN: Final = 5_000  # places that are remembered


@define(eq=False)
class Way:
    """One way through a stride: what happens on it, and where it leads. `closes` says that a
    step is complete on it; `next` is the stride from where it leads, once that is known."""

    happenings: tuple[Happening, ...]
    thread: Thread
    closes: bool
    next: Stride | None = None


@frozen(eq=False)
class Stride:
    """All ways on from a place: `match(text, at)` finds one, and `ways[match.lastindex]` is it."""

    match: Callable[[str, int], re.Match[str] | None]
    ways: dict[int | None, Way]


class Strides:
    """The strides of one machine, made where a place is visited often. The machine's guards must be
    off: a guard depends on registers."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._known: dict[Thread, Stride | int | None] = {}

    def of(self, thread: Thread) -> Stride | None:
        """The stride from a place, if it has one."""
        known = self._known.get(thread, 0)
        if isinstance(known, int):
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            known += 1
            self._known[thread] = known if known < _VISITS else _grown(self.machine, thread)
            return None
        return known


def _grown(machine: Machine, thread: Thread) -> Stride | None:
    tree = _Tree(machine)
    try:
        pattern = tree.grow(thread, _Path((), (), frozenset(), False))
    except Unfit:
        return None
    return Stride(re.compile(pattern).match, tree.ways)


@frozen
class _Path:
    """How a place of the tree was reached."""

    marks: tuple[Mark, ...]
    groups: tuple[int, ...]
    passed: frozenset[Thread]
    closed: bool


@define(eq=False)
class _Tree:
    machine: Machine
    ways: dict[int | None, Way] = field(factory=dict)
    groups: int = 0
    left: int = _MOST_WAYS

    def grow(self, thread: Thread, path: _Path) -> str:
        """The pattern of all that may follow. Raises Unfit."""
        if thread.left is not None or thread.guards:
            raise Unfit
        exits = [(e, form(e.read.language)) for e in self.machine.exits(thread) if e.read]
        if not 0 < len(exits) <= _MOST_EXITS:
            raise Unfit
        targets = [_after(self.machine, e) for e, _ in exits]
        doubts = [_doubtful(i, exits, targets, self.machine) for i in range(len(exits))]
        patterns = []
        self.left -= len(exits) - 1
        for (exit_, text), (target, after), doubtful in zip(exits, targets, doubts, strict=True):
            self.groups += 1
            group = self.groups
            marks = (
                *path.marks,
                *(Mark(event, group, False) for event in exit_.events),
                *(Mark(event, group, True) for event in after),
            )
            ends = any(isinstance(e, CloseAction) for e in (*exit_.events, *after))
            groups = (*path.groups, group)
            step = _Path(marks, groups, path.passed | {thread}, path.closed or ends)
            patterns.append(f"({text.pattern})" + self._on(target, step, text, doubtful))
        return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"

    def _on(self, target: Thread, path: _Path, text: Form, doubtful: bool) -> str:
        """What follows a text: the next places, or the end of the way."""
        follow, _ = _follow(self.machine, target)
        if not apart(text.more, follow):
            raise Unfit
        again = target in path.passed or path.closed or len(path.passed) >= _MOST_READS
        if not again and follow and self.left >= len(self.machine.exits(target)):
            before = self.groups, self.left, dict(self.ways)
            try:
                return self.grow(target, path)
            except Unfit:
                self.groups, self.left, self.ways = before
        self.groups += 1
        what = tuple(happenings(path.marks, path.groups))
        self.ways[self.groups] = Way(what, target, path.closed)
        sure = not text.more and not doubtful
        return "()" if sure else f"(?={character_class(follow)})()" if follow else "(?!)()"


def _after(machine: Machine, exit_: Exit) -> tuple[Thread, tuple[Event, ...]]:
    """Where an exit leads once its text is complete, and what happens then."""
    assert exit_.read is not None
    place, stack, kept, after = machine.settle(exit_.read.target, exit_.stack, EMPTY, exit_.guards)
    if kept is None:
        raise Unfit
    return machine.thread(place, None, kept, stack), after


def _follow(machine: Machine, thread: Thread) -> tuple[Ranges, bool]:
    """The characters that may come next at a place, and whether the trace may end there."""
    exits = machine.exits(thread)
    texts = [form(exit_.read.language) for exit_ in exits if exit_.read is not None]
    if any(text.nullable for text in texts):
        raise Unfit
    return united(text.first for text in texts), any(exit_.read is None for exit_ in exits)


def _doubtful(
    index: int,
    exits: list[tuple[Exit, Form]],
    targets: list[tuple[Thread, tuple[Event, ...]]],
    machine: Machine,
) -> bool:
    """Whether only the character after a text tells it from another exit's. Raises Unfit where not
    even that does."""
    own = exits[index][1]
    if own.nullable:
        raise Unfit
    next_, may_end = _follow(machine, targets[index][0])
    doubtful = False
    for other, (rival, text) in enumerate(exits):
        if other == index or apart(own.first, text.first):
            continue
        first, second = exits[index][0].read, rival.read
        assert first is not None and second is not None
        for goes_on in _shared(first.language, second.language):
            doubtful = True
            if any(goes_on.step(byte) is not NOTHING for byte in _leads(next_)):
                raise Unfit
            rival_next, rival_end = _follow(machine, targets[other][0])
            both_end = may_end and rival_end
            if goes_on.nullable and (both_end or not apart(next_, rival_next)):
                raise Unfit
    return doubtful


def _shared(first: Regular, second: Regular) -> Iterator[Regular]:
    """What is left of the second language after each text of the first that begins it."""
    todo, seen = [(first, second)], {(first, second)}
    while todo:
        one, two = todo.pop()
        if one.nullable:
            yield two
        for kind in {a & b for a in one.classes for b in two.classes if a & b}:
            pair = one.step(lowest(kind)), two.step(lowest(kind))
            if NOTHING not in pair and pair not in seen:
                if len(seen) > _MOST_PAIRS:
                    raise Unfit
                seen.add(pair)
                todo.append(pair)


def _leads(characters: Ranges) -> set[int]:
    """The first bytes of characters, in UTF-8."""
    return {
        byte
        for low, high in characters
        for byte in range(chr(low).encode()[0], chr(high).encode()[0] + 1)
    }
