"""What decides a mask, and the mask: looked up where the same has been met before.

A state is a configuration without what cannot matter for the next token: far bounds, the way it
came, and, in the plain grammar, registers. The structure's table comes first; the tokens that touch
a contract are then tried on the configuration, and kept only if the step can still be completed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np
from attrs import define, field

from statelang.compiling.env import Env, Frames
from statelang.engine.masks.bits import Row, holds, packed, unpacked
from statelang.engine.masks.bounds import FAR, is_within
from statelang.engine.masks.masking import Sparse
from statelang.engine.masks.tables import Control, Table, Tables
from statelang.engine.masks.words import new_word, read_before
from statelang.engine.vocabularies.trie import Ints
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.walking.machine import Configuration, Machine
from statelang.walking.search import Search

_MAX_STATES: Final = 5_000  # with contracts, 200 to a trace never seen before; 5 KB each
_MANY: Final = 64  # tokens that touch a contract, from which some may stand for others
_MAX_STEPS: Final = 25_000

Tried = tuple[Ints, Configuration]  # tokens, and the configuration after the first of them


@define(eq=False)
class State:
    """Where sequences stand that go on alike.

    `following` are the states after tokens met before; `staying` those inside a text whose bound is
    counted; `jumps` those after which another bound counts, with the bytes until it is near.
    `alike` are the states with the same registers; the tokens of `loops` lead back to this one.
    `tried` are the legal tokens that touch a contract or leave a choice behind.
    """

    configuration: Configuration | None
    table: Table
    alike: dict[Table, State]
    row: Row | None = None
    bits: memoryview | None = None  # of the row
    sparse: Sparse | None = None  # the same mask
    loops: Row | None = None  # None where they are few
    following: dict[int, State] = field(factory=dict)
    staying: dict[int, State] = field(factory=dict)
    jumps: dict[int, tuple[State, int]] = field(factory=dict)
    tried: tuple[Tried, ...] | None = None

    def known(self, token: int, length: int, room: int) -> tuple[State | None, int]:
        """The state after a token of so many bytes by what other sequences met, None where none
        did; and the bytes until a bound is near, given those before the token."""
        if token in self.jumps:
            return self.jumps[token]
        if self.loops is not None and holds(self.loops, token):
            ways = self.following if room == FAR else self.staying
            ways[token] = self
            return self, room if room == FAR else room - length
        table = self.table.following.get(token)
        state = self.alike.get(table) if table is not None else None
        if state is not None:
            self.following[token] = state
            return state, FAR
        table = self.table.staying.get(token)
        state = self.alike.get(table) if table is not None else None
        if state is not None:
            self.staying[token] = state
        return state, room - length


class States:
    """The states of one machine over one vocabulary; shared by all sequences."""

    def __init__(self, machine: Machine, vocabulary: Vocabulary) -> None:
        self.machine = machine
        self.vocabulary = vocabulary
        self.tables = Tables(machine, vocabulary)
        self.search = Search(machine, vocabulary.alphabet)
        self.size = len(vocabulary.tokens)
        self._states: dict[object, State] = {}
        self._steps: dict[object, bytes | None] = {}
        self._maps: dict[int, tuple[Any, object]] = {}
        self._sparse: dict[int, tuple[Row, Sparse]] = {}
        self.stops = np.array(sorted(vocabulary.stops), np.int32)
        self.none = packed(np.zeros(self.size, np.bool_))

    def state(self, configuration: Configuration) -> tuple[State, int]:
        """The state of a configuration, and the bytes that may be read before a bound is near."""
        control, room = self.tables.place(configuration)
        key = self.key(configuration, control)
        found = self._states.get(key)
        if found is None:
            if len(self._states) > _MAX_STATES:
                self._forget()
            found = State(configuration, self.tables.table(control), {})
            if len(configuration.alive) == 1 and not self.is_read(configuration):
                found.loops = found.table.loops  # nothing moves but the one place
            self._states[key] = found
        return found, room

    def _forget(self) -> None:
        """Keep no states but those that a sequence stands in: none leads to another any more."""
        for state in self._states.values():
            for ways in (state.following, state.staying, state.jumps, state.alike):
                ways.clear()
        self._states.clear()

    def key(self, configuration: Configuration, control: Control | None = None) -> object:
        """What two configurations share that go on alike, up to bounds that are far away."""
        if control is None:
            control = self.tables.place(configuration)[0]
        if not self.machine.contracts:
            return control
        envs = tuple(self._env(env) for _, env in configuration.alive)
        return control, envs, configuration.text if self.is_read(configuration) else b""

    def _hashable(self, value: Any) -> object:
        """A value of the contract language, or a tuple of such, as something to look up by. Maps
        and registers are shared by many environments, and what they are looked up by with them."""
        kind = type(value)
        if kind is str or kind is int or kind is Fraction or kind is frozenset or value is None:
            return value
        if kind is tuple:
            return tuple(map(self._hashable, value))
        if kind is Frames:
            return self._hashable(value.slots), self._hashable(value.outer)
        if not isinstance(value, Mapping):
            return value
        found = self._maps.get(id(value))
        if found is None or found[0] is not value:
            items = frozenset((key, self._hashable(item)) for key, item in value.items())
            found = self._remember(value, items)
        return found[1]

    def _env(self, env: Env) -> tuple[object, ...]:
        """What of an environment is to be looked up by (`Env.key`)."""
        slots, frames = self._hashable(env.slots), self._hashable(env.frames)
        lasts = self._hashable(env.lasts)
        return self._registers(env.registers), env.counts, lasts, slots, frames, env.starts

    def _registers(self, value: tuple[Any, ...]) -> object:
        """The same for registers, made once for all environments that share them."""
        found = self._maps.get(id(value))
        if found is None or found[0] is not value:
            found = self._remember(value, tuple(map(self._hashable, value)))
        return found[1]

    def _remember(self, value: Any, known: object) -> tuple[Any, object]:
        if len(self._maps) > _MAX_STATES:
            self._maps.clear()
        found = self._maps[id(value)] = value, known
        return found

    def learn(self, before: State, token: int) -> None:
        """Find out what a token leads to from a state, by the configuration it was made from."""
        exact = before.configuration
        after = self.after(exact, token) if exact is not None else None
        if exact is not None and after is not None:
            self.link(before, exact, token, self.state(after)[0], after)

    def link(
        self,
        before: State,
        exact: Configuration,
        token: int,
        after: State,
        following: Configuration,
    ) -> None:
        """Remember the state after a token, given the exact configurations, where it is the same
        for all sequences that stand in the first state as far away from a bound."""
        text = self.vocabulary.tokens[token]
        (control, near), (_, room) = self.tables.place(exact), self.tables.place(following)
        if len(text) > near:
            return
        if near == FAR == room:
            own, shared = before.following, before.table.following
        elif is_within(exact, text, following):
            own, shared = before.staying, before.table.staying
        else:
            if FAR in (near, room) or len(control) == 1 == len(after.table.control):
                before.jumps[token] = after, room
            return
        own[token] = after
        if holds(before.table.row, token) and self._is_quiet(exact, following):
            shared[token] = after.table
            before.alike[after.table] = after
            after.alike = before.alike

    def _is_quiet(self, before: Configuration, after: Configuration) -> bool:
        """Whether nothing has moved but the one place."""
        return (
            len(before.alive) == 1 == len(after.alive)
            and before.alive[0][1] is after.alive[0][1]
            and not self.is_read(before)
        )

    def row(self, state: State) -> Row:
        """The mask of a state, packed: token `i` is bit `i % 32` of word `i // 32`. Read-only."""
        if state.row is None:
            assert state.configuration is not None
            kept = [ids for ids, _ in self.tried(state)]
            if self.machine.ends(state.configuration) is not None:
                kept.append(self.stops)
            state.row = self.joined(state.table.row, kept)
        return state.row

    def allows(self, state: State, token: int) -> bool:
        """Whether a token is in the mask of a state; for one token this costs less."""
        configuration = state.configuration
        if state.row is not None or configuration is None:
            return holds(self.row(state), token)
        if holds(state.table.row, token):
            return True  # by the structure alone: no contract is touched
        if token in self.vocabulary.stops:
            return self.machine.ends(configuration) is not None
        after = self.after(configuration, token)
        return after is not None and self.viable(after)

    def sparse(self, row: Row) -> Sparse:
        """A mask as a short list of tokens."""
        found = self._sparse.get(id(row))
        if found is None or found[0] is not row:
            if len(self._sparse) > _MAX_STATES:
                self._sparse.clear()
            found = self._sparse[id(row)] = row, Sparse.of(row, self.size)
        return found[1]

    def joined(self, row: Row, more: list[Ints]) -> Row:
        """A mask with more tokens; stop tokens beyond the vocabulary are left out."""
        if not more:
            return row
        free = unpacked(row, self.size)
        ids = np.concatenate(more)
        free[ids[ids < self.size]] = True
        return self.tables.rows.kept(packed(free))

    def tried(self, state: State) -> tuple[Tried, ...]:
        """Of the tokens that touch a contract or leave a choice behind, those that are legal."""
        if state.tried is None:
            assert state.configuration is not None
            state.tried = tuple(self._tried(state.configuration, state.table))
        return state.tried

    def _tried(self, configuration: Configuration, table: Table) -> Iterator[Tried]:
        alive = list(self.alive(configuration, table))
        if len(alive) == 1 and len(alive[0][0]) == 1 and not table.count:
            if is_under_way(configuration) and self.machine.ends(configuration) is None:
                yield alive[0]  # the only way on, and there is one: the step was begun
                return
        fields: set[object] = set()
        words: dict[object, bool] = {}
        program = self.machine.program
        shared = new_word(program, configuration) if len(alive) > _MANY else None
        for ids, after in alive:
            place = self._free_field(after)
            word = shared(after) if shared is not None and place is None else None
            if word is not None:
                if word not in words:
                    words[word] = self.viable(after)
                if words[word]:
                    yield ids, after
            elif place in fields:
                yield ids, after
            elif self.viable(after):
                if place is not None:
                    fields.add(place)
                yield ids, after
            elif len(ids) > 1 and self.is_read(configuration):
                yield from self._each(configuration, ids)

    def _each(self, configuration: Configuration, ids: Ints) -> Iterator[Tried]:
        for token in ids.tolist():
            after = self.after(configuration, token)
            if after is not None and self.viable(after):
                yield np.array([token], np.int32), after

    def alive(self, configuration: Configuration, table: Table) -> Iterator[Tried]:
        """Tokens that the machine takes, those together that may have one answer."""
        for ids in table.alike:
            after = self.after(configuration, int(ids[0]))
            if (
                len(ids) == 1
                or not self.is_read(configuration)
                or (after is not None and self._free_field(after) is not None)
            ):
                if after is not None:
                    yield ids, after
                continue
            for token in ids.tolist():
                after = self.after(configuration, token)
                if after is not None:
                    yield np.array([token], np.int32), after
        if len(table.single):
            yield from self._singles(configuration, table)

    def is_read(self, configuration: Configuration) -> bool:
        """Whether the text of a field is being read, so that each token makes another text."""
        return any(env.starts for _, env in configuration.alive)

    def _singles(self, configuration: Configuration, table: Table) -> Iterator[Tried]:
        """The tokens that begin or end a field, walked together as far as they agree."""
        trie, single = self.vocabulary.trie, set(table.single.tolist())
        todo = [(0, configuration)]
        while todo:
            node, at = todo.pop()
            for byte, child in trie.children(node):
                if child not in table.paths:
                    continue
                after = self.machine.advance(at, bytes((byte,)))
                if after is None:
                    continue
                todo.append((child, after))
                ids = [token for token in trie.tokens(child) if token in single]
                if ids:
                    yield np.array(ids, np.int32), after

    def after(self, configuration: Configuration, token: int) -> Configuration | None:
        """The configuration after a token, None where the machine does not take it."""
        known = 0 <= token < self.size
        text = self.vocabulary.tokens[token] if known else b""
        return self.machine.advance(configuration, text) if text else None

    def _free_field(self, after: Configuration) -> object | None:
        """What tokens with one answer share: the text that is being written, where it binds nothing
        else in the step, and all that has been read before."""
        shared: list[object] = []
        for thread, env in after.alive:
            if thread.left is None or thread.place not in self.machine.program.free:
                return None
            shared += [thread.place, *read_before(env, env.slots)]
        return tuple(shared)

    def viable(self, after: Configuration) -> bool:
        """Whether the step under way can be completed and leaves an exit open."""
        return self.finish(after) is not None

    def finish(self, configuration: Configuration) -> bytes | None:
        """A text that completes the step and leaves an exit open after it; None where none does."""
        if self.is_read(configuration):
            return self.search.finish(configuration)  # another text each time: seldom asked twice
        key = self.key(configuration)
        if key not in self._steps:
            if len(self._steps) > _MAX_STEPS:
                self._steps.clear()
            self._steps[key] = self.search.finish(configuration)
        return self._steps[key]


def is_under_way(configuration: Configuration) -> bool:
    """Whether a step has begun and is not complete."""
    trails = (env.trail for _, env in configuration.alive)
    return all(trail is not None and trail.end < 0 for trail in trails)
