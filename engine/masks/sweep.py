"""Walk every token of a vocabulary at once, by an automaton that is made as it is walked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from statelang.engine.vocabularies.trie import Ints, Trie

DEAD: Final = 0
_NARROW: Final = 4  # ways on, up to which stepping in Python beats whole arrays
_BROAD: Final = 128  # ways on, from which nearly all tokens are taken
_MAX_STATES: Final = 20_000

Key = TypeVar("Key", bound=Hashable)


@lru_cache(maxsize=4_096)
def bytes_of(byte_set: int) -> Ints:
    """The members of a 256-bit set, ascending."""
    bits = np.frombuffer(byte_set.to_bytes(32, "little"), np.uint8)
    return np.flatnonzero(np.unpackbits(bits, bitorder="little")).astype(np.int32)


class Automaton(Generic[Key]):
    """A byte automaton over hashable keys, numbered from 1 as they are met; 0 is dead.

    Args:
        successors: The ways on from a key, as disjoint 256-bit sets of bytes, each with a key.
    """

    def __init__(self, successors: Callable[[Key], Iterable[tuple[int, Key]]]) -> None:
        self._successors = successors
        self.clear()

    def clear(self) -> None:
        """Forget every state."""
        self.keys: list[Key] = []
        self._ids: dict[Key, int] = {}
        self._arcs: dict[int, dict[int, int] | None] = {DEAD: {}}
        self._rows = np.zeros((64, 256), np.int32)

    def state(self, key: Key) -> int:
        """The number of a key."""
        found = self._ids.get(key)
        if found is None:
            self.keys.append(key)
            found = self._ids[key] = len(self.keys)
            if found == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        return found

    def key(self, state: int) -> Key:
        """The key of a number."""
        return self.keys[state - 1]

    def arcs(self, state: int) -> dict[int, int] | None:
        """The few ways on from a state, by byte; None where there are many."""
        if state not in self._arcs:
            few: dict[int, int] = {}
            for byte_set, key in list(self._successors(self.key(state))):
                target = self.state(key)
                members = bytes_of(byte_set)
                self._rows[state, members] = target
                if len(few) <= _NARROW:
                    few.update(dict.fromkeys(members[: _NARROW + 1].tolist(), target))
            self._arcs[state] = few if len(few) <= _NARROW else None
        return self._arcs[state]

    def steps(self, states: Ints, data: npt.NDArray[np.uint8]) -> Ints:
        """Each state after its byte."""
        for state in np.flatnonzero(np.bincount(states)).tolist():
            self.arcs(state)
        result: Ints = np.take(self._rows, states << 8 | data)  # half the time of two indices
        return result

    def tokens(
        self, trie: Trie, key: Key, within: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Ints, Ints]:
        """Every token that the automaton takes from a key, and the state each one leads to.

        Args:
            trie: The vocabulary.
            key: Where to start.
            within: The nodes to look at, each with all nodes above it; None for all.
        """
        if len(self.keys) > _MAX_STATES:
            self.clear()
        start = self.state(key)
        nodes: list[int] = []
        states: list[int] = []
        wide: list[tuple[int, int]] = []
        broad: list[tuple[Ints, Ints]] = []
        todo = [(0, start)]
        while todo:
            node, state = todo.pop()
            arcs = self.arcs(state)
            if arcs is None and within is None and self._is_broad(state):
                broad += self._below(trie, node, state)
                continue
            if arcs is None:
                wide.append((node, state))
                continue
            for byte, target in arcs.items():
                child = trie.child(node, byte)
                if child >= 0 and (within is None or within[child]):
                    nodes.append(child)
                    states.append(target)
                    todo.append((child, target))
        found = [(np.array(nodes, np.int32), np.array(states, np.int32))]
        if wide:
            found += self._wide(trie, np.array(wide, np.int32), within)
        spelled = _spelled(trie, *_joined(found))
        return _joined([spelled, *broad]) if broad else spelled

    def _is_broad(self, state: int) -> bool:
        """Whether most bytes lead on."""
        return int(np.count_nonzero(self._rows[state])) > _BROAD

    def _below(self, trie: Trie, node: int, start: int) -> Iterator[tuple[Ints, Ints]]:
        """By every node below one, a level at a time, which is a range: where most nodes are taken,
        leaving the others out would take longer than going on from them."""
        states = np.zeros(len(trie.labels), np.int32)
        states[node] = start
        low, high = int(trie.first[node]), int(trie.first[node + 1])
        while low < high:
            above = states[trie.parents[low - 1 : high - 1]]
            states[low:high] = self.steps(above, trie.labels[low:high])
            spelled = slice(trie.held[low], trie.held[high])
            found = states[trie.spellers[spelled]]
            taken = found != DEAD
            yield trie.ids[spelled][taken], found[taken]
            low, high = int(trie.first[low]), int(trie.first[high])

    def _wide(
        self, trie: Trie, wide: Ints, within: npt.NDArray[np.bool_] | None
    ) -> Iterable[tuple[Ints, Ints]]:
        nodes, states = wide[:, 0], wide[:, 1]
        while len(nodes):
            first = trie.first[nodes]
            counts = trie.first[nodes + 1] - first
            children, owners = _ranges(first, counts)
            states = states[owners]
            if within is not None:
                kept = within[children]
                children, states = children[kept], states[kept]
            states = self.steps(states, trie.labels[children])
            alive = states != DEAD
            nodes, states = children[alive], states[alive]
            yield nodes, states


def _ranges(first: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """`first[i], first[i] + 1, ...`, `counts[i]` of them, one after the other; and their `i`."""
    owners = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    shift = first - np.cumsum(counts, dtype=np.int32) + counts
    result: Ints = np.arange(len(owners), dtype=np.int32) + shift[owners]
    return result, owners


def _joined(found: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return np.concatenate([ids for ids, _ in found]), np.concatenate([s for _, s in found])


def _spelled(trie: Trie, nodes: Ints, states: Ints) -> tuple[Ints, Ints]:
    first = trie.held[nodes]
    at, owners = _ranges(first, trie.held[nodes + 1] - first)
    return trie.ids[at], states[owners]


def grouped(ids: Ints, states: Ints) -> list[tuple[int, Ints]]:
    """Tokens by their states, none of them dead: the states ascending, the tokens in order."""
    if not len(ids):
        return []
    order = np.argsort(states.astype(np.uint16), kind="stable")  # a radix sort, for short numbers
    ids, states = ids[order], states[order]
    starts = np.flatnonzero(np.diff(states, prepend=DEAD))
    return list(zip(states[starts].tolist(), np.split(ids, starts[1:]), strict=True))
