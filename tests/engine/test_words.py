"""Of many tokens that write a new word some stand for all, and the mask is what trying each gives."""

import pytest

import statelang
from statelang.engine import Matcher, Vocabulary
from statelang.engine.bits import holds
from statelang.engine.guide import Guide

NAMES = """
//@ ghost names: set[text] = {}

start : say _more
_more : say _more
      | stop
//@ requires NAME not in names
//@ set names = names | {NAME}
say : "say " NAME " as " other "\\n"
//@ requires NAME in names or NAME == "self"
other : NAME
stop : "stop\\n"

NAME : /[a-z]{1,4}/
"""
PAIRS = [bytes((a, b)) for a in range(97, 123) for b in range(97, 123)]  # far more than 64
TOKENS = (*(bytes((byte,)) for byte in range(128)), *PAIRS, b"self", b"elf", b"")
VOCABULARY = Vocabulary(TOKENS, frozenset({len(TOKENS) - 1}))


@pytest.mark.parametrize(
    "begun",
    ["say ", "say a", "say abc", "say ab as ", "say ab as self\nsay ", "say ab as self\nsay a",
     "say ab as self\nsay se", "say ab as self\nsay cd as ", "say abcd as self\nsay abc"],
)  # fmt: skip
def test_the_mask_is_what_trying_every_token_gives(begun: str) -> None:
    """Known words, their beginnings and words of the clauses among them."""
    space = statelang.loads(NAMES)
    masked, alone = (Matcher.of(Guide(space, VOCABULARY)) for _ in range(2))
    for matcher in (masked, alone):
        assert matcher.try_consume_tokens(list(begun.encode())) == len(begun)
    row = masked.compute_bitmask()
    assert [token for token in range(len(TOKENS)) if alone.allows(token)] == [
        token for token in range(len(TOKENS)) if holds(row, token)
    ]
    assert alone.state.row is None
