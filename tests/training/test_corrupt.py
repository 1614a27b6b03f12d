from __future__ import annotations

from random import Random

import pytest

import statelang
from statelang.engine import validate
from statelang.training.corrupt import near_miss
from tests.training.own import solutions

KWAI_STAR = statelang.load("kwai_star")
# A space with a contract, and one without: what is spoilt there only the grammar can reject.
COUNTING = """
//@ ghost n: number = 0

start : say _more
_more : say _more
      | stop
//@ requires NUMBER == n + 1
//@ set n = NUMBER
say : "say " NUMBER "\\n"
stop : "stop\\n"
//@ type number
NUMBER : /[0-9]{1,3}/
"""
ANYTHING = """
start : say
      |
say : LINE
LINE : /[^!]{1,200}/
"""


@pytest.mark.parametrize("seed", range(60))
def test_a_near_miss_is_rejected_and_names_the_rule(seed: int) -> None:
    one = solutions()[seed % 40]
    problem = {"answer": one.answer}
    miss = near_miss(KWAI_STAR, one.trace(), Random(seed), problem)
    assert miss is not None
    verdict = validate(KWAI_STAR, miss.text, problem)
    assert verdict.error is not None
    assert not (verdict.grammar and verdict.contracts)
    assert miss.rule == verdict.error.rule
    assert miss.verdict == verdict


def test_every_edit_and_both_kinds_of_rejection_occur() -> None:
    misses = [near_miss(KWAI_STAR, solutions()[1].trace(), Random(seed)) for seed in range(80)]
    assert {miss.edit for miss in misses if miss} == {
        "delete",
        "repeat",
        "swap",
        "unclose",
        "change number",
        "change name",
    }
    assert {miss.verdict.grammar for miss in misses if miss} == {True, False}


def test_the_same_seed_gives_the_same_near_miss() -> None:
    trace = solutions()[0].trace()
    assert near_miss(KWAI_STAR, trace, Random(3)) == near_miss(KWAI_STAR, trace, Random(3))


def test_a_near_miss_keeps_the_steps_before_the_spoilt_one() -> None:
    trace = solutions()[1].trace()
    for seed in range(40):
        miss = near_miss(KWAI_STAR, trace, Random(seed))
        assert miss is not None
        start = validate(KWAI_STAR, trace).steps[miss.step - 1].start
        assert miss.text[:start] == trace[:start]
        assert miss.text != trace


def test_a_space_of_ones_own() -> None:
    space = statelang.loads(COUNTING, "counting")
    text = "say 1\nsay 2\nsay 3\nstop\n"
    rules = set()
    for seed in range(40):
        miss = near_miss(space, text, Random(seed))
        assert miss is not None
        assert not validate(space, miss.text).holds
        rules.add(miss.rule)
    assert "requires NUMBER == n + 1" in rules


def test_none_where_every_text_is_legal() -> None:
    space = statelang.loads(ANYTHING, "anything")
    assert [near_miss(space, "it was 7", Random(seed)) for seed in range(9)] == [None] * 9
