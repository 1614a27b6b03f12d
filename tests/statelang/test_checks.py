"""Checks: one finding for one mistake, suggestions, and bounded time for hostile files."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark

import statelang
from statelang.diagnostics import GrammarError, Severity, render
from statelang.readers import refusal
from statelang.rules import rule
from tests.strategies import OWN, SHIPPED, space_named


def found(text: str) -> list[tuple[str, int]]:
    """Code and line of what is found; that small files document nothing is left out."""
    return [(f.code, f.line) for f in statelang.check(text) if f.code != "SL208"]


PIECES = [
    "?", "*", "+", "~1..3", "(", ")", "|", " ", "\n", "\n\n", ":", '"', '"x"', "/", "/[a-z]+/", "//",
    "/// x", "//@ ", "//@ requires 1 < 2\n", "_", "a", "A", "start", "#", "'", "\\", "%ignore", "{", "}",
    "[", "]", "^", "{1,3}", "[^<]", "é", "\x00", "->", "and", "==", "!", ".", "0", "\r\n",
]  # fmt: skip


@st.composite
def mended(draw: st.DrawFn) -> str:
    """The text of a sound space with pieces put in, taken out, moved, or put for others."""
    text = space_named(draw(st.sampled_from([*SHIPPED, *OWN]))).source.text
    chance = random.Random(draw(st.integers(0, 1 << 32)))
    for _ in range(draw(st.integers(1, 4))):
        words = text.split(" ") if chance.random() < 0.5 else text.splitlines(keepends=True)
        kind, at = chance.randrange(4), chance.randrange(len(words))
        if kind == 0:
            del words[at]
        elif kind == 1:
            words.insert(at, chance.choice(words))
        text = (" " if "\n" not in words[0][-1:] else "").join(words)
        if kind > 1 and text:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice(PIECES) + text[place + (kind == 3) :]
    return text


@given(mended())
def test_whatever_is_in_a_file_it_is_found_or_sound(text: str) -> None:
    """Of any file `check` says the same as `loads`: findings of known rules, with a next step, in
    the file; and what has no error is read by Lark itself."""
    findings = statelang.check(f"{text}\n")
    assert render(findings) is not None
    for finding in findings:
        assert rule(finding.code).severity is finding.severity
        assert finding.help and 0 <= finding.span.start < finding.span.end <= len(text) + 2
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    try:
        statelang.loads(f"{text}\n")
    except GrammarError as error:
        assert sorted(map(str, errors)) == sorted(map(str, error.diagnostics)) != []
    else:
        assert [] == errors
        assert Lark(text, parser="lalr").rules


def test_a_missing_name_is_one_finding() -> None:
    """However often a name is used that is not defined, it is one finding, with its places."""
    (finding,) = statelang.check("start : say\nsay : wrod wrod wrod\n  | wrod\nword : NUMBR\n"
                                 'NUMBR : "x"\n')  # fmt: skip
    assert ("SL101", 2, "did you mean `word`?") == (finding.code, finding.line, finding.help)
    assert [2, 2, 3] == [finding.source.position(label.span.start)[0] for label in finding.also]


def test_what_only_an_unused_rule_uses_goes_with_it() -> None:
    """Of what is never used, only what nothing else unused uses is a finding; of a circle, one."""
    text = 'start : a\na : "x"\n'
    assert [("SL201", 3)] == found(text + "b : c N\nc : N\nN : /y/\n")
    assert [("SL203", 3)] == found(text + "_p : a _q\n_q : a _p\n   |\n")


def test_what_follows_from_a_wrong_register_is_not_reported() -> None:
    """A register whose declaration is wrong is one finding, not one for each use."""
    text = '//@ ghost n: colour = 0\n\nstart : a\n//@ requires n < 2\n//@ set n = n + 1\na : "x"\n'
    assert [("SL402", 1)] == found(text)


def test_a_template_is_not_a_missing_rule() -> None:
    """What is outside the profile is not reported again as a name or as a state's form."""
    assert [("SL013", 1), ("SL013", 2)] == found('start : two{a}\ntwo{p} : p p\na : "x"\n')


@pytest.mark.parametrize(
    ("clause", "codes"),
    [
        ("requires 1 < 2", ["SL421"]),
        ("requires not (2 < 1)", ["SL421"]),
        ("requires count(a) == count(a)", ["SL421"]),
        ("requires count(a) < 2 or true", ["SL421"]),
        ("checks false", ["SL422"]),
        ("requires count(a) < 2 and 2 < 1", ["SL422"]),
        ("requires count(a) != count(a)", ["SL422"]),
        ("requires 1 / 0 == 1", ["SL422"]),
        ("requires NUMBER == 1", []),
        ("requires NUMBER in {1, 2} and NUMBER < 2", []),
        ("requires VERDICT != WORD", []),
        ("requires size(WORD) > size(VERDICT)", ["SL425"]),
        ("requires size(VERDICT) > 2", []),
        ("checks size(WORD) > 2", []),
    ],
)
def test_conditions_are_judged_alone(clause: str, codes: list[str]) -> None:
    """Conditions that are constant, or that no mask enforces, are found; the others are not."""
    text = (
        f'start : a\n     | b\n//@ {clause}\na : NUMBER ":" VERDICT ":" WORD\nb : "x"\n'
        '//@ type number\nNUMBER : /[0-9]/\nWORD : /[a-z]{1,9}/\nVERDICT : "right" | "wrong"\n'
    )
    assert codes == [code for code, _ in found(text) if code.startswith("SL4")]


