"""Whatever is read, nothing but the errors of this package is raised, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.fuzz.inputs import HOSTILE

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    """What the child process prints, which limits its own memory and its time on each input."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=1_800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@cache
def outcomes() -> dict[str, str]:
    """What came of each hostile input."""
    found: dict[str, str] = json.loads(run("hostile"))
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_grammar_is_refused_or_read_in_time(name: str) -> None:
    """Within a few seconds of processor time a hostile file is loaded, or refused with findings."""
    assert outcomes()[name] in ("loaded", "refused")


def fuzz(first: int, seeds: int, record: Callable[[str, int], None]) -> list[str]:
    """Try so many inputs; the lines about those that were not refused as they should be."""
    *bad, last = run(str(first), str(seeds)).splitlines()
    loaded = int(last.removeprefix("loaded "))
    record("fuzzed inputs", seeds)
    record("fuzzed inputs that loaded", loaded)
    assert seeds > loaded > 0
    return bad


def test_fuzzed_inputs_are_refused_or_loaded(record_count: Callable[[str, int], None]) -> None:
    """Bytes, texts, clauses and edited grammars: GrammarError, StatelangError, or a space."""
    assert [] == fuzz(0, 1_200, record_count)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, 11))
def test_many_fuzzed_inputs(part: int, record_count: Callable[[str, int], None]) -> None:
    """The same for ten times as many in each part, from other seeds."""
    assert [] == fuzz(1_000_000 * part, 12_000, record_count)
