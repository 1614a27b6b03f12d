from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from lark import Lark

import statelang
from statelang.engine import validate
from statelang.training.gsm8k import Solution, read
from statelang.training.gsm8k_lines import Refusal
from tests.training.own import solution, solutions, sources

ANNOTATION = re.compile(r"<<(.*?)>>")
KWAI_STAR = statelang.load("kwai_star")


def plans(answer: str, question: str = "How many are there?") -> list[str]:
    return ["".join(s.plan) for s in solution(answer, question).subproblems]


def refusal(**source: Any) -> str:
    found = read(source)
    assert isinstance(found, Refusal), found
    return found.reason


class TestOwnProblems:
    def test_there_are_forty_and_each_is_read(self) -> None:
        assert len(solutions()) == 40

    @pytest.mark.parametrize("source", sources(), ids=lambda source: source["question"][:24])
    def test_every_trace_is_right(self, source: dict[str, Any]) -> None:
        one = solution(source["answer"], source["question"])
        verdict = validate(KWAI_STAR, one.trace(), {"answer": one.answer})
        assert (verdict.grammar, verdict.contracts, verdict.answer) == (True, True, True), verdict

    def test_plain_lark_reads_every_trace(self) -> None:
        parser = Lark(KWAI_STAR.source.text, parser="lalr")
        for one in solutions():
            assert parser.parse(one.trace()).data == "start"

    @pytest.mark.parametrize("source", sources(), ids=lambda source: source["question"][:24])
    def test_every_annotation_stands_in_the_trace_as_in_the_source(
        self, source: dict[str, Any]
    ) -> None:
        trace = solution(source["answer"], source["question"]).trace()
        assert ANNOTATION.findall(trace) == ANNOTATION.findall(source["answer"])

    def test_the_results_are_not_repeated(self) -> None:
        for one in solutions():
            for subproblem in one.subproblems:
                assert not subproblem.after.startswith(subproblem.result), subproblem

    def test_the_plan_gives_no_result_away(self) -> None:
        for one, source in zip(solutions(), sources(), strict=True):
            if " ** " in source["answer"]:
                continue  # sub-questions are taken as they stand
            for subproblem in one.subproblems:
                said = re.findall(r"[0-9.]*[0-9]", subproblem.text)
                assert Fraction(subproblem.result) not in map(Fraction, said), subproblem

    def test_the_plan_names_earlier_subproblems_alone(self) -> None:
        for one in solutions():
            for at, subproblem in enumerate(one.subproblems):
                names = {token for token in subproblem.plan if token.startswith("s")}
                assert names <= {earlier.id for earlier in one.subproblems[:at]}

    def test_three_last_steps_are_unchecked(self) -> None:
        assert sum(one.unchecked is not None for one in solutions()) == 3


class TestTrace:
    def test_a_plain_problem(self) -> None:
        one = solution(
            "Ann has 4 x 6 = <<4*6=24>>24 pens.\nShe keeps 24 - 5 = <<24-5=19>>19 pens.\n#### 19",
            "Ann buys 4 boxes of 6 pens. She gives 5 away. How many does she keep?",
        )
        assert one.trace() == (
            "<formalize>How many does she keep?</formalize>\n"
            "<decompose>s1 = 4*6: Ann has pens.\n"
            "s2 = s1-5: She keeps pens.</decompose>\n"
            "<solve>s1: Ann has 4 x 6 = <<4*6=24>> pens.</solve>\n"
            "<verify>s1: right</verify>\n"
            "<solve>s2: She keeps 24 - 5 = <<24-5=19>> pens.</solve>\n"
            "<verify>s2: right</verify>\n"
            "<parent>s2 = 19</parent>\n"
            "<summarize>19</summarize>\n"
        )

    def test_a_socratic_problem(self) -> None:
        one = solution(
            "How many days? ** There are 2 weeks.\n"
            "How many pens? ** That is 2*7 = <<2*7=14>>14 days.\n"
            "How many left? ** He has 10 left.\n#### 10"
        )
        (subproblem,) = one.subproblems
        assert subproblem.text == "How many days? How many pens?"
        assert subproblem.before == "There are 2 weeks. That is 2*7 = "
        assert one.unchecked == "How many left? He has 10 left."

    def test_prose_lines_join_the_next_solution(self) -> None:
        one = solution("Let x be it.\nx = 3\nSo 2x = <<2*3=6>>6.\n#### 6")
        assert one.subproblems[0].before == "Let x be it. x = 3. So 2x = "

    def test_prose_lines_after_the_last_solution_join_it(self) -> None:
        one = solution("So 2x = <<2*3=6>>6\nThat is all.\n#### 6")
        assert one.subproblems[0].after == ". That is all."

    def test_two_calculations_on_one_line_share_its_prose(self) -> None:
        one = solution("He has 2*3 = <<2*3=6>>6 pens, so <<6-1=5>>5 are left, he says.\n#### 5")
        first, second = one.subproblems
        assert (first.before, first.after) == ("He has 2*3 = ", " pens,")
        assert (second.before, second.after) == ("so ", " are left, he says.")

    def test_a_calculation_alone_on_its_line_needs_no_prose(self) -> None:
        one = solution("<<2*3=6>>6\n#### 6", "How many are left?")
        assert one.subproblems[0].solved() == "<solve>s1: <<2*3=6>></solve>\n"
        assert one.subproblems[0].text == "How many are left?"

    def test_commas_and_leading_dots(self) -> None:
        one = solution("It is .5*2,400 = <<.5*2400=1200>>1,200 pens.\n#### 1,200")
        assert one.subproblems[0].solved() == (
            "<solve>s1: It is .5*2,400 = <<.5*2400=1200>> pens.</solve>\n"
        )
        assert one.closing(one.answer).startswith("<parent>s1 = 1200</parent>")

    def test_another_number_after_the_result_stays(self) -> None:
        one = solution("It is <<2*3=6>>60 percent.\n#### 6")
        assert one.subproblems[0].after == "60 percent."

    @pytest.mark.parametrize(
        ("rest", "unchecked"),
        [
            ("\nSo he needs 4 bags.", "So he needs 4 bags."),
            (" bags, so 4 bags do.", "so 4 bags do."),
            (" bags.", "The answer is 4."),
        ],
    )
    def test_the_unchecked_prose_is_never_empty(self, rest: str, unchecked: str) -> None:
        one = solution(f"It is <<7/2=3.5>>3.5{rest}\n#### 4")
        assert one.unchecked == unchecked
        assert one.closing("4").startswith(f"<parent unchecked>4: {unchecked}</parent>\n")