@pytest.mark.parametrize(
    ("comment", "is_found"),
    [
        ("// requires count(a) < 3", True),
        ("//requires count(a) < 3", True),
        ("// @requires count(a) < 3", True),
        ("/// @ set n = 2", True),
        ("// limit a 3", True),
        ("// requires care", False),
        ("// set up the lamp", False),
        ("// the limit: 3", False),
        ("//@ requires count(a) < 3", False),
    ],
)
def test_comments_that_look_like_contracts(comment: str, is_found: bool) -> None:
    """What would be a contract with `//@` is found; prose is not, even if it begins like one."""
    codes = [code for code, _ in found(f'start : a _b\n_b : a\n{comment}\na : "x"\n')]
    assert is_found == ("SL109" in codes)
    quoted = f'start : a\n/// Say.\na : "{comment}"\n'
    assert [] == statelang.check(quoted)


@pytest.mark.parametrize(
    ("expression", "is_found"),
    [
        (r"[^<]+", True), (r"[^<;]+", True), (r"([a-z ]|\n)+", True), (r"x[A-Za-z ]*", True),
        (r"[^<]{1,400}", False), (r"[a-z]+", False), (r"-?[0-9]+", False), (r"([a-z]{1,9} )+", False),
    ],
)  # fmt: skip
def test_free_text_needs_a_bound(expression: str, is_found: bool) -> None:
    """A class with letters and spaces that is repeated without end is found; numbers, names and
    lists of words are not."""
    assert is_found == (
        ("SL212", 4) in found(f'start : a\n/// Say.\na : T "<"\nT : /{expression}/\n')
    )


def test_an_answer_may_be_behind_a_call() -> None:
    """A machine that is called may give the answer; one that can stop before it may not."""
    head = "//@ answer b.N as text\n\nstart : a _m\n_m : _tell _end\n_end : a\n_tell : b\n"
    tail = 'a : "x"\nb : "y" N\nN : /[0-9]{1,3}/\n'
    assert [] == found(head + tail)
    assert [("SL211", 1)] == found(head + "      | a\n" + tail)


def test_a_space_has_one_answer() -> None:
    """Of two `answer` clauses none would be wrong alone."""
    answer = "//@ answer b.N as "
    tail = '\nstart : b\nb : "y" N\nN : /[0-9]{1,3}/\n'
    assert [("SL406", 2)] == found(f"{answer}text\n{answer}choice\n{tail}")


def test_an_end_behind_the_answer_is_not_shown() -> None:
    """Of the places where a trace ends, those are shown that it reaches without the answer."""
    head = "//@ answer b.N as text\n\nstart : b _said\n      | a _quiet\n_said : a\n_quiet : a\n"
    (finding,) = (
        f
        for f in statelang.check(head + 'a : "x"\nb : "y" N\nN : /[0-9]{1,3}/\n')
        if f.code == "SL211"
    )
    assert [6] == [finding.source.position(label.span.start)[0] for label in finding.also]


def test_what_lark_refuses_is_asked_for_real() -> None:
    """Lark's strict mode refuses what it would have to guess, and takes what it need not."""
    assert "Shift/Reduce" in refusal('start : a\na : (b C?)* C\nb : "x"\nC : ";"\n')
    assert "Reduce/Reduce" in refusal('start : a | b\na : "x"\nb : "x"\n')
    assert "" == refusal(statelang.load("kwai_star").source.text)


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        ("[0-9]{8}", "[0-9]{10}", []),
        ("x{10}", "x{5}x{5}", ["SL302"]),
        ("x{10}", "x{1,9}y", []),
        ("[ab]*a[ab]{30}", "c[ab]*b[ab]{25}", []),
    ],
)
def test_terminals_are_compared_with_their_bounds(
    first: str, second: str, codes: list[str]
) -> None:
    """Two terminals overlap where a text is both, however long it is; lengths tell them apart."""
    text = f'start : a\n/// Say.\na : A ";" | B "!"\nA : /{first}/\nB : /{second}/\n'
    assert codes == [finding.code for finding in statelang.check(text)]


def test_an_empty_clause_of_an_unused_rule_breaks_nothing() -> None:
    """Contracts of what is never used are not compiled; reading their words must not fail."""
    assert ("SL201", 5) in found('start : a\n/// Say x.\na : "x"\n//@\nb : "y"\n')
