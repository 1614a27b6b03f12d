"""Which tokens may come next: the machine, over a vocabulary, within a budget.

Two tables meet here. What the grammar allows at a place is walked once over the vocabulary and
remembered (`_Table`): tokens along which nothing happens are allowed as they are; tokens that
begin or end a field, open a step or leave a choice behind are tried on the configuration at hand,
contracts included, and kept only if a way to the end is known from there. With a budget, a token
is allowed only while a known way to the end fits into what is left, so a trace is never cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from statelang.automaton import NOTHING, clamp
from statelang.diagnostics import StatelangError
from statelang.engine.vocabulary import TrieNode, Vocabulary
from statelang.machine import Configuration, Machine, Thread
from statelang.search import Search
from statelang.space import StateSpace

_SLACK: Final = 24  # tokens by which a captured text may move the end
_TIGHT: Final = 64  # tokens of room below which every token is checked against the budget
_MAX_TABLES: Final = 20_000
_MAX_KNOWN: Final = 50_000

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Control = tuple[Thread, ...]


@frozen(eq=False)
class _Table:
    """The tokens of one place. In `groups` are those along which nothing happens, each group with
    how many bytes the end moves away and its longest token: all lead to one place. `tried` are the
    others."""

    groups: tuple[tuple[int, Ids, int], ...]
    tried: tuple[int, ...]
    free: Ids


@frozen(eq=False)
class Position:
    """Where one sequence stands: its configuration and what is known of its end.

    `bound` is a number of tokens, stop token included, within which the trace can certainly end
    (None where no budget asks); `way` is a text that does so, where one is at hand. Once a step
    has moved the registers the bound is `stale` until a new way is looked for.
    """

    configuration: Configuration | None
    left: int | None = None
    bound: int | None = None
    way: bytes | None = None
    ended: bool = False
    stale: bool = False
    following: dict[int, Position] = field(factory=dict)


class Guide:
    """Masks and steps for one space and one vocabulary; shared by all sequences.

    Args:
        space: The state space.
        vocabulary: The tokens.
        contracts: False for the plain grammar.
    """

    def __init__(
        self, space: StateSpace, vocabulary: Vocabulary, *, contracts: bool = True
    ) -> None:
        self.space = space
        self.vocabulary = vocabulary
        self.machine = Machine(space, contracts=contracts)
        self.search = Search(self.machine, vocabulary.alphabet)
        self._tables: dict[Control, _Table] = {}
        self._ways: dict[Control, bytes | None] = {}

    # -- beginnings

    def start(
        self, problem: Mapping[str, Any] | None = None, max_tokens: int | None = None
    ) -> Position:
        """The position before the first token.

        Args:
            problem: The space's inputs.
            max_tokens: Tokens the trace may take, stop token included.

        Raises:
            StatelangError: an input is missing; no legal trace can be written with the vocabulary;
                or the budget is below what the shortest known trace takes, which is named.
        """
        configuration = self.machine.start(problem)
        ways = []
        for way in self.search.completions(configuration):
            ways.append((self.vocabulary.fewest(way) + 1, way))
            if max_tokens is None or ways[-1][0] <= max_tokens:
                break
        if not ways:
            raise StatelangError(
                f"no complete trace of `{self.space.name}` can be written with this vocabulary "
                "and problem; run `statelang check` on the space, and see whether the tokenizer "
                "lacks bytes"
            )
        bound, way = min(ways)
        if max_tokens is not None and bound > max_tokens:
            raise StatelangError(
                f"max_tokens={max_tokens} is too small for `{self.space.name}`: the shortest trace "
                f"found takes {bound} tokens, stop token included; give at least {bound}"
            )
        limited = max_tokens is not None
        return Position(configuration, max_tokens, bound if limited else None, way)

    # -- one step

    def advance(self, position: Position, token: int) -> Position | None:
        """The position after a token; None where the token is not legal."""
        known = position.following.get(token)
        if known is not None:
            return known
        if position.configuration is None:
            return None
        left = None if position.left is None else position.left - 1
        if token in self.vocabulary.stops:
            if self.machine.ends(position.configuration) is None:
                return None
            result = Position(None, left, 0, ended=True)
        else:
            found = self._step(position, token, left)
            if found is None:
                return None
            result = found
        position.following[token] = result
        return result

    def _step(self, position: Position, token: int, left: int | None) -> Position | None:
        assert position.configuration is not None
        text = self.vocabulary.tokens[token] if token < len(self.vocabulary.tokens) else b""
        if not text:
            return None
        before = position.configuration
        after = self.machine.advance(before, text)
        if after is None:
            return None
        if position.way is not None and position.way.startswith(text):
            way = position.way[len(text) :]
            bound = None if left is None else self.vocabulary.fewest(way) + 1
            return Position(after, left, bound, way)
        if position.bound is None:
            return Position(after, left)
        low = self.machine.low
        moved = max(low(t) for t, _ in after.alive) - min(low(t) for t, _ in before.alive)
        quiet = len(after.alive) == 1 == len(before.alive) and (
            after.alive[0][1] is before.alive[0][1]
        )
        again = 2 * len(text) if self._captures(after) else 0  # what is read may be due again
        bound = position.bound + max(0, moved) + 1 + again
        return Position(after, left, bound, stale=not quiet)

    def _captures(self, configuration: Configuration) -> bool:
        return any(env.starts for _, env in configuration.alive)

    # -- masks

    def allowed(self, position: Position) -> Ids:
        """Ids of the tokens that may come next, ascending.

        Empty only where the space locks (`statelang check` finds such spaces).
        """
        if position.configuration is None:
            return np.array(sorted(self.vocabulary.stops), dtype=np.int64)
        configuration = position.configuration
        table = self.table(configuration)
        position = self._informed(position)
        parts = [self._free(position, table)]
        kept = self._tried(position, table)
        if kept:
            parts.append(np.array(kept, dtype=np.int64))
        if self.machine.ends(configuration) is not None:
            parts.append(np.array(sorted(self.vocabulary.stops), dtype=np.int64))
        return np.sort(np.concatenate(parts)) if len(parts) > 1 else parts[0]

    def _informed(self, position: Position) -> Position:
        """Where the budget may bind, know a way to the end anew."""
        if position.left is None or position.bound is None or position.way is not None:
            return position
        room = position.left - position.bound
        if room >= (position.bound + _TIGHT if position.stale else 2 * _SLACK):
            return position
        assert position.configuration is not None
        way = self._way(position.configuration)
        if way is None:
            return position
        bound = self.vocabulary.fewest(way) + 1
        return Position(
            position.configuration, position.left, bound, way, following=position.following
        )

    def _free(self, position: Position, table: _Table) -> Ids:
        """Tokens along which nothing happens, as far as the budget lets them."""
        if position.left is None or position.bound is None:
            return table.free
        assert position.configuration is not None
        room = position.left - 1 - position.bound - _SLACK
        captured = self._captures(position.configuration)
        parts = []
        for farther, ids, longest in table.groups:
            again = 2 * len(self.vocabulary.tokens[longest]) if captured else 0
            if farther + again <= room or self._fits(position, longest):
                parts.append(ids)
            elif captured:
                fitting = [int(i) for i in ids if self._fits(position, int(i))]
                parts.append(np.array(fitting, dtype=np.int64))
        if len(parts) == len(table.groups) and sum(map(len, parts)) == len(table.free):
            return table.free
        return np.sort(np.concatenate(parts)) if parts else table.free[:0]

    def _tried(self, position: Position, table: _Table) -> list[int]:
        """Tokens that must be tried on the configuration at hand."""
        assert position.configuration is not None
        alive: list[tuple[int, Configuration]] = []
        for token in table.tried:
            after = self.machine.advance(position.configuration, self.vocabulary.tokens[token])
            if after is not None:
                alive.append((token, after))
        if len(alive) == 1 and not len(table.free):
            if self.machine.ends(position.configuration) is None:
                return [alive[0][0]]  # the only way on, and there is one
        tight = self._is_tight(position)
        if not (tight or self.machine.contracts):
            return [token for token, _ in alive]
        fields: dict[object, bool] = {}  # one answer for all texts of a field that binds nothing
        kept = []
        for token, after in alive:
            place = self._free_field(after)
            ok = fields.get(place) if place is not None else None
            if ok is None or (tight and not ok):
                ok = (self._fits if tight else self._can_step)(position, token, after)
                if place is not None:
                    fields[place] = ok and self._has_room(position.following.get(token))
            if ok:
                kept.append(token)
        return kept

    def _free_field(self, after: Configuration) -> object | None:
        """What tokens with one answer share: the field that is being written, where its text binds
        nothing else in the step, or the place, where no contract looks at the text yet."""
        shared: list[object] = []
        for thread, _ in after.alive:
            if thread.left is None:
                return None
            if thread.place in self.machine.program.free:
                shared.append(thread.place)
            elif thread.left.pure and not thread.guards:
                shared.append(thread)
            else:
                return None
        return tuple(shared)

    def _has_room(self, position: Position | None) -> bool:
        """Whether another text of the same field would fit as well."""
        if position is None or position.left is None or position.bound is None:
            return True
        return position.left >= position.bound + _SLACK + 2 * self.vocabulary.longest

    def _is_tight(self, position: Position) -> bool:
        return (
            position.left is not None
            and position.bound is not None
            and position.left < position.bound + _TIGHT
        )

    def _can_step(self, position: Position, token: int, after: Configuration) -> bool:
        """Whether the step can be completed after a token and leaves an exit open."""
        text = self.vocabulary.tokens[token]
        if position.way is not None and position.way.startswith(text):
            return True
        return self.search.step(after)

    def _fits(self, position: Position, token: int, after: Configuration | None = None) -> bool:
        """Whether a way to the end is known after a token, within the budget."""
        known = position.following.get(token)
        if known is None or known.bound is None or known.stale:
            left = None if position.left is None else position.left - 1
            text = self.vocabulary.tokens[token]
            assert position.configuration is not None
            if after is None:
                after = self.machine.advance(position.configuration, text)
                assert after is not None
            if position.way is not None and position.way.startswith(text):
                way: bytes | None = position.way[len(text) :]
            else:
                way = self._way(after)
            if way is None:
                return False
            bound = self.vocabulary.fewest(way) + 1
            known = position.following[token] = Position(after, left, bound, way)
        return known.left is None or known.bound is None or known.bound <= known.left

    def _way(self, configuration: Configuration) -> bytes | None:
        """A text that ends the trace from here; without contracts it depends on the place alone."""
        if self.machine.contracts:
            return self.search.complete(configuration)
        control = tuple(thread for thread, _ in configuration.alive)
        if control not in self._ways:
            if len(self._ways) > _MAX_KNOWN:
                self._ways.clear()
            self._ways[control] = self.search.complete(configuration)
        return self._ways[control]

    # -- tables

    def table(self, configuration: Configuration) -> _Table:
        """What the grammar allows at the place of a configuration."""
        control = tuple(self._canonical(thread) for thread, _ in configuration.alive)
        found = self._tables.get(control)
        if found is None:
            if len(self._tables) > _MAX_TABLES:
                self._tables.clear()
            found = self._tables[control] = self._build(control)
        return found

    def _canonical(self, thread: Thread) -> Thread:
        """The place with its counters cut to what one token can reach: places alike share masks."""
        if thread.left is None:
            return thread
        left = clamp(thread.left, self.vocabulary.longest + 1)
        if left is thread.left:
            return thread
        return self.machine.thread(thread.place, left, thread.guards, thread.stack)

    def _build(self, control: Control) -> _Table:
        groups: dict[Control, list[int]] = {}
        tried: list[int] = []
        low = self.machine.low
        nearest = min(low(thread) for thread in control)
        quiet = all(self._is_quiet(thread) for thread in control)
        todo: list[tuple[TrieNode, Control, bool]] = [(self.vocabulary.trie, control, quiet)]
        while todo:
            node, threads, unchanged = todo.pop()
            if node.tokens:
                if unchanged:
                    groups.setdefault(threads, []).extend(node.tokens)
                else:
                    tried += node.tokens
            for byte, following in node.children.items():
                after, still = self._after(threads, byte)
                if after:
                    todo.append((following, after, unchanged and still))
        found = [
            (
                max(0, max(map(low, threads)) - nearest),
                np.array(sorted(ids), dtype=np.int64),
                max(ids, key=lambda token: len(self.vocabulary.tokens[token])),
            )
            for threads, ids in groups.items()
        ]
        free = (
            np.sort(np.concatenate([ids for _, ids, _ in found]))
            if found
            else np.empty(0, np.int64)
        )
        return _Table(tuple(found), tuple(sorted(tried)), free)

    def _is_quiet(self, thread: Thread) -> bool:
        """Whether no contract narrows the text being read."""
        return not thread.guards and (thread.left is None or thread.left.pure)

    def _after(self, threads: Control, byte: int) -> tuple[Control, bool]:
        """Every place a byte may lead to, and whether nothing happened on the way."""
        result: dict[Thread, None] = {}
        quiet = True
        for thread in threads:
            moves = self.machine.moves(thread, byte)
            quiet = quiet and byte in thread.quiet and self._is_no_choice(thread, byte)
            for move in moves:
                after = move.thread or self.machine.beyond(move, byte)
                if after is not None:
                    result[after] = None
        return tuple(result), quiet

    def _is_no_choice(self, thread: Thread, byte: int) -> bool:
        """Whether a byte goes on in the text being read, or on the only way out of it."""
        goes_on = thread.left is not None and thread.left.step(byte) is not NOTHING
        return goes_on or len(self.machine.exits(thread)) == 1
