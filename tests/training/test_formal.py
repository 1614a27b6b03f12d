"""Traces written from facts: right ones hold, wrong ones fail by the answer alone."""

from __future__ import annotations

import re

from statelang.engine import validate
from statelang.training.formal import WrongPair, right_trace, wrong_pair
from statelang.training.problems import Fact, Facts, Problem, problems
from tests.training.small import SPACE

PROBLEMS = problems(120, seed=8) + problems(30, seed=9, steps=(1, 4))
PAIRS = [(problem, pair) for problem in PROBLEMS if (pair := wrong_pair(problem, seed=1))]


def test_a_right_trace_holds_in_every_way() -> None:
    for problem in PROBLEMS:
        verdict = validate(SPACE, right_trace(problem), dict(problem))
        assert (verdict.grammar, verdict.contracts, verdict.answer) == (True, True, True)


def test_the_trace_of_a_problem_is_written_out() -> None:
    assert right_trace(_example()) == (
        "<formalize>Tom = 5\nAnn = Tom + 3\nJo = Tom * 2\nBob = Ann * 2\nfind Bob</formalize>\n"
        "<decompose>Ann\nBob</decompose>\n"
        "<solve>Ann = Tom + 3 = 5 + 3 = 8</solve>\n<verify>Ann right</verify>\n"
        "<solve>Bob = Ann * 2 = 8 * 2 = 16</solve>\n<verify>Bob right</verify>\n"
        "<parent>Bob = 16</parent>\n<summarize>16</summarize>\n"
    )


def test_every_problem_gives_a_pair() -> None:
    assert len(PAIRS) == len(PROBLEMS)


def test_the_chosen_side_holds_in_every_way() -> None:
    for problem, pair in PAIRS:
        verdict = validate(SPACE, pair.chosen, dict(problem))
        assert (verdict.grammar, verdict.contracts, verdict.answer) == (True, True, True)


def test_the_rejected_side_is_grammatical_and_answers_wrong() -> None:
    for problem, pair in PAIRS:
        verdict = validate(SPACE, pair.rejected, dict(problem))
        assert (verdict.grammar, verdict.contracts, verdict.answer) == (True, False, False)
        assert verdict.error is not None and "VERDICT" in verdict.error.rule
        assert "wrong" not in pair.rejected


def test_both_sides_are_equal_up_to_the_end_of_the_wrong_step() -> None:
    for problem, pair in PAIRS:
        start, end = pair.no_loss
        assert pair.chosen[:end] == pair.rejected[:end]
        assert re.fullmatch(r"<solve>[^<]*</solve>\n", pair.chosen[start:end])
        assert pair.chosen[:start].count("<solve>") == pair.step
        assert right_trace(problem).startswith(pair.chosen[:start])


def test_the_wrong_step_leaves_its_relation_and_is_else_worked_out_rightly() -> None:
    for problem, pair in PAIRS:
        name, relation, work, result = _wrong_step(pair)
        right = _relation(problem, name)
        assert sum(a != b for a, b in zip(relation.split(), right.split(), strict=True)) == 1
        left, op, value = work.split()
        outcome = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[op](int(left), int(value))
        assert int(result) == outcome >= 0
        known = dict(re.findall(r"(\w+) = (\d+)$", pair.chosen[: pair.no_loss[0]], re.MULTILINE))
        known |= dict(re.findall(r"<solve>(\w+) .* = (\d+)</solve>", _before(pair)))
        fetched = [known.get(part, part) for part in relation.split()]
        assert " ".join(fetched) == work


def test_no_value_in_a_rejected_trace_is_negative() -> None:
    assert not any(re.search(r"= -", pair.rejected) for _, pair in PAIRS)


def test_operands_operators_and_constants_all_go_wrong() -> None:
    kinds = set()
    for problem, pair in PAIRS:
        name, relation, _, _ = _wrong_step(pair)
        written, right = relation.split(), _relation(problem, name).split()
        kinds |= {part for part in range(3) if written[part] != right[part]}
    assert kinds == {0, 1, 2}


def test_the_seed_decides_the_slip() -> None:
    pairs = [wrong_pair(_example(), seed) for seed in range(20)]
    assert pairs == [wrong_pair(_example(), seed) for seed in range(20)]
    assert len({pair.chosen for pair in pairs if pair}) > 1


def test_a_problem_in_which_no_slip_matters_gives_no_pair() -> None:
    # 0 + 0, 0 - 0 and 0 * 0 are all 0.
    entities: list[Fact] = [
        {"name": "Ann", "value": 0},
        {"name": "Bob", "left": "Ann", "op": "+", "right": "Ann"},
    ]
    facts = Facts(entities=entities, goal="Bob")
    assert wrong_pair(Problem(id="zero", question="", answer="0", facts=facts), seed=0) is None


def _example() -> Problem:
    entities: list[Fact] = [
        {"name": "Tom", "value": 5},
        {"name": "Ann", "left": "Tom", "op": "+", "right": 3},
        {"name": "Jo", "left": "Tom", "op": "*", "right": 2},
        {"name": "Bob", "left": "Ann", "op": "*", "right": 2},
    ]
    return Problem(
        id="tom", question="Tom ...", answer="16", facts=Facts(entities=entities, goal="Bob")
    )


def _before(pair: WrongPair) -> str:
    return pair.chosen[: pair.no_loss[0]]


def _wrong_step(pair: WrongPair) -> list[str]:
    step = pair.chosen[slice(*pair.no_loss)]
    return step.removeprefix("<solve>").removesuffix("</solve>\n").split(" = ")


def _relation(problem: Problem, name: str) -> str:
    fact = next(f for f in problem["facts"]["entities"] if f["name"] == name)
    return f"{fact['left']} {fact['op']} {fact['right']}"
