"""A field that decides through a register what may follow has no one answer for all its tokens."""

import pytest

import statelang
from statelang.engine import Matcher, Vocabulary
from statelang.engine.masks.bits import holds

LETTERS = tuple(bytes((byte,)) for byte in b"abcdefghijkl,;.=")
VOCABULARY = Vocabulary((*LETTERS, b"cd", b"cd,", b"ab", b"ab,", b""), frozenset({20}))
HEAD = '//@ ghost first: text = ""\n//@ ghost seen: set[text] = {}\n'
HEAD += "//@ ghost value: map[text, text] = {}\n\n"

OPENS = """
start : say _s
_s : stop  //@ requires first == "cd"
//@ set first = NAME
say : NAME ";"
stop : "."
NAME : /[a-l]{1,2}/
"""
OPENS_AN_ACTION = """
start : say _s
_s : stop
//@ set first = NAME
say : NAME ";"
//@ requires first == "cd"
stop : "."
NAME : /[a-l]{1,2}/
"""
OF_ANOTHER_KIND = """
start : say
say : one "," two ";"
//@ set seen = seen | {NAME}
one : NAME
//@ requires FEW in seen
two : FEW
NAME : /[a-l]{1,2}/
FEW : /cd?/
"""
THROUGH_ANOTHER = """
start : say _s
_s : stop  //@ requires "cd" in seen
say : one two
//@ set first = NAME
one : NAME ","
//@ set seen = seen | {first}
two : ";"
stop : "."
NAME : /[a-l]{1,2}/
"""
LAST = """
start : say _s
_s : stop  //@ requires last(say).NAME == "cd"
say : NAME ";"
stop : "."
NAME : /[a-l]{1,2}/
"""
KEYS = """
start : say _s
_s : stop  //@ requires "cd" in value
//@ set value = value | {NAME: other}
say : NAME "=" other ";"
other : NAME
stop : "."
NAME : /[a-l]{1,2}/
"""
OF_ITS_KIND = """
start : say
say : one "," two ";"
//@ set seen = seen | {NAME}
one : NAME
//@ requires NAME in seen
two : NAME
NAME : /[a-l]{1,2}/
"""


def first_tokens(text: str) -> tuple[list[bytes], list[bytes]]:
    """What the mask of the first token has, and what is legal tried alone."""
    space = statelang.loads(HEAD + text.strip() + "\n", "ties")
    row = Matcher(space, VOCABULARY).compute_bitmask()
    tokens = list(enumerate(VOCABULARY.tokens))
    masked = [token for i, token in tokens if holds(row, i)]
    return masked, [token for i, token in tokens if Matcher(space, VOCABULARY).allows(i)]


@pytest.mark.parametrize(
    "text", [OPENS, OPENS_AN_ACTION, OF_ANOTHER_KIND, THROUGH_ANOTHER, LAST, KEYS]
)
def test_each_token_is_tried(text: str) -> None:
    """Only what leads to the one text that opens the way on is legal."""
    masked, alone = first_tokens(text)
    assert masked == alone
    assert {b"c", b"cd"} <= {*masked} <= {b"c", b"cd", b"cd,"}


def test_values_of_a_map_asked_for_its_keys_decide_nothing() -> None:
    """Nor does which of its kind a text is that must be among others: they share an answer."""
    asked = statelang.loads(HEAD + KEYS.strip() + "\n", "ties").program
    unasked = statelang.loads(HEAD + KEYS.strip().replace("in value", "== first") + "\n").program
    assert len(asked.free) == len(unasked.free) - 1
    masked, alone = first_tokens(OF_ITS_KIND)
    assert masked == alone and len(masked) == 12 + 4
