"""A repaired text: few edits, written out, every contract kept.

A beam search over real configurations, so what it writes is legal by construction. One edit
inserts, deletes, replaces or rewrites one step, as in multi-perspective alignments (F. Mannhardt,
M. de Leoni, H. Reijers, W. van der Aalst, Balanced multi-perspective checking of process
conformance, Computing 98, 2016).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from attrs import evolve, frozen

from statelang.compiling.env import Env
from statelang.space import StateSpace
from statelang.traces.pieces import Piece, openings
from statelang.walking.machine import Configuration, Machine
from statelang.walking.places import Thread
from statelang.walking.search import Node, Search

_BEAM: Final = 4  # repairs kept of those with as many edits
_BACK: Final = 3  # the place where a text fails and those before it that are tried
_MOST_TRIED: Final = 600  # edits tried for one text
_SEARCHES: Final = ((1, 200), (4, 400), (16, 800))  # width and limit of the searches for one step
_REJOIN: Final = 20  # bytes left out and written anew before the old text may go on
_WORDS_BACK: Final = 5  # words of a failing step that are given up to complete it
_WORD: Final = re.compile(rb"\w+|\W", re.DOTALL)


@frozen
class Edit:
    """One step inserted, deleted, replaced or rewritten.

    `kind` is `insert`, `delete`, `replace` or `rewrite`; `step` the piece of the text it is about,
    from 1 (an insertion stands before it); `action` the action that is written, None where none
    is; `old` and `text` what stood there and what is written.
    """

    kind: str
    step: int
    action: str | None
    old: str
    text: str


@frozen
class Repair:
    """A text that keeps grammar and contracts, and the edits that lead to it.

    `text` is None where none was found; `cost` then counts the edits up to the furthest place
    reached and every step after it.
    """

    text: str | None
    edits: tuple[Edit, ...]
    cost: int


@frozen(eq=False)
class _Way:
    """A repair under way: the pieces read, where it stands, its edits by the latest first."""

    read: int
    at: Configuration
    written: tuple[Any, ...] | None = None  # (before, text): shared between ways
    edits: tuple[Edit, ...] = ()


class Repairer:
    """Repairs texts of one space; shares what it learns about places between them."""

    def __init__(self, space: StateSpace) -> None:
        self.machine = Machine(space)
        self.search = Search(self.machine)
        self.entries = openings(space).entries
        self.actions = space.program.actions

    def repair(
        self, data: bytes, pieces: tuple[Piece, ...], problem: Mapping[str, Any] | None = None
    ) -> Repair:
        """The repair with the fewest edits among those tried, at most 600.

        Past that bound the steps after the furthest place reached are deleted, and a completion
        is inserted.
        """
        texts = [data[piece.start : piece.end] for piece in pieces]
        level = [self._run(_Way(0, self.machine.start(problem)), texts)]
        tried = 0
        while tried < _MOST_TRIED:
            following = []
            for run in level:
                for back, way in enumerate(reversed(run)):
                    for edited in self._edited(way, texts, pieces, rewrite=not back):
                        ahead = self._run(edited, texts)
                        if self._done(ahead[-1], texts):
                            return _repair(ahead[-1])
                        following.append(ahead)
                        tried += 1
            if not following:
                break
            level = sorted(following, key=lambda run: -run[-1].read)[:_BEAM]
        return self._close(level[0][-1], texts)

    def _close(self, way: _Way, texts: list[bytes]) -> Repair:
        """Nothing of the rest, and the shortest end that the search finds."""
        edits = [
            Edit("delete", number, None, *_texts(texts[number - 1], b""))
            for number in range(way.read + 1, len(texts) + 1)
        ]
        end = self.search.complete(way.at)
        closed = self.machine.advance(way.at, end) if end is not None else None
        final = self.machine.ends(closed) if closed is not None else None
        if end is None or final is None:
            return Repair(None, (), len(way.edits) + len(edits) + 1)
        steps, trail, base = deque[tuple[str, str]](), final.trail, way.at.length
        while trail is not None and trail.end > base:
            text = end[trail.start - base : trail.end - base]
            steps.appendleft((self.actions[trail.action], text.decode()))
            trail = trail.before
        edits += (Edit("insert", len(texts) + 1, action, "", text) for action, text in steps)
        return _repair(evolve(way, written=(way.written, end), edits=(*way.edits, *edits)))

    def _run(self, way: _Way, texts: list[bytes]) -> list[_Way]:
        """The way taken on along pieces that agree: where it stops, and the places before."""
        tail = deque([way], maxlen=_BACK)
        while way.read < len(texts):
            text = texts[way.read]
            at = self._whole(way.at, text)
            if at is None:
                break
            way = _Way(way.read + 1, at, (way.written, text), way.edits)
            tail.append(way)
        return list(tail)

    def _done(self, way: _Way, texts: list[bytes]) -> bool:
        return way.read == len(texts) and self.machine.ends(way.at) is not None

    # -- edits

    def _edited(
        self, way: _Way, texts: list[bytes], pieces: tuple[Piece, ...], *, rewrite: bool
    ) -> Iterator[_Way]:
        """Every edit of the next piece, or before it."""
        number = way.read + 1
        inside = way.read < len(texts)
        old = texts[way.read] if inside else b""
        if inside and rewrite:
            text = self._rewritten(way.at, old, pieces[way.read])
            if text is not None:
                yield self._with(way, 1, text, Edit("rewrite", number, None, *_texts(old, text)))
        steps = [(a, t) for a in self.actions if (t := self._step(way.at, a)) is not None]
        for action, text in steps:
            yield self._with(way, 0, text, Edit("insert", number, action, "", text.decode()))
        if inside:
            for action, text in steps:
                if text != old:
                    edit = Edit("replace", number, action, *_texts(old, text))
                    yield self._with(way, 1, text, edit)
            yield self._with(way, 1, b"", Edit("delete", number, None, *_texts(old, b"")))

    def _with(self, way: _Way, read: int, text: bytes, edit: Edit) -> _Way:
        at = self._whole(way.at, text) if text else way.at
        assert at is not None  # the search has found the text from here
        return _Way(way.read + read, at, (way.written, text), (*way.edits, edit))

    def _step(self, at: Configuration, action: str) -> bytes | None:
        """A short text of one step of an action, from between two steps."""
        index = self.actions.index(action)
        for thread, env in at.alive:
            found = self._search(Node(thread, env, at.text), _number(env) + 1, index)
            if found is not None:
                return found
        return None

    def _rewritten(self, at: Configuration, old: bytes, piece: Piece) -> bytes | None:
        """The step that fails with as much of its text as can stand, the front above all."""
        kept = self.machine.accepted(at, old)
        words = [match.start() for match in _WORD.finditer(old[:kept])]
        for cut in (kept, *islice((w for w in reversed(words) if w < kept), _WORDS_BACK)):
            begun = self.machine.advance(at, old[:cut])
            if begun is None or not cut:
                continue
            for thread, env in begun.alive:
                if env.trail is None or not self._is_action(env.trail.action, old, piece):
                    continue
                found = self._search(Node(thread, env, begun.text), _number(env), env.trail.action)
                if found is not None:
                    text = old[:cut] + self._rejoined(begun, found, old[cut:])
                    return text if self._whole(at, text) is not None else None
        return None

    def _is_action(self, index: int, old: bytes, piece: Piece) -> bool:
        """Whether a piece is a step of an action, or the attempt at one."""
        name = self.actions[index]
        return name == piece.action if piece.action else old.startswith(self.entries[name][0])

    def _rejoined(self, begun: Configuration, new: bytes, old: bytes) -> bytes:
        """As much as can stand of the old end of a step after as little as need be of the new."""
        for total in range(1, _REJOIN + 1):
            for written in range(min(total, len(new)) + 1):
                at = self.machine.advance(begun, new[:written])
                rest = old[total - written :]
                if at is not None and rest and self._whole(at, rest) is not None:
                    return new[:written] + rest
        return new

    # -- whole steps

    def _search(self, start: Node, number: int, action: int) -> bytes | None:
        """What completes step `number`, which is of `action`."""

        def order(children: list[tuple[int, Node]], node: Node) -> list[tuple[int, Node]]:
            kept = [child for child in children if _is_step(child[1].env, number, action)]
            return self.search.shortest_first(kept, node)

        def done(node: Node) -> bool:
            return _is_step(node.env, number, action) and self._complete(
                node.thread, node.env, node.text
            )

        for width, limit in _SEARCHES:
            found = self.search.from_node(start, order, width, done, limit)
            if found is not None:
                return found
        return None

    def _whole(self, at: Configuration, text: bytes) -> Configuration | None:
        """The configuration after whole steps; None where the text is none."""
        after = self.machine.advance(at, text)
        if after is None:
            return None
        alive = tuple(one for one in after.alive if self._complete(*one, after.text))
        return evolve(after, alive=alive) if alive else None

    def _complete(self, thread: Thread, env: Env, text: bytes) -> bool:
        """Whether a step may end here: nothing of it is due, and its contracts hold."""
        if thread.left is not None and not thread.left.nullable:
            return False
        for exit_ in self.machine.exits(thread):
            after = self.machine.apply(exit_.events, env, text, len(text))
            if after is not None and after.trail is not None:
                if after.trail.end >= 0 or after.trail.number > _number(env):
                    return True
        return False


def _number(env: Env) -> int:
    return 0 if env.trail is None else env.trail.number


def _is_step(env: Env, number: int, action: int) -> bool:
    trail = env.trail
    return trail is not None and trail.number == number and trail.action == action


def _texts(*texts: bytes) -> Iterable[str]:
    return (text.decode(errors="replace") for text in texts)


def _repair(way: _Way) -> Repair:
    texts, written = [], way.written
    while written is not None:
        written, text = written
        texts.append(text)
    return Repair(b"".join(reversed(texts)).decode(), way.edits, len(way.edits))
