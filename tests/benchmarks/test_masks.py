"""The benchmark compares like with like: every engine reads one language."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

import statelang
from benchmarks import fresh, languages, machines, measure, report
from benchmarks.engines import Engine, Statelang, ZeroCopy
from benchmarks.peers import of_machine, peers
from statelang.engine import validate
from tests.strategies import WORKED, cut, vocabulary

SMALL = vocabulary("kwai_star")


@pytest.mark.parametrize("bound", languages.TEXTS)
def test_the_worked_trace_is_of_the_language(bound: str) -> None:
    """What the shipped space accepts, the plain regular form accepts as well."""
    space = statelang.loads(languages.lark(bound), bound)
    assert validate(space, WORKED["kwai_star"]).grammar is True


@pytest.mark.parametrize("bound", languages.TEXTS)
@pytest.mark.parametrize("name", ["llguidance", "xgrammar", "outlines_core", "lmformatenforcer"])
def test_the_forms_are_one_language(name: str, bound: str) -> None:
    """Along a trace each mask that is not ours is explained: llguidance writes forced text in its
    own tokens, lm-format-enforcer reads bytes that are no whole character as U+FFFD."""
    pytest.importorskip(name, reason=f"{name} is not installed")
    ours = Statelang(statelang.loads(languages.lark(bound), bound), SMALL)
    ids = [cut(SMALL, WORKED["kwai_star"].encode(), random.Random(0))]
    chosen = [
        p for p in peers(bound) if re.sub(r"\W", "", p.name).startswith(re.sub("_", "", name))
    ]
    assert chosen or (name in ("outlines_core", "lmformatenforcer") and bound == "bounded")
    for peer in chosen:
        found = measure.agreement(peer.prepare(SMALL)(), ours, SMALL, ids)
        assert found.pop("positions") == len(ids[0])
        assert found.pop("not explained") == 0
        forced, broken = (found[kind] for kind in list(found)[1:])
        assert forced == 0 or name == "llguidance"
        assert broken == 0 or name == "lmformatenforcer"


def test_every_measure_is_taken() -> None:
    """The measures of ours, over a small vocabulary, are positive numbers."""
    space = statelang.loads(languages.lark("bounded"), "bounded")
    ours = Statelang(space, SMALL)
    ids = [cut(SMALL, WORKED["kwai_star"].encode(), random.Random(seed)) for seed in range(2)]
    assert measure.cold(lambda: Statelang(space, SMALL), SMALL) > 0
    assert measure.first_pass(ours, SMALL, ids) > 0
    engines: dict[str, Engine] = {"copying": ours, "zero": ZeroCopy(ours)}
    loops = measure.steps(engines, SMALL, dict.fromkeys(engines, ids), 1)
    assert sorted(loops) == ["copying", "zero"] and min(loops.values()) > 0
    assert measure.batched(ours, SMALL, ids, 2) > 0
    middle, high = measure.spread(ours, SMALL, ids)
    assert 0 < middle <= high
    assert measure.applied(ours.masked, SMALL, ids[0][:5]) > 0
    assert measure.applied(ours.gathered, SMALL, ids[0][:5]) > 0
    costs = measure.lengths(ours, SMALL, 100)
    assert list(costs) == [10, 100] and min(costs.values()) > 0


def test_positions_are_told_apart_by_their_contracts() -> None:
    """With contracts on, each kind of position of a trace has its own row."""
    ours = Statelang(statelang.load("kwai_star"), SMALL, contracts=True)
    ids = [cut(SMALL, WORKED["kwai_star"].encode(), random.Random(1))]
    assert sorted(measure.by_kind(ours, SMALL, ids)) == sorted(
        {*languages.POSITIONS, "no contract near"}
    )


@pytest.mark.parametrize("states, actions, degree", [(2, 10, 5), (5, 20, 4)])
def test_machines_are_one_language(states: int, actions: int, degree: int) -> None:
    """A machine of some size has that many actions and transitions, and its mask that of peers."""
    space = statelang.loads(machines.lark(states, actions, degree), "machine")
    assert len(space.actions) == actions + 2  # and `open` and `stop`
    assert len(space.transitions) == states * degree + states + 1
    ours = Statelang(space, SMALL)
    ids = [cut(SMALL, b"<open>\n<a1>text</a1>\n<stop>", random.Random(0))]
    for peer in of_machine(states, actions, degree):
        found = measure.agreement(peer.prepare(SMALL)(), ours, SMALL, ids)
        assert found["not explained"] == 0 and found["positions"] == len(ids[0])


def test_a_process_of_its_own(tmp_path: Path) -> None:
    """The first mask and the memory of an engine, ours kept on disk."""
    SMALL.save(tmp_path / "vocabulary.npz")
    (tmp_path / "traces.json").write_text("[]")
    files = tmp_path / "vocabulary.npz", tmp_path / "traces.json"
    figures = fresh.run(files[0], "unbounded", fresh.OURS[1], files[1], 1)
    assert figures["cold"] > 0 and figures["warm"] > 0 and figures["memory"] >= 0


def test_rows_are_written(tmp_path: Path) -> None:
    """As text with the ratio to the fastest peer, as JSON and as a plot; counts have no ratio."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    lines = [
        report.Line("a step", "us", {"statelang": 1.0, "other": 5.0, "third": 6.0}),
        report.Line("ours alone", "us", {"statelang": 2.0}, fastest=5.0),
        report.Line("masks", "positions", {"equal": 3.0}),
    ]
    texts = [line.text() for line in lines]
    assert "fastest peer / this: 5.00" in texts[0] and "this: 2.50" in texts[1]
    assert "fastest" not in texts[2]
    report.write(lines, tmp_path / "out")
    assert [row["name"] for row in json.loads((tmp_path / "out.json").read_text())] == [
        "a step",
        "ours alone",
        "masks",
    ]
    assert (tmp_path / "out.png").stat().st_size > 0
