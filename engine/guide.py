"""Which tokens may come next: the machine, over a vocabulary, within a budget.

While the end is far the mask is that of the state (`statelang.engine.states`). With a budget, a
token is allowed only while a known way to the end fits into what is left, so a trace is never cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
from attrs import field, frozen

from statelang.diagnostics import StatelangError
from statelang.engine.bits import Row, packed, unpacked
from statelang.engine.bounds import FAR
from statelang.engine.states import State, States
from statelang.engine.tables import Table
from statelang.engine.trie import Ints
from statelang.engine.vocabulary import Vocabulary
from statelang.machine import Configuration, Machine
from statelang.search import Search
from statelang.space import StateSpace
from statelang.tools import Function

_SLACK: Final = 24  # tokens by which a captured text may move the end
_TIGHT: Final = 64  # tokens of room below which every token is checked against the budget
_MAX_KNOWN: Final = 50_000


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
        self.states = States(self.machine, vocabulary)
        self.search = self.states.search
        self._ways: dict[object, bytes | None] = {}
        self.everything = Search(self.machine)  # by every byte, whether a token writes it or not
        self._none = packed(np.zeros(self.states.size, np.bool_))
        self._ends = self.states.joined(self._none, [self.states.stops])
        nothing = np.empty(0, np.int32)
        self._nothing = Table((), self._none, 0, (), nothing, 0, frozenset())

    # -- beginnings

    def start(
        self,
        problem: Mapping[str, Any] | None = None,
        max_tokens: int | None = None,
        tools: Mapping[str, Function] | None = None,
    ) -> Position:
        """The position before the first token.

        Args:
            problem: The space's inputs.
            max_tokens: Tokens the trace may take, stop token included.
            tools: The functions that `writes` clauses name.

        Raises:
            StatelangError: an input or a function is missing; no legal trace can be written with
                the vocabulary; or the budget is below what the shortest known trace takes, which
                is named.
        """
        configuration = self.machine.start(problem, tools)
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
        known = 0 <= token < len(self.vocabulary.tokens)
        text = self.vocabulary.tokens[token] if known else b""
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

    def _captures(self, configuration: Configuration | None) -> bool:
        return configuration is not None and any(env.starts for _, env in configuration.alive)

    # -- masks

    def standing(self, position: Position) -> tuple[State, int]:
        """The state of a position, and the bytes that may be read before a bound is near. Under a
        budget, and after the end, it is a state of its own."""
        if position.configuration is None:
            return State(None, self._nothing, {}, self._ends), FAR
        state, room = self.states.state(position.configuration)
        if position.left is None:
            return state, room
        return State(position.configuration, state.table, {}), FAR

    def allowed(self, position: Position) -> Ints:
        """Ids of the tokens that may come next, ascending. Raises StatelangError as `mask` does."""
        return np.flatnonzero(unpacked(self.mask(position), self.states.size)).astype(np.int32)

    def mask(self, position: Position) -> Row:
        """The tokens that may come next: token `i` is bit `i % 32` of word `i // 32`. Read-only.

        Empty only where the space locks (`statelang check` finds such spaces).
        """
        if position.configuration is None:
            return self._ends
        state, _ = self.states.state(position.configuration)
        if position.left is not None and position.bound is not None:
            position = self._informed(position)
            if not self._is_far(position, state):
                return self._limited(position, state)
        return self.states.row(state)

    def _is_far(self, position: Position, state: State) -> bool:
        """Whether no token can bring the end of the budget near."""
        assert position.left is not None and position.bound is not None
        room = position.left - position.bound
        again = 2 * self.vocabulary.longest if self._captures(position.configuration) else 0
        return room >= max(_TIGHT, state.table.farther + again + _SLACK + 1)

    def _limited(self, position: Position, state: State) -> Row:
        """The mask near the end of the budget: tokens after which a way to the end still fits."""
        configuration = position.configuration
        assert configuration is not None
        fits = partial(self._leaves, position) if self._is_tight(position) else self.states.viable
        kept = [*self._free(position, state), *self.states.tried(configuration, state.table, fits)]
        if self.machine.ends(configuration) is not None:
            kept.append(self.states.stops)
        return self.states.joined(self._none, kept)

    def _informed(self, position: Position) -> Position:
        """Where the budget may bind, know a way to the end anew."""
        assert position.left is not None and position.bound is not None
        room = position.left - position.bound
        if position.way is not None or room >= (
            position.bound + _TIGHT if position.stale else 2 * _SLACK
        ):
            return position
        assert position.configuration is not None
        way = self._way(position.configuration)
        if way is None:
            return position
        bound = self.vocabulary.fewest(way) + 1
        return Position(
            position.configuration, position.left, bound, way, following=position.following
        )

    def _free(self, position: Position, state: State) -> list[Ints]:
        """Tokens along which nothing happens, as far as the budget lets them."""
        assert position.left is not None and position.bound is not None
        room = position.left - 1 - position.bound - _SLACK
        captured = self._captures(position.configuration)
        tokens = self.vocabulary.tokens
        kept = []
        for farther, ids in self.states.tables.groups(state.table.control):
            longest = max(ids.tolist(), key=lambda token: len(tokens[token]))
            again = 2 * len(tokens[longest]) if captured else 0
            if farther + again <= room:
                kept.append(ids)
                continue
            fits, shared = self._leaves(position, longest)
            if fits and (shared or not captured):
                kept.append(ids)
            elif captured:  # the text is due again, and each may take another number of tokens
                fitting = [token for token in ids.tolist() if self._fits(position, token)]
                kept.append(np.array(fitting, np.int32))
        return kept

    def _is_tight(self, position: Position) -> bool:
        return (
            position.left is not None
            and position.bound is not None
            and position.left < position.bound + _TIGHT
        )

    def _leaves(
        self, position: Position, token: int, after: Configuration | None = None
    ) -> tuple[bool, bool]:
        """Whether a token leaves a way to the end within the budget, and whether any other text
        of the same field would as well."""
        if not self._fits(position, token, after):
            return False, False
        known = position.following.get(token)
        if known is None or known.left is None or known.bound is None:
            return True, True
        return True, known.left >= known.bound + _SLACK + 2 * self.vocabulary.longest

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
