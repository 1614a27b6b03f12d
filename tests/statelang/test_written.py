"""Grammar files in their own words."""

from __future__ import annotations

import pytest

import statelang
from statelang.written import Clause, clauses, rules

TEXT = r"""/// A space.

/// How often.
//@ ghost n: number = 0
//@ limit go 3

start : go _on  //@ requires n < 2
      | stop  //@ requires n == 0
/// Going.
_on : stop
    |
/// Go
/// on.
//@ set n = n + 1
//@ requires n < 5
go : "go" ("  " | "\t")  WORD
   | "run"
stop : ("stop" NL)
//@ type number
WORD : /[0-9 "]+/
NL : "\n"
"""


def test_rules_are_written_as_in_the_file() -> None:
    """A rule's text is a part of the file, its lines kept; docs are joined, contracts are not."""
    found = {rule.name: rule for rule in rules(statelang.loads(TEXT))}

    assert ["start", "_on", "go", "stop", "WORD", "NL"] == list(found)
    assert 'go : "go" ("  " | "\\t")  WORD\n   | "run"' == found["go"].text
    assert found["start"].text.endswith("      | stop  //@ requires n == 0")
    assert "_on : stop |" == found["_on"].text
    assert 'stop : ("stop" NL)' == found["stop"].text
    assert "Go on." == found["go"].doc
    assert ("set n = n + 1", "requires n < 5") == found["go"].contracts
    assert ("type number",) == found["WORD"].contracts
    assert ["start", "_on"] == [rule.name for rule in found.values() if rule.is_state]


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        ('"go" ("  " | "\\t")  WORD\n   | "run"', '"go"   ("  " | "\\t") WORD | "run"', True),
        ('("  " |', '(" " |', False),
        ("[0-9 ", "[0-9", False),
    ],
)
def test_layout_makes_no_difference_but_texts_do(before: str, after: str, alike: bool) -> None:
    """A body compares by its tokens: blanks between them do not count, blanks inside them do."""
    bodies = [
        [rule.body for rule in rules(statelang.loads(text))]
        for text in (TEXT, TEXT.replace(before, after))
    ]
    assert alike is (bodies[0] == bodies[1])


def test_clauses_of_the_file() -> None:
    """Clauses that belong to no rule, with the documentation above each."""
    assert (
        Clause("ghost", "n: number = 0", "How often."),
        Clause("limit", "go 3", ""),
    ) == clauses(statelang.loads(TEXT))


@pytest.mark.parametrize("name", statelang.shipped())
def test_shipped_spaces_are_written_whole(name: str) -> None:
    """Every rule's text stands in the file, and every register has its clause."""
    space = statelang.load(name)
    for rule in rules(space):
        assert rule.text in space.source.text
    declared = [c.text.partition(":")[0] for c in clauses(space) if c.word in ("ghost", "input")]
    assert [r.name for r in space.registers] == [d.split(" ")[-1] for d in declared]
