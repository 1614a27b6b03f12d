"""A text cut into steps, whatever their order: the readable ones, and what lies between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from attrs import frozen

from statelang.compiling.events import OpenAction
from statelang.compiling.program import Pass
from statelang.regular.automaton import lowest
from statelang.space import StateSpace
from statelang.walking.machine import Machine
from statelang.walking.places import Thread

_MOST_READ: Final = 2_000_000  # bytes walked for one text: some seconds
_MOST_THREADS: Final = 64
_MOST_ENDS: Final = 8  # ends of one action from one place


@frozen
class Piece:
    """Bytes `start` up to `end` of a text: one step of `action`, or unreadable (None)."""

    action: str | None
    start: int
    end: int


class Openings:
    """How the actions of a space begin, and the machine that reads each of them by itself."""

    def __init__(self, space: StateSpace) -> None:
        self.machine = Machine(space, contracts=False)
        self.entries: dict[str, tuple[bytes, Thread]] = {}
        begins, resumes = [], []
        for place, edges in enumerate(space.program.edges):
            if not (edges and isinstance(edges[0], Pass)):
                continue
            if isinstance(edges[0].event, OpenAction):
                entry = self.machine.thread(place, None, (), None)
                literal, kind = self._opening(entry)
                self.entries[edges[0].event.name] = literal, entry
                begins.append(re.escape(literal) + _class(kind))
                resumes.append(re.escape(literal) or rb"(?<=\n)" + _class(kind))
        self.begins = re.compile(b"|".join(begins), re.DOTALL)
        self.resumes = re.compile(b"|".join(resumes), re.DOTALL)

    def _opening(self, entry: Thread) -> tuple[bytes, int]:
        """The text that every step begins with, and the bytes that may follow it (0: the end)."""
        literal, alive = bytearray(), [entry]
        while True:
            kind = 0
            for thread in alive:
                kind |= self._next_bytes(thread)
            between = any(thread.left is None or thread.left.nullable for thread in alive)
            if kind.bit_count() != 1 or (literal and between):
                return bytes(literal), kind
            literal.append(lowest(kind))
            alive = self.step(alive, literal[-1])

    def _next_bytes(self, thread: Thread) -> int:
        languages = [thread.left] if thread.left is not None else []
        if thread.left is None or thread.left.nullable:
            languages += [e.read.language for e in self.machine.exits(thread) if e.read is not None]
        result = 0
        for language in languages:
            for kind in language.classes:
                if language.step(lowest(kind)).live:
                    result |= kind
        return result

    def step(self, alive: list[Thread], byte: int) -> list[Thread]:
        """The threads one byte further."""
        if len(alive) == 1 and byte in alive[0].quiet:
            return [alive[0].quiet[byte]]
        found: dict[Thread, None] = {}
        for thread in alive:
            for move in self.machine.moves(thread, byte):
                if move.thread is not None:
                    found[move.thread] = None
        return list(found)[:_MOST_THREADS]

    def may_end(self, thread: Thread) -> bool:
        """Whether the step that a thread reads may be complete."""
        if thread.left is not None and not thread.left.nullable:
            return False
        return any(exit_.read is None for exit_ in self.machine.exits(thread))


def _class(kind: int) -> bytes:
    """A set of bytes for `re`; nothing where the set is empty, as at the end of a text."""
    if not kind:
        return b""
    return b"[" + b"".join(b"\\x%02x" % byte for byte in range(256) if kind >> byte & 1) + b"]"


@lru_cache(maxsize=32)
def openings(space: StateSpace) -> Openings:
    """The openings of a space, found once."""
    return Openings(space)


class Pieces:
    """Cuts one text lazily. `cut` is set once more than 2,000,000 bytes were walked; what is left
    is then one unreadable piece."""

    def __init__(self, space: StateSpace, data: bytes) -> None:
        self.data = data
        self.cut = False
        self._openings = openings(space)
        self._left = _MOST_READ
        self._found: dict[int, tuple[Piece, ...]] = {}

    def at(self, offset: int) -> tuple[Piece, ...]:
        """Every step that can be read from an offset, else the unreadable piece there.

        A step ends where another may begin, or the text ends; where it does neither, the longest
        reading counts. An unreadable piece ends where the opening literal of some action stands
        (for an action without one, at the beginning of a line where it may begin).
        """
        found = self._found.get(offset)
        if found is None:
            found = tuple(self._read(offset))
            if all(piece.end == offset for piece in found):
                found += (self._unreadable(offset),)
            self._found[offset] = found
        return found

    def _read(self, offset: int) -> Iterator[Piece]:
        for action, (literal, entry) in self._openings.entries.items():
            if not self.data.startswith(literal, offset):
                continue
            ends = list(self._ends(offset, entry))
            begins = self._openings.begins
            good = [end for end in ends if end == len(self.data) or begins.match(self.data, end)]
            for end in (good or ends)[-(_MOST_ENDS if good else 1) :]:
                yield Piece(action, offset, end)

    def _ends(self, offset: int, entry: Thread) -> Iterator[int]:
        """Where a step that begins here may end, the shortest reading first."""
        alive, data, openings = [entry], self.data, self._openings
        last = min(len(data), offset + self._left)
        at = offset
        if openings.may_end(entry):
            yield at
        while at < last:
            alive = openings.step(alive, data[at])
            if not alive:
                break
            at += 1
            if any(openings.may_end(thread) for thread in alive):
                yield at
        self._left -= at - offset
        self.cut = self.cut or not self._left

    def _unreadable(self, offset: int) -> Piece:
        found = None if self.cut else self._openings.resumes.search(self.data, offset + 1)
        return Piece(None, offset, found.start() if found else len(self.data))
