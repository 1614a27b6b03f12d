"""A budget of tokens: a token is allowed only while a known way to the end fits into what is left.

As long as this closes nothing, the mask is the plain one of the state. Tokens that touch a contract
are allowed where a way to the end is known after them; of the others, along which nothing happens,
the structure of the grammar tells how far they lead away from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from statelang.engine.masks.bits import Row, holds
from statelang.engine.masks.states import State, States
from statelang.engine.steering.distance import Distances
from statelang.engine.steering.endings import Endings
from statelang.engine.vocabularies.trie import Ints
from statelang.walking.machine import Configuration

_SLACK: Final = 24  # tokens that another way of cutting the rest of a text may take
_MOST_TRIES: Final = 20_000  # steps of the machine in looking for the least budget
_MAX_TRIED: Final = 64  # tokens of one field that are tried one by one near the end of the budget


class Budget:
    """The masks of one sequence under a budget, and what is known of the end."""

    def __init__(self, states: States, distances: Distances) -> None:
        self.states = states
        self.machine = states.machine
        self.lengths = states.vocabulary.lengths
        self.endings = Endings(states, distances)
        self._again = 2 * states.vocabulary.longest  # what is read may be due again
        self._farthest: dict[State, int] = {}
        self._rows: dict[tuple[State, int], Row] = {}

    def least(self, configuration: Configuration) -> int:
        """The least number of tokens to a complete trace, stop token included; where numbers or
        texts without end decide it, the least that is known. FAR where no way is."""
        bound = self.endings.bound(configuration)
        return min(bound, self.endings.least(configuration, bound - 1, _MOST_TRIES))

    def bound(self, before: State, bound: int, token: int, after: State) -> int:
        """Tokens within which the trace can end after a token, by what was known before it: a way
        is looked for anew where the token touched a contract."""
        if holds(before.table.row, token):
            low = self.machine.low
            moved = max(map(low, after.table.control)) - min(map(low, before.table.control))
            again = 2 * self.lengths[token] if self._is_read(after) else 0
            return bound + max(0, moved) + 1 + again
        return self._bound(after)

    def _bound(self, state: State) -> int:
        return 0 if state.configuration is None else self.endings.bound(state.configuration)

    def _is_read(self, state: State) -> bool:
        return state.configuration is not None and self.states.is_read(state.configuration)

    # -- masks

    def row(self, state: State, left: int, bound: int) -> Row:
        """The mask where `left` tokens are left and the trace can end within `bound`: the plain one
        of the state, the same object, wherever the budget closes nothing."""
        row = self.states.row(state)
        if state.configuration is None or self._is_far(state, left - 1, bound):
            return row
        found = self._rows.get((state, left))
        if found is None:
            kept = list(self._limited(state, state.configuration, left - 1))
            found = self._rows[state, left] = self.states.joined(self.states.none, kept)
        return found

    def allows(self, state: State, token: int, left: int, bound: int) -> bool:
        """Whether a token is in that mask; for one token this costs less."""
        configuration, left = state.configuration, left - 1
        if configuration is None or token in self.states.vocabulary.stops:
            return holds(self.row(state, left + 1, bound), token)
        after = self.states.after(configuration, token)
        if after is None:
            return False
        # Of a field that is read no token is taken on trust: it may be due again many times.
        is_free = holds(state.table.row, token) and not self._is_read(state)
        if is_free and self._is_near(state, left, bound):
            return True
        return self.endings.fits(after, left) or self.endings.follow(configuration)[:1] == (token,)

    def _is_far(self, state: State, left: int, bound: int) -> bool:
        """Whether no legal token brings the end of the budget near, `left` tokens being left after
        it."""
        return self._is_near(state, left, bound) and self._most(state) <= left

    def _is_near(self, state: State, left: int, bound: int) -> bool:
        """Whether a way to the end is near enough for every token along which nothing happens."""
        again = self._again if self._is_read(state) else 0
        needed = state.table.farther + again + _SLACK
        return left - bound >= needed or left - self._bound(state) >= needed

    def _most(self, state: State) -> int:
        """Tokens to the end after any token that touches a contract, by known ways."""
        if state not in self._farthest:
            again = self._again if self._is_read(state) else 0
            found = (
                self.endings.bound(after) + (again if len(ids) > 1 else 0)
                for ids, after in self.states.tried(state)
            )
            self._farthest[state] = max(found, default=0)
        return self._farthest[state]

    def _limited(self, state: State, configuration: Configuration, left: int) -> Iterator[Ints]:
        """The tokens after which a way to the end is known within `left` tokens; the first token
        of the way that is known from here is always one of them."""
        yield np.array(self.endings.follow(configuration)[:1], np.int32)
        for ids, after in self.states.tried(state):
            yield from self._fitting(configuration, ids, after, left)
        for ids, _ in self.states.tables.groups(state.table):
            first = self.states.after(configuration, int(ids[0]))
            if first is not None:
                yield from self._fitting(configuration, ids, first, left)
        if self.machine.ends(configuration) is not None:
            yield self.states.stops

    def _fitting(
        self, before: Configuration, ids: Ints, after: Configuration, left: int
    ) -> Iterator[Ints]:
        """Of tokens that lead to one place, the first to `after`, those that leave a way to the
        end. In a field each writes another text, which may be due again."""
        if len(ids) == 1 or not self.states.is_read(before):
            if self.endings.fits(after, left):
                yield ids
        elif self.endings.bound(after) + self._again <= left:
            yield ids
        elif self.endings.nearest(after) <= left:
            for token in ids[:_MAX_TRIED]:
                following = self.states.after(before, int(token))
                if following is not None and self.endings.fits(following, left):
                    yield np.array([token], np.int32)
