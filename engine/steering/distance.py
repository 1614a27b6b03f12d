"""The least number of tokens from a place to the end of the trace, contracts aside.

Places form a graph whose arcs are tokens. It is walked from where somebody asks, and the distances
are counted backwards from the ends. A contract only closes ways, so with contracts they are lower
bounds. A rule that calls itself is walked `_DEEPEST` calls deep: deeper ways are not shorter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from attrs import define

from statelang.engine.masks.bounds import FAR
from statelang.engine.masks.sweep import Automaton
from statelang.engine.masks.tables import Control, Tables
from statelang.regular.automaton import ANYTHING, Regular, either, lowest, repeat, then
from statelang.walking.places import Thread

_MAX_NODES: Final = 6_000
_MAX_KNOWN: Final = 100_000
_DEEPEST: Final = 4
_LONG: Final = 16  # repetitions, from which a minimum is not counted out


@define(eq=False)
class _Node:
    """The places that one token may lead to; None where they are not walked."""

    after: tuple[Thread, ...] | None = None
    least: int = FAR


class Distances:
    """Distances over one machine and one vocabulary."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.machine = tables.machine
        self.vocabulary = tables.vocabulary
        self._nodes: dict[Thread, _Node] = {}
        self._known: dict[Thread, int] = {}
        self._places: Automaton[Control] = Automaton(self._onward)

    def least(self, control: Control) -> int:
        """Tokens from some places to the end, stop token included. FAR where there is no way."""
        return min(map(self._least, control), default=FAR)

    def is_deep(self, control: Control) -> bool:
        """Whether some place lies within so many calls that little is known of its distance."""
        return any(_depth(thread) > _DEEPEST for thread in control)

    def _least(self, thread: Thread) -> int:
        found = self._known.get(thread)
        if found is None:
            relaxed = self._relaxed(thread)
            if relaxed not in self._nodes:
                self._walk(relaxed)
            if len(self._known) > _MAX_KNOWN:
                self._known.clear()
            found = self._known[thread] = self._nodes[relaxed].least
        return found

    def _relaxed(self, thread: Thread) -> Thread:
        """A place without upper bounds, long lower ones and guards around it: no way is longer."""
        left = None if thread.left is None else _unbounded(thread.left)
        guards = (ANYTHING,) * len(thread.guards)
        if left is thread.left and guards == thread.guards:
            return thread
        return self.machine.thread(thread.place, left, guards, thread.stack)

    def _onward(self, control: Control) -> Iterator[tuple[int, Control]]:
        for byte_set in self.tables.kinds(control):
            after = dict.fromkeys(
                self._relaxed(thread) for thread in self.tables.after(control, lowest(byte_set))[0]
            )
            if after:
                yield byte_set, tuple(after)

    def _walk(self, start: Thread) -> None:
        """Walk on from a place that has not been met, and count back from the ends."""
        if len(self._nodes) > _MAX_NODES:
            self._nodes.clear()
        new: dict[Thread, _Node] = {}
        todo = [start]
        while todo:
            thread = todo.pop()
            if thread in self._nodes:
                continue
            node = self._nodes[thread] = new[thread] = _Node()
            if len(new) < _MAX_NODES and _depth(thread) <= _DEEPEST:
                node.after = self._after(thread)
                todo += [after for after in node.after if _depth(after) <= _DEEPEST]
        self._count(new)

    def _after(self, thread: Thread) -> tuple[Thread, ...]:
        _, states = self._places.tokens(self.vocabulary.trie, (thread,))
        present = np.flatnonzero(np.bincount(states)).tolist()
        return tuple(dict.fromkeys(t for state in present for t in self._places.key(state)))

    def _count(self, new: dict[Thread, _Node]) -> None:
        """Level by level from the ends and from what is known; of a place that is not walked no
        more is known than its bytes."""
        before: dict[Thread, list[Thread]] = {}
        levels: dict[int, list[Thread]] = {}
        longest = max(1, self.vocabulary.longest)
        for thread, node in new.items():
            if node.after is None:
                levels.setdefault(1 - (-self.machine.low(thread) // longest), []).append(thread)
                continue
            if self._ends(thread):
                levels.setdefault(1, []).append(thread)
            for after in node.after:
                if after in new:
                    before.setdefault(after, []).append(thread)
                elif after in self._nodes and self._nodes[after].least < FAR:
                    levels.setdefault(self._nodes[after].least + 1, []).append(thread)
        while levels:
            level = min(levels)
            for thread in levels.pop(level):
                if new[thread].least > level:
                    new[thread].least = level
                    levels.setdefault(level + 1, []).extend(before.get(thread, ()))

    def _ends(self, thread: Thread) -> bool:
        complete = thread.left is None or thread.left.nullable
        return complete and any(exit_.read is None for exit_ in self.machine.exits(thread))


def _depth(thread: Thread) -> int:
    """Calls to come back from."""
    depth, stack = 0, thread.stack
    while stack is not None:
        depth, stack = depth + 1, stack.below
    return depth


@lru_cache(maxsize=100_000)
def _unbounded(left: Regular) -> Regular:
    match left.kind, left.parts:
        case "then", (Regular() as first, Regular() as second):
            return then(_unbounded(first), _unbounded(second))
        case "either", parts:
            return either(*(_unbounded(part) for part in parts if isinstance(part, Regular)))
        case "repeat", (Regular() as item, int() as low, high):
            assert high is None or isinstance(high, int)
            most = high if high is not None and high < 2 else None
            return repeat(item, min(low, _LONG), most)
    return left
