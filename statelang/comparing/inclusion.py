"""The shortest text that one grammar accepts and another does not, contracts aside.

Both byte machines are made deterministic while they are walked side by side, as sets of threads;
one byte stands for all that both take alike. The walk is A* with the distance to the end of the
first machine as its bound from below (Hart, Nilsson, Raphael 1968), so that the first witness is a
shortest one. Positions from which the same texts follow are made one (`quotient`), and a pair
of places is left where all that the first machine can do, the second can too.

With recursion there may be configurations without end, and the question is undecidable. Then the
walk stops at its limit, and what it knows is a length below which no text tells the two apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from attrs import define, field, frozen

from statelang.comparing.quotient import Classes
from statelang.regular.automaton import ALL_BYTES, Regular, lowest
from statelang.walking.machine import MAX_THREADS, Machine
from statelang.walking.places import Thread

LIMIT: Final = 30_000
_STEPS: Final = 20  # of single threads for each configuration of the limit
_DEEPEST: Final = 100  # calls within calls
_LETTERS: Final = sum(1 << byte for byte in b"abcdefghijklmnopqrstuvwxyz")
_OTHERS: Final = sum(1 << byte for byte in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")

Threads = frozenset[Thread]
Key = tuple[int, Regular | None, tuple[int, ...]]


@frozen
class Inclusion:
    """What is known of the texts of one grammar that another refuses.

    `witness` is a shortest one. Without it, `below` is the number of bytes under which there is
    none, and None where there is none at all. `configurations` is how many were looked at.
    """

    witness: str | None
    below: int | None
    configurations: int


@define
class Side:
    """One machine, with the classes of its positions, and what has been learnt of its threads.

    The machine walks without contracts: only its places count, not their registers.
    """

    machine: Machine
    classes: Classes
    _first: dict[int, int] = field(factory=dict)
    _canonical: dict[Thread, Thread] = field(factory=dict)
    _keys: dict[Thread, Key] = field(factory=dict)
    _partitions: dict[Thread, tuple[int, ...]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for place, number in enumerate(self.classes):
            self._first.setdefault(number, place)

    def start(self) -> Threads:
        entry = self.machine.thread(self.machine.program.entry, None, (), None)
        return frozenset((self._one(entry),))

    def after(self, threads: Threads, byte: int) -> Threads:
        moves = (move for thread in threads for move in self.machine.moves(thread, byte))
        return frozenset(self._one(move.thread) for move in moves if move.thread is not None)

    def ends(self, threads: Threads) -> bool:
        return any(
            exit_.read is None
            for thread in threads
            if thread.left is None or thread.left.nullable
            for exit_ in self.machine.exits(thread)
        )

    def distance(self, threads: Threads) -> int:
        """Bytes of the shortest way to the end."""
        return min(map(self.machine.low, threads))

    def key(self, thread: Thread) -> Key:
        """What a thread is, in terms that both sides share."""
        return self._keys[thread]

    def partition(self, threads: Threads) -> tuple[int, ...]:
        """Sets of bytes that every thread takes alike."""
        parts: tuple[int, ...] = (ALL_BYTES,)
        for thread in threads:
            if thread not in self._partitions:
                self._partitions[thread] = self._partition(thread)
            parts = refine(parts, self._partitions[thread])
        return parts

    def _partition(self, thread: Thread) -> tuple[int, ...]:
        parts = thread.left.classes if thread.left else (ALL_BYTES,)
        if thread.left is None or thread.left.nullable:
            for exit_ in self.machine.exits(thread):
                if exit_.read is not None:
                    parts = refine(parts, exit_.read.language.classes)
        return parts

    def _one(self, thread: Thread) -> Thread:
        """The thread that stands for all those of the same classes."""
        found = self._canonical.get(thread)
        if found is None:
            places = [self._first[self.classes[thread.place]]]
            stack = thread.stack
            while stack is not None:
                places.append(self._first[self.classes[stack.place]])
                stack = stack.below
            # A position without edges only returns: to the one below, or to the end of the trace.
            places = [place for place in places if self.machine.program.edges[place]] or places[-1:]
            for place in reversed(places[1:]):
                stack = self.machine.calling(place, stack)
            found = self.machine.thread(places[0], thread.left, (), stack)
            self._canonical[thread] = found
            self._keys[found] = self._key(found, places)
        return found

    def _key(self, thread: Thread, places: list[int]) -> Key:
        return self.classes[places[0]], thread.left, tuple(self.classes[p] for p in places[1:])


def compare(
    ours: Side, theirs: Side, simulated: frozenset[tuple[int, int]], limit: int = LIMIT
) -> Inclusion:
    """Look for a shortest text of `ours` that is none of `theirs`, in at most `limit` pairs.

    `simulated` holds pairs of classes of positions, of which the second can do all that the first
    can.
    """
    begin = ours.start(), theirs.start()
    path: list[tuple[int, int]] = [(-1, 0)]  # of each queued entry: the one before it, its byte
    queue = [(ours.distance(begin[0]), 0, 0, begin)]
    seen: set[tuple[Threads, Threads]] = set()
    left_out: list[int] = []
    steps = limit * _STEPS
    while queue:
        bound, minus_length, index, pair = heappop(queue)
        here, there = pair
        if pair in seen or _covered(map(ours.key, here), [*map(theirs.key, there)], simulated):
            continue
        seen.add(pair)
        if ours.ends(here) and not theirs.ends(there):
            return Inclusion(_text(path, index), bound, len(seen))
        if len(seen) >= limit or steps <= 0:
            return Inclusion(None, min([bound, *left_out]), len(seen))
        if any(len(side) > MAX_THREADS or any(map(_is_deep, side)) for side in pair):
            left_out.append(bound)
            continue
        for byte in _bytes(refine(ours.partition(here), theirs.partition(there))):
            steps -= len(here) + len(there)
            after = ours.after(here, byte)
            onward = after, theirs.after(there, byte)
            if after and onward not in seen:
                path.append((index, byte))
                far = 1 - minus_length + ours.distance(after)
                heappush(queue, (far, minus_length - 1, len(path) - 1, onward))
    return Inclusion(None, min(left_out, default=None), len(seen))


def _covered(keys: Iterable[Key], others: list[Key], simulated: frozenset[tuple[int, int]]) -> bool:
    """Whether all that the threads can do, some other thread can do too."""
    return all(
        any(
            left is wide
            and len(stack) == len(below)
            and (place, onward) in simulated
            and all(pair in simulated for pair in zip(stack, below, strict=True))
            for onward, wide, below in others
        )
        for place, left, stack in keys
    )


def refine(parts: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    """The coarsest partition that is finer than both."""
    return parts if parts == more else tuple(a & b for a in parts for b in more if a & b)


def _bytes(parts: tuple[int, ...]) -> list[int]:
    """One byte of each part, a letter where there is one; the same in every run."""
    return sorted(lowest(part & _LETTERS or part & _OTHERS or part) for part in parts)


def _text(path: list[tuple[int, int]], index: int) -> str:
    found = bytearray()
    while index:
        index, byte = path[index]
        found.append(byte)
    return bytes(reversed(found)).decode()


def _is_deep(thread: Thread) -> bool:
    depth, stack = 0, thread.stack
    while stack is not None and depth <= _DEEPEST:
        depth, stack = depth + 1, stack.below
    return depth > _DEEPEST
