"""Draw a legal token without making the mask: of the tokens that touch a contract, only those that
the model would take are tried.

A draw from the grammar's tokens that is repeated without those found illegal is a draw from the
legal ones, by the model's own shares among them.
"""

from __future__ import annotations

from random import Random
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from statelang.engine.bits import holds
from statelang.engine.masking import Sparse
from statelang.engine.matcher import Matcher
from statelang.engine.sampling import Scores, pick
from statelang.engine.tables import Table

_UPPER: Final[WeakKeyDictionary[Table, Sparse]] = WeakKeyDictionary()


def draw_legal(matcher: Matcher, scores: Scores, temperature: float, chance: Random) -> int | None:
    """A legal token by the model's scores; None where there is none.

    Args:
        matcher: Where the sequence stands.
        scores: Logits, shape (tokens,); changed in place.
        temperature: 0 takes the likeliest token.
        chance: Where the randomness comes from.
    """
    upper = structural(matcher)
    if upper.are_legal:
        scores = scores[upper.ids]
    else:
        upper.apply(scores)
    while scores.max() > -np.inf:
        at = pick(scores, temperature, chance)
        token = int(upper.ids[at]) if upper.are_legal else at
        if is_legal(matcher, token):
            return token
        scores[at] = -np.inf
    return None


def is_legal(matcher: Matcher, token: int) -> bool:
    """Whether a token is legal, which for one costs less than for all."""
    state, guide = matcher.state, matcher.guide
    if state.row is not None:
        return holds(state.row, token)
    if holds(state.table.row, token):
        return True
    configuration = matcher.configuration
    if configuration is None or token in guide.vocabulary.stops:
        return configuration is None or guide.machine.ends(configuration) is not None
    text = guide.vocabulary.tokens[token]
    after = guide.machine.advance(configuration, text) if text else None
    return after is not None and guide.states.viable(token, after)[0]


def structural(matcher: Matcher) -> Sparse:
    """The tokens that the structure of the grammar allows, the legal ones among them."""
    states, state = matcher.guide.states, matcher.state
    if state.row is not None:
        return states.sparse(state.row)
    found = _UPPER.get(state.table)
    if found is None:
        table = state.table
        row = states.joined(table.row, [*table.alike, table.single, states.stops])
        found = _UPPER[table] = Sparse.of(row, states.size)
    return found
