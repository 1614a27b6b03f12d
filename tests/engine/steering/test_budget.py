"""Budgets: the least number of tokens is exact where control is finite, every trace ends within its
budget, and until the budget closes a token the masks are the plain ones."""

import random
import re
from collections import deque
from itertools import count
from typing import Any

import pytest

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Matcher, Vocabulary, validate
from statelang.engine.masks.bits import holds
from statelang.engine.steering.guide import Guide
from statelang.space import StateSpace
from statelang.walking.machine import Configuration

# Merges that straddle tags, fields and steps, so that the fewest tokens are not the fewest bytes.
MERGES = [
    b"<pick ",
    b"/>\n<",
    b"\n<p",
    b"red",
    b"re",
    b"d/>",
    b"><d",
    b"one/>\n<done",
    b"ick b",
    b"aa",
]
TOKENS = (*(bytes((byte,)) for byte in range(128)), *MERGES, b"")
VOCABULARY = Vocabulary(TOKENS, frozenset({len(TOKENS) - 1}))

EACH_ONCE = """
//@ input colours: set[text]
//@ ghost open: set[text] = colours
//@ limit pick 4

start : pick _more
_more : pick _more
      | done
//@ requires COLOUR in open
//@ set open = open - {COLOUR}
pick : "<pick " COLOUR "/>\\n"
//@ requires size(open) == 0
done : "<done/>\\n"
COLOUR : /[a-z]{1,5}/
"""
COUNTED = """
//@ ghost left: number = 5

start : two _go
      | three _go
_go : two _go
    | three _go
    | stop
//@ requires left >= 2
//@ set left = left - 2
two : "aa"
//@ requires left >= 3
//@ set left = left - 3
three : "aabab"
//@ requires left == 0
stop : "."
"""
PLAIN = """
start : open _inside
_inside : word _inside
        | close
open : "<pick "
word : WORD " "
close : "/>\\n"
WORD : /[a-c]{2,9}/
"""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "each once": (EACH_ONCE, {"colours": ["red", "blue", "r"]}),
    "counted": (COUNTED, {}),
    "plain": (PLAIN, {}),
}


def least(guide: Guide, start: Configuration) -> int:
    """Tokens of a shortest trace, stop token included: breadth first over every token."""
    todo, seen = deque([(start, 0)]), {guide.states.key(start)}
    while todo:
        at, taken = todo.popleft()
        if guide.machine.ends(at) is not None:
            return taken + 1
        for text in TOKENS[:-1]:
            after = guide.machine.advance(at, text)
            if after is not None and guide.states.key(after) not in seen:
                seen.add(guide.states.key(after))
                todo.append((after, taken + 1))
    raise AssertionError("no trace ends")


def named(space: StateSpace, problem: dict[str, Any]) -> int:
    """The least budget, as the refusal of a smaller one names it."""
    with pytest.raises(StatelangError, match="too small") as caught:
        Matcher(space, VOCABULARY, problem, 1)
    found = re.search(r"at least (\d+)", str(caught.value))
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("name", CASES)
def test_the_least_budget_is_named_exactly(name: str) -> None:
    """The number in the refusal is that of a search of all token sequences."""
    text, problem = CASES[name]
    space = statelang.loads(text)
    guide = Guide(space, VOCABULARY)
    assert least(guide, guide.machine.start(problem)) == named(space, problem)


@pytest.mark.parametrize("more", [0, 1, 3, 12])
@pytest.mark.parametrize("name", CASES)
def test_every_trace_ends_within_its_budget(name: str, more: int) -> None:
    """From the least budget upwards, whatever is chosen, and what is written validates."""
    text, problem = CASES[name]
    space = statelang.loads(text)
    budget = named(space, problem) + more
    for seed in range(5):
        chance, matcher = random.Random(seed), Matcher(space, VOCABULARY, problem, budget)
        while not matcher.is_stopped():
            row = matcher.compute_bitmask()
            legal = [token for token in range(len(TOKENS)) if holds(row, token)]
            assert legal == [token for token in range(len(TOKENS)) if matcher.allows(token)]
            assert matcher.consume_token(chance.choice(legal))
        assert len(matcher.tokens) <= budget
        assert validate(space, matcher.trace, problem).contracts


@pytest.mark.parametrize("name", CASES)
def test_near_the_end_no_token_is_closed_that_would_fit(name: str) -> None:
    """Complete: along a random trace under a tight budget, the mask holds exactly the tokens after
    which a search of all token sequences ends in time."""
    text, problem = CASES[name]
    space = statelang.loads(text)
    guide, chance = Guide(space, VOCABULARY), random.Random(7)
    matcher = Matcher.of(guide, problem, named(space, problem) + 3)
    for left in count(named(space, problem) + 2, -1):
        row, at = matcher.compute_bitmask(), matcher.configuration
        assert at is not None
        fitting = []
        for token, written in enumerate(TOKENS[:-1]):
            after = guide.machine.advance(at, written)
            if after is not None and guide.states.viable(after) and least(guide, after) <= left:
                fitting.append(token)
        if guide.machine.ends(at) is not None:
            fitting.append(len(TOKENS) - 1)
        assert fitting == [token for token in range(len(TOKENS)) if holds(row, token)]
        assert matcher.consume_token(chance.choice(fitting))
        if matcher.is_stopped():
            break


@pytest.mark.parametrize("name", ["kwai_star", "kwai_star_formal"])
def test_a_budget_far_away_closes_nothing(name: str) -> None:
    """The mask is the plain one, the same object, and nothing is narrowed."""
    space = statelang.load(name)
    wide = Matcher(space, VOCABULARY, max_tokens=2_000)
    plain, chance = Matcher(space, VOCABULARY), random.Random(3)
    for _ in range(60):
        row = plain.compute_bitmask()
        assert row is wide.compute_bitmask() and not wide.is_narrowed()
        token = chance.choice([token for token in range(len(TOKENS)) if holds(row, token)])
        assert plain.consume_token(token) and wide.consume_token(token)
        if plain.is_stopped():
            break


def test_what_one_sequence_finds_decides_nothing_in_another() -> None:
    """The masks under a budget are the same after other sequences have gone before."""
    space = statelang.load("kwai_star_formal")
    before, after = Guide(space, VOCABULARY), Guide(space, VOCABULARY)
    for seed in range(3):
        draw(Matcher.of(after, None, 120), seed)
    for seed in range(10, 12):
        assert draw(Matcher.of(before, None, 90), seed) == draw(Matcher.of(after, None, 90), seed)


def draw(matcher: Matcher, seed: int) -> list[bytes]:
    """The masks of a random trace."""
    chance, rows = random.Random(seed), []
    while not matcher.is_stopped():
        row = matcher.compute_bitmask()
        rows.append(row.tobytes())
        legal = [token for token in range(len(TOKENS)) if holds(row, token)]
        assert matcher.consume_token(chance.choice(legal))
    return rows


def test_tokens_taken_back_are_given_back_to_the_budget() -> None:
    """Far from where it was last known exactly, a sequence stands as one that never went on."""
    space, text = statelang.loads(PLAIN), b"<pick " + b"abcabc " * 12
    for _ in range(2):  # the second time every step is one that another sequence has taken
        gone = Matcher(space, VOCABULARY, max_tokens=110)
        assert len(text) == gone.try_consume_tokens(list(text))
    gone.rollback(2)
    stayed = Matcher(space, VOCABULARY, max_tokens=110)
    assert len(text) - 2 == stayed.try_consume_tokens(list(text[:-2]))
    assert stayed.spare == gone.spare
