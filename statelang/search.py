"""Find a way to the end: a text that completes a configuration and breaks no contract.

Depth first over single threads, the structurally shortest way first, back at the nearest choice
where a contract forbids; then again with some choices turned at random. Bounded: past the bound
nothing is known and None is returned, so a caller that only goes where a completion is known stays
sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Final

from attrs import frozen

from statelang.automaton import ALL_BYTES, NOTHING, Regular, lowest
from statelang.env import Env
from statelang.machine import Configuration, Machine
from statelang.places import Exit, Thread
from statelang.values import Value

LIMIT: Final = 1_500
_ATTEMPTS: Final = 16
_WIDTHS: Final = (1, 1, 1, 1, 1, 1, 2, 2, 4, 4, 16, 256)
_STEPS: Final = ((1, 200), (4, 400), (256, 600))  # widths, and nodes visited, to complete a step
_PREFERRED: Final = b"1a0A23456789bcdefghijklmnopqrstuvwxyzBCDEFGHIJKLMNOPQRSTUVWXYZ "
_ORDER: Final = (*_PREFERRED, *(b for b in range(256) if b not in _PREFERRED))


@frozen(eq=False)
class Node:
    """One thread with its Env and the text its captures need."""

    thread: Thread
    env: Env
    text: bytes


def _only(left: Regular) -> int | None:
    """The one byte that may follow, where it is one byte and not one kind of byte."""
    ways = [kind for kind in left.classes if left.step(lowest(kind)) is not NOTHING]
    if len(ways) == 1 and ways[0] & (ways[0] - 1) == 0:
        return lowest(ways[0])
    return None


@lru_cache(maxsize=1_000)
def _known_texts(env: Env) -> tuple[bytes, ...]:
    """The texts in the registers: what a contract asks for is often one of them, written again."""
    found: set[bytes] = set()
    for value in env.registers:
        items: Iterable[Value] = ()
        if isinstance(value, Mapping):
            items = value.values()
        elif isinstance(value, str):
            items = (value,)
        found.update(item.encode() for item in items if isinstance(item, str) and item)
    return tuple(sorted(found))


def _wanted(env: Env, text: bytes) -> int:
    """The bytes, as a 256-bit set, that go on copying a text of the registers."""
    result = 0
    known = _known_texts(env)
    for start in env.starts[-2:]:
        written = text[start:]
        for item in known:
            if len(item) > len(written) and item.startswith(written):
                result |= 1 << item[len(written)]
    return result


def _refined(language: Regular, guards: tuple[Regular, ...]) -> list[int]:
    """The kinds of bytes that a text under guards tells apart."""
    kinds = list(language.classes)
    for guard in guards:
        kinds = [a & b for a in kinds for b in guard.classes if a & b]
    return kinds


def _goes(language: Regular, guards: tuple[Regular, ...], byte: int) -> bool:
    return all(one.step(byte) is not NOTHING for one in (language, *guards))


@lru_cache(maxsize=10_000)
def _pick(kind: int, width: int, wanted: int) -> tuple[int, ...]:
    """Up to `width` bytes of a set, and the wanted ones, which come first."""
    first = [byte for byte in _ORDER if wanted >> byte & 1]
    rest = (byte for byte in _ORDER if kind >> byte & 1 and not wanted >> byte & 1)
    return (*first, *islice(rest, max(0, width - len(first))))


Order = Callable[[list[tuple[int, Node]], Node], list[tuple[int, Node]]]


class Search:
    """Completions within one machine; `alphabet` is the set of bytes that may be written."""

    def __init__(self, machine: Machine, alphabet: int = ALL_BYTES, *, limit: int = LIMIT) -> None:
        self.machine = machine
        self.alphabet = alphabet
        self.limit = limit
        self._kinds: dict[Thread, tuple[list[int], list[Exit]]] = {}
        self.wanted = 0  # of the children made last, the bytes that copy a known text
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
        for width, limit in _STEPS:
            for node in nodes:
                found = self.from_node(node, self.shortest_first, width, self.stepped, limit)
                if found is not None:
                    return found
        return None

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
        for attempt in range(_ATTEMPTS):
            order = self.shortest_first if attempt == 0 else self.at_random(attempt)
            width = _WIDTHS[min(attempt, len(_WIDTHS) - 1)]
            limit = self.limit // 5 if width == 1 else self.limit
            for node in nodes:
                found = self.from_node(node, order, width, limit=limit)
                if found is not None:
                    yield found

    def shortest_first(self, children: list[tuple[int, Node]], _: Node) -> list[tuple[int, Node]]:
        """Structurally shortest way first."""
        low, wanted = self.machine.low, self.wanted
        return sorted(children, key=lambda c: (not wanted >> c[0] & 1, low(c[1].thread)))

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
        order: Order,
        width: int,
        done: Callable[[Node], bool] | None = None,
        limit: int | None = None,
    ) -> bytes | None:
        """Depth first from one node to one that is `done`; the caller orders the children.

        Bytes that differ only in the text they capture are tried `width` at a time: which digit
        is written seldom matters for whether the trace can end.
        """
        done, limit = done or self.ended, limit or self.limit
        if done(start):
            return b""
        seen: set[tuple[Thread, int, bytes]] = set()
        keep: list[Env] = []  # ids in `seen` stay taken
        path, depths = bytearray(), list[int]()
        todo = [iter(order(self.children(start, width), start))]
        visited = 0
        while todo:
            child = next(todo[-1], None)
            if child is None:
                todo.pop()
                if depths:
                    del path[depths.pop() :]
                continue
            byte, node = child
            key = node.thread, id(node.env), node.text
            if key in seen:
                continue
            seen.add(key)
            keep.append(node.env)
            visited += 1
            if visited > limit:
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
            todo.append(iter(order(self.children(node, width), node)))
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

    def children(self, node: Node, width: int) -> list[tuple[int, Node]]:
        """The nodes one byte further, each with its byte; those that copy a known text come first.

        Of the bytes that lead to one place, `width` are tried.
        """
        machine, env, text = self.machine, node.env, node.text
        at = len(text)
        wanted = _wanted(env, text) if env.starts else 0
        result = []
        for byte in self.ways(node, width, wanted):
            written = text + bytes((byte,))
            for move in machine.moves(node.thread, byte):
                if move.thread is not None and not move.before and not move.after:
                    taken: tuple[Thread, Env] | None = (move.thread, env)
                else:
                    taken = machine.take(move, env, written, at)
                if taken is not None:
                    after = written if taken[1].starts else b""
                    result.append((byte, Node(taken[0], taken[1], after)))
        self.wanted = wanted
        return result

    def ways(self, node: Node, width: int, wanted: int) -> list[int]:
        """Bytes to try from a node: `width` of each kind, the wanted ones first."""
        found: dict[int, None] = {}
        for kind in self.kinds(node):
            for byte in _pick(kind, width, kind & wanted):
                found[byte] = None
        return list(found)

    def kinds(self, node: Node) -> list[int]:
        """The bytes that may follow a node, as sets of those that lead alike."""
        thread = node.thread
        kinds = self._kinds.get(thread)
        if kinds is None:
            if len(self._kinds) > 50_000:
                self._kinds.clear()
            kinds = self._kinds[thread] = self._find_kinds(thread)
        static, dynamic = kinds
        if not dynamic:
            return static
        found = [*static]
        for exit_ in dynamic:
            entered = self.machine.entered(exit_, node.env, node.text, len(node.text), 0)
            if entered is None:
                continue
            _, language, guards = entered
            for kind in _refined(language, guards):
                usable = kind & self.alphabet
                if usable and _goes(language, guards, lowest(usable)):
                    found.append(usable)
        return found

    def _find_kinds(self, thread: Thread) -> tuple[list[int], list[Exit]]:
        """The kinds of bytes that a place takes, and the guarded fields that may begin there."""
        languages: list[Regular] = [] if thread.left is None else [thread.left]
        dynamic = []
        if thread.left is None or thread.left.nullable:
            for exit_ in self.machine.exits(thread):
                if exit_.read is not None and exit_.dynamic:
                    dynamic.append(exit_)
                elif exit_.read is not None:
                    languages.append(exit_.read.language)
        static: list[int] = []
        for language in languages:
            for kind in _refined(language, thread.guards):
                usable = kind & self.alphabet
                if usable and self._moves(thread, lowest(usable)):
                    static.append(usable)
        return static, dynamic

    def _moves(self, thread: Thread, byte: int) -> bool:
        return bool(self.machine.moves(thread, byte))
