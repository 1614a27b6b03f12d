"""What other sequences have met changes no mask: each is what trying every token alone gives."""

from __future__ import annotations

import random

import numpy as np
import pytest

import statelang
from statelang.engine import Matcher, Vocabulary
from statelang.engine.masks.bits import unpacked
from statelang.engine.steering.guide import Guide

# Texts without end, which the step that follows is told of; tokens reach from one into the other.
NEXT = """
//@ ghost said: text = ""

start : say _next
_next : again _more
_more : say _next
      | stop
//@ set said = WORD
say : "say " WORD "\\n"
//@ requires WORD == said
again : "again " WORD "\\n"
stop : "stop"
WORD : /[ab]+/
"""
# The same where the two steps begin alike, each with registers of its own.
TWO = NEXT.replace("_more : say _next", "_more : both _next\n      | say _next").replace(
    "stop :", '//@ set said = "b"\nboth : "say " WORD "!\\n"\nstop :'
)
# What follows a text depends on how many there were, and on a bound that is counted.
COUNTED = NEXT.replace("/[ab]+/", "/[ab]{1,9}/").replace(
    "//@ ghost", "//@ limit again 3\n//@ ghost"
)
TOKENS = (
    *(bytes((byte,)) for byte in b"ab \n!sayginotp"),
    *(b"aa", b"ab", b"bb", b"abab", b"say ", b"again ", b"stop", b"a\n", b"b\n", b"a\nagain "),
    *(b"ab\nagain ab", b"b\nagain b\n", b"a\nagain a", b"a!\nagain b", b"\nsay a", b"\nst", b""),
)
VOCABULARY = Vocabulary(TOKENS, frozenset({len(TOKENS) - 1}))


@pytest.mark.parametrize("grammar", [NEXT, TWO, COUNTED])
def test_masks_do_not_depend_on_other_sequences(grammar: str) -> None:
    """Random sequences over one guide, each beside one of its own that never makes a mask."""
    space, chance = statelang.loads(grammar), random.Random(0)
    shared = Guide(space, VOCABULARY)
    for _ in range(12):
        matcher, alone = Matcher.of(shared), Matcher.of(Guide(space, VOCABULARY))
        for _ in range(14):
            row = unpacked(matcher.compute_bitmask(), len(TOKENS))
            legal = np.flatnonzero(row).tolist()
            assert legal == [token for token in range(len(TOKENS)) if alone.allows(token)]
            token = chance.choice(legal)
            assert matcher.consume_token(token) and alone.consume_token(token)
            if matcher.is_stopped():
                break
