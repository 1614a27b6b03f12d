"""The page of the contract language says what its grammar says."""

from __future__ import annotations

from pathlib import Path

import pytest

from statelang.clauses import parsing
from statelang.language.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "contracts.md"
EXAMPLES = [line.removeprefix("//@ ") for line in page().splitlines() if line.startswith("//@ ")]


def test_the_page_is_current() -> None:
    """It is made again by `python -m statelang.language.reference > docs/contracts.md`."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_clause_has_its_section() -> None:
    """In the words that begin clauses; each with one example."""
    words = [line[5:-1] for line in page().splitlines() if line.startswith("### `")]
    assert sorted(parsing.CLAUSES) == sorted(words)
    assert sorted(words) == sorted(example.split(" ")[0] for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_clause(example: str) -> None:
    """What the page shows can be read."""
    assert parsing.parse(example).data.removesuffix("_of") == example.split(" ")[0]
