"""The ways on from a node of a search: which bytes to try, in which order, and where they lead.

Which they are is found once for a place, or for a guarded field and what its guards leave; only
events are run each time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache, reduce
from itertools import islice
from operator import or_
from typing import Final

from statelang.clauses.values import Value
from statelang.compiling.env import Env
from statelang.compiling.events import Event
from statelang.regular.automaton import NOTHING, Regular, lowest
from statelang.walking.machine import Machine
from statelang.walking.places import Exit, Thread

_MAX_WAYS: Final = 50_000
_PREFERRED: Final = b"1a0A23456789bcdefghijklmnopqrstuvwxyzBCDEFGHIJKLMNOPQRSTUVWXYZ "
_ORDER: Final = (*_PREFERRED, *(b for b in range(256) if b not in _PREFERRED))


Way = tuple[int, Thread, tuple[Event, ...], tuple[Event, ...]]  # byte, place, events around it


class Node:
    """One thread with its Env and the text its captures need. Never changed; plain, as a search
    makes one for every byte."""

    __slots__ = ("env", "text", "thread")

    def __init__(self, thread: Thread, env: Env, text: bytes) -> None:
        self.thread = thread
        self.env = env
        self.text = text


def _texts(registers: tuple[Value, ...]) -> tuple[bytes, ...]:
    """The texts in the registers, in order: what a contract asks for is often one of them, written
    again. Members of a register that is a set and keys are left out, as guards know them."""
    found: set[bytes] = set()
    todo: list[Value] = []
    for value in registers:
        if isinstance(value, Mapping):
            todo += value.values()
        elif isinstance(value, str):
            todo.append(value)
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            found.add(item.encode())
        elif isinstance(item, Mapping):
            todo += item.values()
        elif isinstance(item, frozenset | tuple):
            todo += item
    return tuple(sorted(found))


def _following(texts: tuple[bytes, ...], written: bytes) -> int:
    """The bytes, as a 256-bit set, that lead from what is written on to one of some texts."""
    result, at = 0, bisect_right(texts, written)
    while at < len(texts) and texts[at].startswith(written):
        byte = texts[at][len(written)]
        result |= 1 << byte
        at = bisect_left(texts, written + bytes((byte + 1,)))  # 255 is in no text
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


def _bytes(kinds: list[int], width: int, wanted: int) -> list[int]:
    """Up to `width` bytes of each kind, and the wanted ones, which come first."""
    found: dict[int, None] = {}
    for kind in kinds:
        for byte in _pick(kind, width, kind & wanted):
            found[byte] = None
    return list(found)


class Ways:
    """Children of nodes within one machine; `alphabet` is the set of bytes that may be written."""

    def __init__(self, machine: Machine, alphabet: int) -> None:
        self.machine = machine
        self.alphabet = alphabet
        self._kinds: dict[Thread, tuple[list[int], list[Exit], int]] = {}
        self.wanted = 0  # of the children made last, the bytes that copy a known text
        self._ways: dict[tuple[object, ...], tuple[Way, ...]] = {}
        self._texts: dict[int, tuple[tuple[Value, ...], tuple[bytes, ...]]] = {}

    def shortest_first(self, children: list[tuple[int, Node]], _: Node) -> list[tuple[int, Node]]:
        """Structurally shortest way first."""
        low, wanted = self.machine.low, self.wanted
        return sorted(children, key=lambda c: (not wanted >> c[0] & 1, low(c[1].thread)))

    def _nearest_first(self, node: Node, width: int) -> Iterator[tuple[int, Node]]:
        """The `children`, `shortest_first`, each made when it is asked for."""
        machine, env, text = self.machine, node.env, node.text
        static, dynamic, usable = self._find(node.thread)
        at = len(text)
        if not dynamic:
            wanted = self._wanted(env, text) & usable if env.starts else 0
            ways = self._planned(node.thread, width, wanted)
        elif static or len(dynamic) > 1:
            yield from self.shortest_first(self.children(node, width), node)
            return
        else:
            wanted = self._wanted(env, text) if env.starts else 0
            entered = machine.entered(dynamic[0], env, text, at, 0)
            if entered is None:
                return
            env, language, guards = entered
            ways = self._guarded(dynamic[0], language, guards, width, wanted)
        for byte, thread, before, after in ways:
            if not before and not after:
                yield byte, Node(thread, env, text + bytes((byte,)) if env.starts else b"")
                continue
            written = text + bytes((byte,))
            moved = machine.apply(before, env, written, at) if before else env
            if after and moved is not None:
                moved = machine.apply(after, moved, written, at + 1)
            if moved is not None:
                yield byte, Node(thread, moved, written if moved.starts else b"")

    def _planned(self, thread: Thread, width: int, wanted: int) -> tuple[Way, ...]:
        """The ways on from a place where no guarded field begins, the shortest first."""
        key = thread, width, wanted
        found = self._ways.get(key)
        if found is None:
            ways: list[Way] = []
            for byte in _bytes(self._find(thread)[0], width, wanted):
                for move in self.machine.moves(thread, byte):
                    assert move.thread is not None
                    ways.append((byte, move.thread, move.before, move.after))
            found = self._keep(key, ways, wanted)
        return found

    def _guarded(
        self,
        exit_: Exit,
        language: Regular,
        guards: tuple[Regular, ...],
        width: int,
        wanted: int,
    ) -> tuple[Way, ...]:
        """The ways into a guarded field that has been entered, the shortest first."""
        key = exit_, language, guards, width, wanted
        found = self._ways.get(key)
        if found is None:
            ways: list[Way] = []
            for byte in _bytes(self._allowed(language, guards), width, wanted):
                inside = self.machine.inside(exit_, language, guards, byte)
                if inside is not None:
                    ways.append((byte, inside[0], (), inside[1]))
            found = self._keep(key, ways, wanted)
        return found

    def _keep(self, key: tuple[object, ...], ways: list[Way], wanted: int) -> tuple[Way, ...]:
        low = self.machine.low
        if len(ways) > 1:
            ways.sort(key=lambda way: (not wanted >> way[0] & 1, low(way[1])))
        if len(self._ways) > _MAX_WAYS:
            self._ways.clear()
        found = self._ways[key] = tuple(ways)
        return found

    def _allowed(self, language: Regular, guards: tuple[Regular, ...]) -> list[int]:
        """The kinds of bytes that a field under guards may begin with."""
        kinds = (kind & self.alphabet for kind in _refined(language, guards))
        return [kind for kind in kinds if kind and _goes(language, guards, lowest(kind))]

    def _wanted(self, env: Env, text: bytes) -> int:
        """The bytes, as a 256-bit set, that go on copying a text of the registers."""
        registers = env.registers
        found = self._texts.get(id(registers))
        if found is None or found[0] is not registers:
            if len(self._texts) > 1_000:
                self._texts.clear()
            found = self._texts[id(registers)] = registers, _texts(registers)
        result = 0
        for start in env.starts[-2:]:
            result |= _following(found[1], text[start:])
        return result

    def children(self, node: Node, width: int) -> list[tuple[int, Node]]:
        """The nodes one byte further, each with its byte; those that copy a known text come first.

        Of the bytes that lead to one place, `width` are tried.
        """
        machine, env, text = self.machine, node.env, node.text
        at = len(text)
        wanted = self._wanted(env, text) if env.starts else 0
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
        return _bytes(self.kinds(node), width, wanted)

    def kinds(self, node: Node) -> list[int]:
        """The bytes that may follow a node, as sets of those that lead alike."""
        static, dynamic, _ = self._find(node.thread)
        if not dynamic:
            return static
        found = [*static]
        for exit_ in dynamic:
            entered = self.machine.entered(exit_, node.env, node.text, len(node.text), 0)
            if entered is None:
                continue
            _, language, guards = entered
            found += self._allowed(language, guards)
        return found

    def _find(self, thread: Thread) -> tuple[list[int], list[Exit], int]:
        found = self._kinds.get(thread)
        if found is None:
            if len(self._kinds) > 50_000:
                self._kinds.clear()
            found = self._kinds[thread] = self._find_kinds(thread)
        return found

    def _find_kinds(self, thread: Thread) -> tuple[list[int], list[Exit], int]:
        """The kinds of bytes that a place takes, the guarded fields that may begin there, and the
        union of the kinds."""
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
        return static, dynamic, reduce(or_, static, 0)

    def _moves(self, thread: Thread, byte: int) -> bool:
        return bool(self.machine.moves(thread, byte))
