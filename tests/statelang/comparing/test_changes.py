"""What two files declare differently."""

from __future__ import annotations

import pytest

import statelang
from statelang.comparing.changes import Change, changes

BASE = """\
/// A space.

/// How often.
//@ ghost n: number = 0
//@ limit go 3
//@ invariant n >= 0

start : go _on  //@ requires n < 2
_on : go _on
    | stop

/// Go on.
//@ set n = n + 1
go : "go;"
stop : "stop" NUMBER

//@ type number
NUMBER : /[0-9]/
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("A space.", "One.", [Change("doc", "the file", "A space.", "One.")]),
        ("How often.", "Often.", [Change("doc", "register n", "How often.", "Often.")]),
        ("/// Go on.\n", "", [Change("doc", "go", "Go on.", None)]),
        ("number = 0", "number = 1", [Change("register", "n", "number = 0", "number = 1")]),
        ("limit go 3", "limit go 4", [Change("limit", "go", "3", "4")]),
        ("//@ limit go 3\n", "", [Change("limit", "go", "3", None)]),
        (
            "n >= 0",
            "n > 0",
            [
                Change("invariant", "n >= 0", "", None),
                Change("invariant", "n > 0", None, ""),
            ],
        ),
        ("n < 2", "n < 3", [Change("transition", "start -- go --> _on", "requires n < 2", "requires n < 3")]),
        ("| stop", "| stop\n    |", [Change("transition", "_on --> (stop)", None, "")]),
        (
            "_on : go _on",
            "_on : go",
            [
                Change("transition", "_on -- go --> _on", "", None),
                Change("transition", "_on -- go --> (end)", None, ""),
            ],
        ),
        ('"go;"', '"go" ";"', [Change("action", "go", '"go;"', '"go" ";"')]),
        ("/[0-9]/", "/[0-7]/", [Change("terminal", "NUMBER", "/[0-9]/", "/[0-7]/")]),
        ("//@ type number\n", "", [Change("contract", "NUMBER: type number", "", None)]),
        (
            "set n = n + 1",
            "set n = n + 2",
            [
                Change("contract", "go: set n = n + 1", "", None),
                Change("contract", "go: set n = n + 2", None, ""),
            ],
        ),
        ('"stop" NUMBER', '"stop"   NUMBER', []),
        ("    | stop", " | stop", []),
    ],
)  # fmt: skip
def test_changes(before: str, after: str, expected: list[Change]) -> None:
    """Each kind of declaration, with what stood before and what stands after."""
    assert before in BASE
    changed = statelang.loads(BASE.replace(before, after))
    assert tuple(expected) == changes(statelang.loads(BASE), changed)


def test_what_a_change_is() -> None:
    """Added, removed or changed, as the texts say."""
    assert ["added", "removed", "changed"] == [
        Change("state", "_a", *texts).what for texts in ((None, ""), ("", None), ("a", "b"))
    ]


def test_order_makes_no_difference() -> None:
    """Rules, alternatives and clauses in another order declare the same."""
    blocks = BASE.rstrip("\n").split("\n\n")
    moved = "\n\n".join([*blocks[:2], *reversed(blocks[2:])]) + "\n"
    assert moved != BASE
    assert () == changes(statelang.loads(BASE), statelang.loads(moved))
