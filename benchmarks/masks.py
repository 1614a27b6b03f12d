"""Masks: what a decoding step costs, against every other engine, in one run.

    python -m benchmarks.masks gsm8k_train.jsonl --out masks
    python -m benchmarks.masks --quick

One thread; the engines take turns, trace by trace; times are of the thread's own processor clock
wherever a step is short, so that what else the machine does hardly counts, and each figure is the
median over passes. Every row says what it measures. Without a file of GSM8K lines, random traces
are replayed.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, define, field

import statelang
from benchmarks import languages, measure
from benchmarks.peers import Engine, Statelang, ZeroCopy, peers
from benchmarks.traces import traces
from benchmarks.vocabularies import VOCABULARIES
from statelang.engine import Vocabulary

COPYING, ZERO = "statelang, copying", "statelang, zero copy"


@define
class Line:
    """One row of the table: what it measures, and a figure for each engine."""

    name: str
    unit: str
    figures: dict[str, float] = field(factory=dict)

    def text(self, fastest: float | None = None) -> str:
        """The row as text; ours with the ratio of the fastest peer to it."""
        others = [x for name, x in self.figures.items() if not name.startswith("statelang")]
        best = min(others, default=fastest)
        lines = [f"{self.name} ({self.unit})"]
        for name, x in sorted(self.figures.items(), key=lambda item: item[1]):
            is_ours = name.startswith("statelang")
            ratio = f"  fastest peer / this: {best / x:.1f}" if best and is_ours else ""
            lines.append(f"    {name:<34}{x:>12.3f}{ratio}")
        return "\n".join(lines)


def compare(
    name: str, vocabulary: Vocabulary, bound: str, ids: list[list[int]], quick: bool
) -> list[Line]:
    """Every row of one vocabulary and one kind of text, contract-free."""
    passes = 3 if quick else 5
    title = f"{name}, text {bound}"
    space = statelang.loads(languages.lark(bound), "kwai_star, regular")
    ours = Statelang(space, vocabulary)
    engines: dict[str, Engine] = {COPYING: ours, ZERO: ZeroCopy(ours)}
    found = peers(vocabulary, bound, best_only=quick)
    slow = {peer.name for peer in found if peer.is_slow}
    cold = Line(f"{title}: from the grammar's text to the first mask, warm process", "ms")
    whole_cold = Line(
        f"{title}: compiled and every mask made once, {len(ids)} traces", "ms a trace"
    )
    for peer in found:
        start = time.perf_counter()
        engines[peer.name] = peer.make()
        took = (time.perf_counter() - start) * 1e3
        again = measure.cold(peer.make, vocabulary, 3) if took < 1e3 else took
        cold.figures[peer.name] = again
        passed = measure.first_pass(
            engines[peer.name], vocabulary, ids[:2] if peer.is_slow else ids
        )
        whole_cold.figures[peer.name] = (again + passed * sum(map(len, ids))) / len(ids)
    cold.figures["statelang, from a loaded space"] = measure.cold(
        lambda: Statelang(space, vocabulary), vocabulary, 3
    )
    whole_cold.figures[COPYING] = (
        measure.first_pass(ours, vocabulary, ids) * sum(map(len, ids)) / len(ids)
    )
    lines = [cold, whole_cold]
    for peer in found:
        agreed = measure.agreement(engines[peer.name], ours, vocabulary, ids[:2])
        lines.append(Line(f"{title}: masks of {peer.name} beside ours", "positions", agreed))
    warm = measure.steps(engines, slow, vocabulary, ids, passes)
    lines.append(Line(f"{title}: mask and step, warm", "us/token", warm))
    tails = Line(f"{title}: mask and step, 99th percentile of positions, warm", "us")
    middles = Line(f"{title}: mask and step, median of positions, warm", "us")
    batch = Line(f"{title}: a batch of 64, mask and step", "us/step")
    whole = Line(f"{title}: mask, logits masked, step; caches evicted", "us/token")
    for engine, made in engines.items():
        chosen = ids[:1] if engine in slow else ids[:3]
        middles.figures[engine], tails.figures[engine] = measure.spread(made, vocabulary, chosen)
        batch.figures[engine] = measure.batched(made, vocabulary, ids, 3 if engine in slow else 20)
        if engine != ZERO:
            whole.figures[engine] = measure.applied(made, vocabulary, ids[0][:150])
    return [*lines, middles, tails, batch, whole]


def contracts(name: str, vocabulary: Vocabulary, ids: list[list[int]], passes: int) -> list[Line]:
    """The rows with contracts, over the shipped space; no other engine has them."""
    space = statelang.load("kwai_star")
    ours = Statelang(space, vocabulary, contracts=True)
    half = len(ids) // 2
    measure.by_kind(ours, vocabulary, ids[:half])
    unseen, warm = measure.by_kind(ours, vocabulary, ids[half:])
    engines: dict[str, Engine] = {COPYING: ours, ZERO: ZeroCopy(ours)}
    loops = measure.steps(engines, set(), vocabulary, ids, passes)
    rows = [Line(f"{name}, contracts on: mask and step, warm", "us/token", loops)]
    for kind in warm:
        rows.append(
            Line(
                f"{name}, contracts on: {kind}",
                "us/token, copying, a timer around each",
                {"statelang, seen": warm[kind], "statelang, trace never seen": unseen[kind]},
            )
        )
    return rows


def memory(vocabulary: Vocabulary, ids: list[list[int]]) -> Line:
    """Resident memory that the shipped space takes above the vocabulary, contracts on."""
    vocabulary.trie.tokens(0)
    before = _resident()
    ours = Statelang(statelang.load("kwai_star"), vocabulary, contracts=True)
    row = measure.bitmask(vocabulary)
    for tokens in ids:
        measure.replay(ours.session(row), tokens)
    return Line(
        "memory above the vocabulary, contracts on", "MB", {"statelang": _resident() - before}
    )


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write it as JSON and as a plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.masks", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="GSM8K's lines, question and answer")
    parser.add_argument("--quick", action="store_true", help="few traces, the 131k vocabulary")
    parser.add_argument("--out", type=Path, help="write OUT.json and OUT.png")
    options = parser.parse_args(arguments)

    import torch

    torch.set_num_threads(1)
    texts = traces(options.file, 6 if options.quick else 50)
    lines: list[Line] = []
    for name, make in VOCABULARIES.items():
        if options.quick and name != "131k":
            continue
        vocabulary = make()
        gc.collect()
        gc.freeze()  # else a collection walks the libraries' objects, 100 ms at a time
        ids = [vocabulary.encode(text.encode()) for text in texts]
        few = ids[: 4 if options.quick else 12]
        lines.append(memory(vocabulary, ids))
        print(lines[-1].text(), flush=True)
        for bound in languages.TEXTS:
            for line in compare(name, vocabulary, bound, few, options.quick):
                lines.append(line)
                print(line.text(), flush=True)
        for line in contracts(name, vocabulary, ids, 3 if options.quick else 5):
            lines.append(line)
            print(line.text(_fastest(lines, name)), flush=True)
    if options.out is not None:
        rows: list[dict[str, Any]] = [asdict(line) for line in lines]
        options.out.with_suffix(".json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        plot(lines, options.out.with_suffix(".png"))


def _fastest(lines: list[Line], name: str) -> float:
    """The fastest peer's warm figure over unbounded text, contract-free."""
    wanted = f"{name}, text unbounded: mask and step, warm"
    figures = next(line.figures for line in lines if line.name == wanted)
    return min(x for engine, x in figures.items() if not engine.startswith("statelang"))


def plot(lines: list[Line], file: Path) -> None:
    """The warm rows as bars, on a logarithmic scale."""
    from matplotlib.figure import Figure

    shown = [line for line in lines if line.unit.startswith("us") and len(line.figures) > 2]
    figure = Figure(figsize=(9, 2.2 * len(shown)), layout="constrained")
    for index, line in enumerate(shown):
        axes = figure.add_subplot(len(shown), 1, index + 1)
        ordered = sorted(line.figures.items(), key=lambda item: -item[1])
        colours = [
            "tab:green" if name.startswith("statelang") else "tab:gray" for name, _ in ordered
        ]
        axes.barh([name for name, _ in ordered], [x for _, x in ordered], color=colours)
        axes.set_xscale("log")
        axes.set_title(f"{line.name} ({line.unit})", fontsize=9)
        axes.tick_params(labelsize=8)
    figure.savefig(file)


if __name__ == "__main__":
    main()
