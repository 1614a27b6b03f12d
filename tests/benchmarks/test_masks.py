"""The benchmark compares like with like: every engine reads one language."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import statelang
from benchmarks import languages, masks, measure
from benchmarks.peers import Statelang, ZeroCopy, peers
from statelang.engine import validate
from statelang.engine.vocabulary import Vocabulary
from tests.strategies import WORKED, cut, vocabulary

SMALL = vocabulary("kwai_star")


@pytest.mark.parametrize("bound", languages.TEXTS)
def test_the_worked_trace_is_of_the_language(bound: str) -> None:
    """What the shipped space accepts, the plain regular form accepts as well."""
    space = statelang.loads(languages.lark(bound), bound)
    assert validate(space, WORKED["kwai_star"]).grammar is True


@pytest.mark.parametrize("bound", languages.TEXTS)
@pytest.mark.parametrize("name", ["llguidance", "xgrammar", "outlines_core"])
def test_the_forms_are_one_language(name: str, bound: str) -> None:
    """Along a trace no engine's mask has a token more than ours; only llguidance, which writes
    forced text in its own tokens, has fewer."""
    pytest.importorskip(name, reason=f"{name} is not installed")
    ours = Statelang(statelang.loads(languages.lark(bound), bound), SMALL)
    ids = [cut(SMALL, WORKED["kwai_star"].encode(), random.Random(0))]
    chosen = [p for p in peers(SMALL, bound) if p.name.replace("-", "_").startswith(name)]
    assert chosen or (name, bound) == ("outlines_core", "bounded")
    for peer in chosen:
        found = measure.agreement(peer.make(), ours, SMALL, ids)
        assert found["positions"] == len(ids[0])
        assert found["with more tokens"] == 0
        assert found["differing"] == (found["with one token"] if name == "llguidance" else 0)


def test_every_row_has_a_figure_for_each_engine(capsys: Any) -> None:
    """The rows of ours, over a small vocabulary, are positive numbers with what they measure."""
    space = statelang.loads(languages.lark("bounded"), "bounded")
    ours = Statelang(space, SMALL)
    ids = [cut(SMALL, WORKED["kwai_star"].encode(), random.Random(seed)) for seed in range(2)]
    assert measure.first_pass(ours, SMALL, ids) > 0
    loops = measure.steps({"copying": ours, "zero": ZeroCopy(ours)}, set(), SMALL, ids, 1)
    assert sorted(loops) == ["copying", "zero"] and min(loops.values()) > 0
    assert measure.batched(ours, SMALL, ids, 2) > 0
    middle, high = measure.spread(ours, SMALL, ids)
    assert 0 < middle <= high
    assert measure.applied(ours, SMALL, ids[0][:5]) > 0
    seen, unseen = measure.by_kind(ours, SMALL, ids[:1])
    assert list(seen) == list(unseen) == [measure.KINDS[0]]
    line = masks.Line("a step", "us", {"statelang": 1.0, "other": 5.0})
    assert "fastest peer / this: 5.0" in line.text()


def test_positions_are_told_apart_by_their_contracts() -> None:
    """With contracts on, all three kinds of position occur in a trace."""
    ours = Statelang(statelang.load("kwai_star"), SMALL, contracts=True)
    ids = [cut(SMALL, WORKED["kwai_star"].encode(), random.Random(1))]
    _, warm = measure.by_kind(ours, SMALL, ids)
    assert sorted(warm) == sorted(measure.KINDS)
    row = measure.bitmask(Vocabulary((b"a",) * 33, frozenset({0})), 2)
    assert (row.shape, row.dtype) == ((2, 2), np.int32)
