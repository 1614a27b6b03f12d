"""Whatever is read, nothing but the errors of this package is raised, in bounded time and memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.fuzz.inputs import HOSTILE

ROOT = Path(__file__).parents[2]


def run(*arguments: str, seconds: float) -> str:
    """What the child process prints, which limits its own memory and its time on each input."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=seconds,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@cache
def outcomes() -> dict[str, str]:
    """What came of each hostile input."""
    found: dict[str, str] = json.loads(run("hostile", seconds=300))
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_grammar_is_refused_or_read_in_time(name: str) -> None:
    """Within two seconds of processor time a hostile file is loaded, or refused with findings."""
    assert outcomes()[name] in ("loaded", "refused")


def fuzz(first: int, seconds: int, record: Callable[[str, int], None]) -> list[str]:
    """Fuzz for so long; the lines about inputs that were not refused as they should be."""
    *bad, last = run(str(first), str(seconds), seconds=seconds + 120).splitlines()
    tried, loaded = map(int, re.findall(r"[0-9]+", last))
    record("fuzzed inputs", tried)
    record("fuzzed inputs that loaded", loaded)
    record("seconds of fuzzing", seconds)
    assert tried > loaded > 0
    return bad


def test_fuzzed_inputs_are_refused_or_loaded(record_count: Callable[[str, int], None]) -> None:
    """Bytes, texts, clauses and edited grammars: GrammarError, StatelangError, or a space."""
    assert [] == fuzz(0, 8, record_count)


@pytest.mark.soak
@pytest.mark.parametrize("minute", range(10))
def test_ten_minutes_of_fuzzing(minute: int, record_count: Callable[[str, int], None]) -> None:
    """The same for a minute each, from other seeds."""
    assert [] == fuzz(1_000_000 * (minute + 1), 60, record_count)
