"""Word problems: right, answerable in the order they are told, and never drawn twice."""

from __future__ import annotations

import re

import pytest

from statelang.diagnostics import StatelangError
from statelang.training.formal import needed
from statelang.training.problems import (
    LARGEST,
    NAMES,
    TOTAL,
    Problem,
    disjoint,
    problems,
    values_of,
)

DRAWN = problems(400, seed=1)


def test_the_same_arguments_give_the_same_problems() -> None:
    assert problems(20, seed=3) == problems(20, seed=3)
    assert problems(20, seed=3) != problems(20, seed=4)


def test_the_answer_is_the_value_of_what_is_asked_for() -> None:
    for problem in DRAWN:
        facts = problem["facts"]
        assert problem["answer"] == str(values_of(facts)[facts["goal"]])


def test_every_value_is_positive_and_small() -> None:
    for problem in DRAWN:
        assert all(1 <= value <= LARGEST for value in values_of(problem["facts"]).values())


def test_a_goal_hangs_on_as_many_relations_as_were_asked_for() -> None:
    assert {len(needed(problem["facts"])) for problem in DRAWN} == {2, 3}
    assert {len(needed(p["facts"])) for p in problems(20, seed=1, steps=(1, 9))} == {1, 9}


@pytest.mark.parametrize("steps", [(), (0,), (2, 10)])
def test_steps_without_names_are_an_error(steps: tuple[int, ...]) -> None:
    with pytest.raises(StatelangError, match="not all from 1 to 9"):
        problems(1, seed=1, steps=steps)


def test_each_sentence_defines_one_entity_by_earlier_ones() -> None:
    for problem in DRAWN:
        told: list[str] = []
        *sentences, question = re.findall(r"[^.?]+[.?]", problem["question"])
        for sentence in sentences:
            subject, *others = re.findall("|".join(NAMES), sentence)
            assert subject not in told
            assert set(others) <= set(told)
            told.append(subject)
        assert set(re.findall("|".join(NAMES), question)) <= set(told)


def test_the_sentences_say_what_the_facts_say() -> None:
    for problem in DRAWN:
        assert _read(problem) == values_of(problem["facts"])


def test_all_kinds_of_facts_occur() -> None:
    facts = [fact for problem in DRAWN for fact in problem["facts"]["entities"]]
    assert {fact["op"] for fact in facts if "op" in fact} == {"+", "-", "*"}
    assert any(isinstance(fact.get("right"), str) and fact["name"] != TOTAL for fact in facts)
    assert any(problem["facts"]["goal"] == TOTAL for problem in DRAWN)
    assert any(_irrelevant(problem) for problem in DRAWN)


def test_no_question_comes_twice() -> None:
    assert len({problem["question"] for problem in DRAWN}) == len(DRAWN)
    assert len({problem["id"] for problem in DRAWN}) == len(DRAWN)


def test_disjoint_sets_share_no_question_and_the_first_stays() -> None:
    held_out, training = disjoint([30, 200], seed=2)
    assert (len(held_out), len(training)) == (30, 200)
    assert not {p["question"] for p in held_out} & {p["question"] for p in training}
    assert disjoint([30, 500], seed=2)[0] == held_out


def test_avoided_questions_are_not_drawn() -> None:
    avoided = {problem["question"] for problem in DRAWN[:200]}
    assert not avoided & {p["question"] for p in problems(400, seed=1, avoid=avoided)}


def test_a_space_of_problems_that_is_used_up_is_an_error() -> None:
    class Everything:
        def __contains__(self, question: object) -> bool:
            return True

    with pytest.raises(StatelangError, match="only 0 of 3 different problems"):
        problems(3, seed=1, avoid=Everything())


def _irrelevant(problem: Problem) -> bool:
    facts = problem["facts"]
    used = {facts["goal"]}
    for fact in needed(facts):
        used |= {fact["name"], fact["left"], str(fact["right"])}
    return any(fact["name"] not in used for fact in facts["entities"])


def _read(problem: Problem) -> dict[str, int]:
    """The values, worked out from the question's own words."""
    values: dict[str, int] = {}
    for sentence in re.findall(r"[^.?]+[.?]", problem["question"]):
        people = re.findall("|".join(NAMES), sentence)
        number = next(iter(map(int, re.findall(r"\d+", sentence))), 2)
        if "in total?" in sentence:
            values[TOTAL] = values[people[0]] + values[people[1]]
        elif sentence.endswith("?"):
            assert people == [problem["facts"]["goal"]]
        elif "together" in sentence:
            values[people[0]] = values[people[1]] + values[people[2]]
        elif "times" in sentence or "twice" in sentence:
            values[people[0]] = values[people[1]] * number
        elif "more" in sentence or "fewer" in sentence:
            sign = 1 if "more" in sentence else -1
            values[people[0]] = values[people[1]] + sign * number
        else:
            values[people[0]] = number
    return values
