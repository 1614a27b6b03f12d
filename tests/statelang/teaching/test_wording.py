"""Contract clauses in plain English."""

from __future__ import annotations

import pytest

import statelang
from statelang.teaching.wording import in_words

SPACE = statelang.loads(
    """
/// Subproblems not solved yet.
//@ ghost open: set[text] = {}
/// The value that answers the question.
//@ ghost result: number = 0
/// Results so far.
//@ ghost known: map[text, number] = {}
//@ ghost plan: map[text, text] = {}
/// What is written here is a long explanation that would not fit into any sentence at all, ever.
//@ ghost flag: truth = false

start : act
//@ requires ID in open
act : ID NUMBER "\\n"
ID : /[a-z]/
//@ type number
NUMBER : /[0-9]/
"""
)


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("limit act 1", "at most 1 `act` step in one trace"),
        ("limit act 3", "at most 3 `act` steps in one trace"),
        ("requires ID in open", "`ID` is one of the subproblems not solved yet"),
        ("requires ID not in open", "`ID` is not one of the subproblems not solved yet"),
        ("requires ID in known", "there is an entry for `ID` in the results so far"),
        ("requires ID not in plan", "there is no entry for `ID` in `plan`"),
        ('requires ID in {"a", "b", "c"}', '`ID` is "a", "b" or "c"'),
        ("requires NUMBER == result", "`NUMBER` is the value that answers the question"),
        ("requires NUMBER == known[ID]", "`NUMBER` is what `known` holds for `ID`"),
        ("requires NUMBER ~ 1 / 3", "`NUMBER` is 1 / 3, rounded to the places written"),
        ("requires part.NUMBER == 2 * 3", "`NUMBER` of `part` is 2 * 3"),
        ("requires size(open) == 0", "there are no subproblems not solved yet"),
        ("requires size(open) > 0", "there are subproblems not solved yet"),
        ("requires size(open) >= 2", "the number of the subproblems not solved yet is at least 2"),
        ("requires open == {}", "there are no subproblems not solved yet"),
        ("requires count(act) < 2", "there have been fewer than 2 `act` steps"),
        ("requires count(act) == 2", "there have been exactly 2 `act` steps"),
        ("requires NUMBER == count(act)", "`NUMBER` is the number of `act` steps so far"),
        ("requires ID == last(act).ID", "`ID` is the `ID` of the last `act`"),
        ("requires flag", "`flag` is true"),
        (
            "requires not flag or NUMBER != 1",
            "it is not so that `flag` is true, or `NUMBER` is not 1",
        ),
        (
            "requires names(ID) <= keys(known)",
            "the names in `ID` are all among the keys of `known`",
        ),
        (
            'requires ID == (if ID in open then "w" else "r")',
            '`ID` is "w" if `ID` is one of the subproblems not solved yet, else "r"',
        ),
        ("checks NUMBER > 1", "`NUMBER` is more than 1"),
        ("set open = open | {ID}", "`ID` counts among the subproblems not solved yet"),
        ("set open = open - {ID}", "`ID` no longer counts among the subproblems not solved yet"),
        ("set known = known | {ID: NUMBER}", "`NUMBER` is kept in `known` for `ID`"),
        ("set result = result + 2", "the value that answers the question goes up by 2"),
        ("set result = NUMBER", "the value that answers the question becomes `NUMBER`"),
        (
            "set open = if flag then open else open | {ID}",
            "`ID` counts among the subproblems not solved yet, unless `flag` is true",
        ),
        (
            "set open = if flag then open | {ID} else open",
            "if `flag` is true, `ID` counts among the subproblems not solved yet",
        ),
        ("writes OUTPUT = python(ID)", "`OUTPUT` is written for you by `python`"),
        ("mark ID", "all that is kept track of is saved under `ID`"),
        ("restore ID", "all is put back as it was saved under `ID`"),
    ],
)
def test_words(clause: str, words: str) -> None:
    """A clause reads as a sentence; registers go by their documentation where it is short."""
    assert words == in_words(SPACE, clause)


@pytest.mark.parametrize(
    "clause",
    ["requires [1, 2] == digits(12)", "requires open < {ID}", "set known = known | {}"],
)
def test_what_has_no_words_stands_as_it_is(clause: str) -> None:
    """A clause that English does not say well is shown in the language of contracts."""
    assert f"`{clause}`" in in_words(SPACE, clause)


def test_clumsy_words_keep_the_clause_beside_them() -> None:
    """Where the sentence is long, the clause follows it."""
    clause = "requires ID in open and names(plan[ID]) <= keys(known) and NUMBER != known[ID]"
    words = in_words(SPACE, clause)
    assert words.startswith("`ID` is one of the subproblems not solved yet, and the names in")
    assert words.endswith(f"(`{clause}`)")
