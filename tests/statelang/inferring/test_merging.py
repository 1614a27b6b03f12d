"""Machines learnt from sequences."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.diagnostics import StatelangError
from statelang.inferring.merging import Graph, learn, state_names
from statelang.inferring.tagged import MAX_STEPS

SEQUENCES = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=8), min_size=1, max_size=20
)


@given(SEQUENCES)
def test_every_sequence_is_accepted(sequences: list[list[str]]) -> None:
    """Whatever is learnt, all that was seen is accepted, and nothing leads back to the start."""
    graph = learn(sequences)
    for names in sequences:
        assert graph.walk(names)[-1] in graph.stops
    assert all(0 not in ways.values() for ways in graph.edges)


def test_what_goes_on_alike_is_one_state() -> None:
    """Loops are found, and states from which the same follows are joined."""
    sequences = [["a", *"b" * count, end] for count in range(6) for end in "cd"]
    graph = learn(sequences)
    assert list("cdb") == list(graph.edges[1])  # in the order in which they are first seen
    assert Graph(({"a": 1}, {"c": 2, "d": 2, "b": 1}, {}), frozenset({2})) == graph
    assert ["start", "_after_b", "_after_c"] == state_names(graph, sequences)


def test_names_of_states_differ() -> None:
    """States entered by the same step are numbered."""
    sequences = [list("aab")] * 30
    assert ["start", "_after_a", "_after_a_2", "_after_b"] == state_names(
        learn(sequences), sequences
    )


def test_long_sequences() -> None:
    """As many steps as a trace may have are learnt from."""
    graph = learn([["a"] * MAX_STEPS, ["a", "b"] * (MAX_STEPS // 2)])
    assert graph.walk(["a"] * MAX_STEPS)[-1] in graph.stops


def test_without_aalpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra to install is named."""
    monkeypatch.setitem(sys.modules, "aalpy", None)
    with pytest.raises(StatelangError, match=r"statelang\[infer\]"):
        learn([["a"]])
