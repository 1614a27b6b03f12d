"""Contracts in llguidance's parameter, read by llguidance itself."""

from __future__ import annotations

import os
import random
from functools import cache
from typing import Final

import pytest

import statelang
from statelang.engine import validate
from statelang.walk import walk
from tests.statelang import readers
from tests.strategies import OWN, SHIPPED, problem_for, space_named, walked

# Every clause of these is carried.
PLANS: Final = r"""
//@ ghost declared: set[text] = {}
//@ ghost solved: set[text] = {}
//@ ghost goal: text = "a"
//@ ghost checked: truth = true
//@ limit retry 2

start : declare _open
_open : solve _solved
      | finish  //@ requires goal in solved
_solved : check _open
        | retry _open  //@ requires count(check) >= 1
        | solve _solved

declare : "declare " item (", " item)* " for " target "\n"
//@ requires ID not in declared
//@ set declared = declared | {ID}
item : ID
//@ requires ID in declared
//@ set goal = ID
target : ID

//@ requires ID in declared - solved
//@ set solved = solved | {ID}
//@ set checked = false
solve : "solve " ID "\n"

//@ requires ID == last(solve).ID and not checked
//@ requires VERDICT == (if ID == goal then "goal" else "step")
//@ set checked = true
check : "check " ID " " VERDICT "\n"

//@ requires ID in solved and ID != goal
//@ set solved = if checked then solved else solved - {ID}
retry : "retry " ID "\n"

//@ requires checked
//@ requires size(solved) >= 2 or solved == declared
//@ checks first.ID != "a" or size(declared) > 1
finish : "done " first ("," ID)? "\n"
first : ID

ID : /[a-d]|a2/
VERDICT : "goal" | "step"
"""

COUNTS: Final = r"""
//@ ghost depth: number = 0
//@ ghost turn: text = "left"
//@ limit shut 30

start : open _in
_in : open _in
    | shut _in
    | say _in
    | end

//@ requires depth < 4
//@ set depth = depth + 1
open : "(\n"
//@ requires depth > 0
//@ set depth = depth - 1
shut : ")\n"
//@ requires SIDE == turn
//@ set turn = if turn == "left" then "right" else "left"
say : SIDE term ".\n"
//@ requires depth == 0 and count(open) != 3
end : "end"

term : ":" NUMBER
     | "[" term "]"
SIDE : "left" | "right"
NUMBER : /[0-9]+/
"""

CARRIED: Final = {"plans": PLANS, "counts": COUNTS}
SOAK: Final = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


@cache
def space(name: str) -> statelang.StateSpace:
    """A space of this file, or one that the tests share."""
    return statelang.loads(CARRIED[name], name) if name in CARRIED else space_named(name)


@cache
def matches(name: str) -> readers.Matches:
    """llguidance's verdict on the exported text."""
    return readers.llguidance_lark(statelang.export(space(name), "llguidance").text)


def near(texts: list[str], chance: random.Random) -> str:
    """A text cut at lines or characters of several others, then perhaps edited."""
    one, other = chance.choice(texts), chance.choice(texts)
    if "\n" in one:
        lines = one.splitlines(keepends=True)
        more = other.splitlines(keepends=True)
        at = chance.randrange(len(lines))
        lines[at : at + chance.randrange(3)] = chance.sample(
            more, min(len(more), chance.randrange(3))
        )
        one = "".join(lines)
    at = chance.randrange(len(one) + 1)
    char = chance.choice(other)
    return chance.choice((one, one, one[:at] + char + one[at:], one[:at] + char + one[at + 1 :]))


@pytest.mark.parametrize("name", CARRIED)
def test_carried_contracts_mean_the_same(name: str) -> None:
    """Where every clause is carried, llguidance accepts exactly the legal traces."""
    assert () == statelang.export(space(name), "llguidance").dropped
    chance = random.Random(name)
    texts = [walk(space(name), seed) for seed in range(400 if SOAK else 60)]
    assert all(map(matches(name), texts))
    verdicts = [0, 0]
    for _ in range(20_000 if SOAK else 1_000):
        text = near(texts, chance)
        verdict = validate(space(name), text)
        legal = verdict.grammar and verdict.contracts is True
        assert legal == matches(name)(text), text
        verdicts[legal] += verdict.grammar
    assert min(verdicts) > 20  # both of the traces that parse: legal ones, and broken contracts
    print(f"{name}: {verdicts[1]} legal, {verdicts[0]} that break a contract alone")


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
def test_what_is_carried_forbids_no_legal_trace(name: str) -> None:
    """Whatever is dropped, legal traces are accepted and what does not parse is not."""
    problem = problem_for(name)
    texts = [walked(name, seed) for seed in range(12)]
    assert all(map(matches(name), texts))
    chance = random.Random(name)
    for _ in range(60):
        text = near(texts, chance)
        verdict = validate(space(name), text, problem)
        accepted = matches(name)(text)
        assert verdict.grammar or not accepted, text
        assert accepted or verdict.contracts is not True, text


@pytest.mark.parametrize(
    ("name", "text", "legal"),
    [
        ("pick", "look re\nlook re\nlook re\nchoose a\n", True),
        ("pick", "look re\nlook re\nlook re\nlook re\nchoose a\n", False),
        ("calls", "→ hé A\n→ hé A\n→ hé A\nbye B7\n", True),
        ("calls", "→ hé A\n→ hé A\n→ hé A\n→ hé A\nbye B7\n", False),
        ("prefix", "go up\ngo home\n", True),
        ("prefix", "go down\n", False),
    ],
)
def test_limits_gates_and_sets(name: str, text: str, legal: bool) -> None:
    """A limit, a gate over a register, the size of a set: each is enforced by llguidance alone."""
    assert legal == matches(name)(text)


