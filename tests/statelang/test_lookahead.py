"""Lark is not asked about a file whose every turn the next piece decides: it takes all of those."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from benchmarks import machines
from statelang.checks import conflicts
from statelang.checks.lookahead import decides
from statelang.diagnostics import GrammarError
from statelang.language.analysis import circular
from statelang.language.syntax import parse
from statelang.readers import TooMany, refusal
from tests.differential.generated import grammar
from tests.fuzz.inputs import edited

DECIDED = [
    ("start : a _s\n   | b\n_s : b _s\n   | a\n   |", 'a : "x"\nb : "y"'),
    ("start : a", 'a : ("x" "y")* ("," N)+ "z"?\nN : /[0-9]/'),
    ("start : a", 'a : b? c? "."\nb : "x" | "y" N?\nc : ("n" c "n")? "c"\nN : /[0-9]/'),
    ("start : a", 'a : N~0..3 "."\nN : /[0-9]/'),
    ("start : a _s\n_s : b _s\n  | _t _s\n  |\n_t : c", 'a : "x"\nb : "y"\nc : "z"'),
]
UNDECIDED = [
    ("start : a | b", 'a : "x" "1"\nb : "x" "2"'),
    ("start : a", 'a : ("x" ".")* "x" ","'),
    ("start : a", 'a : b? "x" "."\nb : "x" ","'),
    ("start : a", 'a : b "x"\nb : "y" c?\nc : "x" "z"'),
    ("start : a | b", 'a : N "1"\nb : "x" "2"\nN : "x"'),  # Lark takes the two for one piece
    ("start : a", 'a : "x"~0..60 "."'),
    ("start : a", 'a : b b "x"\nb : c?\nc : d~0..0\nd : "y"'),
]


def is_decided(text: str) -> bool:
    """Whether Lark need not be asked about a sound file."""
    space = statelang.loads(text)
    return decides(parse(space.source), space)


@pytest.mark.parametrize(("machine", "rules"), DECIDED)
def test_what_the_next_piece_decides(machine: str, rules: str) -> None:
    """Choices, repetitions and ends told apart by the next piece need no Lark, and it takes them."""
    assert "" == refusal(f"{machine}\n{rules}\n")
    assert is_decided(f"{machine}\n{rules}\n")


@pytest.mark.parametrize(("machine", "rules"), UNDECIDED)
def test_what_it_does_not_decide(machine: str, rules: str) -> None:
    """Where two ways begin with one piece, whatever its name, Lark decides: it may take the file."""
    text = f"{machine}\n{rules}\n"
    try:
        assert not is_decided(text)
    except GrammarError:
        assert "" != refusal(text)


@given(st.integers(0, 1 << 32))
def test_lark_takes_what_is_loaded(seed: int) -> None:
    """Of generated grammars, half of them with mistakes, Lark's strict reader takes what loads."""
    chance = random.Random(seed)
    text = grammar(seed) if chance.random() < 0.5 else edited(grammar(seed), chance)
    try:
        statelang.loads(text)
        assert "" == refusal(text)
    except (GrammarError, TooMany):
        pass


def test_a_thousand_actions_need_no_lark(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 1,000 states and 1,000 actions, three to a state, is read without asking Lark."""
    monkeypatch.setattr(conflicts, "refusal", lambda _: "asked")
    space = statelang.loads(machines.lark(1_000, 1_000, 3))
    assert (1_002, 1_001, 4_001) == (len(space.actions), len(space.states), len(space.transitions))


@given(st.dictionaries(st.integers(0, 6), st.sets(st.integers(0, 7))))
def test_circles(uses: dict[int, set[int]]) -> None:
    """A name is in a circle if it is among those that it leads to."""
    named = {str(n): list(map(str, used)) for n, used in uses.items()}

    def reached(name: str) -> set[str]:
        found: set[str] = set()
        todo = list(named[name])
        while todo:
            if (each := todo.pop()) not in found:
                found.add(each)
                todo += named.get(each, ())
        return found

    assert {name for name in named if name in reached(name)} == circular(named)
