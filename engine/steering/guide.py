"""Which tokens may come next: the machine, over a vocabulary, within a budget.

The mask is that of the state (`statelang.engine.masks.states`), or of its budget
(`statelang.engine.steering.budget`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from attrs import field, frozen

from statelang.diagnostics import StatelangError
from statelang.engine.masks.bits import Row, unpacked
from statelang.engine.masks.bounds import FAR
from statelang.engine.masks.states import State, States
from statelang.engine.masks.tables import Table
from statelang.engine.steering.budget import Budget
from statelang.engine.steering.distance import Distances
from statelang.engine.vocabularies.trie import Ints
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.regular.automaton import ALL_BYTES
from statelang.space import StateSpace
from statelang.tools import Function
from statelang.walking.machine import Configuration, Machine
from statelang.walking.search import Search


class NoTrace(StatelangError):
    """No legal trace is known that a vocabulary can write for a problem."""


@frozen(eq=False)
class Position:
    """Where one sequence stands. With a budget, `left` are the tokens that it leaves, stop token
    included, and `bound` a number of tokens within which the trace can certainly end."""

    configuration: Configuration | None
    left: int | None = None
    bound: int = 0
    budget: Budget | None = None
    ended: bool = False
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
        self.distances = Distances(self.states.tables)
        self.everything = Search(self.machine)  # by every byte, whether a token writes it or not
        # No contract closes a way and every text can be written: then some trace can be.
        is_plain = not contracts or "//@" not in space.source.text
        self._is_open = is_plain and vocabulary.alphabet == ALL_BYTES
        self._ends = self.states.joined(self.states.none, [self.states.stops])
        nothing = np.empty(0, np.int32)
        self._nothing = Table((), self.states.none, 0, (), nothing, 0, frozenset())

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
                the vocabulary; or the budget is below what the shortest trace takes that is known,
                which is named.
        """
        configuration = self.machine.start(problem, tools)
        if max_tokens is None and self._is_open:
            return Position(configuration)
        budget = Budget(self.states, self.distances)
        bound = budget.endings.bound(configuration)
        if bound == FAR:
            raise NoTrace(
                f"no complete trace of `{self.space.name}` can be written with this vocabulary "
                "and problem; run `statelang check` on the space, and see whether the tokenizer "
                "lacks bytes"
            )
        if max_tokens is None:
            return Position(configuration)
        if bound > max_tokens:
            bound = budget.least(configuration)
        if bound > max_tokens:
            shortest = "the shortest trace"
            if self.machine.asked(configuration):  # of other texts the tools may say less
                shortest += " that is known with these tools"
            raise StatelangError(
                f"max_tokens={max_tokens} is too small for `{self.space.name}`: {shortest} "
                f"takes {bound} tokens, stop token included; give at least {bound}"
            )
        return Position(configuration, max_tokens, bound, budget)

    def least(self, configuration: Configuration) -> int:
        """The least number of tokens to a complete trace, stop token included; where numbers or
        texts without end decide it, the least that is known."""
        return Budget(self.states, self.distances).least(configuration)

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
            result = Position(None, left, ended=True)
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
        after = self.machine.advance(position.configuration, text) if text else None
        if after is None:
            return None
        if position.budget is None:
            return Position(after, left)
        before, (state, _) = self.states.state(position.configuration)[0], self.states.state(after)
        bound = position.budget.bound(before, position.bound, token, state)
        return Position(after, left, bound, position.budget)

    # -- masks

    def standing(self, position: Position) -> tuple[State, int]:
        """The state of a position, and the bytes that may be read before a bound is near; after the
        end, a state of its own."""
        if position.configuration is None:
            return State(None, self._nothing, {}, self._ends), FAR
        return self.states.state(position.configuration)

    def allowed(self, position: Position) -> Ints:
        """Ids of the tokens that may come next, ascending. Raises StatelangError as `mask` does."""
        return np.flatnonzero(unpacked(self.mask(position), self.states.size)).astype(np.int32)

    def mask(self, position: Position) -> Row:
        """The tokens that may come next: token `i` is bit `i % 32` of word `i // 32`. Read-only.

        Empty only where the space locks (`statelang check` finds such spaces).
        """
        state, _ = self.standing(position)
        if position.budget is None or position.left is None:
            return self.states.row(state)
        return position.budget.row(state, position.left, position.bound)


def guide(space: StateSpace, vocabulary: Vocabulary, contracts: bool) -> Guide:
    """The guide of a space and a vocabulary, which all their matchers share."""
    return _guide(
        _Named(space.name + space.hash, space), _Named(vocabulary.hash, vocabulary), contracts
    )


@frozen
class _Named:
    """Something that is looked up by its name."""

    name: str
    item: Any = field(eq=False)


@lru_cache(maxsize=8)
def _guide(space: _Named, vocabulary: _Named, contracts: bool) -> Guide:
    return Guide(space.item, vocabulary.item, contracts=contracts)
