"""Matchers: masks by look-up are those that trying every token gives; steps forth and back."""

from __future__ import annotations

import pickle
import random
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Matcher
from statelang.engine.steering.guide import Guide
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.walking.machine import Machine
from statelang.walking.search import Search
from tests.strategies import OWN, SHIPPED, WORKED, cut, problem_for, space_named, vocabulary

NAMES = (*OWN, *SHIPPED)


@cache
def searched(name: str, contracts: bool) -> Search:
    """A machine of its own, with none of the tables."""
    return Search(Machine(space_named(name), contracts=contracts), vocabulary(name).alphabet)


def legal(name: str, written: bytes, contracts: bool) -> list[int]:
    """The tokens that may come next, by trying each one."""
    search, tokens = searched(name, contracts), vocabulary(name).tokens
    here = search.machine.advance(search.machine.start(problem_for(name)), written)
    assert here is not None
    found = []
    for index, token in enumerate(tokens):
        after = search.machine.advance(here, token) if token else None
        if after is not None and (not contracts or search.step(after)):
            found.append(index)
    if search.machine.ends(here) is not None:
        found += vocabulary(name).stops
    return sorted(found)


def ids(row: Any) -> list[int]:
    """The tokens of a packed row."""
    found: list[int] = np.flatnonzero(np.unpackbits(row.view(np.uint8), bitorder="little")).tolist()
    return found


def matched(name: str, contracts: bool = True, **options: Any) -> Matcher:
    """A matcher of a space over its small vocabulary."""
    return Matcher(
        space_named(name), vocabulary(name), problem_for(name), contracts=contracts, **options
    )


@given(st.sampled_from(NAMES), st.booleans(), st.integers(0, 2**32))
def test_masks_are_what_trying_every_token_gives(name: str, contracts: bool, seed: int) -> None:
    """At every position of a random walk, with contracts or without, mask and trial agree."""
    chance, matcher, written = random.Random(seed), matched(name, contracts), b""
    looked, size = sorted(chance.sample(range(40), 4)), len(vocabulary(name).tokens)
    for step in range(looked[-1] + 1):
        allowed = ids(matcher.compute_bitmask())
        if step in looked:
            assert allowed == legal(name, written, contracts), written
            few = matcher.legal_tokens()
            assert (allowed if 2 * len(allowed) <= size else None) == (
                few if few is None else few.tolist()
            )
        token = chance.choice(allowed)
        assert matcher.consume_token(token)
        written += vocabulary(name).tokens[token]
        if matcher.is_stopped():
            break


BOUNDED = """
start : say _said
_said : say _said
      | end

say : "<" TEXT ">" WORD
end : "."

TEXT : /[^<>]{2,40}/
WORD : /[a-z]{1,30}/
"""


@given(st.integers(0, 2**32))
def test_bounds_are_exact_to_the_byte(seed: int) -> None:
    """Texts that run into their bound: looked-up steps and masks know how much is left."""
    chance = random.Random(seed)
    space = _bounded()
    matcher = Matcher(space, _PIECES)
    machine, written = Machine(space, contracts=False), b""
    for _ in range(30):
        here = machine.advance(machine.start(), written)
        assert here is not None
        allowed = [
            i
            for i, token in enumerate(_PIECES.tokens)
            if (token and machine.advance(here, token))
            or (i in _PIECES.stops and machine.ends(here))
        ]
        assert ids(matcher.compute_bitmask()) == allowed, written
        token = chance.choice([i for i in allowed if i not in _PIECES.stops] or allowed)
        assert matcher.consume_token(token)
        if matcher.is_stopped():
            break
        written += _PIECES.tokens[token]


def test_a_far_bound_is_not_taken_for_none() -> None:
    """At one place a text may have a bound or none, by how it began: their states are apart."""
    space = statelang.loads('start : say\nsay : "<" TEXT ">"\nTEXT : /\\.a*|aa{0,30}/\n', "either")
    first, second = (Matcher(space, _PIECES) for _ in range(2))
    begin, dot, a = (_PIECES.tokens.index(text) for text in (b"<", b".", b"a"))
    assert first.try_consume_tokens([begin, dot, *[a] * 60]) == 62
    assert second.try_consume_tokens([begin, *[a] * 60]) == 32


_PIECES = Vocabulary(
    (b"", b"<", b">", b".", b"a", b"\xc3", b"\xa9", "é".encode(), b"abc", b"a" * 7, b">aa", b"a>"),
    frozenset({0}),
)


@cache
def _bounded() -> Any:
    return statelang.loads(BOUNDED, "bounded")


