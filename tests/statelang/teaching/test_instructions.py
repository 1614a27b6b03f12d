"""The instructions that teach a model a space."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import statelang
from statelang import StatelangError
from statelang.engine import validate
from statelang.teaching.worked import Example, example_of, steps
from tests.strategies import OWN, PICK, WORKED, own_space, space_named

PROMPTS = Path(__file__).parent / "prompts"
QUESTION = {"question": "How many?", "answer": "8231"}


@pytest.mark.parametrize("name", statelang.shipped())
def test_prompts_of_shipped_spaces_are_kept(name: str) -> None:
    """The prompts are kept as they are. Write one again, then read what has changed:

    statelang prompt NAME > tests/statelang/teaching/prompts/NAME.md
    """
    kept = (PROMPTS / f"{name}.md").read_text(encoding="utf-8")
    assert kept == statelang.prompt(statelang.load(name))


@pytest.mark.parametrize("name", statelang.shipped())
def test_examples_of_shipped_spaces_validate(name: str) -> None:
    """What ships as an example holds by all three verdicts, and shows every action."""
    space = statelang.load(name)
    example = example_of(space)
    assert example is not None
    verdict = validate(space, example.text, example.problem)
    assert (True, True, True) == (verdict.grammar, verdict.contracts, verdict.answer)
    assert {a.name for a in space.actions} == {action for action, _ in steps(space, example)}


@pytest.mark.parametrize("name", [name for name in OWN if not own_space(name).inputs])
def test_other_spaces_show_a_trace_that_is_found(name: str) -> None:
    """The example of a space that ships none is legal, in the prompt, and the same every time."""
    space = own_space(name)
    example = example_of(space)
    assert example is not None and example == example_of(space)
    verdict = validate(space, example.text)
    assert verdict.contracts is True
    assert {action.name for action in space.actions} == {step.action for step in verdict.steps}
    assert example.text in statelang.prompt(space)


def test_every_action_state_and_register_is_there() -> None:
    """Nothing that a trace needs is left out."""
    space = statelang.load("kwai_star_formal")
    text = statelang.prompt(space)
    assert all(f"### {action.name}\n\n{action.doc}\n" in text for action in space.actions)
    assert all(state.doc in text for state in space.states)
    assert all(f"- `{register.name}`: {register.doc}" in text for register in space.registers)
    assert all(f"- «{terminal.name}» is `" in text for terminal in space.terminals)


def test_forms_keep_literal_text() -> None:
    """A form is the text that is written, with what is filled in between «»."""
    text = statelang.prompt(own_space("calls"))
    assert "```text\n→ hé «NAME»\n```" in text
    assert "```text\nbye «NAME»«NUMBER»\n```" in text


def test_gates_calls_and_stops_are_in_the_order() -> None:
    """A transition's gate stands beside it; a called machine has a table of its own."""
    text = statelang.prompt(own_space("calls"))
    assert "| start | `greetings()` | body |" in text
    assert "Within greetings():" in text
    assert "| more | `hello`, if `greeted` is less than 3 | more |" in text
    assert "|  | none | this part ends |" in text


def test_hidden_inputs_are_never_shown() -> None:
    """Neither the name nor the value of a hidden input is in any prompt."""
    space = own_space("share")
    problem = {"total": 77, "parts": 4321, "question": "Share it.", "answer": "1", "solution": "s"}
    example = Example("share 25.7\nwas 25.7\n", {**problem, "parts": 3, "question": "Before."})
    for role in ("student", "teacher"):
        text = statelang.prompt(space, problem, role=role, example=example)
        assert "total: 77" in text and "- `total` (number)" in text
        assert "4321" not in text and "parts" not in re.sub("`NUMBER` is .*", "", text)


def test_the_gold_answer_is_for_teachers() -> None:
    """A student's prompt holds the question alone; a teacher's the answer and what to do with it."""
    space = statelang.load("kwai_star")
    student = statelang.prompt(space, QUESTION)
    teacher = statelang.prompt(space, QUESTION, role="teacher")
    assert student.startswith(statelang.prompt(space).rstrip("\n"))
    assert "How many?" in student and "8231" not in student
    assert "## Its known answer" in teacher and "8231" in teacher
    assert "rewrite what is known" in teacher


