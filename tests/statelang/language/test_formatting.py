"""Formatting: one normal form, every comment kept, the meaning never touched."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import statelang
from statelang.clauses import parsing
from statelang.diagnostics import GrammarError
from statelang.engine import validate
from statelang.language.formatting import clause, fmt
from statelang.language.lexing import Kind, tokens
from statelang.language.syntax import Comment, parse
from statelang.loader import examine
from statelang.source import Source
from tests.statelang.files import clauses, messy, odd_files
from tests.strategies import OWN, SHIPPED, problem_for, space_named, walked

RULES = sorted((Path(__file__).parents[2] / "rules").glob("*/bad.lark"))
GRAMMARS = sorted((Path(__file__).parents[3] / "grammars").glob("*.lark"))


def meaning(value: Any) -> Any:
    """The tree of a file without places, each clause as its own tree."""
    if isinstance(value, Comment):
        return clause_tree(value.text) if value.contract else value.text
    if isinstance(value, tuple):
        return tuple(map(meaning, value))
    if not attrs.has(type(value)):
        return value
    names = [a.name for a in attrs.fields(type(value)) if a.name not in ("span", "line", "source")]
    return type(value), {name: meaning(getattr(value, name)) for name in names}


def clause_tree(text: str) -> Any:
    """The tree of a clause, or its text where it is none."""
    try:
        return parsing.parse(text)
    except parsing.ContractError:
        return text


def written(text: str) -> list[tuple[Kind, str]]:
    """What is written, white space apart."""
    return [
        (token.kind, "".join(token.text.split()))
        for token in tokens(text)
        if token.kind not in (Kind.SPACE, Kind.NEWLINE)
    ]


@pytest.mark.parametrize("file", GRAMMARS, ids=lambda file: file.stem)
def test_shipped_grammars_are_in_normal_form(file: Path) -> None:
    """What we ship is how we would write it."""
    text = file.read_text(encoding="utf-8")
    assert text == fmt(text)


@given(st.sampled_from([*SHIPPED, *OWN]), st.randoms(use_true_random=False))
def test_spacing_is_undone(name: str, chance: Random) -> None:
    """However a file is spaced, its normal form is one."""
    text = space_named(name).source.text.lstrip("\n")
    assert text == fmt(messy(text, chance))


@given(odd_files())
def test_meaning_and_comments_stay(text: str) -> None:
    """The tree, its clauses and every comment are those of the text; twice is once."""
    try:
        before = meaning(parse(Source(text)))
    except GrammarError:
        assume(False)
    once = fmt(text)
    assert before == meaning(parse(Source(once)))
    assert written(text) == written(once)
    assert once == fmt(once)


@given(odd_files())
def test_the_normal_form_is_clean(text: str) -> None:
    """No space at the end of a line, at most one empty line together, one line end at the end."""
    try:
        lines = fmt(text).split("\n")
    except GrammarError:
        assume(False)
    assert [] == [line for line in lines if line != line.rstrip() or "\t" in line[:1]]
    assert "" == lines.pop()
    assert not lines or "" not in (lines[0], lines[-1])
    assert not any(one == two == "" for one, two in pairwise(lines))


@settings(max_examples=settings().max_examples // 4)  # to draw one takes long
@given(clauses())
def test_a_clause_keeps_its_tree(text: str) -> None:
    """Whatever the grammar of clauses has is written in one way, which reads as before."""
    before = clause_tree(text)
    assume(not isinstance(before, str))
    once = clause(text)
    assert before == clause_tree(once)
    assert once == clause(once)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_traces_are_legal(name: str) -> None:
    """A file spaced otherwise, and formatted, judges walked traces as the shipped space does."""
    odd = messy(space_named(name).source.text, Random(7)).replace("\t", " ")
    assert odd != fmt(odd)
    for text in (odd, fmt(odd)):
        space = statelang.loads(text)
        for seed in range(5):
            verdict = validate(space, walked(name, seed), problem=problem_for(name))
            assert (True, True) == (verdict.grammar, verdict.contracts)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.parent.name)
def test_the_same_things_are_found(file: Path) -> None:
    """What `check` has to say about a file, it says about its normal form."""
    text = file.read_text(encoding="utf-8")
    try:
        written = fmt(text)
    except GrammarError:
        return
    codes = [sorted(f.code for f in examine(Source(t, file.name))) for t in (text, written)]
    assert codes[0] == codes[1]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("", ""),
        ("", " \n\n\t"),
        ("// a\n", "// a  "),
        ("start : go\n", "start:go"),
        ("start : go\n      | stop\n", "start : go | stop"),
        ("_s : go _s\n   |\n", "_s :go   _s|"),
        ("_s :\n   | go\n", "_s : | go"),
        ("_s : go _s  //@ requires n < 3\n   |\n", "_s : go _s //@requires n<3\n|"),
        ("_s :  //@ requires true\n   | go\n", "_s :  //@ requires true\n   | go"),
        ('N : "a" | "b"  // c\n', 'N :"a"\n  | "b" // c'),
        ('N : "a"  // c\n  | "b"\n', 'N :"a" // c\n  | "b"'),
        (f'N : "{"a" * 60}"\n  | "{"b" * 60}"\n', f'N : "{"a" * 60}" | "{"b" * 60}"'),
        ('a : ("x"  // c\n    | "y") b~2..3 c? -> d\n', 'a:("x"// c\n|"y")b ~ 2..3  c ? ->d'),
        ('a : "x"\n\n\n\n?b.2 : "y"\n'.replace("\n\n\n", "\n"), 'a : "x"\r\n\r\n\r\n?b . 2: "y"'),
        ('a : "x"\n!b : "y"\n', 'a : "x" !b : "y"'),
        ('a : "x"  /// of the next\nb : "y"\n', 'a : "x" /// of the next\nb : "y"'),
        ("/// doc\n//// rule\n///   - list\n", "///doc\n//// rule\n///   - list \t"),
        ("//@ requires not a.B in {1: -2}[x]\n", "//@requires not a . B in {1:-2} [x]"),
        ("//@ no clause  at all\n", "//@no clause  at all "),
        ("//@ requires -n - -1 == f(-n) and (if a then b else (c))\n",
         "//@requires - n - - 1==f( -n )and(if a then b else(c))"),
        ("t{x, y} : x [y | a{b}]\n", "t{x,y}:x[y|a {b}]"),
        ("%ignore  X\n", "%ignore  X\n\n"),
    ],
)  # fmt: skip
def test_normal_form(expected: str, text: str) -> None:
    """Spacing, alignment and blank lines, case by case."""
    assert expected == fmt(text)
    assert expected == fmt(expected)


def test_what_cannot_be_read_is_refused() -> None:
    """A text that is not Lark notation has no normal form; the finding says why."""
    with pytest.raises(GrammarError) as caught:
        statelang.fmt("start go\n", "mine.lark")
    (finding,) = caught.value.diagnostics
    assert ("SL001", "mine.lark", 1, 7) == (
        finding.code, finding.file, finding.line, finding.column
    )  # fmt: skip


def test_time_is_bounded() -> None:
    """What stands between two alternatives is read once, however long it is."""
    start = process_time()
    assert 'a : "b"\n  | "c"\n' == fmt('a : "b"' + " \n" * 90_000 + '| "c"')
    assert process_time() - start < 5
