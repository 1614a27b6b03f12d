"""A new state space to begin from: a commented grammar that passes `check`, and its tests."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from statelang.diagnostics import StatelangError

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

_TESTS: Final = '''\
"""Tests of the state space `SPACE_NAME`; run them with `pytest test_SPACE_NAME.py`."""

from pathlib import Path

import pytest
from hypothesis import given

import statelang
from statelang.engine import validate
from statelang.testing import traces
from statelang.walk import walk

PATH = Path(__file__).with_name("SPACE_NAME.lark")
SPACE = statelang.load(PATH)
PROBLEM = {"numbers": {"apples": 3, "pears": 4}, "answer": "7"}

THINK = "<think>easy</think>\\n"
APPLES = "<add>apples: 3, total 3</add>\\n"
PEARS = "<add>pears: 4, total 7</add>\\n"
GUESS = "<guess>5</guess>\\n<say>5</say>\\n"

ACCEPTED = [
    THINK + APPLES + PEARS + "<say>7</say>\\n",
    THINK + "<add>pears: 4, total 4</add>\\n<add>apples: 3, total 7</add>\\n<say>7</say>\\n",
    THINK + GUESS,
    THINK + APPLES + "<think>and the pears</think>\\n" + PEARS + GUESS,
    THINK + "<think>a</think>\\n<think>b</think>\\n" + GUESS,
]
# Each with the rule that it breaks; None where it does not parse.
REJECTED = [
    ("<say>7</say>\\n", None),
    (THINK + APPLES + PEARS, None),
    (THINK + THINK + GUESS, "checks LINE not in thoughts"),
    (THINK + APPLES + APPLES + GUESS, "requires NAME in left"),
    (THINK + APPLES.replace("3", "4") + GUESS, "requires given == numbers[NAME]"),
    (THINK + APPLES + PEARS.replace("7", "8") + GUESS, "requires result == total + given"),
    (THINK + APPLES + "<say>3</say>\\n", "requires size(left) == 0"),
    (THINK + APPLES + PEARS + "<say>8</say>\\n", "requires NUMBER == total"),
]


def test_nothing_is_found() -> None:
    """The grammar keeps the rules of the language."""
    assert [] == statelang.check(PATH)


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    """A right trace parses and breaks no contract."""
    verdict = validate(SPACE, text, problem=PROBLEM)
    assert (True, True) == (verdict.grammar, verdict.contracts)


@pytest.mark.parametrize(("text", "rule"), REJECTED)
def test_rejected(text: str, rule: str | None) -> None:
    """A wrong trace is refused, for the reason meant."""
    verdict = validate(SPACE, text, problem=PROBLEM)
    assert verdict.error is not None
    if rule is None:
        assert not verdict.grammar
    else:
        assert (True, False, rule) == (verdict.grammar, verdict.contracts, verdict.error.rule)


@pytest.mark.parametrize("seed", range(20))
def test_walks_are_legal(seed: int) -> None:
    """Random walks keep every contract."""
    assert validate(SPACE, walk(SPACE, seed, problem=PROBLEM), problem=PROBLEM).contracts


@given(traces(SPACE, problem=PROBLEM))
def test_only_guesses_are_wrong(text: str) -> None:
    """Whatever way a trace goes: without a guess, its answer is right."""
    verdict = validate(SPACE, text, problem=PROBLEM)
    assert verdict.contracts
    assert verdict.answer or "<guess>" in text
'''


def new(name: str, folder: str | Path = ".") -> tuple[Path, Path]:
    """Write a grammar `<name>.lark` to begin from and `test_<name>.py`; return their paths.

    Raises StatelangError for a name that is none, a folder that is missing, and a file that is
    there already: nothing is overwritten.
    """
    if not _NAME.fullmatch(name):
        raise StatelangError(
            f"`{name}` is no name for a state space: a name has at most 40 small letters, digits "
            "and underscores, a letter first, as in `word_sums`; choose another"
        )
    place = Path(folder)
    if not place.is_dir():
        raise StatelangError(f"`{folder}` is no folder; make it first, or name another")
    grammar, tests = place / f"{name}.lark", place / f"test_{name}.py"
    for path in (grammar, tests):
        if path.exists():
            raise StatelangError(
                f"`{path}` is there already, and nothing is overwritten; choose another name"
            )
    starter = files("statelang").joinpath("starter.lark").read_text(encoding="utf-8")
    for path, text in ((grammar, starter), (tests, _TESTS.replace("SPACE_NAME", name))):
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return grammar, tests
