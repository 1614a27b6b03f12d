"""All tokens at once by a lazily made automaton: what it takes is what stepping each one takes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from statelang.engine.masks.bits import packed, unpacked
from statelang.engine.masks.bounds import opened
from statelang.engine.masks.sweep import Automaton, bytes_of, grouped
from statelang.engine.vocabularies.trie import Trie
from statelang.regular.automaton import NOTHING, Regular, lowest
from statelang.regular.regex import parse

PATTERNS = st.sampled_from(
    [
        *["[^<]+", "a{2,5}b?", "(ab|ba){1,40}", "[a-c]{0,3}(d|ab{1,70}c)", "aab", "é+a*"],
        *["[^a]{30,60}a", "a[^<]+", "(ab|é)[^a]*|b[^é]+c"],
    ]
)
TOKENS = st.lists(st.text("abcdé<", min_size=1, max_size=8).map(str.encode), max_size=40)


def derivatives(language: Regular) -> list[tuple[int, Regular]]:
    """The ways on from a language."""
    found = [(kind, language.step(lowest(kind))) for kind in language.classes]
    return [(kind, after) for kind, after in found if after is not NOTHING]


def stepped(language: Regular, token: bytes) -> Regular:
    """What is left of a language after a token."""
    for byte in token:
        language = language.step(byte)
    return language


@given(PATTERNS, TOKENS)
def test_a_sweep_is_every_token_by_itself(pattern: str, tokens: list[bytes]) -> None:
    """The tokens that are taken, and where each one leads."""
    language = parse(pattern)
    automaton = Automaton(derivatives)
    ids, states = automaton.tokens(Trie.of(tokens), language)
    expected = {
        index: after
        for index, token in enumerate(tokens)
        if (after := stepped(language, token)) is not NOTHING
    }
    assert expected == dict(zip(ids.tolist(), map(automaton.key, states.tolist()), strict=True))


@given(PATTERNS, st.text("abcdé<", max_size=8).map(str.encode), st.integers(1, 8))
def test_a_far_bound_does_not_matter_yet(pattern: str, token: bytes, limit: int) -> None:
    """Up to the limit the opened language takes the same bytes and may end at the same places."""
    language = parse(pattern)
    near, _ = opened(language, limit)
    for end in range(min(limit, len(token)) + 1):
        before, after = stepped(near, token[:end]), stepped(language, token[:end])
        assert (before is NOTHING) == (after is NOTHING)
        assert before.nullable == after.nullable


@given(
    st.sampled_from(["[^<]{%d,90}b", "(ab|é)?[^<]{1,%d}", "(a{%d}|b{2,%d})c"]),
    st.lists(st.integers(10, 40), min_size=2, max_size=2),
    st.text("abcdé", max_size=8).map(str.encode),
    st.integers(1, 8),
)
def test_far_bounds_stay_alike_while_there_is_room(
    pattern: str, bounds: list[int], token: bytes, limit: int
) -> None:
    """Languages that differ in far bounds alone open to one, and do so after a token for which
    there is room in both."""
    exact = [parse(pattern.replace("%d", str(bound))) for bound in bounds]
    (first, room), (second, other) = (opened(language, limit) for language in exact)
    if min(room, other) >= len(token):
        assert first is second
        after = [opened(stepped(language, token), limit)[0] for language in exact]
        assert after[0] is after[1]


@given(st.sets(st.integers(0, 255)))
def test_sets_of_bytes(members: set[int]) -> None:
    """A 256-bit set is its members, ascending."""
    assert bytes_of(sum(1 << byte for byte in members)).tolist() == sorted(members)


@given(st.lists(st.booleans(), max_size=80))
def test_rows_of_bits(free: list[bool]) -> None:
    """Token `i` is bit `i % 32` of word `i // 32`; the bits beyond are 0."""
    row = packed(np.array(free, np.bool_))
    assert len(row) == -(-len(free) // 32)
    bits = [bool(word >> bit & 1) for word in row.tolist() for bit in range(32)]
    assert bits == free + [False] * (len(bits) - len(free))
    assert unpacked(row, len(free)).tolist() == free


@given(st.lists(st.integers(1, 5)))
def test_tokens_are_grouped_by_their_states(states: list[int]) -> None:
    """Each state once, ascending, with its tokens in order."""
    found = grouped(np.arange(len(states), dtype=np.int32), np.array(states, np.int32))
    assert [(state, ids.tolist()) for state, ids in found] == [
        (state, [i for i, other in enumerate(states) if other == state])
        for state in sorted(set(states))
    ]
