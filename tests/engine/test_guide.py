"""Masks: sound, complete, live within any budget from the minimum on."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.engine.guide import Guide, Position
from statelang.engine.vocabulary import Vocabulary
from tests.strategies import (
    LISTS,
    OWN,
    SHIPPED,
    SUM,
    WORKED,
    cut,
    long_walks,
    own_space,
    problem_for,
    space_named,
    vocabulary,
    walked,
)

SPACES = [*SHIPPED, *OWN]
TAGS = re.compile(r"</?[a-z ]+>\n?")


def tokens(*more: str) -> Vocabulary:
    """All bytes, and the given texts; token 0 is the stop token, 1 writes nothing."""
    pieces = tuple(text.encode() for text in more)
    return Vocabulary((b"", b"", *(bytes((b,)) for b in range(256)), *pieces), frozenset({0}))


@cache
def guide(name: str, kind: str = "merges", contracts: bool = True) -> Guide:
    """A guide over one of three vocabularies: bytes; bytes and tags; bytes and pieces of traces."""
    if kind == "bytes":
        found = tokens()
    elif kind == "tags":
        found = tokens(*dict.fromkeys(TAGS.findall(WORKED[name] + "<parent unchecked>")))
    else:
        found = vocabulary(name, 150)
    return Guide(space_named(name), found, contracts=contracts)


@cache
def least(name: str, kind: str = "merges", contracts: bool = True) -> int:
    """The smallest budget that is not refused."""
    with pytest.raises(StatelangError, match="give at least") as caught:
        guide(name, kind, contracts).start(problem_for(name), 1)
    return int(str(caught.value).split()[-1])


def sample(found: Guide, seed: int, budget: int | None, problem: Any = None) -> str:
    """One generation from random logits at temperature 1, token by token, until its stop token."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(size=(8, len(found.vocabulary.tokens)))
    position, written = found.start(problem, budget), list[int]()
    while not position.ended:
        allowed = found.allowed(position)
        text = found.vocabulary.decode(written)
        assert len(allowed), f"nothing is legal after {text!r} with {position.left} tokens left"
        assert budget is None or len(written) < budget, f"the budget is spent: {text!r}"
        assert len(written) < 5_000
        row = logits[len(written) % 8][allowed]
        weights = np.exp(row - row.max())
        token = int(chance.choice(allowed, p=weights / weights.sum()))
        following = found.advance(position, token)
        assert following is not None, f"{found.vocabulary.tokens[token]!r} after {text!r}"
        position = following
        written.append(token)
    return found.vocabulary.decode(written).decode()


# ---- sound and live --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPACES)
def test_every_generation_ends_and_validates(name: str) -> None:
    """Without a budget a generation ends by itself, and its trace has every contract right."""
    found, problem = guide(name), problem_for(name)
    for seed in range(4 if name in SHIPPED else 15):
        text = sample(found, seed, None, problem)
        verdict = validate(space_named(name), text, problem)
        assert verdict.contracts is True, (text, verdict.error)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("room", [0, 1, 2, 5, 15, 60])
def test_every_generation_ends_within_its_budget(name: str, room: int) -> None:
    """With any budget from the minimum on, a generation ends, complete, within it."""
    found, problem = guide(name), problem_for(name)
    for seed in range(3 if name in SHIPPED else 8):
        text = sample(found, 1_000 * room + seed, least(name) + room, problem)
        verdict = validate(space_named(name), text, problem)
        assert verdict.contracts is True, (text, verdict.error)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("kind", ["bytes", "tags"])
def test_a_budget_holds_with_other_vocabularies(name: str, kind: str) -> None:
    """Whether tags are one token or many, no budget from the minimum on ends in a corner."""
    for room in (0, 1, 4, 12, 30):
        for seed in range(3):
            text = sample(guide(name, kind), seed + 31 * room, least(name, kind) + room)
            assert validate(statelang.load(name), text).contracts is True, text


