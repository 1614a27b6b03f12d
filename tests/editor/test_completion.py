"""Completion: what may stand at a place, and nothing else."""

from __future__ import annotations

import pytest

from statelang.clauses.parsing import CLAUSES, FILE_CLAUSES
from statelang.editor import vocabulary
from statelang.editor.completion import complete
from tests.editor.cursor import at

FILE = """\
//@ ghost open: set[text] = {}
//@ ghost count_of: number = 0

start : go _on
_on : stop
    | go _on

//@ requires ID in open
go : "go " part NUMBER
part : ID
stop : "stop"

ID : /[a-z]/
//@ type number
NUMBER : /[0-9]/
"""
RULES, STATES = {"go", "stop", "part"}, {"_on"}
TERMINALS, REGISTERS = {"ID", "NUMBER"}, {"open", "count_of"}
VALUES = REGISTERS | set(vocabulary.functions()) | set(vocabulary.VALUES)


def names(line: str, below: str = "") -> set[str]:
    """What is proposed on a line behind the file, with a line below it."""
    return {p.name for p in complete(*at(f"{FILE}{line}\n{below}"))}


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        (RULES | STATES, "_new : ^"),
        (RULES | STATES, "_new : go _on | ^"),
        (RULES | STATES, "_new : g^"),
        (STATES, "_new : go ^"),
        (STATES, "_new : go _o^"),
        (RULES | TERMINALS | {"new"}, "new : ^"),
        (RULES | TERMINALS | {"new"}, 'new : "x" N^'),
        (RULES | TERMINALS | {"new"}, "new : (go | ^"),
        (set(), "^"),
        (set(), "ne^"),
        (set(), 'new : "a ^'),
        (set(), "new : /a^"),
        (set(), "// new : ^"),
        (set(), "/// new : ^"),
    ],
)
def test_in_a_definition(expected: set[str], line: str) -> None:
    """A state is continued by actions and then states; other rules by parts and terminals."""
    found = names(line)
    assert expected == found - {"_new"}


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        (set(vocabulary.clauses()), "//@ ^"),
        (set(vocabulary.clauses()), "//@^"),
        (set(vocabulary.clauses()), "//@ re^"),
        (VALUES, "//@ requires ^"),
        (VALUES, "//@ requires op^"),
        (VALUES, "//@ requires size(^"),
        (VALUES, "//@ requires not ^"),
        (VALUES, "//@ set open = ^"),
        (set(vocabulary.CONNECTIVES), "//@ requires open ^"),
        (set(vocabulary.CONNECTIVES), "//@ requires size(open) a^"),
        (REGISTERS, "//@ set ^"),
        (set(), "//@ set open ^"),
        (REGISTERS, "//@ requires old(^"),
        ({"go", "stop"}, "//@ requires count(^"),
        ({"go", "stop"}, "//@ limit g^"),
        ({"go", "stop"}, "//@ answer ^"),
        ({"part", "NUMBER"}, "//@ answer go.^"),
        ({"ID"}, "//@ answer go.part.^"),
        ({"as"}, "//@ answer go.NUMBER ^"),
        (set(vocabulary.COMPARISONS), "//@ answer go.NUMBER as ^"),
        ({"part", "NUMBER"}, "//@ requires last(go).^"),
        (set(vocabulary.TYPES), "//@ ghost x: ^"),
        (set(vocabulary.TYPES), "//@ ghost x: map[text, ^"),
        (VALUES | {"x"}, "//@ ghost x: number = ^"),
        ({"kept"}, "//@ ghost ^"),
        ({"hidden"}, "//@ input ^"),
        ({"number", "text"}, "//@ type ^"),
    ],
)
def test_in_a_clause(expected: set[str], line: str) -> None:
    """Each place of a clause has its own names, before anything stands below the clause."""
    assert expected == names(line)


@pytest.mark.parametrize(
    ("expected", "line", "below"),
    [
        (VALUES | {"part", "ID"}, "//@ requires ^", "new : part ID"),
        ({"ID"}, "//@ requires part.^", "new : part ID"),
        (VALUES | {"ID"}, "new : ID  //@ requires ^", ""),
        (set(CLAUSES) - {*FILE_CLAUSES, "type"}, "//@ ^", "new : ID"),
        ({"type"}, "//@ ^", 'NEW : "x"'),
        ({"part", "ID"}, "//@ mark ^", "new : part ID"),
    ],
)
def test_on_a_rule(expected: set[str], line: str, below: str) -> None:
    """The clauses and the fields are those of the rule that the line stands on."""
    assert expected == names(line, below)


def test_a_proposal_says_what_it_is() -> None:
    """Its kind, and the documentation of what it names."""
    found = complete(*at("/// Go on.\ngo : ID\nstart : go\n_s : ^\n"))
    assert ("action", "Go on.") == next((p.kind, p.about) for p in found if p.name == "go")
