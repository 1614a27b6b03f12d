"""Clauses that move registers about, call the environment, or bound what is inside itself."""

from __future__ import annotations

import pytest

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.space import StateSpace
from statelang.walking.machine import Machine
from statelang.walking.search import Search

SAVED = """
//@ ghost seen: set[text] = {}
//@ ghost kept tries: number = 0

start : go _gone
_gone : go _gone
      | back _gone
      | stop

//@ requires WORD not in seen
//@ set seen = seen | {WORD}
//@ mark WORD
go : "go " WORD "\\n"
//@ restore WORD
//@ set tries = tries + 1
back : "back " WORD "\\n"
//@ requires NUMBER == tries
stop : "stop " NUMBER "\\n"

WORD : /[a-z]{2}/
//@ type number
NUMBER : /[0-9]/
"""

NESTED = """
start : _box _boxed
_boxed :
//@ depth 2
_box : open _inside
_inside : _box _inside
        | close

open : "(" sum "\\n"
close : ")\\n"
//@ depth 3
sum : "[" sum "]"
    | WORD

WORD : /[a-z]/
"""

TOOL = """
//@ ghost said: text = ""

start : ask _asked
_asked : tell

//@ set said = OUT
//@ writes OUT = shout(WORD, 2)
ask : WORD " " OUT "\\n"
//@ requires WORD == said or WORD == "no"
tell : WORD "\\n"

WORD : /[a-z]{2}/
OUT : /[a-z]{2,4}/
"""

RECORDS = """
//@ ghost path: list[{place: text, cost: number}] = []
//@ ghost best: {place: text, cost: number} = {cost = 0, place = ""}

start : go _at
_at : go _at
    | stop

//@ set path = path + [{place = WORD, cost = NUMBER}]
//@ set best = if NUMBER > best.cost then {place = WORD, cost = NUMBER} else best
go : WORD " " NUMBER "\\n"
//@ requires NUMBER == size(path)
//@ requires WORD == best.place
//@ requires path[NUMBER - 1].cost > 0
stop : "stop " NUMBER " " WORD "\\n"

WORD : /[a-z]/
//@ type number
NUMBER : /[0-9]/
"""

ALTERNATIVE = """
//@ ghost told: truth = false

start : say _said
_said : say _said
      | stop

say : "a" WORD "\\n"  //@ requires WORD != "x"
    | "b" WORD "\\n"  //@ set told = true
stop : "stop\\n"  //@ requires told
     | "halt\\n"

WORD : /[a-z]/
"""


def verdict(grammar: str, text: str, **tools: object) -> tuple[bool, bool | None]:
    """Grammar and contracts of a trace."""
    found = validate(statelang.loads(grammar), text, tools=tools or None)  # type: ignore[arg-type]
    return found.grammar, found.contracts


def shout(word: str, times: int) -> str:
    """The first letters, twice."""
    return word[:1] * (2 * times)


@pytest.mark.parametrize(
    ("contracts", "grammar", "text"),
    [
        (True, SAVED, "go ab\ngo cd\nback ab\ngo ab\ngo cd\nstop 1\n"),
        (True, SAVED, "go ab\ngo cd\nback cd\ngo cd\nback ab\ngo cd\nstop 2\n"),
        (False, SAVED, "go ab\ngo cd\nback cd\ngo ab\nstop 1\n"),  # ab was there before cd
        (False, SAVED, "go ab\nback cd\nstop 1\n"),  # nothing is marked under cd
        (False, SAVED, "go ab\nback ab\nstop 0\n"),  # what is kept is not put back
        (True, NESTED, "([[a]]\n)\n"),
        (True, NESTED, "(a\n(b\n)\n(c\n)\n)\n"),
        (False, NESTED, "([[[a]]]\n)\n"),
        (False, NESTED, "(a\n(b\n(c\n)\n)\n)\n"),
        (True, RECORDS, "a 3\nb 1\nstop 2 a\n"),
        (False, RECORDS, "a 3\nb 1\nstop 2 b\n"),
        (False, RECORDS, "a 3\nb 0\nstop 2 a\n"),
        (False, RECORDS, "a 3\nstop 2 a\n"),  # there is no such item
        (True, ALTERNATIVE, "ab\nbx\nstop\n"),
        (True, ALTERNATIVE, "ab\nhalt\n"),
        (False, ALTERNATIVE, "ax\nhalt\n"),
        (False, ALTERNATIVE, "ab\nstop\n"),
    ],
)
def test_a_clause_allows_what_it_says(contracts: bool, grammar: str, text: str) -> None:
    """Contracts bind one by one; the grammar alone accepts every one of these texts."""
    assert verdict(grammar, text) == (True, contracts)


@pytest.mark.parametrize(
    ("contracts", "text"),
    [(True, "ab aaaa\naa\n"), (True, "ab aaaa\nno\n"), (False, "ab aaa\nno\n")],
)
def test_the_environment_writes_its_field(contracts: bool, text: str) -> None:
    """Where the functions are given, a field holds what they write and nothing else."""
    text = text.replace("\naa\n", "\nno\n")
    assert verdict(TOOL, text, shout=shout) == (True, contracts)
    assert verdict(TOOL, text) == (True, True)


def test_a_missing_function_is_named() -> None:
    """Tools without the function that a clause names are refused."""
    with pytest.raises(StatelangError, match="`shout`, which is not among the tools"):
        validate(statelang.loads(TOOL), "ab aaaa\nno\n", tools={"cry": shout})


def test_a_function_that_gives_no_text_is_named() -> None:
    """What the environment writes is text."""
    with pytest.raises(StatelangError, match="`shout` gave int, not a text"):
        verdict(TOOL, "ab aaaa\nno\n", shout=lambda word, times: 3)


def completions(space: StateSpace, text: str) -> set[bytes]:
    """The bytes that may follow a text."""
    machine = Machine(space)
    at = machine.advance(machine.start(tools={"shout": shout}), text.encode())
    assert at is not None
    search, found = Search(machine), set()
    for byte in range(256):
        after = machine.advance(at, bytes([byte]))
        if after is not None and search.step(after):
            found.add(bytes([byte]))
    return found


def test_marks_tools_and_depths_close_what_leads_nowhere() -> None:
    """A byte is offered only where its step can still be completed."""
    assert {b"a"} == completions(statelang.loads(TOOL), "ab ")
    assert {b"a", b"c"} == completions(statelang.loads(SAVED), "go ab\ngo cd\nback ")
    assert b"[" not in completions(statelang.loads(NESTED), "([[")
    assert b"[" in completions(statelang.loads(NESTED), "([")
    assert {b")"} == completions(statelang.loads(NESTED), "(a\n(b\n")
