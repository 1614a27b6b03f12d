"""Random legal traces: walks through a state space that satisfy every contract by construction."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from statelang.diagnostics import StatelangError
from statelang.space import StateSpace
from statelang.walking.machine import Machine
from statelang.walking.search import Node, Order, Search

_PATIENCE: Final = (200, 100, 50, 20, 5)  # choices before a walk heads for the end
_WIDTHS: Final = (3, 16)
_LIMIT: Final = 2_000  # places that such a walk visits: where it may lock, back is far
_LAST: Final = ((0, 3, 4_000), (0, 16, 4_000), (0, 256, 8_000))
_LINGER: Final = 0.5  # how often, between two steps, the way farthest from the end is taken
_FOREIGN: Final = 0.02  # how often a character beyond ASCII is written
_LEAVE: Final = 0.3  # how often a text that may go on is left instead
_LETTERS: Final = b"eeetttaaooiinnsshhrrddlluc mw fgypbvk "
_OTHER: Final = "é€,.'-?!$%:;0123456789ABCXYZ".encode()


@lru_cache(maxsize=16)
def _search(space: StateSpace) -> Search:
    return Search(Machine(space))


class _RandomOrder:
    """Children in random order; towards the end once the walk has been long enough."""

    def __init__(self, search: Search, seed: random.Random, patience: int) -> None:
        self.search = search
        self.random = seed
        self.left = patience

    def __call__(self, children: list[tuple[int, Node]], node: Node) -> list[tuple[int, Node]]:
        if len(children) < 2:
            return children
        self.left -= 1
        low = self.search.machine.low
        self.random.shuffle(children)
        if self.left < 0:
            return sorted(children, key=lambda child: low(child[1].thread))
        stays = [child for child in children if child[1].thread.place == node.thread.place]
        goes = [child for child in children if child[1].thread.place != node.thread.place]
        if node.thread.left is None and self.random.random() < _LINGER:
            return sorted(children, key=lambda child: -low(child[1].thread))
        return goes + stays if self.random.random() < _LEAVE else stays + goes


class _WalkSearch(Search):
    """Writes words where any text will do."""

    def __init__(self, base: Search, seed: random.Random) -> None:
        super().__init__(base.machine, base.alphabet, limit=base.limit)
        self._kinds = base._kinds
        self.random = seed

    def ways(self, node: Node, width: int, wanted: int) -> list[int]:
        """One byte or a few of each kind, drawn at random, letters above all."""
        found = super().ways(node, width, wanted)
        kinds = self.kinds(node)
        drawn = []
        for byte in found:
            alike = next((kind for kind in kinds if kind >> byte & 1), 1 << byte)
            for _ in range(8):
                other = self.random.choice(_LETTERS if self.random.random() < 0.9 else _OTHER)
                if alike >> other & 1 and not wanted >> byte & 1:
                    byte = other
                    break
            drawn.append(byte)
        plain = [byte for byte in drawn if byte < 0x80]
        if plain and self.random.random() > _FOREIGN:
            drawn = plain
        return list(dict.fromkeys(drawn))


def wandering(base: Search, chance: random.Random) -> tuple[Search, Order]:
    """A search that writes words where any text will do, and an order that wanders."""
    search = _WalkSearch(base, chance)
    return search, _RandomOrder(search, chance, chance.randint(0, 60))


def walk(space: StateSpace, seed: int, *, problem: Mapping[str, Any] | None = None) -> str:
    """One random legal trace; the same seed gives the same trace.

    Args:
        space: The state space.
        seed: Any integer.
        problem: The space's inputs, where it declares some.

    Raises:
        StatelangError: an input is missing, or no legal trace was found within bounds (the space
            may lock: see `statelang check`).
    """
    base = _search(space)
    start = base.machine.start(problem)
    thread, env = start.alive[0]
    first = [(patience, width, _LIMIT) for patience in _PATIENCE for width in _WIDTHS]
    for attempt, (patience, width, limit) in enumerate((*first, *_LAST)):
        chance = random.Random(f"{seed}/{attempt}")
        search = _WalkSearch(base, chance)
        order = _RandomOrder(search, chance, chance.randint(patience // 4, patience))
        found = search.from_node(Node(thread, env, b""), order, width, limit=limit)
        if found is not None:
            return found.decode()
    raise StatelangError(
        f"no legal trace of `{space.name}` was found in {len(first) + len(_LAST)} bounded walks; "
        f"its contracts may leave no way to the end: run `statelang check` on it"
    )
