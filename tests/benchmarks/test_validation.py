"""The benchmark of `validate`: every reader reads the same traces."""

from __future__ import annotations

import statelang
from benchmarks import validation
from tests.strategies import WORKED


def test_every_reader_takes_a_legal_trace_and_is_measured() -> None:
    """Each has a speed, and Lark's is the unit."""
    found = validation.measure([WORKED["kwai_star"]], turns=1)
    assert list(found) == list(validation.readers(statelang.load("kwai_star")))
    assert found[validation.LARK]["of_lark"] == 1
    assert all(row["characters_per_second"] > 0 for row in found.values())
