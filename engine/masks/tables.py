"""What the grammar allows at a place, over a whole vocabulary: computed once, then looked up.

Places that differ only in how far away a bound is share one table, and texts of one kind share the
tokens that stay inside the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from statelang.compiling.events import BeginSpan, EndSpan, Event
from statelang.engine.masks.bits import Row, Rows, packed
from statelang.engine.masks.bounds import FAR, opened
from statelang.engine.masks.sweep import Automaton, bytes_of, grouped
from statelang.engine.vocabularies.trie import Ints
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.regular.automaton import ALL_BYTES, EMPTY, NOTHING, Regular, lowest
from statelang.walking.machine import Configuration, Machine
from statelang.walking.places import Thread

_WIDE: Final = 16  # bytes that may come first, from which a text is worth a share of its own
_MANY: Final = 64  # tokens that lead back, from which it is told without a walk that they do
_MAX_TABLES: Final = 5_000
_MAX_GROUPS: Final = 200

Control = tuple[Thread, ...]
Happened = tuple[Event | None, ...]  # the events along a token; None: a choice was left behind
_Key = tuple[Control, Happened | None]  # None: what happened depends on the text of the token


@frozen(eq=False, slots=False)
class Table:
    """The tokens of one place.

    Along the tokens of `row` nothing happens: they are allowed as they are. The others open or end
    a step, or leave a choice behind: where no field is being read, those of one set in `alike` lead
    to one configuration. The `single` ones begin or end a field. `farther` bounds how many bytes a
    token of `row` moves the end away. The tokens of `loops` lead back to the same place.
    """

    control: Control
    row: Row
    count: int
    alike: tuple[Ints, ...]
    single: Ints
    farther: int
    paths: frozenset[int]  # the nodes on the way to the `single` tokens
    loops: Row | None = None  # None where they are few
    following: dict[int, Table] = field(factory=dict, repr=False)
    staying: dict[int, Table] = field(factory=dict, repr=False)


@frozen(eq=False)
class _Text:
    """The tokens that stay inside a text, by where they lead; the most bytes it then needs."""

    groups: dict[Regular, Ints]
    farthest: int


@frozen(eq=False)
class _Entry:
    """A text, the bytes that may lead out of it or past it, what happens on the way into it, and
    the least bytes from its end to the end of the trace."""

    text: Regular
    leaving: int
    happened: Happened
    after: int


@frozen(eq=False)
class _Reach:
    """Tokens that hold one of some bytes, as a mask, and the nodes on the way to them."""

    tokens: npt.NDArray[np.bool_]
    count: int
    nodes: npt.NDArray[np.bool_]


class Tables:
    """The tables of one machine over one vocabulary, made when they are first asked for."""

    def __init__(self, machine: Machine, vocabulary: Vocabulary) -> None:
        self.machine = machine
        self.vocabulary = vocabulary
        self.size = len(vocabulary.tokens)
        self._limit = vocabulary.longest
        self._tables: dict[Control, Table] = {}
        self.rows = Rows()
        self._groups: dict[Table, list[tuple[Ints, Control]]] = {}
        self._texts: dict[Regular, _Text | None] = {}
        self._reaches: dict[int, _Reach] = {}
        self._places: Automaton[_Key] = Automaton(self._onward)
        self._languages: Automaton[Regular] = Automaton(self._derivatives)

    def place(self, configuration: Configuration) -> tuple[Control, int]:
        """The places of a configuration, far bounds made equal, and the bytes that may be read
        before that matters."""
        room = FAR
        control: dict[Thread, None] = {}
        for thread, _ in configuration.alive:
            if thread.left is not None:
                left, near = opened(thread.left, self._limit)
                room = min(room, near)
                thread = self._with(thread, left)
            control[thread] = None
        return tuple(control), room

    def table(self, control: Control) -> Table:
        """What the grammar allows at some places, as `place` gives them."""
        found = self._tables.get(control)
        if found is None:
            if len(self._tables) > _MAX_TABLES:
                self._tables.clear()
            found = self._tables[control] = self._shared(control) or self._whole(control)
        return found

    def groups(self, table: Table) -> list[tuple[Ints, Control]]:
        """The tokens along which nothing happens, by where they lead."""
        found = self._groups.get(table)
        if found is None:
            if len(self._groups) > _MAX_GROUPS:
                self._groups.clear()
            ids, states = self._places.tokens(self.vocabulary.trie, self._key(table.control))
            places = [(here, *self._places.key(state)) for state, here in grouped(ids, states)]
            found = [(here, control) for here, control, met in places if met == ()]
            self._groups[table] = found
        return found

    # -- making

    def _whole(self, control: Control) -> Table:
        """By all tokens, walked from the places."""
        ids, states = self._places.tokens(self.vocabulary.trie, self._key(control))
        return self._made(control, ids, states)

    def _shared(self, control: Control) -> Table | None:
        """By the tokens that stay inside the text that is read or begins here, which all such
        texts share, and by those that may not, walked from the place; None where that saves
        nothing."""
        entry = self._entry(control)
        if entry is None:
            return None
        reach, text = self._reach(entry.leaving), self._text(entry.text)
        if text is None or reach.count > self.size // 4:
            return None
        ids, states = self._places.tokens(self.vocabulary.trie, self._key(control), reach.nodes)
        walked = reach.tokens[ids]
        inside = {end: group[~reach.tokens[group]] for end, group in text.groups.items()}
        return self._made(control, ids[walked], states[walked], inside, entry, text.farthest)

    def _made(
        self,
        control: Control,
        ids: Ints,
        states: Ints,
        inside: Mapping[Regular, Ints] = MappingProxyType({}),
        entry: _Entry | None = None,
        farthest: int = 0,
    ) -> Table:
        free = np.zeros(self.size, np.bool_)
        alike: list[Ints] = []
        single: list[Ints] = []
        loops: list[Ints] = []
        low, nearest, farther = self.machine.low, min(map(self.machine.low, control)), 0
        for state, here in grouped(ids, states):
            after, happened = self._places.key(state)
            if happened == ():
                free[here] = True
                farther = max(farther, max(map(low, after)) - nearest)
                if after == control:
                    loops.append(here)
            elif happened is None:
                single.append(here)
            else:
                alike.append(here)
        if entry is not None and entry.happened:
            alike += [group for group in inside.values() if len(group)]
        elif entry is not None:
            free[np.concatenate(list(inside.values()))] = True
            left = control[0].left
            if left is not None and left in inside:
                loops.append(inside[left])
            farther = max(farther, entry.after + farthest - nearest)
        tried = np.sort(np.concatenate(single)) if single else ids[:0]
        paths, row = self.vocabulary.trie.paths(tried), self.rows.kept(packed(free))
        back, count = self._back(loops), int(free.sum())
        return Table(control, row, count, tuple(alike), tried, farther, paths, back)

    def _back(self, loops: list[Ints]) -> Row | None:
        """The tokens that lead back, packed, where there are many."""
        if sum(map(len, loops)) < _MANY:
            return None
        found = np.zeros(self.size, np.bool_)
        found[np.concatenate(loops)] = True
        return self.rows.kept(packed(found))

    def _entry(self, control: Control) -> _Entry | None:
        """The one text of many kinds of bytes that is read at a place or begins there."""
        if len(control) > 1 or self._key(control)[1]:
            return None
        thread, others = control[0], 0
        happened: Happened = ()
        text = thread.left
        if text is None:
            exits = [e.read.language for e in self.machine.exits(thread) if e.read is not None]
            wide = [language for language in exits if _first(language).bit_count() >= _WIDE]
            if len(wide) != 1:
                return None
            for language in exits:
                others |= _first(language) if language is not wide[0] else 0
            own = _first(wide[0]) & ~others
            after, met = self.after(control, lowest(own)) if own else ((), None)
            if met is None or len(after) != 1 or self._key(after)[1] or after[0].left is None:
                return None
            text, thread, happened = opened(wide[0], self._limit)[0], after[0], met
        elif _first(text).bit_count() < _WIDE:
            return None
        for exit_ in self.machine.exits(thread):
            others |= _first(exit_.read.language) if exit_.read is not None else 0
        assert thread.left is not None
        return _Entry(text, others, happened, self.machine.low(thread) - thread.left.shortest)

    def _text(self, left: Regular) -> _Text | None:
        """The tokens that stay inside a text; None where some token is the whole of what is left,
        for then something may happen after it."""
        if left not in self._texts:
            ids, states = self._languages.tokens(self.vocabulary.trie, left)
            found = {self._languages.key(state): here for state, here in grouped(ids, states)}
            farthest = max((end.shortest for end in found), default=0)
            self._texts[left] = None if EMPTY in found else _Text(found, farthest)
        return self._texts[left]

    def _reach(self, byte_set: int) -> _Reach:
        if byte_set not in self._reaches:
            trie = self.vocabulary.trie
            held = np.isin(trie.labels, bytes_of(byte_set))
            held[0] = False
            held = trie.below(held)
            ids = trie.ids[np.repeat(held, np.diff(trie.held))]
            tokens = np.zeros(self.size, np.bool_)
            tokens[ids] = True
            self._reaches[byte_set] = _Reach(tokens, len(ids), trie.above(held))
        return self._reaches[byte_set]

    def _with(self, thread: Thread, left: Regular) -> Thread:
        if left is thread.left:
            return thread
        return self.machine.thread(thread.place, left, thread.guards, thread.stack)

    def _key(self, control: Control) -> _Key:
        """Where a walk begins: a text that a contract narrows, or that decides what else of the
        step can be written, is as good as a choice."""
        free = self.machine.program.free
        plain = all(
            not thread.guards
            and (thread.left is None or (thread.left.pure and thread.place in free))
            for thread in control
        )
        return control, () if plain or not self.machine.contracts else (None,)

    # -- the automaton of places

    def _onward(self, key: _Key) -> Iterator[tuple[int, _Key]]:
        control, happened = key
        for byte_set in self.kinds(control):
            after, more = self.after(control, lowest(byte_set))
            if after:
                whole = None if happened is None or more is None else _joined(happened, more)
                yield byte_set, (after, whole)

    def kinds(self, control: Control) -> list[int]:
        """A partition of the bytes: those of one set lead to one place."""
        languages: dict[Regular, None] = {}
        for thread in control:
            languages.update(dict.fromkeys(thread.guards))
            if thread.left is not None:
                languages[thread.left] = None
            if thread.left is None or thread.left.nullable:
                for exit_ in self.machine.exits(thread):
                    languages.update(dict.fromkeys(exit_.guards))
                    if exit_.read is not None:
                        languages[exit_.read.language] = None
        kinds = [ALL_BYTES]
        for language in languages:
            kinds = [a & b for a in kinds for b in language.classes if a & b]
        return kinds

    def _derivatives(self, left: Regular) -> Iterator[tuple[int, Regular]]:
        for byte_set in left.classes:
            after = left.step(lowest(byte_set))
            if after is not NOTHING:
                yield byte_set, opened(after, self._limit)[0]

    def after(self, control: Control, byte: int) -> _Key:
        """Every place a byte may lead to, and what happens on the way."""
        result: dict[Thread, None] = {}
        happened: list[Event | None] | None = []
        for thread in control:
            moves = self.machine.moves(thread, byte)
            if happened is not None and self.machine.contracts:
                for move in moves:
                    happened += (*move.before, *move.after)
                if any(map(_reads, happened)) or any(move.exit for move in moves):
                    happened = None
                elif len(moves) != 1 or not self._is_no_choice(thread, byte):
                    happened.append(None)
            for move in moves:
                after = move.thread or self.machine.beyond(move, byte)
                if after is not None:
                    if after.left is not None:
                        after = self._with(after, opened(after.left, self._limit)[0])
                    result[after] = None
        return tuple(result), None if happened is None else tuple(happened)

    def _is_no_choice(self, thread: Thread, byte: int) -> bool:
        """Whether a byte goes on in the text being read, or on the only way out of it."""
        goes_on = thread.left is not None and thread.left.step(byte) is not NOTHING
        return goes_on or len(self.machine.exits(thread)) == 1


def _reads(event: Event | None) -> bool:
    """Whether what an event does depends on the text around it."""
    return isinstance(event, (BeginSpan, EndSpan))


def _joined(first: Happened, second: Happened) -> Happened:
    return first if second == (None,) and None in first else first + second


def _first(language: Regular) -> int:
    """The bytes that a text of a language may begin with."""
    result = 0
    for byte_set in language.classes:
        if language.step(lowest(byte_set)) is not NOTHING:
            result |= byte_set
    return result
