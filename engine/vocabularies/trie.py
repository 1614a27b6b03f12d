"""The tokens of a vocabulary by their bytes, in flat arrays.

Nodes are numbered level by level and, within a level, in the order of their bytes, so the children
of a node are neighbours: a walk of all tokens is a few array operations per level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
from attrs import frozen

Ints = npt.NDArray[np.int32]
Nodes = npt.NDArray[np.bool_]


@frozen(eq=False, slots=False)
class Trie:
    """Prefixes of tokens; node 0 is the empty one.

    `labels[n]` is the last byte of node `n`, `first[n]:first[n + 1]` are its children, and
    `ids[held[n]:held[n + 1]]` the tokens that it spells. A token that writes nothing is nowhere.
    """

    labels: npt.NDArray[np.uint8]
    first: Ints
    held: Ints
    ids: Ints

    @classmethod
    def of(cls, tokens: Sequence[bytes]) -> Trie:
        """The trie of tokens by id."""
        order = sorted((i for i, token in enumerate(tokens) if token), key=tokens.__getitem__)
        data = np.frombuffer(b"".join([tokens[i] for i in order]), np.uint8)
        sizes = np.array([len(tokens[i]) for i in order], np.int64)
        starts = np.cumsum(sizes) - sizes
        node = np.zeros(len(order), np.int64)  # of each token, as far as it has been walked
        alive = np.arange(len(order))
        labels, parents = [np.zeros(1, np.uint8)], [np.zeros(1, np.int64)]
        depth, count = 0, 1
        while len(alive):
            byte = data[starts[alive] + depth]
            key = node[alive] * 256 + byte
            new = np.concatenate([[True], key[1:] != key[:-1]])
            labels.append(byte[new])
            parents.append(node[alive][new])
            node[alive] = count - 1 + np.cumsum(new)
            count += len(labels[-1])
            depth += 1
            alive = alive[sizes[alive] > depth]
        children = np.bincount(np.concatenate(parents)[1:], minlength=count)
        spelled = np.bincount(node, minlength=count)
        ids = np.array(order, np.int64)
        return cls(
            np.concatenate(labels),
            np.concatenate([[1], 1 + np.cumsum(children)]).astype(np.int32),
            np.concatenate([[0], np.cumsum(spelled)]).astype(np.int32),
            ids[np.lexsort((ids, node))].astype(np.int32),
        )

    # Single steps are taken on plain Python objects, several times as fast as on arrays.

    @cached_property
    def _plain(self) -> tuple[bytes, list[int], list[int]]:
        return self.labels.tobytes(), self.first.tolist(), self.held.tolist()

    def child(self, node: int, byte: int) -> int:
        """The node one byte further, -1 where no token goes on so."""
        labels, first, _ = self._plain
        return labels.find(byte, first[node], first[node + 1])

    def children(self, node: int) -> Iterator[tuple[int, int]]:
        """The bytes that go on from a node, each with the node it leads to."""
        labels, first, _ = self._plain
        return zip(
            labels[first[node] : first[node + 1]], range(first[node], first[node + 1]), strict=True
        )

    def spells(self, node: int) -> bool:
        """Whether a token ends at a node."""
        held = self._plain[2]
        return held[node] < held[node + 1]

    def tokens(self, node: int) -> list[int]:
        """The tokens that a node spells, ascending."""
        found: list[int] = self.ids[self.held[node] : self.held[node + 1]].tolist()
        return found

    def goes_on(self, text: bytes) -> bool:
        """Whether a token begins with `text` and is longer."""
        node = 0
        for byte in text:
            node = self.child(node, byte)
            if node < 0:
                return False
        first = self._plain[1]
        return first[node] < first[node + 1]

    # -- sets of nodes

    @cached_property
    def parents(self) -> Ints:
        """The node above each node but the first."""
        return np.repeat(np.arange(len(self.labels), dtype=np.int32), np.diff(self.first))

    @cached_property
    def spellers(self) -> Ints:
        """The node of each token, in the order of `ids`."""
        return np.repeat(np.arange(len(self.labels), dtype=np.int32), np.diff(self.held))

    @cached_property
    def levels(self) -> list[tuple[int, int]]:
        """Each level's nodes but the first's, as a range."""
        result, low, high = [], 0, 1
        while low < high:
            low, high = int(self.first[low]), int(self.first[high])
            result.append((low, high))
        return result[:-1]

    def below(self, nodes: Nodes) -> Nodes:
        """A set of nodes with all that are below one of them."""
        result = nodes.copy()
        for low, high in self.levels:
            result[low:high] |= result[self.parents[low - 1 : high - 1]]
        return result

    def above(self, nodes: Nodes) -> Nodes:
        """A set of nodes with all that are above one of them."""
        result = nodes.copy()
        for low, high in reversed(self.levels):
            result[self.parents[low - 1 : high - 1][result[low:high]]] = True
        return result

    @cached_property
    def _order(self) -> Ints:
        """Where each token stands in `ids`."""
        result = np.zeros(int(self.ids.max(initial=-1)) + 1, np.int32)
        result[self.ids] = np.arange(len(self.ids), dtype=np.int32)
        return result

    def paths(self, tokens: Ints) -> frozenset[int]:
        """The nodes of some tokens and all that are above them, the first left out. Each
        of the tokens writes something."""
        if not len(tokens):
            return frozenset()
        found: set[int] = set()
        nodes = np.searchsorted(self.held, self._order[tokens], "right") - 1
        while len(nodes):
            new = set(nodes.tolist()) - found
            found |= new
            above = np.searchsorted(self.first, list(new), "right") - 1
            nodes = above[above > 0]
        return frozenset(found)
