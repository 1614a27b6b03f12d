"""The reference is held against Lark where there are no contracts, and against texts by hand."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import LarkError

import statelang
from statelang.diagnostics import Severity
from tests.laws.language import Language, TooMany
from tests.laws.reference import accepts, texts
from tests.laws.spaces import Generated, files


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(files(), st.integers(0, 2**32).map(random.Random))
def test_without_contracts_it_reads_as_lark_does(given: Generated, chance: random.Random) -> None:
    """Its texts are Lark's, and of texts one edit away it has those that Lark has."""
    assume(not any(d.severity is Severity.ERROR for d in statelang.check(given.grammar)))
    language = Language(given.grammar, given.problem, contracts=False)
    try:
        found = sorted(texts(language, 11))
    except TooMany:
        assume(False)
    lark = Lark(given.grammar, parser="lalr")
    for text in chance.sample(found, min(20, len(found))):
        assert _reads(lark, text)
        at, new = chance.randrange(len(text)), chance.choice(chance.choice(found))
        for edited in (text[:at] + text[at + 1 :], text[:at] + new + text[at:]):
            assert _reads(lark, edited) == accepts(language, edited), edited


def _reads(lark: Lark, text: str) -> bool:
    try:
        lark.parse(text)
    except LarkError:
        return False
    return True


HEAD = "//@ ghost n: number = 1\n//@ ghost had: set[text] = {}\n//@ limit a 2\n\n"
TAIL = "\n//@ type number\nNUM : /[0-3]/\nID : /[ab]/\n"
BY_HAND: dict[str, tuple[str, set[str]]] = {
    "the last field decides": (
        'start : a\n//@ requires NUM == n and ID == "b"\na : ID NUM\n',
        {"b1"},
    ),
    "set lines see the registers before": (
        'start : a _s\n_s : b\n//@ set n = n + 1\n//@ set had = if n == 1 then had | {"a"} else had\n'
        'a : "x"\n//@ requires NUM == n and ID in had\nb : NUM ID\n',
        {"x2a"},
    ),
    "a part acts before what follows it": (
        "start : a\n//@ requires NUM == n\na : part NUM\n//@ set n = n + 2\npart : ID\n",
        {"a3", "b3"},
    ),
    "limits and gates": (
        'start : a _s\n_s : a _s\n    | b\na : "x"\n//@ requires count(a) > 1\nb : "y"\n',
        {"xxy"},
    ),
    "undefined does not hold": ("start : a\n//@ requires NUM == 1 / (n - 1)\na : NUM\n", set()),
    "an optional field that is missing": (
        'start : a\n//@ requires ID in {"a"}\na : NUM ID?\n',
        {f"{number}a" for number in range(4)},
    ),
    "saved and put back": (
        "start : a _s\n_s : b _t\n_t : c _u\n_u : d\n//@ mark ID\n//@ set n = 2\na : ID\n"
        '//@ set n = 3\nb : "x"\n//@ restore ID\nc : "y" ID\n//@ requires NUM == n\nd : NUM\n',
        {"axya1", "bxyb1"},
    ),
    "depth": ('start : a\na : part\n//@ depth 2\npart : NUM\n    | "(" part ")"\n', set("0123")
              | {f"({number})" for number in range(4)}),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_texts_by_hand(case: str) -> None:
    """Small spaces, and all their texts."""
    rules, expected = BY_HAND[case]
    problem: dict[str, Any] = {}
    assert texts(Language(HEAD + rules + TAIL, problem), 12) == expected