def test_dropped_clauses_are_named() -> None:
    """What depends on the problem or on free text is dropped, and said to be."""
    dropped = statelang.export(space("pick"), "llguidance").dropped
    assert [11, 12, 14] == [one.line for one in dropped]
    assert "limit look 3" not in [one.clause for one in dropped]
    assert 35 == len(statelang.export(space("kwai_star_formal"), "llguidance").dropped)


def test_masks_know_the_contracts() -> None:
    """An id is masked at its first character where no legal id begins with it."""
    matcher = readers.llguidance_matcher(statelang.export(space("plans"), "llguidance").text)
    written = b"declare b, c for c\nsolve b\nsolve "
    assert len(written) == matcher.try_consume_tokens(list(written))
    bits = int.from_bytes(matcher.compute_bitmask(), "little")
    assert [ord("c")] == [byte for byte in range(256) if bits >> byte & 1]


def test_too_many_bits_are_let_go() -> None:
    """Where the parameter is too small, the largest registers are dropped and the rest is kept."""
    text = PLANS.replace("/[a-d]|a2/", "/[a-y]/")
    found = statelang.export(statelang.loads(text), "llguidance")
    assert "ID in declared - solved" in " ".join(one.clause for one in found.dropped)
    reader = readers.llguidance_lark(found.text)
    assert reader("declare b for b\nsolve b\ncheck b goal\ndone b\n")
    assert not reader("declare b for b\nsolve b\ncheck b step\ndone b\n")


OPTIONAL: Final = r"""
//@ ghost open: set[text] = {"a", "b"}

start : go _going
_going : go _going
       | stop
//@ requires ID in open
go : "go" (" " ID)? mark "\n"
//@ set open = open - {"a"}
mark : MARK
stop : "stop"

ID : /[a-c]/
MARK : /[!.]/
"""


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("go a!\nstop", True),
        ("go c!\nstop", False),
        ("go!\nstop", False),
        ("go a!\ngo b.\nstop", True),
        ("go a!\ngo a!\nstop", False),
    ],
)
def test_a_condition_on_an_optional_field_is_judged_once(text: str, legal: bool) -> None:
    """When the field has been read; what changes behind it does not matter any more."""
    found = statelang.export(statelang.loads(OPTIONAL), "llguidance")
    assert () == found.dropped
    assert legal == readers.llguidance_lark(found.text)(text)
    assert legal == validate(statelang.loads(OPTIONAL), text).contracts


CUT: Final = """
//@ ghost had: set[text] = {}
//@ ghost word: text = "a"
//@ limit shut 1

start : open _s
    | shut _s
    | shut
_s : open _s
    | open  //@ requires word in had

//@ requires inner in had
open : "a " inner "\\n"
//@ set had = had | {ID}
//@ set word = ID
inner : ID
//@ requires other in had
shut : "a " other "</a>"
//@ set had = had | {ID}
//@ set word = ID
other : ID

ID : /[a-c]/
"""


@pytest.mark.parametrize(
    ("text", "legal"), [("a b</a>a b\n", True), ("a b</a>", True), ("a b</a>a b</a>", False)]
)
def test_texts_are_cut_alike(text: str, legal: bool) -> None:
    """A text is cut where moves have no room else, and then wherever it may be read."""
    found = statelang.export(statelang.loads(CUT), "llguidance")
    assert '"</a" ">"' in found.text and "limit" not in str(found.dropped)
    assert legal == readers.llguidance_lark(found.text)(text)


FIELDS: Final = r"""
//@ ghost seen: set[text] = {}

start : go _going
_going : go _going
       | stop

//@ requires b.ID not in seen and c.ID != a.ID
//@ set seen = seen | {a.ID}
go : "go " a "," b "," c "\n"
a : ID
b : ID
c : ID
//@ requires size(seen) > 1
stop : "stop\n"

ID : /[a-h]/ | /[A-Z]/
"""


def test_many_fields_do_not_multiply() -> None:
    """Fields of one step are read one after the other: the text grows with their sum, and means
    the same."""
    found = statelang.export(statelang.loads(FIELDS), "llguidance")
    assert () == found.dropped and len(found.text) < 100_000
    reader = readers.llguidance_lark(found.text)
    assert [True, False, False, False] == [
        reader(f"go a,b,c\n{text}stop\n")
        for text in ("go b,c,d\n", "go a,b,c\n", "go b,a,c\n", "go b,c,b\n")
    ]


@pytest.mark.parametrize("pattern", ["x{5000}", "[a-z]{1,3}", "x+", "(a|b){40}"])
def test_texts_without_number_are_not_written_out(pattern: str) -> None:
    """A field of many or long texts is left as it is, at once."""
    text = FIELDS.replace("/[A-Z]/", f"/{pattern}/")
    found = statelang.export(statelang.loads(text), "llguidance")
    assert 3 == len(found.dropped) and len(found.text) < 1_000


def test_where_nothing_is_written_nothing_moves() -> None:
    """A step that ends with one character has no room for several moves: its contracts are let go,
    with all that depends on them."""
    text = """
//@ ghost seen: set[text] = {}

start : go _going
_going : go _going
       | stop
//@ set seen = seen | {ID}
go : ID (";" | ",")
//@ requires ID == last(go).ID and ID in seen
stop : "=" ID
ID : /[a-h]/
"""
    found = statelang.export(statelang.loads(text), "llguidance")
    assert [7, 9] == [one.line for one in found.dropped]
    assert readers.llguidance_lark(found.text)("a,b;=b")
