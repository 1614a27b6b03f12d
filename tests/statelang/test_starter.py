"""A new state space to begin from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import statelang
from statelang.clauses.parsing import CLAUSES
from statelang.diagnostics import StatelangError
from statelang.language.formatting import fmt
from statelang.starter import new


def test_the_grammar_passes_check(tmp_path: Path) -> None:
    """Nothing is found in the starter, `fmt` leaves it alone, and it has a name of its own."""
    grammar, _ = new("word_sums", tmp_path)
    assert tmp_path / "word_sums.lark" == grammar
    assert [] == statelang.check(grammar)
    assert grammar.read_text() == fmt(grammar.read_text())
    assert "word_sums" == statelang.load(grammar).name


def test_every_clause_is_explained(tmp_path: Path) -> None:
    """The comments name each kind of clause that the language has."""
    comments = [
        line for line in new("sums", tmp_path)[0].read_text().splitlines() if line.startswith("// ")
    ]
    assert [] == [word for word in CLAUSES if not any(f"`{word}" in line for line in comments)]


def test_its_tests_pass(tmp_path: Path) -> None:
    """The generated tests pass in a process of their own, with warnings as errors."""
    _, tests = new("sums", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", tests.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(statelang.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert "35 passed" in done.stdout


@pytest.mark.parametrize(
    "name",
    ["", "Sums", "2sums", "word-sums", "a/b", "../a", "a.lark", "a b", "é", "a\n", "a" * 41, "_a"],
)
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    """A name is small letters, digits and underscores; nothing else becomes a path."""
    with pytest.raises(StatelangError, match="is no name for a state space"):
        new(name, tmp_path)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("there", ["sums.lark", "test_sums.py"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    """Where one of the two files exists, neither is written."""
    (tmp_path / there).write_text("mine")
    with pytest.raises(StatelangError, match="is there already"):
        new("sums", tmp_path)
    assert {there: "mine"} == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    """The folder is not made: it may be a slip."""
    with pytest.raises(StatelangError, match="is no folder"):
        new("sums", tmp_path / "missing")
