"""Of many tokens that write a new word one is tried for all: the mask is what trying each gives."""

from itertools import product

import pytest

import statelang
from statelang.engine import Matcher, Vocabulary
from statelang.engine.masks.bits import holds
from statelang.engine.steering.guide import Guide

LETTERS = "abcdefghijkl"
PAIRS = ["".join(pair) for pair in product(LETTERS, repeat=2)]  # more than 64
TOKENS = (
    *(bytes((byte,)) for byte in range(128)),
    *(text.encode() for pair in PAIRS for text in (pair, f"{pair},", f"{pair},ab", f"a,{pair}")),
    b"self", b"elf", b"",
)  # fmt: skip
VOCABULARY = Vocabulary(TOKENS, frozenset({len(TOKENS) - 1}))

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
# The word must be written a second time, in fewer letters.
AGAIN = """
start : say
//@ requires other == NAME
say : NAME "," other
other : FEW
NAME : /[a-l]{1,2}/
FEW : /[a-k]{1,2}/
"""
# The same with a text around it: no terminal, so each is tried.
AROUND = """
start : say
//@ requires other == NAME
say : NAME "," other
other : "a" FEW
NAME : /[a-l]{1,3}/
FEW : /[a-k]{1,2}/
"""
# Two words that one token writes are equal or not.
TWICE = """
//@ ghost first: text = "l"
//@ ghost second: text = "l"

start : say _s
_s : stop  //@ requires first != second or first == "l"
//@ set first = one
//@ set second = two
say : one "," two ";"
one : NAME
two : NAME
stop : "."
NAME : /[a-l]{1,2}/
"""
# What it is made of decides whether the trace can go on.
MADE = """
//@ ghost long: truth = false

start : say _s
_s : stop  //@ requires long
//@ set long = size(NAME) == 2
say : NAME "," other
other : NAME
stop : "."
NAME : /[a-l]{1,2}/
"""
SORTED = MADE.replace("size(NAME) == 2", 'sorted({NAME, "f"})[0] == "f"')
# It may be a text of the last step, which no register has.
LAST = """
//@ ghost now: text = ""

start : first _s
_s : say _t
_t : stop  //@ requires now != last(first).NAME
first : NAME ";"
//@ set now = NAME
say : NAME "," other
other : NAME
stop : "."
NAME : /[a-l]{1,2}/
"""
# A part may be known though what it ends with is new.
PART = """
//@ ghost now: text = ""
//@ ghost pool: set[text] = {"1ab", "1kl"}

start : say _t
_t : stop  //@ requires now not in pool
//@ set now = part
say : part "," other
part : "1" NAME
other : NAME
stop : "."
NAME : /[a-l]{1,2}/
"""
# A terminal may hold the word though no clause does.
HELD = """
start : say
//@ requires other != NAME
say : NAME "," other
other : FIXED
FIXED : "cd"
NAME : /[a-l]{1,2}/
"""
# What names the text of a sum has decides whether the trace can go on.
SUMS = """
//@ ghost written: text = ""

start : say _s
_s : stop  //@ requires size(names(written)) == 2
//@ set written = plan
say : NAME "=" plan ";"
plan : NAME "+" NAME
stop : "."
NAME : /[a-l]{1,2}/
"""
TRIED = [
    *((NAMES, begun) for begun in (
        "say ", "say a", "say abc", "say ab as ", "say ab as self\nsay ",
        "say ab as self\nsay se", "say ab as self\nsay cd as ", "say abcd as self\nsay abc",
    )),
    (AGAIN, ""), (AGAIN, "a"), (AGAIN, "ab,"),
    (AROUND, ""), (AROUND, "a"),
    (TWICE, ""), (TWICE, "a"), (TWICE, "ab,"),
    (MADE, ""), (MADE, "a"), (SORTED, ""), (SORTED, "f"),
    (HELD, ""), (HELD, "c"),
    *((SUMS, begun) for begun in ("", "a", "ab=", "ab=c", "ab=cd+", "ab=cd+c", "ab=ab+")),
    (LAST, "ab;"), (LAST, "ab;a"), (PART, "1"), (PART, "1a"),
]  # fmt: skip


@pytest.mark.parametrize(("grammar", "begun"), TRIED)
def test_the_mask_is_what_trying_every_token_gives(grammar: str, begun: str) -> None:
    """Known words, their beginnings and words of the clauses among them."""
    space = statelang.loads(grammar)
    masked, alone = (Matcher.of(Guide(space, VOCABULARY)) for _ in range(2))
    for matcher in (masked, alone):
        assert matcher.try_consume_tokens(list(begun.encode())) == len(begun)
    row = masked.compute_bitmask()
    assert [token for token in range(len(TOKENS)) if alone.allows(token)] == [
        token for token in range(len(TOKENS)) if holds(row, token)
    ]
    assert alone.state.row is None
