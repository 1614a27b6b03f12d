"""What is proved live is live; what is reported stuck is stuck; what is not known is not claimed."""

from __future__ import annotations

from itertools import pairwise

import pytest

import statelang
from statelang.engine import validate
from statelang.language.analysis import table
from statelang.language.syntax import parse
from statelang.liveness import liveness
from statelang.liveness.findings import explored
from statelang.source import Source
from statelang.walk import walk
from statelang.walking.machine import Machine
from statelang.walking.search import Search
from tests import strategies as shared
from tests.statelang.compiling import test_contracts as clauses

LOCK = """
//@ ghost seen: set[text] = {}

start : go _at
_at : go _at
    | stop

//@ requires WORD not in seen
//@ set seen = seen | {WORD}
go : "go " WORD "\\n"
//@ requires size(seen) < 2
stop : "stop\\n"

WORD : "a" | "b" | "c"
"""

RULES = {
    "SL501": LOCK,
    "SL502": """
//@ ghost told: truth = false

start : go _at
_at : stop
    | shout

go : "go\\n"
stop : "stop\\n"
//@ requires told
shout : "shout\\n"
""",
    "SL503": """
//@ ghost told: truth = false

start : go _at
_at : stop

go : "go\\n"
stop : left
     | right
//@ requires told
left : "left\\n"
right : "right\\n"
""",
    "SL504": """
start : go _at
_at : stop

go : "go\\n"
//@ requires count(go) < 3
stop : "stop\\n"
""",
    "SL505": """
//@ ghost open: set[text] = {}

start : go _at
_at : go _at
    | stop

//@ set open = open | {WORD}
go : "go " WORD "\\n"
//@ requires size(open) == 0
stop : "stop\\n"

WORD : /[a-z]/
""",
    "SL506": """
//@ ghost seen: set[text] = {}
//@ invariant size(seen) < 3

start : go _at
_at : go _at
    | stop

//@ set seen = seen | {WORD}
go : "go " WORD "\\n"
stop : "stop\\n"

WORD : /[a-z]/
""",
}


def findings(grammar: str) -> list[str]:
    """The codes of what walking a space finds."""
    space = statelang.loads(grammar)
    found = explored(space, table(parse(Source(grammar))))
    assert all(str(f.severity) == "warning" for f in found)
    return [finding.code for finding in found]


@pytest.mark.parametrize("code", RULES)
def test_each_rule_is_found_alone(code: str) -> None:
    """One mistake is one finding."""
    assert [code] == findings(RULES[code])


def test_a_stuck_trace_is_stuck() -> None:
    """After the trace that is shown no step can be taken and the trace may not end."""
    space = statelang.loads(LOCK)
    found = liveness(space)
    assert not found.proved and str(found) == "not live: stuck after 3 steps"
    assert found.exploration is not None and found.exploration.stuck == b"go a\ngo b\ngo c\n"
    machine = Machine(space)
    at = machine.advance(machine.start(), found.exploration.stuck)
    assert at is not None and machine.ends(at) is None
    ways = [machine.advance(at, bytes([byte])) for byte in range(256)]
    assert not any(Search(machine).step(way) for way in ways if way is not None)


def test_an_ungated_exit_makes_a_space_live() -> None:
    """The cure that the finding names is one."""
    cured = LOCK.replace("    | stop", "    | stop\n    | give_up") + 'give_up : "give up\\n"\n'
    assert liveness(statelang.loads(cured)).proved
    assert findings(cured) == []


@pytest.mark.parametrize("name", statelang.shipped())
def test_shipped_spaces_are_proved_live(name: str) -> None:
    """And walking them finds nothing."""
    assert str(liveness(statelang.load(name))) == "proved live"
    assert findings(statelang.load(name).source.text) == []


def test_a_counter_can_be_written_where_every_number_can() -> None:
    """A register that only counts is written by a terminal of all whole numbers, not by a shorter
    one."""
    assert not liveness(statelang.loads(shared.TRAFFIC)).proved
    longer = shared.TRAFFIC.replace("/[0-9]{1,3}/", "/0|[1-9][0-9]*/")
    assert liveness(statelang.loads(longer)).proved


def counted(actions: int, most: int) -> statelang.StateSpace:
    """So many actions, each at most so often, and an exit."""
    names = [f"a{n}" for n in range(actions)]
    limits = "".join(f"//@ limit {name} {most}\n" for name in names)
    ways = "".join(f"     | {name} _go\n" for name in names)
    texts = "".join(f'{name} : "{name};" N?\n' for name in names)
    return statelang.loads(
        f'{limits}\nstart : end\n{ways}_go : end\n{ways}{texts}end : "."\nN : /[0-9]/\n'
    )


def test_limits_multiply_until_the_proof_is_given_up() -> None:
    """Several limits can be counted together; where they are too many, that is what is said."""
    assert "proved live" == str(liveness(counted(3, 6)))
    assert "limits and registers multiply" in str(liveness(counted(6, 6)))


def test_an_invariant_that_is_not_proved_is_assumed() -> None:
    """A gate that is an invariant counts as open, and the proof says on what it rests."""
    grammar = """
//@ ghost at: text = "home"
//@ invariant at in {"home", "away"}

start : go _at
_at : go _at
    | stop

//@ set at = if at == "home" then "away" else "home"
go : "go\\n"
//@ requires at in {"home", "away"}
stop : "stop\\n"
"""
    found = liveness(statelang.loads(grammar))
    assert found.proved and found.assumed == ('at in {"home", "away"}',)
    assert str(found) == 'proved live, given that at in {"home", "away"}'


OWN = {
    name: text
    for module in (shared, clauses)
    for name, text in vars(module).items()
    if name.isupper() and isinstance(text, str) and "start :" in text
}


PROVED = ("CALLS", "PREFIX", "NESTED", "ALTERNATIVE", *statelang.shipped())


def test_what_is_proved() -> None:
    """Which of the spaces that the tests share are proved live: a change of the proof shows here."""
    proved = {name for name, text in OWN.items() if liveness(statelang.loads(text)).proved}
    assert {*PROVED} - {*statelang.shipped()} == proved


@pytest.mark.parametrize("name", PROVED)
def test_proved_means_that_every_prefix_can_be_ended(name: str) -> None:
    """From every place between two steps of random traces a way to the end is found."""
    space = statelang.loads(OWN[name]) if name in OWN else statelang.load(name)
    machine = Machine(space)
    search = Search(machine)
    for seed in range(8):
        text = walk(space, seed)
        at = machine.start()
        steps = validate(space, text).steps
        for before, after in pairwise([0, *(step.end for step in steps)]):
            assert search.complete(at) is not None
            following = machine.advance(at, text[before:after].encode())
            assert following is not None
            at = following
