"""A token drawn without its mask is drawn as with it."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import statelang
from statelang.engine import Matcher, Vocabulary
from statelang.engine.decoding.lazily import draw_legal
from statelang.engine.decoding.sampling import draw
from statelang.engine.masks.bits import holds

PAIRS = """
//@ ghost seen: set[text] = {}

start : say _more
_more : say _more
      | sum _more
      | stop

//@ requires WORD not in seen
//@ set seen = seen | {WORD}
say : "say " WORD "\\n"
//@ requires NUMBER == left + size(seen)
sum : "sum " left " = " NUMBER "\\n"
left : NUMBER
stop : "stop\\n"

WORD : /[a-c]{1,2}/
//@ type number
NUMBER : /[0-9]{1,2}/
"""
MERGES = [b"say ", b"say a", b"ab\nsa", b" = ", b" = 1", b"\nst", b"stop\n", b"b\n", b"12", b"2\n"]
TOKENS = (*(bytes((byte,)) for byte in range(128)), *MERGES, b"")
VOCABULARY = Vocabulary(TOKENS, frozenset({len(TOKENS) - 1}))


@pytest.mark.parametrize("seed", range(6))
def test_the_draw_is_that_under_the_mask(seed: int) -> None:
    """Token by token along a random trace: what is legal alone is in the mask and the other way
    round, and the likeliest legal token is the same."""
    space, chance = statelang.loads(PAIRS), np.random.default_rng(seed)
    lazy, masked = Matcher(space, VOCABULARY), Matcher(space, VOCABULARY)
    for _ in range(25):
        row = masked.copy().compute_bitmask()
        assert [holds(row, token) for token in range(len(TOKENS))] == [
            lazy.allows(token) for token in range(len(TOKENS))
        ]
        scores = chance.normal(size=len(TOKENS)).astype(np.float32)
        mask = masked.guide.states.sparse(row)
        due = draw(scores.copy(), mask, 0, Random(0))
        assert (due, False) == draw_legal(lazy, scores.copy(), 0, Random(0))
        assert 1 == lazy.consume_tested([due]) and masked.consume_token(due)
        if lazy.is_stopped():
            break
    assert lazy.trace == masked.trace and lazy.registers == masked.registers


def test_shares_are_the_models_among_the_legal() -> None:
    """Thousands of draws come out as the softmax over the legal tokens says."""
    space = statelang.loads(PAIRS)
    matcher, chance = Matcher(space, VOCABULARY), Random(3)
    matcher.try_consume_tokens(list(b"say b\nsay "))
    scores = np.zeros(len(TOKENS), np.float32)
    scores[ord("a")], scores[ord("b")] = 1.0, 3.0
    counts = {token: 0 for token in (ord("a"), ord("b"), ord("c"))}
    other = 0
    for _ in range(4_000):
        token, _ = draw_legal(matcher, scores.copy(), 1.0, chance)
        if token in counts:
            counts[token] += 1
        else:
            other += 1
    weights = np.exp([1.0, 3.0, 0.0, 0.0])  # `ab\\nsa` is the fourth legal token
    shares = np.array([*counts.values(), other]) / 4_000
    assert np.abs(shares - weights / weights.sum()).max() < 0.03