class TestPlans:
    def test_the_most_recent_unused_result_is_named(self) -> None:
        lines = "<<2*4=8>>8\n<<5+3=8>>8\n<<8*2=16>>16\n<<8+16=24>>24\n#### 24"
        assert plans(lines) == ["2*4", "5+3", "s2*2", "s1+s3"]

    def test_two_equal_results_are_both_named(self) -> None:
        assert plans("<<2*4=8>>8\n<<5+3=8>>8\n<<8+8=16>>16\n#### 16")[2] == "s1+s2"

    def test_one_computed_and_one_given(self) -> None:
        question = "She has 10 pens and 2 boxes of 5. How many pens has she?"
        assert plans("<<2*5=10>>10\n<<10+10=20>>20\n#### 20", question)[1] == "s1+10"

    def test_a_given_factor_is_not_named_twice(self) -> None:
        question = "He has 4/2 pens, twice as many caps. How many things has he?"
        assert plans("<<4/2=2>>2\n<<2*2=4>>4\n<<2+4=6>>6\n#### 6", question) == [
            "4/2",
            "s1*2",
            "s1+s2",
        ]

    def test_a_given_fraction_stays_whole(self) -> None:
        question = "He eats 3/8 of 32 pieces. There are 2 boxes of 4. How many?"
        assert plans("<<2*4=8>>8\n<<3/8*32=12>>12\n#### 12", question)[1] == "3/8*32"

    def test_no_result_is_named_before_it_exists(self) -> None:
        assert plans("<<24-5=19>>19\n<<4*6=24>>24\n#### 24") == ["24-5", "4*6"]

    def test_only_the_shortest_spelling_is_named(self) -> None:
        """The contract compares the calculation with the filled plan as text."""
        assert plans("<<1/2=.50>>.50\n<<0.5*8=4>>4\n#### 4")[1] == "s1*8"
        assert plans("<<1/2=.5>>.5\n<<.5*8=4>>4\n#### 4")[1] == ".5*8"

    def test_a_bare_result_is_its_own_plan(self) -> None:
        assert plans("They need 12 x 3 = <<36=36>>36.\n#### 36") == ["36"]

    def test_a_negative_result_is_named(self) -> None:
        assert plans("<<3-20=-17>>-17\n<<(-17)+43=26>>26\n#### 26")[1] == "(s1)+43"


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ("It is 6.\n#### 6", "no annotated calculation"),
            ("It is <<2*3=6>>6.", "no final answer"),
            ("It is <<2*3=6>>6.\n#### six", "no final answer"),
            ("It is <<2*3=6>>6.\n#### 1234567890123", "no final answer"),
            ("It is <<2*3=7>>7.\n#### 7", "wrong calculation"),
            ("It is <<2/0=7>>7.\n#### 7", "wrong calculation"),
            ("It is <<10/3=3.34>>3.34.\n#### 3.34", "wrong calculation"),
            ("It is <<+2+4=6>>6.\n#### 6", "unreadable calculation"),
            ("It is <<2*x=6>>6.\n#### 6", "unreadable calculation"),
            ("It is <<2*3>>6.\n#### 6", "unreadable calculation"),
            ("It is <<2*3=6=6>>6.\n#### 6", "unreadable calculation"),
            ("As 2 < 3, it is <<2*3=6>>6.\n#### 6", "'<' in the text"),
            ("<solve>It is <<2*3=6>>6.\n#### 6", "'<' in the text"),
            ("It is <<2*3=6>6.\nIt is <<2*3=6>>6.\n#### 6", "'<' in the text"),
            (f"It is {'long ' * 200}<<2*3=6>>6.\n#### 6", "text too long"),
            ("<<2*3=6>>6\n" * 100 + "#### 6", "too many calculations"),
            ("", "no answer"),
            (6, "no answer"),
            (None, "no answer"),
        ],
    )
    def test_each_has_a_stable_reason(self, answer: object, reason: str) -> None:
        assert refusal(question="How many?", answer=answer) == reason

    def test_a_question_with_a_tag_is_refused(self) -> None:
        answer = "It is <<2*3=6>>6.\n#### 6"
        assert refusal(question="<solve>How many?", answer=answer) == "'<' in the text"
        assert refusal(question=" ", answer=answer) == "no question"
        assert refusal(answer=answer) == "no question"

    def test_a_rounded_result_is_right(self) -> None:
        assert isinstance(
            read({"question": "How much?", "answer": "It is <<5/3=1.67>>1.67.\n#### 1.67"}),
            Solution,
        )