@given(st.sampled_from(NAMES), st.integers(0, 2**32))
def test_a_matcher_goes_back_and_copies_go_on_apart(name: str, seed: int) -> None:
    """After a rollback, a reset, a copy or a snapshot the mask is what it was there."""
    chance, matcher = random.Random(seed), matched(name)
    seen = []
    for _ in range(12):
        row = matcher.compute_bitmask()
        seen.append(ids(row))
        token = chance.choice(seen[-1])
        if token in vocabulary(name).stops:
            break
        assert matcher.consume_token(token)
    trace, tokens = matcher.trace, matcher.tokens
    back = chance.randint(0, len(tokens))
    other = matcher.copy()
    other.rollback(back)
    if back:
        assert ids(other.compute_bitmask()) == seen[len(tokens) - back]
    assert (matcher.trace, matcher.tokens) == (trace, tokens)
    restored = pickle.loads(pickle.dumps(matcher))
    assert (restored.tokens, restored.registers) == (tokens, matcher.registers)
    assert ids(restored.compute_bitmask()) == ids(matcher.compute_bitmask())
    matcher.reset()
    assert (matcher.trace, ids(matcher.compute_bitmask())) == ("", seen[0])
    assert matcher.try_consume_tokens(tokens) == len(tokens)
    with pytest.raises(StatelangError, match="cannot be taken back"):
        matcher.rollback(len(tokens) + 1)


@given(st.sampled_from(NAMES), st.integers(0, 2**32))
def test_what_the_mask_forbids_is_not_consumed(name: str, seed: int) -> None:
    """A token outside the mask changes nothing; tokens are taken as far as they are legal."""
    chance, matcher = random.Random(seed), matched(name)
    matcher.try_consume_tokens(cut(vocabulary(name), b"<form", chance))
    before = matcher.tokens
    allowed = ids(matcher.compute_bitmask())
    for token in (-1, *chance.sample(range(len(vocabulary(name).tokens)), 20), 10**6):
        if token not in allowed:
            assert not matcher.consume_token(token)
            assert matcher.validate_tokens([allowed[0], token]) <= 2
    assert matcher.tokens == before


@pytest.mark.parametrize("name", SHIPPED)
def test_a_whole_trace(name: str) -> None:
    """Any tokenisation of a legal trace is consumed; text, registers and the end are told."""
    data = WORKED[name].encode()
    for seed in range(4):
        matcher = matched(name)
        tokens = cut(vocabulary(name), data, random.Random(seed))
        assert matcher.validate_tokens(tokens) == len(tokens)
        assert matcher.try_consume_tokens(tokens[:-1]) == len(tokens) - 1
        assert not matcher.is_accepting()
        assert matcher.consume_token(tokens[-1])
        assert matcher.is_accepting() and not matcher.is_stopped()
        assert matcher.trace == WORKED[name]
        assert matcher.registers["result"] == (72 if name == "kwai_star" else 16)
        assert matcher.consume_token(0)
        assert matcher.is_stopped() and not matcher.is_accepting()
        assert not matcher.consume_token(tokens[0])


@pytest.mark.parametrize("name", SHIPPED)
def test_forced_tokens_are_legal_and_their_text_is_the_only_one(name: str) -> None:
    """Each forced token is allowed at its turn, and so is nothing that writes another text."""
    matcher, data = matched(name), WORKED[name].encode()
    while data:
        forced = matcher.forced_tokens()
        text = vocabulary(name).decode(forced)
        assert data.startswith(text)
        for token in ids(matcher.compute_bitmask()):
            written = vocabulary(name).tokens[token]
            assert written.startswith(text) or text.startswith(written)
        step = forced or cut(vocabulary(name), data, random.Random(0))[:1]
        assert matcher.try_consume_tokens(step) == len(step)
        data = data[len(vocabulary(name).decode(step)) :]


def test_bitmasks_are_written_in_place() -> None:
    """Rows of numpy and of torch, of just the width or of a padded one."""
    matcher = matched("kwai_star")
    row = matcher.compute_bitmask()
    assert row.dtype.name == "int32" and not row.flags.writeable
    exact = np.full((2, len(row)), -1, np.int32)
    matcher.fill_next_token_bitmask(exact, 1)
    assert (exact[0] == -1).all() and (exact[1] == row).all()
    padded = torch.full((2, len(row) + 3), -1, dtype=torch.int32)
    matcher.fill_next_token_bitmask(padded, 0)
    assert padded[0].tolist() == [*row.tolist(), 0, 0, 0]
    assert (padded[1] == -1).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_within_a_budget_the_masks_lead_to_the_end(name: str) -> None:
    """A matcher with a budget ends within it, whatever is chosen."""
    for seed in range(3):
        chance, matcher = random.Random(seed), matched(name, max_tokens=90)
        while not matcher.is_stopped():
            assert matcher.consume_token(chance.choice(ids(matcher.compute_bitmask())))
        assert len(matcher.tokens) <= 90
    with pytest.raises(StatelangError, match="too small"):
        matched(name, max_tokens=3)


def test_states_that_are_forgotten_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few are kept, the masks along a trace are the same, of a copy left behind too."""
    token = {text: index for index, text in enumerate(vocabulary("kwai_star").tokens)}
    tokens = [token[bytes((byte,))] for byte in WORKED["kwai_star"].encode()]
    kept = matched("kwai_star")
    masks = [(bytes(kept.compute_bitmask()), kept.consume_token(t)) for t in tokens]
    monkeypatch.setattr("statelang.engine.masks.states._MAX_STATES", 3)
    few = Matcher.of(Guide(space_named("kwai_star"), vocabulary("kwai_star")))
    behind = few.copy()
    for matcher in (few, behind):
        assert masks == [
            (bytes(matcher.compute_bitmask()), matcher.consume_token(t)) for t in tokens
        ]
    assert len(few.guide.states._states) <= 4
