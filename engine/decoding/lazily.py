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

from statelang.engine.decoding.sampling import Scores, pick
from statelang.engine.masks.masking import Sparse
from statelang.engine.masks.tables import Table
from statelang.engine.steering.matcher import Matcher

_UPPER: Final[WeakKeyDictionary[Table, Sparse]] = WeakKeyDictionary()


def draw_legal(
    matcher: Matcher, scores: Scores, temperature: float, chance: Random
) -> tuple[int | None, bool]:
    """A legal token by the model's scores, None where none was found; and whether a token was
    passed over that the budget alone closes.

    Args:
        matcher: Where the sequence stands.
        scores: Logits, shape (tokens,); changed in place.
        temperature: 0 takes the likeliest token.
        chance: Where the randomness comes from.
    """
    is_closed = False
    upper = structural(matcher)
    if upper.are_legal:
        scores = scores[upper.ids]
    else:
        upper.apply(scores)
    while scores.max() > -np.inf:
        at = pick(scores, temperature, chance)
        token = int(upper.ids[at]) if upper.are_legal else at
        if matcher.guide.states.allows(matcher.state, token):
            if not matcher.is_limited or matcher.allows(token):
                return token, is_closed
            is_closed = True
        scores[at] = -np.inf
    return None, is_closed


def structural(matcher: Matcher) -> Sparse:
    """The tokens that the structure of the grammar allows, the legal ones among them. Never the
    mask itself, though it may be known: no sequence may depend on what another has met."""
    states, state = matcher.guide.states, matcher.state
    found = _UPPER.get(state.table)
    if found is None:
        table = state.table
        row = states.joined(table.row, [*table.alike, table.single, states.stops])
        found = _UPPER[table] = Sparse.of(row, states.size)
    return found