@pytest.mark.parametrize("name", SHIPPED)
def test_the_grammar_alone_is_held_to_as_well(name: str) -> None:
    """Without contracts every generation parses, within its budget."""
    found = guide(name, "tags", False)
    for room in (0, 1, 7, 40, 200):
        for seed in range(3):
            text = sample(found, seed + 17 * room, least(name, "tags", False) + room)
            assert validate(statelang.load(name), text).grammar, text


@pytest.mark.soak
@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 2**32), room=st.integers(0, 300) | st.none())
@settings(max_examples=500)
def test_many_generations_validate(name: str, seed: int, room: int | None) -> None:
    """The two properties above over many seeds and budgets."""
    problem = problem_for(name)
    text = sample(guide(name), seed, None if room is None else least(name) + room, problem)
    assert validate(space_named(name), text, problem).contracts is True


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("contracts", [True, False])
def test_a_budget_below_the_minimum_is_refused_and_the_minimum_works(
    name: str, contracts: bool
) -> None:
    """The refusal names the minimum; one token less is refused too, and the minimum is enough."""
    found, problem = guide(name, contracts=contracts), problem_for(name)
    for budget in (0, 1, least(name, contracts=contracts) - 1):
        with pytest.raises(StatelangError) as caught:
            found.start(problem, budget)
        assert f"max_tokens={budget} is too small" in str(caught.value)
        assert f"at least {least(name, contracts=contracts)}" in str(caught.value)
        assert "\n" not in str(caught.value)
    text = sample(found, 1, least(name, contracts=contracts), problem)
    assert validate(space_named(name), text, problem).grammar


# ---- complete --------------------------------------------------------------------------------


def follow(found: Guide, ids: list[int], problem: Any = None) -> Position:
    """Each token in turn must be allowed; the position after the last."""
    position, written = found.start(problem), list[int]()
    for token in ids:
        text = found.vocabulary.decode(written)
        allowed = found.allowed(position)
        assert token in allowed, f"{found.vocabulary.tokens[token]!r} is refused after {text!r}"
        following = found.advance(position, token)
        assert following is not None
        position = following
        written.append(token)
    return position


@pytest.mark.parametrize("name", SPACES)
def test_every_token_of_every_tokenisation_is_allowed(name: str) -> None:
    """Each token of a random tokenisation of a legal trace is allowed at its turn, then the stop."""
    found, problem = guide(name), problem_for(name)
    pool = [walked(name, seed) for seed in range(12)]
    if name in SHIPPED:
        pool = [*pool[:3], min(long_walks(name), key=len), WORKED[name]]
    for number, text in enumerate(pool):
        position = follow(found, cut(found.vocabulary, text.encode(), random.Random(number)), problem)
        assert 0 in found.allowed(position)
        stopped = found.advance(position, 0)
        assert stopped is not None and stopped.ended


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 60), chance=st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_tokens_that_are_not_allowed_are_illegal(
    name: str, seed: int, chance: random.Random
) -> None:
    """At a random place of a trace, whatever the machine cannot take is not in the mask."""
    found, problem = guide(name), problem_for(name)
    ids = cut(found.vocabulary, walked(name, seed % 12).encode(), random.Random(seed))
    position = found.start(problem)
    for token in ids[: chance.randint(0, len(ids))]:
        following = found.advance(position, token)
        assert following is not None
        position = following
    allowed = found.allowed(position)
    assert (np.diff(allowed) > 0).all()
    for token in chance.sample(range(len(found.vocabulary.tokens)), 60):
        if found.advance(position, token) is None:
            assert token not in allowed


@pytest.mark.parametrize("order", [("a o", "b o"), ("b o", "a o")])
def test_one_answer_is_not_given_for_two_texts(order: tuple[str, str]) -> None:
    """Tokens that lead to one place by different texts are judged apart: a list without `a` is dead."""
    found = Guide(statelang.loads(LISTS), tokens(*order))
    start = follow(found, [byte + 2 for byte in b"b, "])
    allowed = {found.vocabulary.tokens[token] for token in found.allowed(start)}
    assert allowed == {b"a", b"b", b"a o"}


