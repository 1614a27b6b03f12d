"""Verdicts: three kept apart, and the first wrong step named exactly."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import LarkError

import statelang
from statelang.clauses import arithmetic
from statelang.clauses.values import places_of, read_number, rounded
from statelang.diagnostics import StatelangError
from statelang.engine import Validator, validate
from statelang.engine.verdicts.answers import same_answer
from tests.strategies import (
    CHECKS,
    OWN,
    SHIPPED,
    WORKED,
    edited,
    long_walks,
    own_space,
    problem_for,
    space_named,
    traces,
)

FORMAL, PROSE = WORKED["kwai_star_formal"], WORKED["kwai_star"]


@cache
def lark(name: str) -> Lark:
    """Plain Lark, without contracts."""
    return Lark(space_named(name).source.text, parser="lalr")


# ---- three verdicts --------------------------------------------------------------------------


def test_a_right_trace_has_three_right_verdicts() -> None:
    """Grammar, contracts and answer hold, and nothing is reported."""
    for name in SHIPPED:
        gold = {"kwai_star": "72", "kwai_star_formal": "16"}[name]
        verdict = validate(statelang.load(name), WORKED[name], {"answer": gold})
        assert (verdict.grammar, verdict.contracts, verdict.answer) == (True, True, True)
        assert verdict.error is None and verdict.holds and verdict.found == gold
        assert verdict.as_dict() == {
            "grammar": True, "contracts": True, "answer": True, "error": None,
        }  # fmt: skip


def test_without_gold_the_answer_is_unknown() -> None:
    """No gold answer, or a space without answers, is null: neither right nor wrong."""
    space = statelang.load("kwai_star_formal")
    for problem in (None, {}, {"question": "?"}, {"answer": None}):
        verdict = validate(space, FORMAL, problem)
        assert verdict.answer is None and verdict.holds
    verdict = validate(own_space("prefix"), "go up\ngo home\n", {"answer": "1"})
    assert verdict.answer is None and verdict.holds


def test_a_wrong_answer_is_wrong_and_the_steps_right() -> None:
    """The answer is judged apart from the steps."""
    verdict = validate(statelang.load("kwai_star_formal"), FORMAL, {"answer": "17"})
    assert (verdict.grammar, verdict.contracts, verdict.answer) == (True, True, False)
    assert verdict.error is None and not verdict.holds


def test_a_right_answer_from_wrong_steps_stays_right() -> None:
    """Contracts fail, the answer matches: both are said, which is why they are kept apart."""
    text = FORMAL.replace("5 + 3 = 8</solve>", "5 + 3 = 9</solve>")
    verdict = validate(statelang.load("kwai_star_formal"), text, {"answer": "16"})
    assert (verdict.grammar, verdict.contracts, verdict.answer) == (True, False, True)
    assert verdict.found == "16"


def test_where_the_grammar_fails_contracts_are_unknown() -> None:
    """Contracts are null where the text does not parse; the answer is then wrong, not unknown."""
    verdict = validate(statelang.load("kwai_star_formal"), FORMAL[:-3], {"answer": "16"})
    assert (verdict.grammar, verdict.contracts, verdict.answer) == (False, None, False)
    assert validate(statelang.load("kwai_star_formal"), FORMAL[:-3]).answer is None


@pytest.mark.parametrize("name", SHIPPED)
def test_steps_are_the_actions_and_their_places(name: str) -> None:
    """The steps cut the trace into its actions, without a gap."""
    text = WORKED[name].replace("Natalia", "Zoë")
    verdict = validate(statelang.load(name), text)
    assert [step.action for step in verdict.steps] == [
        "formalize", "decompose", "solve_subproblem", "verify", "solve_subproblem", "verify",
        "backtrack", "solve_subproblem", "verify", "solve_parent", "summarize",
    ]  # fmt: skip
    assert "".join(text[step.start : step.end] for step in verdict.steps) == text
    assert all(text[step.start] == "<" for step in verdict.steps)


# ---- the first wrong step --------------------------------------------------------------------

# Space, what is replaced by what in the worked trace (once), and where it goes wrong.
EDITS = [
    ("kwai_star_formal", "<decompose>", "<decmpose>", 2, 5, 5, "grammar"),
    ("kwai_star_formal", "Ann = Tom + 3\n", "Ann = Tom + three\n", 1, 2, 13, "grammar"),
    ("kwai_star_formal", "Bob = Ann * 2\nfind", "Bob = Cyd * 2\nfind", 1, 3, 10, "requires ID in names"),
    ("kwai_star_formal", "Ann = Tom + 3\nBob", "Tom = 3\nBob", 1, 2, 4, "requires ID not in names"),
    ("kwai_star_formal", "find Bob", "find Cyd", 1, 4, 9, "requires ID in names"),
    ("kwai_star_formal", "<decompose>Ann\nBob", "<decompose>Ann", 2, 6, 1,
     "requires goal in item.ID or goal in known"),
    ("kwai_star_formal", "<decompose>Ann\nBob", "<decompose>Bob\nAnn", 2, 5, 15,
     "requires ID in relation_of and ID not in planned and "
     "names(relation_of[ID]) <= planned | keys(known)"),
    ("kwai_star_formal", "5 + 3 = 8<", "5 + 3 = 9<", 3, 7, 33, "requires RESULT == value(work)"),
    ("kwai_star_formal", "5 + 3 = 8<", "5 + 4 = 9<", 3, 7, 29, "requires work == fill(plan_now, known)"),
    ("kwai_star_formal", "Ann right", "Ann wrong", 4, 8, 18,
     'requires VERDICT == (if ID in bad then "wrong" else "right")'),
    ("kwai_star_formal", "<verify>Bob wrong", "<verify>Ann wrong", 6, 10, 12,
     "requires ID == last(solve_subproblem).ID"),
    ("kwai_star_formal", "<backtrack>Bob</backtrack>\n", "", 7, 11, 1, "requires size(bad) == 0"),
    ("kwai_star_formal", "<backtrack>Bob", "<backtrack>Ann", 7, 11, 15, "requires ID in bad"),
    ("kwai_star_formal", "<parent>Bob = 16", "<parent>Bob = 17", 10, 14, 17,
     "requires RESULT == known[goal]"),
    ("kwai_star_formal", "<parent>Bob = 16", "<parent>Ann = 16", 10, 14, 12, "requires ID == goal"),
    ("kwai_star_formal", "<summarize>16", "<summarize>61", 11, 15, 14, "requires RESULT == result"),
    ("kwai_star_formal", "<summarize>16", "<summarize>", 11, 15, 12, "grammar"),
    ("kwai_star", "<<48/2=24>>", "<<48/2=25>>", 3, 4, 41, "requires NUMBER ~ value(sum)"),
    ("kwai_star", "<<48/2=24>>", "<<48/2=>>", 3, 4, 39, "grammar"),
    ("kwai_star", "s2 = 48+s1", "s2 = 48+s3", 2, 3, 11, "requires ID in plan_of"),
    ("kwai_star", "s2 = 48+s1", "s1 = 48+s1", 2, 3, 3, "requires ID not in plan_of"),
    ("kwai_star", "<parent>s2 = 72", "<parent>s2 = 27", 10, 11, 16, "requires NUMBER == known[ID]"),
    ("kwai_star", "<parent>s2", "<parent>s3", 10, 11, 11, "requires ID in known"),
    ("kwai_star", "<summarize>72", "<summarize>7", 11, 12, 13, "requires NUMBER == result"),
    ("kwai_star", "and May?", "and May<", 1, 1, 72, "grammar"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "step", "line", "column", "rule"), EDITS)
def test_the_first_wrong_step_is_named(
    name: str, old: str, new: str, step: int, line: int, column: int, rule: str
) -> None:
    """An edit is found in its step, at the line and column where it shows, by the rule it breaks."""
    assert WORKED[name].count(old) >= 1
    verdict = validate(statelang.load(name), WORKED[name].replace(old, new, 1))
    assert verdict.error is not None
    found = verdict.error
    assert (found.step, found.line, found.column, found.rule) == (step, line, column, rule)
    assert verdict.grammar == (rule != "grammar")
    assert verdict.contracts is (None if rule == "grammar" else False)
    assert found.message


def test_what_was_legal_is_said() -> None:
    """Between steps the legal actions are named, within a step what may be written."""
    space = statelang.load("kwai_star_formal")
    start = validate(space, "Tom = 5").error
    assert start is not None and start.expected == ("`formalize`",)
    text = FORMAL[: FORMAL.index("<verify>")]
    between = validate(space, text + "<backtrack>Ann</backtrack>\n").error
    assert between is not None
    assert set(between.expected) == {"`verify>`", "`solve>`", "`parent>`", "`parent unchecked>`"}
    within = validate(space, "<formalize>Tom is").error
    assert within is not None and (within.step, within.line, within.column) == (1, 1, 16)


def test_text_after_the_end_is_one_step_too_many() -> None:
    """What follows a complete trace is an error in the step after the last."""
    space = statelang.load("kwai_star_formal")
    for more in ("x", "\n", " ", "<verify>Ann right</verify>\n", "é", FORMAL):
        verdict = validate(space, FORMAL + more, {"answer": "16"})
        assert (verdict.grammar, verdict.contracts) == (False, None)
        assert verdict.error is not None
        assert (verdict.error.step, verdict.error.line, verdict.error.column) == (12, 16, 1)
        assert (verdict.error.rule, verdict.error.expected) == ("end", ("the end",))
        assert len(verdict.steps) == 11


@pytest.mark.parametrize("name", SHIPPED)
def test_a_truncated_trace_is_incomplete(name: str) -> None:
    """Cut anywhere before its end, a trace is incomplete in the step that was under way."""
    text, space = WORKED[name], statelang.load(name)
    ends = [step.end for step in validate(space, text).steps]
    for cut in range(len(text)):
        verdict = validate(space, text[:cut])
        assert verdict.grammar is False and verdict.contracts is None
        assert verdict.error is not None and verdict.error.rule == "incomplete"
        assert verdict.error.step == 1 + sum(end <= cut for end in ends)
        before = text[:cut]
        assert verdict.error.line == before.count("\n") + 1
        assert verdict.error.column == cut - (before.rfind("\n") + 1) + 1
        assert verdict.error.expected


@pytest.mark.parametrize(
    ("trace", "line", "column"),
    [
        ("→ hé A\nbye B1\n", 2, 6),  # the name is not the last one
        ("→ hé éàö\nbye éàö2\n", 2, 9),
        ("→ hé àààà\n", 1, 9),
        ("→ hé à→", 1, 7),
        ("→ hé A💡\n", 1, 7),
        ("→ hé 日本\n", 1, 6),
        ("→ hé ÷\n", 1, 6),  # shares a byte with what is legal
        ("→ hè A\n", 1, 4),
        ("← hé A\n", 1, 1),
    ],
)
def test_columns_count_characters(trace: str, line: int, column: int) -> None:
    """A column counts characters, not bytes, also where the wrong one shares bytes with a right one."""
    error = validate(own_space("calls"), trace).error
    assert error is not None
    assert (error.line, error.column) == (line, column)
    assert "\ufffd" not in error.message


def test_a_lone_surrogate_is_no_text() -> None:
    """What UTF-8 cannot write is an error of the grammar in its place, not a crash."""
    verdict = validate(own_space("calls"), "→ hé A\ud800\n")
    assert verdict.grammar is False
    assert verdict.error is not None and verdict.error.column == 7


def test_the_message_says_what_is_due() -> None:
    """Where a field must equal a value, both are shown."""
    verdict = validate(own_space("traffic"), "car\ncar\ncars: 3\n")
    assert verdict.error is not None
    assert verdict.error.message == (
        "step 3, `report`: `requires NUMBER == cars` does not hold: `NUMBER` is `3`, due is `2`"
    )


def test_a_gate_is_blamed_on_the_step_it_forbids() -> None:
    """A transition that is closed is the fault of the step that takes it, not of the one before."""
    hello = "→ hé A\n"
    verdict = validate(own_space("calls"), hello * 4 + "bye A4\n")
    assert verdict.error is not None
    assert (verdict.error.step, verdict.error.line, verdict.error.column) == (4, 4, 1)
    assert verdict.error.rule == "requires greeted < 3"


def test_a_limit_is_blamed_on_the_step_too_many() -> None:
    """The step that exceeds a limit is the offending one."""
    problem = {"options": ["a", "b", "c", "d"]}
    verdict = validate(own_space("pick"), "look a\nlook b\nlook c\nlook d\nchoose a\n", problem)
    assert verdict.error is not None
    assert (verdict.error.step, verdict.error.line, verdict.error.rule) == (4, 4, "limit look 3")


def test_actions_with_one_beginning_are_blamed_by_what_is_written() -> None:
    """The broken clause is that of the action the text is, not of one that begins alike."""
    verdict = validate(own_space("prefix"), "go up\ngo up\ngo up\ngo home\n")
    assert verdict.error is not None
    assert (verdict.error.step, verdict.error.rule) == (3, "requires n < 2")
    verdict = validate(own_space("prefix"), "go lower\n")
    assert verdict.grammar is False
    verdict = validate(own_space("prefix"), "go up\ngo lower\ngo home\n")
    assert verdict.error is not None
    assert (verdict.error.step, verdict.error.rule) == (3, "requires n == 1")


def test_a_check_is_judged_when_its_step_is_complete() -> None:
    """`checks` is part of the contracts and is reported in its step."""
    space = statelang.loads(CHECKS)
    assert validate(space, "twice 3 is 6\n", {"answer": "6"}).holds
    verdict = validate(space, "twice 3 is 7\n")
    assert (verdict.grammar, verdict.contracts) == (True, False)
    assert verdict.error is not None
    assert (verdict.error.step, verdict.error.rule) == (1, "checks big.NUMBER == 2 * small.NUMBER")


def test_registers_of_any_size_are_judged() -> None:
    """A register that outgrows every spelling makes a verdict, not a crash."""
    space = statelang.loads(
        "//@ ghost n: number = 10\n\nstart : grow _s\n_s : grow _s\n   | show\n//@ set n = n * n\n"
        'grow : "x"\n//@ requires N == n\nshow : "n" N\n//@ type number\nN : /[0-9]{1,9}/\n'
    )
    for steps in (13, 40):
        verdict = validate(space, "x" * steps + "n1")
        assert (verdict.grammar, verdict.contracts) == (True, False)


# ---- problems --------------------------------------------------------------------------------


def test_a_missing_input_is_an_error_not_a_verdict() -> None:
    """Without the inputs that a space declares, nothing can be judged."""
    for problem in (None, {}, {"answer": "red"}, {"options": "red"}):
        with pytest.raises(StatelangError, match="`options`"):
            validate(own_space("pick"), "look red\nchoose red\n", problem)


def test_the_gold_answer_is_no_input() -> None:
    """`answer` in a problem is the gold answer; it never fills a register."""
    problem = {"options": ["red"], "answer": "blue"}
    verdict = validate(own_space("pick"), "look red\nchoose red\n", problem)
    assert (verdict.contracts, verdict.answer, verdict.found) == (True, False, "red")


@pytest.mark.parametrize(
    ("found", "gold", "comparison", "same"),
    [
        ("16", "16.0", "number", True),
        ("1,250", " 1250\n", "number", True),
        ("0.5", ".50", "number", True),
        ("16", "17", "number", False),
        ("16", "sixteen", "number", False),
        ("16", "$16", "number", False),
        ("Red", " red ", "choice", True),
        ("STRASSE", "straße", "choice", True),
        ("red", "read", "choice", False),
        ("a b", "a b", "text", True),
        ("a b", "a b ", "text", False),
        ("A", "a", "text", False),
    ],
)
def test_answers_compare_as_the_space_says(
    found: str, gold: str, comparison: str, same: bool
) -> None:
    """Numbers agree by value, choices without case, texts as they stand."""
    assert same_answer(found, gold, comparison) is same
    if comparison == "number":
        assert same_answer(gold, found, comparison) is same


def test_a_gold_answer_may_be_a_number() -> None:
    """Gold answers come as JSON has them."""
    for gold, right in ((16, True), (16.0, True), ("16", True), (17, False), ("", False)):
        assert (
            validate(statelang.load("kwai_star_formal"), FORMAL, {"answer": gold}).answer is right
        )


# ---- properties ------------------------------------------------------------------------------

# The computed results of each shipped space: what is computed, where there is such a text, and the
# number. A line of prose holds no `<`, so nothing else looks like these.
RESULTS = {
    "kwai_star": r"<<([^<=]+)=([-0-9.]+)>>|<parent>[a-z0-9]+ = ([-0-9.]+)<|<summarize>([-0-9.]+)<",
    "kwai_star_formal": r"<solve>.* = (.+) = ([-0-9]+)<|<parent>[A-Za-z]+ = ([-0-9]+)<"
    r"|<summarize>([-0-9]+)<",
}
NUMBERS = {
    "kwai_star": r"-?([0-9]+(\.[0-9]{1,6})?|\.[0-9]{1,6})",
    "kwai_star_formal": r"0|-?[1-9][0-9]*",
}


@st.composite
def changed_results(draw: st.DrawFn, name: str) -> tuple[str, int, bool]:
    """A walked trace with another number for one computed result, its place, and whether the
    number is only another spelling of the same result."""
    text = draw(traces(name))
    match = draw(st.sampled_from(list(re.finditer(RESULTS[name], text))))
    group = match.lastindex or 0
    written = match[group]
    at = draw(st.integers(0, len(written) - 1))
    digit = draw(st.sampled_from("0123456789"))
    others = [
        written[:at] + digit + written[at + 1 :],
        written + digit,
        written.removeprefix("-") if written.startswith("-") else "-" + written,
        str(draw(st.integers(-99, 9999))),
    ]
    other = draw(st.sampled_from(others))
    assume(other != written and re.fullmatch(NUMBERS[name], other))
    exact = arithmetic.value(match[1], {}) if match[1] else read_number(written)
    same = read_number(other) == (rounded(exact, places_of(other)) if match[1] else exact)
    return text[: match.start(group)] + other + text[match.end(group) :], match.start(group), same


@pytest.mark.parametrize("name", SHIPPED)
@given(data=st.data())
def test_a_changed_result_is_rejected_at_its_step(name: str, data: st.DataObject) -> None:
    """Another value for any computed result is wrong in exactly the step that computes it."""
    text, at, same = data.draw(changed_results(name))
    verdict = validate(statelang.load(name), text)
    assert verdict.grammar, "only a number changed"
    step = next(i for i, s in enumerate(verdict.steps, 1) if s.start <= at < s.end)
    if same:  # `2.0` for `2`: the step stays right; what reads it later may not
        assert verdict.error is None or verdict.error.step > step
    else:
        assert verdict.contracts is False and verdict.error is not None
        assert verdict.error.step == step
        assert verdict.error.line == text[:at].count("\n") + 1


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
@given(data=st.data())
def test_an_edit_is_rejected_or_parses_in_lark(name: str, data: st.DataObject) -> None:
    """A random edit is rejected, or plain Lark still parses it; the grammar verdict is Lark's."""
    text = data.draw(edited(name))
    verdict = validate(space_named(name), text, problem_for(name))
    try:
        lark(name).parse(text)
        parses = True
    except LarkError:
        parses = False
    assert verdict.grammar == parses
    assert (verdict.error is None) == (verdict.contracts is True)
    if verdict.error is not None:
        lines = text.split("\n")
        assert 1 <= verdict.error.line <= len(lines)
        assert 1 <= verdict.error.column <= len(lines[verdict.error.line - 1]) + 1
        assert 1 <= verdict.error.step <= len(verdict.steps) + 1


@given(st.text(max_size=30), st.sampled_from([*SHIPPED, "calls", "prefix"]))
def test_any_text_has_a_verdict(text: str, name: str) -> None:
    """Whatever is validated, a verdict comes back that can be written as JSON."""
    verdict = validate(space_named(name), text, problem_for(name))
    assert verdict.grammar is False
    assert verdict.as_dict()["error"]["step"] >= 1


def test_results_are_found_in_both_shipped_spaces() -> None:
    """The test above changes what is computed: solved results, the parent's and the summary's."""
    for name in SHIPPED:
        assert len(re.findall(RESULTS[name], WORKED[name])) == 5
        assert long_walks(name), "no walk works anything out"


@pytest.mark.parametrize(("named", "text"), [("bytes", b"x"), ("NoneType", None)])
def test_a_trace_is_a_text(named: str, text: Any) -> None:
    """Bytes are not guessed at."""
    space = statelang.load("kwai_star_formal")
    for judge in (lambda: validate(space, text), lambda: Validator(space).feed(text)):
        with pytest.raises(StatelangError, match=f"a trace is a text, not {named}"):
            judge()
