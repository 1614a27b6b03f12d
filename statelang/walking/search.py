"""Find a way to the end: a text that completes a configuration and breaks no contract.

Depth first over single threads, the structurally shortest way first, back at the nearest choice
where a contract forbids; then again with some choices turned at random. Bounded: past the bound
nothing is known and None is returned, so a caller that only goes where a completion is known stays
sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from statelang.compiling.env import Env
from statelang.regular.automaton import ALL_BYTES, NOTHING, Regular, lowest
from statelang.walking.machine import Configuration, Machine
from statelang.walking.places import Thread
from statelang.walking.ways import Node, Ways

LIMIT: Final = 1_500
_ATTEMPTS: Final = 16
_WIDTHS: Final = (1, 1, 1, 1, 1, 1, 2, 2, 4, 4, 16, 256)
_STEPS: Final = ((1, 200), (4, 400), (256, 600))  # widths, and nodes visited, to complete a step
_DETOURS: Final = (0, 4, 16, 64)  # bytes more than the structurally shortest way
_MOST_DETOURS: Final = 600


def _only(left: Regular) -> int | None:
    """The one byte that may follow, where it is one byte and not one kind of byte."""
    ways = [kind for kind in left.classes if left.step(lowest(kind)) is not NOTHING]
    if len(ways) == 1 and ways[0] & (ways[0] - 1) == 0:
        return lowest(ways[0])
    return None


Order = Callable[[list[tuple[int, Node]], Node], list[tuple[int, Node]]]


class Search(Ways):
    """Completions within one machine; `alphabet` is the set of bytes that may be written."""

    def __init__(self, machine: Machine, alphabet: int = ALL_BYTES, *, limit: int = LIMIT) -> None:
        super().__init__(machine, alphabet)
        self.limit = limit
        self.is_cut = False  # whether the search made last came to its bound
        self._runs: dict[Thread, tuple[bytes, Thread]] = {}

    def _alone(self, env: Env) -> Env:
        """Without the tools of the environment: whether a step can be completed is not asked of
        them, only how it ends (`completions`)."""
        tools = self.machine.program.tools
        if tools is None or not env.registers[tools]:
            return env
        registers = list(env.registers)
        registers[tools] = {}
        return env.with_registers(tuple(registers))

    def step(self, configuration: Configuration) -> bool:
        """Whether the step under way can be completed and leaves an open exit after it."""
        return self.finish(configuration) is not None

    def finish(self, configuration: Configuration) -> bytes | None:
        """A text that completes the step under way and leaves an open exit after it, or None."""
        nodes = [Node(t, self._alone(e), configuration.text) for t, e in configuration.alive]
        nodes.sort(key=lambda node: self.machine.low(node.thread))
        is_cut = False
        for width, limit in _STEPS:
            for node in nodes:
                found = self.from_node(node, None, width, self.stepped, limit)
                if found is not None:
                    return found
                is_cut |= self.is_cut
        return next(self._deepening(nodes, self.stepped), None) if is_cut else None

    def _deepening(self, nodes: list[Node], done: Callable[[Node], bool]) -> Iterator[bytes]:
        """Ways that are little longer than the structurally shortest: depth first, a list without
        end is gone on with for ever."""
        for more in _DETOURS:
            for node in nodes:
                found = self.from_node(node, None, 256, done, _MOST_DETOURS, more)
                if found is not None:
                    yield found

    def stepped(self, node: Node) -> bool:
        """Whether no step is under way at a node and another may begin, or the trace may end."""
        trail = node.env.trail
        if trail is not None and trail.end < 0:
            return False
        for exit_ in self.machine.exits(node.thread):
            if self.machine.apply(exit_.events, node.env, node.text, len(node.text)) is not None:
                return True
        return False

    def complete(self, configuration: Configuration) -> bytes | None:
        """A text that ends the trace from here, or None where none was found within the bound."""
        return next(self.completions(configuration), None)

    def completions(self, configuration: Configuration) -> Iterator[bytes]:
        """Texts that end the trace from here: the structurally shortest way, then random ones."""
        nodes = [Node(t, e, configuration.text) for t, e in configuration.alive]
        nodes.sort(key=lambda node: self.machine.low(node.thread))
        is_cut = is_found = False
        for attempt in range(_ATTEMPTS):
            order = None if attempt == 0 else self.at_random(attempt)
            width = _WIDTHS[min(attempt, len(_WIDTHS) - 1)]
            limit = self.limit // 5 if width == 1 else self.limit
            for node in nodes:
                found = self.from_node(node, order, width, limit=limit)
                is_cut |= self.is_cut
                if found is not None:
                    is_found = True
                    yield found
        if is_cut and not is_found:
            yield from self._deepening(nodes, self.ended)

    def at_random(self, seed: int) -> Order:
        """Mostly the shortest way first, now and then any: out of corners that gates make."""
        chance, low = Random(seed), self.machine.low

        def order(children: list[tuple[int, Node]], _: Node) -> list[tuple[int, Node]]:
            if len(children) < 2:
                return children
            weights = {id(child): chance.random() < 0.3 for child in children}
            return sorted(children, key=lambda child: (weights[id(child)], low(child[1].thread)))

        return order

    def from_node(
        self,
        start: Node,
        order: Order | None,
        width: int,
        done: Callable[[Node], bool] | None = None,
        limit: int | None = None,
        detour: int | None = None,
    ) -> bytes | None:
        """Depth first from one node to one that is `done`; the caller orders the children. Without
        an order they come as in `shortest_first`, each made when it is come to. With a `detour` no
        way is gone that is longer than the structurally shortest by more bytes than it says.

        Bytes that differ only in the text they capture are tried `width` at a time: which digit
        is written seldom matters for whether the trace can end.
        """
        done, limit, low = done or self.ended, limit or self.limit, self.machine.low
        most = None if detour is None else low(start.thread) + detour
        self.is_cut = False
        if done(start):
            return b""
        seen: dict[tuple[Thread, int, bytes], Env] = {}  # with what keeps the ids taken
        path, depths = bytearray(), list[int]()
        todo = [self._children(start, width, order)]
        while todo:
            child = next(todo[-1], None)
            if child is None:
                todo.pop()
                if depths:
                    del path[depths.pop() :]
                continue
            byte, node = child
            if most is not None and len(path) + 1 + low(node.thread) > most:
                continue
            key = node.thread, id(node.env), node.text
            if key in seen:
                continue
            seen[key] = node.env
            if len(seen) > limit:
                self.is_cut = True
                return None
            depth = len(path)
            path.append(byte)
            forced, thread = self.run(node.thread)
            if forced:
                path += forced
                text = node.text + forced if node.env.starts else b""
                node = Node(thread, node.env, text)
            if done(node):
                return bytes(path)
            depths.append(depth)
            todo.append(self._children(node, width, order))
        return None

    def run(self, thread: Thread) -> tuple[bytes, Thread]:
        """The stretch from a place along which there is one way and nothing happens."""
        found = self._runs.get(thread)
        if found is None:
            if len(self._runs) > 50_000:
                self._runs.clear()
            forced, at = bytearray(), thread
            while at.left is not None and not at.left.nullable:
                byte = _only(at.left)
                if byte is None or not self._moves(at, byte) or byte not in at.quiet:
                    break
                forced.append(byte)
                at = at.quiet[byte]
            found = self._runs[thread] = bytes(forced), at
        return found

    def ended(self, node: Node) -> bool:
        """Whether the trace may end at a node."""
        if node.thread.left is not None and not node.thread.left.nullable:
            return False
        if self.machine.low(node.thread) > 0:
            return False
        configuration = Configuration(((node.thread, node.env),), node.text)
        return self.machine.ends(configuration) is not None

    def _children(self, node: Node, width: int, order: Order | None) -> Iterator[tuple[int, Node]]:
        if order is None:
            return self._nearest_first(node, width)
        return iter(order(self.children(node, width), node))


__all__ = ["LIMIT", "Node", "Order", "Search"]
