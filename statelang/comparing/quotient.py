"""Positions of programs from which the same texts follow, as far as their shape tells.

Partition refinement (Moore 1956) over positions of several programs at once: two positions stay
together while they read the same languages and make equivalent calls, towards equivalent positions.
So programs that differ in names, order, layout or contracts only are recognised as the same, with
recursion too. Positions in different classes may still be followed by the same texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from attrs import define, field, frozen

from statelang.compiling.program import Call, Program, Read
from statelang.regular.automaton import Regular, TooComplex, both, other_than

_MAX_WORK: Final = 3_000_000  # edges looked at
_MAX_CLASSES: Final = 600
_MAX_LANGUAGES: Final = 5_000  # pairs of them that are compared

Classes = tuple[int, ...]  # of each position


@frozen
class Ways:
    """What can happen next at a position, passing edges that read nothing."""

    ends: bool
    reads: frozenset[tuple[Regular, int]]  # (language, target)
    calls: frozenset[tuple[int, int]]  # (entry, target)


@frozen
class Quotient:
    """The class of every position of every program, and what can happen next in each class.

    The numbers of classes mean the same in all the programs. Without `ways`, they are not known.
    """

    classes: tuple[Classes, ...]
    ways: tuple[Ways, ...]


def quotient(programs: Sequence[Program]) -> Quotient:
    """Put positions into classes. Where that takes too long, each is a class of its own."""
    starts = list(accumulate((len(program.edges) for program in programs), initial=0))
    ways: list[Ways] = []
    budget = _MAX_WORK
    for program, start in zip(programs, starts, strict=False):
        for place in range(len(program.edges)):
            way, cost = _ways(program, place, start, budget)
            budget -= cost
            ways.append(way)
    classes = list(range(len(ways))) if budget < 0 else _refined(ways, budget)
    found = tuple(tuple(classes[a:b]) for a, b in pairwise(starts))
    if budget < 0:  # the ways are not all known: nothing may be concluded from them
        return Quotient(found, ())
    merged = {number: _seen(way, classes) for number, way in zip(classes, ways, strict=True)}
    return Quotient(found, tuple(merged[number] for number in sorted(merged)))


def _refined(ways: list[Ways], budget: int) -> list[int]:
    size = sum(1 + len(way.reads) + len(way.calls) for way in ways)
    classes, count = [0] * len(ways), 1
    for _ in range(budget // size):
        numbers: dict[Ways, int] = {}
        classes = [numbers.setdefault(_seen(way, classes), len(numbers)) for way in ways]
        if len(numbers) == count:
            return classes
        count = len(numbers)
    return list(range(len(ways)))


def _seen(way: Ways, classes: list[int]) -> Ways:
    """The same with classes for positions."""
    return Ways(
        way.ends,
        frozenset((language, classes[target]) for language, target in way.reads),
        frozenset((classes[entry], classes[target]) for entry, target in way.calls),
    )


def _ways(program: Program, place: int, start: int, budget: int) -> tuple[Ways, int]:
    """The ways on from a position, numbered from `start`, and the edges looked at."""
    ends, reads, calls = False, set(), set()
    seen, todo, cost = {place}, [place], 0
    while todo and cost <= budget:
        edges = program.edges[todo.pop()]
        cost += 1 + len(edges)
        ends |= not edges
        for edge in edges:
            if isinstance(edge, Read):
                reads.add((edge.language, start + edge.target))
            elif isinstance(edge, Call):
                calls.add((start + edge.entry, start + edge.target))
            elif edge.target not in seen:
                seen.add(edge.target)
                todo.append(edge.target)
    return Ways(ends, frozenset(reads), frozenset(calls)), cost


def simulation(ways: Sequence[Ways]) -> frozenset[tuple[int, int]]:
    """Pairs of classes of which the second can follow all that the first does (Milner 1971).

    So each text of the first is one of the second. The largest such relation, unless there are
    too many classes: then only the equal ones.
    """
    numbers = range(len(ways))
    if len(ways) > _MAX_CLASSES:
        return frozenset((number, number) for number in numbers)
    includes = _Includes()
    related = {
        (c, d)
        for c in numbers
        for d in numbers
        if c == d
        or (
            ways[c].ends <= ways[d].ends
            and bool(ways[c].calls) <= bool(ways[d].calls)
            and bool(ways[c].reads) <= bool(ways[d].reads)
            and _follows(ways[c], ways[d], None, includes)
        )
    }
    while True:
        lost = {
            (c, d)
            for c, d in related
            if c != d and not _follows(ways[c], ways[d], related, includes)
        }
        if not lost:
            return frozenset(related)
        related -= lost


def _follows(
    one: Ways, other: Ways, related: set[tuple[int, int]] | None, includes: _Includes
) -> bool:
    """Whether each way of `one` is one of `other`; without `related`, targets do not matter."""
    return all(
        any(
            (related is None or (target, onward) in related) and includes(language, wider)
            for wider, onward in other.reads
        )
        for language, target in one.reads
    ) and all(
        related is None
        or any((e, entry) in related and (t, onward) in related for entry, onward in other.calls)
        for e, t in one.calls
    )


@define
class _Includes:
    """Whether one regular language is in another, as far as a bounded search tells."""

    known: dict[tuple[Regular, Regular], bool] = field(factory=dict)

    def __call__(self, narrow: Regular, wide: Regular) -> bool:
        if narrow is wide:
            return True
        pair = narrow, wide
        if pair not in self.known:
            if len(self.known) >= _MAX_LANGUAGES:
                return False
            try:
                self.known[pair] = not both(narrow, other_than(wide)).live
            except TooComplex:
                self.known[pair] = False
        return self.known[pair]
