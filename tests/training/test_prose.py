from __future__ import annotations

from fractions import Fraction

import pytest

from statelang.training import prose


class TestSentences:
    def test_initials_and_titles_end_no_sentence(self) -> None:
        text = "Mr. Bo has $1.50. Dr. A. Lee has 2 more.  How much has she at 9 a.m. now?"
        assert prose.sentences(text) == [
            "Mr. Bo has $1.50.",
            "Dr. A. Lee has 2 more.",
            "How much has she at 9 a.m. now?",
        ]

    @pytest.mark.parametrize(
        ("question", "asked"),
        [
            ("He has 3. How many are left?", "How many are left?"),
            ("How many are left?\nHe had 3.", "How many are left?"),
            ("How many? How much?", "How much?"),
            ("He has 3. Tell the rest.", "Tell the rest."),
            ('She asks: "How many?"', 'She asks: "How many?"'),
            ("no stop", "no stop"),
            ("  ", ""),
        ],
    )
    def test_the_last_question_is_what_is_asked(self, question: str, asked: str) -> None:
        assert prose.what_is_asked(question) == asked

    def test_lines_are_closed_where_another_follows(self) -> None:
        assert prose.join(["x = 5", " ", "So:", "y  = 6"]) == "x = 5. So: y = 6"

    @pytest.mark.parametrize(
        ("text", "head", "rest"),
        [
            (" get off, so 9 - 4 = ", " get off,", " so 9 - 4 = "),
            (" a, b. C d.", " a, b.", " C d."),
            (" and 3 + 4 = ", "", " and 3 + 4 = "),
        ],
    )
    def test_a_clause_ends_at_its_last_stop(self, text: str, head: str, rest: str) -> None:
        assert prose.split_clause(text) == (head, rest)


class TestStatedArithmetic:
    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("Ann has 2 x 3 = $", "Ann has $"),
            ("She needs 60 inches because 10 x 6 equals ", "She needs 60 inches because "),
            ("It is 8 hours/day * 5 days/week * 4 weeks/month = ", "It is "),
            ("a distance of 13,000-1,000=", "a distance of "),
            ("players is (2/5)*1000 = ", "players is "),
            ("The share is 1 - (2/3) = 1/3 of it", "The share is 1/3 of it"),
            ("They eat 1/2 cup in the 30-day week", "They eat 1/2 cup in the 30-day week"),
            ("x = ", "x = "),
        ],
    )
    def test_it_is_cut_where_it_is_carried_out(self, text: str, left: str) -> None:
        assert prose.cut_stated_arithmetic(text) == left

    @pytest.mark.parametrize(
        ("text", "new"),
        [
            ("Ann has 2 x 3 = $", "Ann has 7 x 4 = $"),
            ("Ann has 2*3=", "Ann has 7*4="),
            ("It takes 2 hours * 3 hours = ", "It takes 7 * 4 = "),
            ("She adds Bo's 2 pens + Cy's 3 pens = $", "She adds Bo's 7 * 4 = $"),
            ("It was 5+5=10. So it is 2+3 = ", "It was 5+5=10. So it is 7*4 = "),
            ("Ann has ", "Ann has "),
        ],
    )
    def test_it_is_restated_in_its_own_style(self, text: str, new: str) -> None:
        assert prose.restate_at_end(text, ("7", "*", "4")) == new


class TestNumbers:
    def test_numbers_are_values(self) -> None:
        assert prose.numbers("1,250 is 25% of .5 or 3/8") == {1250, 25, Fraction(1, 2), 3, 8}

    def test_only_whole_numbers_are_replaced(self) -> None:
        text = "$24 and 24% of 240, 2.24, 24th and 24/7, then 24."
        new = "$30 and 30% of 240, 2.24, 24th and 24/7, then 30."
        assert prose.replace_numbers(text, {Fraction(24): "30"}) == new

    def test_cutting_takes_the_signs_along(self) -> None:
        left = prose.cut_numbers("It is $24, or 24% of 30.", lambda value: value == 24)
        assert prose.tidy(left) == "It is, or of 30."

    @pytest.mark.parametrize(
        ("text", "tidied"),
        [
            ("There are  children because ", "There are children"),
            ("Each costs $ .", "Each costs."),
            ("Each costs $ per pen.", "Each costs per pen."),
            ("So the total will be $.", "So the total."),
            ("x =", "x"),
        ],
    )
    def test_tidying_drops_loose_ends(self, text: str, tidied: str) -> None:
        stop = "." if tidied.endswith(".") else ""
        assert prose.tidy(text).rstrip(".") + stop == tidied

    @pytest.mark.parametrize(("text", "has"), [("So on: 3", False), ("bags", True), ("x", False)])
    def test_words_have_three_letters(self, text: str, has: bool) -> None:
        assert prose.has_words(text) is has
