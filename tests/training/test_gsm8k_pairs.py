from __future__ import annotations

import re
from fractions import Fraction
from random import Random

import pytest

import statelang
from statelang.engine import validate
from statelang.training import sums
from statelang.training.gsm8k import Solution
from statelang.training.gsm8k_pairs import WrongThenVerified, wrong_then_verified
from tests.training.own import solution, solutions

KWAI_STAR = statelang.load("kwai_star")
SOLVED = re.compile(r"<solve>(s[0-9]+): .*?<<(.*?)=(.*?)>>")
PAIRS = [
    (one, pair)
    for one in solutions()
    for seed in range(3)
    if (pair := wrong_then_verified(one, Random(seed))) is not None
]


def pair_of(answer: str, seed: int = 0) -> WrongThenVerified:
    pair = wrong_then_verified(solution(answer), Random(seed))
    assert pair is not None
    return pair


def test_all_checked_problems_give_a_pair() -> None:
    assert len(PAIRS) == 3 * sum(one.unchecked is None for one in solutions())


@pytest.mark.parametrize(("one", "pair"), PAIRS)
def test_the_chosen_side_is_right_and_the_rejected_side_breaks_a_contract(
    one: Solution, pair: WrongThenVerified
) -> None:
    problem = {"answer": one.answer}
    chosen = validate(KWAI_STAR, pair.chosen, problem)
    rejected = validate(KWAI_STAR, pair.rejected, problem)
    assert (chosen.grammar, chosen.contracts, chosen.answer) == (True, True, True), chosen
    assert (rejected.grammar, rejected.contracts, rejected.answer) == (True, False, False)
    assert rejected.error is not None
    # The first false claim is the offence: the step after the wrong one, which calls it right.
    start = pair.wrong_step[0]
    assert rejected.error.step == [step.start for step in rejected.steps].index(start) + 2


@pytest.mark.parametrize(("one", "pair"), PAIRS)
def test_both_sides_share_all_up_to_the_wrong_step(one: Solution, pair: WrongThenVerified) -> None:
    start, end = pair.wrong_step
    assert pair.chosen[:end] == pair.rejected[:end]
    assert one.trace()[:start] == pair.chosen[:start]
    wrong = pair.chosen[start:end]
    assert re.fullmatch(r"<solve>.*</solve>\n", wrong)
    name = wrong[len("<solve>") :].partition(":")[0]
    after = f"<verify>{name}: wrong</verify>\n<backtrack>{name}</backtrack>\n"
    assert pair.chosen[end:].startswith(after)
    assert pair.chosen[end + len(after) :] == one.trace()[start:]
    assert "wrong" not in pair.rejected[end:]


@pytest.mark.parametrize(("one", "pair"), PAIRS)
def test_every_step_of_the_rejected_side_is_arithmetic_on_what_stands_before_it(
    one: Solution, pair: WrongThenVerified
) -> None:
    known: dict[str, Fraction] = {}
    plans = {s.id: s.plan for s in one.subproblems}
    left_plan = []
    for name, expression, result in SOLVED.findall(pair.rejected):
        value = sums.value(sums.tokens(expression))
        assert value is not None
        assert sums.written_as(value, result)
        texts = {k: sums.spell(v) or "" for k, v in known.items()}
        if value != sums.value([texts.get(token, token) for token in plans[name]]):
            left_plan.append(name)
        known[name] = sums.number(result)
    assert len(left_plan) == 1
    assert pair.rejected[pair.wrong_step[0] :].startswith(f"<solve>{left_plan[0]}: ")


class TestCarrying:
    ANSWER = "A has 4*6 = <<4*6=24>>24.\nSo 24 and 5 is 24 + 5 = <<24+5=29>>29 pens.\n#### 29"

    def test_the_wrong_value_is_carried_on_in_numbers_and_prose(self) -> None:
        pairs = [pair_of(self.ANSWER, seed) for seed in range(40)]
        early = [p for p in pairs if "<solve>s2" in p.rejected[p.wrong_step[1] :]]
        assert early
        for pair in early:
            wrong = SOLVED.findall(pair.rejected)[0][2]
            last = pair.rejected[pair.wrong_step[1] :]
            result = sums.spell(Fraction(wrong) + 5)
            assert f"So {wrong} and 5 is {wrong} + 5 = <<{wrong}+5={result}>> pens." in last
            assert f"<summarize>{result}</summarize>" in last

    def test_another_seed_gives_another_pair(self) -> None:
        assert len({pair_of(self.ANSWER, seed).rejected for seed in range(40)}) > 3
        assert pair_of(self.ANSWER, 7) == pair_of(self.ANSWER, 7)

    def test_prose_agrees_with_the_changed_calculation(self) -> None:
        for seed in range(20):
            pair = pair_of("Ann has 2 x 3 = $<<2*3=6>>6.\n#### 6", seed)
            _, expression, _ = SOLVED.findall(pair.rejected)[0]
            stated = re.search(r"Ann has (.*) = \$<<", pair.rejected)
            assert stated is not None
            assert stated[1].replace(" ", "").replace("x", "*") == expression


class TestNoPair:
    @pytest.mark.parametrize(
        "answer",
        [
            "It is <<7/2=3.5>>3.5.\nSo 4 bags.\n#### 4",  # the answer follows from no calculation
            "x = <<36=36>>36.\n#### 36",  # nothing was calculated
        ],
    )
    def test_where_no_slip_changes_the_answer(self, answer: str) -> None:
        assert all(wrong_then_verified(solution(answer), Random(seed)) is None for seed in range(5))

    def test_no_slip_needs_an_endless_decimal(self) -> None:
        for seed in range(20):
            pair = pair_of("A <<7*3=21>>21.\nB <<21/7=3>>3.\nC <<3*2=6>>6.\n#### 6", seed)
            assert validate(KWAI_STAR, pair.rejected).grammar