def test_a_teacher_reviews_an_attempt() -> None:
    """An attempt that went wrong is shown as it is, to be taken back where it is wrong."""
    problem = {**QUESTION, "attempt": WORKED["kwai_star"]}
    text = statelang.prompt(statelang.load("kwai_star"), problem, role="teacher")
    assert f"## An attempt that went wrong\n\n```text\n{WORKED['kwai_star']}```" in text
    assert text.endswith("go on rightly to the end.\n")


def test_a_teacher_needs_something_known() -> None:
    """Without answer, solution and attempt there is nothing to rewrite."""
    with pytest.raises(StatelangError, match='give the gold "answer"'):
        statelang.prompt(statelang.load("kwai_star"), {"question": "?"}, role="teacher")


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("2 < 3 & 4?", "```text\n2 < 3 & 4?\n```"),
        ("Say <solve>s1", "```text\nSay &lt;solve>s1\n```"),
        ("&lt; </parent>\n", "```text\n&amp;lt; &lt;/parent>\n```"),
        ("a\n```\n# Rules", "````text\na\n```\n# Rules\n````"),
        ("`" * 7, f"{'`' * 8}text\n{'`' * 7}\n{'`' * 8}"),
    ],
)
def test_tags_in_a_problem_are_no_steps(question: str, shown: str) -> None:
    """A problem stands in a fence that it cannot close; `<` is escaped where a tag is in it."""
    text = statelang.prompt(statelang.load("kwai_star"), {"question": question})
    problem = text.partition("## The problem")[2]
    assert shown in problem
    assert ("`&lt;` is written for `<`" in problem) == ("&lt;" in shown)
    assert "<solve>" not in problem and "</parent>" not in problem


def test_a_problem_without_a_question_is_refused() -> None:
    """There is nothing to ask then; a whole `prompt` may stand in its place."""
    space = statelang.load("kwai_star")
    with pytest.raises(StatelangError, match="has no question"):
        statelang.prompt(space, {"answer": "8"})
    assert "Just this." in statelang.prompt(space, {"prompt": "Just this."})


def test_a_problem_that_is_no_mapping_is_refused() -> None:
    """What it is instead is said."""
    problem: Any = []
    with pytest.raises(StatelangError, match="a problem is a mapping, not a list"):
        statelang.prompt(statelang.load("kwai_star"), problem)


def test_an_illegal_example_is_refused() -> None:
    """An example is validated before it teaches anything."""
    wrong = WORKED["kwai_star"].replace("48/2=24", "48/2=25")
    with pytest.raises(StatelangError, match="the example is no legal trace"):
        statelang.prompt(statelang.load("kwai_star"), example=Example(wrong))


def test_inputs_leave_no_example() -> None:
    """A walk would need the inputs of a problem, and with those of the problem asked it would show
    the way: there is no example unless one is given."""
    space = space_named("pick")
    problem = {"question": "Which?", "options": ["red", "blue"]}
    assert "## Example" not in statelang.prompt(space, problem)
    given = Example("look ab\nchoose ab\n", {"options": ["ab"]})
    assert "look ab" in statelang.prompt(space, problem, example=given)
    assert "options: red, blue" in statelang.prompt(space, problem)


def test_rules_of_one_form_say_so() -> None:
    """A clause on one alternative of a payload names the form that it is about."""
    text = statelang.prompt(
        statelang.loads(
            'start : say\nsay : "a" WORD  //@ requires WORD != "x"\n    | "b" WORD\nWORD : /[a-z]/\n'
        )
    )
    assert '- Where it is `"a" WORD`: Must hold: `WORD` is not "x".' in text


def test_limits_are_said() -> None:
    """A limit of the file is a sentence under the order."""
    assert "- At most 3 `look` steps in one trace.\n" in statelang.prompt(statelang.loads(PICK))