@pytest.mark.parametrize("order", [("Ann</", "Bob</"), ("Bob</", "Ann</")])
def test_a_token_across_a_field_is_judged_by_its_field(order: tuple[str, str]) -> None:
    """`Ann</` would close the list without the goal, `Bob</` closes it with it."""
    found = Guide(statelang.load("kwai_star_formal"), tokens(*order))
    text = "<formalize>Tom = 5\nAnn = Tom + 3\nBob = Tom * 2\nfind Bob</formalize>\n<decompose>"
    position = follow(found, [byte + 2 for byte in text.encode()])
    allowed = {found.vocabulary.tokens[token] for token in found.allowed(position)}
    assert allowed == {b"A", b"B", b"Bob</"}


def test_what_a_contract_determines_cannot_be_got_wrong() -> None:
    """A computed result, a fetched operand and a recorded verdict are the only tokens allowed."""
    found = guide("kwai_star_formal", "bytes")
    for before, legal in (
        ("= 5 + 3 = ", "8"),
        ("<solve>Ann = Tom + 3 = ", "5"),
        ("<verify>Ann ", "r"),
        ("<verify>Bob ", "w"),
        ("<parent>", "B"),
        ("<parent>Bob = ", "1"),
        ("<summarize>1", "6"),
    ):
        text = WORKED["kwai_star_formal"]
        text = text[: text.index(before) + len(before)]
        position = follow(found, [byte + 2 for byte in text.encode()])
        assert [found.vocabulary.tokens[t] for t in found.allowed(position)] == [legal.encode()]


def test_a_field_admits_every_spelling_and_no_other_value() -> None:
    """Where a number is due, its longer spellings are legal too, and nothing that is another."""
    found = Guide(own_space("share"), tokens("3.3", "3.33", "03", ".3", "3\n", "3.4", "4"))
    position = follow(found, [byte + 2 for byte in b"share "], {"total": 10, "parts": 3})
    allowed = {found.vocabulary.tokens[token] for token in found.allowed(position)}
    assert allowed == {b"3", b"0", b"3.3", b"3.33", b"03", b"3\n"}


def test_a_step_whose_value_has_no_spelling_is_closed_before_it_opens() -> None:
    """A result that its terminal cannot write closes the branch; the other way stays open."""
    space = statelang.loads(
        "//@ ghost n: number = 5\n\nstart : grow _s\n_s : grow _s\n   | show\n   | give_up\n"
        '//@ set n = n * 3\ngrow : "x"\n//@ requires N == n\nshow : "n" N\ngive_up : "!"\n'
        "//@ type number\nN : /[0-9]{2}/\n"
    )
    found = Guide(space, tokens())
    for length, legal in ((1, b"!nx"), (2, b"!nx"), (3, b"!x"), (4, b"!x")):
        position = follow(found, [byte + 2 for byte in b"x" * length])
        assert b"".join(found.vocabulary.tokens[t] for t in found.allowed(position)) == legal


def test_a_step_that_leaves_no_exit_is_not_taken() -> None:
    """The last byte of a step is legal only if another step can be written after it."""
    space = statelang.loads(
        "//@ ghost n: number = 0\n\nstart : a _s\n_s : b\n"
        '//@ set n = N\na : "a" N "\\n"\n//@ requires M == n\nb : "b" M\n'
        "//@ type number\nN : /[0-9]/\n//@ type number\nM : /[1-3]/\n"
    )
    found = Guide(space, tokens("5\n", "2\n"))
    for seed in range(20):
        assert validate(space, sample(found, seed, None)).contracts is True
        assert validate(space, sample(found, seed, 6)).contracts is True


# ---- odds and ends ---------------------------------------------------------------------------


def test_tokens_that_write_nothing_are_never_allowed() -> None:
    """Padding and other special tokens are no text; the stop token is legal at the end alone."""
    found = guide("traffic", "bytes")
    position = follow(found, [byte + 2 for byte in b"car\ncars: 1"])
    assert not {0, 1} & set(found.allowed(position).tolist())
    end = found.advance(position, ord("\n") + 2)
    assert end is not None
    assert found.allowed(end).tolist() == [0]
    assert found.advance(end, 1) is None
    assert found.advance(position, 0) is None
    assert found.advance(position, 10**6) is None


def test_after_the_end_only_the_stop_token_is_left() -> None:
    """A sequence that has ended stays ended."""
    found = guide("prefix", "bytes")
    end = found.advance(follow(found, [byte + 2 for byte in b"go up\ngo home\n"]), 0)
    assert end is not None and end.ended
    assert found.allowed(end).tolist() == [0]
    assert found.advance(end, 2) is None


def test_several_stop_tokens_are_all_legal_at_the_end() -> None:
    """A model with more than one stop token may use each."""
    stops = Vocabulary((b"", b"", *(bytes((b,)) for b in range(256))), frozenset({0, 1}))
    found = Guide(own_space("prefix"), stops)
    position = follow(found, [byte + 2 for byte in b"go up\ngo home\n"])
    assert found.allowed(position).tolist() == [0, 1]


def test_a_vocabulary_that_cannot_write_the_space_is_refused() -> None:
    """Without the bytes of the tags no trace can be written, which is said at the start."""
    few = Vocabulary((b"", *(bytes((b,)) for b in b"car\n0123456789")), frozenset({0}))
    with pytest.raises(StatelangError, match="no complete trace of `traffic` can be written"):
        Guide(own_space("traffic"), few).start({})


def test_a_vocabulary_of_words_alone_is_enough() -> None:
    """No single bytes are needed where longer tokens write every text that is due."""
    words = Vocabulary((b"", b"car\n", b"cars: ", b"1\n", b"2\n", b"01\n"), frozenset({0}))
    found = Guide(own_space("traffic"), words)
    for seed in range(10):
        assert validate(own_space("traffic"), sample(found, seed, 5)).contracts is True


def test_a_problem_that_no_trace_solves_is_refused() -> None:
    """Inputs that leave no legal trace are an error at the start, not in the middle."""
    with pytest.raises(StatelangError, match="no complete trace of `pick`"):
        guide("pick", "bytes").start({"options": []})
    with pytest.raises(StatelangError, match="`options`"):
        guide("pick", "bytes").start({})


def test_one_guide_serves_many_problems_at_once() -> None:
    """Positions are values: two problems walked in turn do not mix."""
    found = guide("pick", "bytes")
    one, two = (found.start({"options": [word]}) for word in ("ab", "cd"))
    for byte in b"look ":
        one, two = (found.advance(p, byte + 2) or p for p in (one, two))
    assert found.allowed(one).tolist() == [ord("a") + 2]
    assert found.allowed(two).tolist() == [ord("c") + 2]


def test_the_gold_answer_never_reaches_the_mask() -> None:
    """Whatever the gold answer, the masks along a trace are the same."""
    found = guide("kwai_star_formal", "bytes")
    ids = [byte + 2 for byte in WORKED["kwai_star_formal"].encode()]
    one, two = found.start({"answer": "16"}), found.start({"answer": "17"})
    for token in ids:
        assert found.allowed(one).tolist() == found.allowed(two).tolist()
        one, two = (found.advance(p, token) or p for p in (one, two))


def test_a_long_recursion_is_written_and_judged() -> None:
    """Brackets thirty deep are legal, and their value is still enforced."""
    found = Guide(statelang.loads(SUM), tokens())
    text = "[" + "(" * 30 + "7+1" + ")" * 30 + "] "
    position = follow(found, [byte + 2 for byte in text.encode()])
    allowed = {found.vocabulary.tokens[token] for token in found.allowed(position)}
    assert allowed == {b"8", b"0"}
