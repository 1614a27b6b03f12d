"""Masks: what a decoding step costs, against every other engine, in one run.

    python -m benchmarks.masks gsm8k_train.jsonl --out masks
    python -m benchmarks.masks --quick

Engines take turns, trace by trace, on one thread. Times are of the processor, not of the clock on
the wall, so what else the machine does hardly counts: of the thread for steps, of all threads of
the process for compilation. Each figure is a median. Without a file of GSM8K lines, random
traces are replayed.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import statelang
from benchmarks import fresh, languages, machines, measure, report
from benchmarks.engines import Engine, Statelang, ZeroCopy
from benchmarks.peers import of_machine, peers
from benchmarks.report import Line
from benchmarks.traces import traces
from benchmarks.vocabularies import VOCABULARIES
from statelang.engine import Vocabulary

COPYING, ZERO = "statelang, copying", "statelang, zero copy"
_STEPS: Final = 150  # of one trace, where the caches are evicted before each
_SIZES: Final = ((2, 10, 8), (12, 100, 8), (75, 600, 8), (100, 150, 12))


def compare(
    title: str, bound: str, vocabulary: Vocabulary, ids: list[list[int]], quick: bool
) -> Iterator[Line]:
    """The rows of one vocabulary and one kind of text, contract-free.

    Args:
        title: Stands before the name of each row.
        bound: The kind of text.
        vocabulary: The tokens.
        ids: All the traces; rows but that of the first masks take the first twelve.
        quick: Only the engines that can be the fastest, and fewer traces.
    """
    space = statelang.loads(languages.lark(bound), f"kwai_star, text {bound}")
    makers: dict[str, Callable[[], Engine]] = {COPYING: lambda: Statelang(space, vocabulary)}
    found = {peer.name: peer for peer in peers(bound, best_only=quick)}
    makers |= {name: peer.prepare(vocabulary) for name, peer in found.items()}
    measure.prepare(vocabulary)
    gc.collect()
    gc.freeze()  # else a collection walks the libraries' objects, 100 ms at a time
    engines: dict[str, Engine] = {}
    once = Line(
        f"{title}: compiled and every mask made once, {len(ids)} traces never seen, copying",
        "ms a trace, all threads",
    )
    few = ids[: 4 if quick else 12]
    own: dict[str, list[list[int]]] = {}
    for name, make in makers.items():
        most = found[name].most if name in found else None
        own[name] = few if most is None else [ids[0][:most]]
        start = time.process_time()
        engines[name] = make()
        took = (time.process_time() - start) * 1e3
        if most is None:
            took += measure.first_pass(engines[name], vocabulary, ids)
            once.figures[name] = took / len(ids)
    yield once
    ours = engines[COPYING]
    assert isinstance(ours, Statelang)
    for name in found:
        agreed = measure.agreement(engines[name], ours, vocabulary, own[name])
        yield Line(f"{title}: masks of {name} beside ours", "positions", agreed)
    engines = {COPYING: ours, ZERO: ZeroCopy(ours), **engines}
    own[ZERO] = few
    warm = measure.steps(engines, vocabulary, own, 3 if quick else 5)
    yield Line(f"{title}: mask and step, warm, {len(few)} traces", "us/token", warm)
    middles = Line(f"{title}: mask and step, median of positions, warm", "us")
    tails = Line(f"{title}: mask and step, 99th percentile of positions, warm", "us")
    batch = Line(f"{title}: a batch of 64 at different places, mask and step", "us/step")
    for name, engine in engines.items():
        chosen = own[name][:3]
        middles.figures[name], tails.figures[name] = measure.spread(engine, vocabulary, chosen)
        if own[name] is few:  # 64 times the beginning of one trace would be no batch
            batch.figures[name] = measure.batched(engine, vocabulary, few, 30)
    yield from (middles, _against(tails, min(_peers(middles))), batch)
    tokens = ids[0][:_STEPS]
    whole = Line(f"{title}: mask, logits masked, step; caches evicted", "us/token")
    whole.figures["statelang, sparse"] = measure.applied(ours.masked, vocabulary, tokens)
    whole.figures["statelang, gather form"] = measure.applied(ours.gathered, vocabulary, tokens)
    for name in found:
        masked, own_tokens = engines[name].masked, tokens[: found[name].most]
        whole.figures[name] = measure.applied(masked, vocabulary, own_tokens)
    yield whole
    if bound == "unbounded":
        best = (COPYING, ZERO, *(peer.name for peer in peers(bound, best_only=True)))
        fastest = {name: engines[name] for name in best}
        yield from long_traces(title, vocabulary, fastest, quick)


def _against(line: Line, fastest: float) -> Line:
    """A row of ours that is compared with another row's peers."""
    line.name += " (ours against the fastest peer's median)"
    line.fastest = fastest
    return line


def _peers(line: Line) -> list[float]:
    return [x for name, x in line.figures.items() if not name.startswith("statelang")]


def long_traces(
    title: str, vocabulary: Vocabulary, engines: dict[str, Engine], quick: bool
) -> Iterator[Line]:
    """What a token costs in traces of ten tokens to a hundred thousand."""
    rows: dict[int, Line] = {}
    for name, engine in engines.items():
        costs = measure.lengths(engine, vocabulary, 10_000 if quick else 100_000)
        for length, cost in costs.items():
            row = rows.setdefault(
                length, Line(f"{title}: a trace of {length:,} tokens", "us/token")
            )
            row.figures[name] = cost
    yield from rows.values()


def first_masks(
    title: str, bound: str, vocabulary: Vocabulary, ids: list[list[int]], quick: bool
) -> Iterator[Line]:
    """The first mask in a new process, and the memory of the engine once it has seen the traces."""
    cold = Line(f"{title}: from the grammar to the first mask, in a new process", "ms, all threads")
    again = Line(f"{title}: the same, a second time in that process", "ms, all threads")
    memory = Line(f"{title}: memory above the vocabulary after {len(ids)} traces", "MB")
    names = [*fresh.OURS, *([fresh.CONTRACTS] if bound == "unbounded" else [])]
    with TemporaryDirectory() as folder:
        saved, replayed = Path(folder) / "vocabulary.npz", Path(folder) / "traces.json"
        vocabulary.save(saved)
        others = {peer.name: peer.most for peer in peers(bound, best_only=quick)}
        for name in (*names, *others):
            most = others.get(name)
            replayed.write_text(json.dumps(ids if most is None else [ids[0][:most]]))
            times = 3 if name in fresh.OURS or name.startswith("llguidance") else 1
            figures = fresh.run(saved, bound, name, replayed, 1 if quick else times)
            cold.figures[name], again.figures[name] = figures["cold"], figures["warm"]
            memory.figures[name] = figures["memory"]
    yield from (cold, again, memory)


def contracts(
    title: str, vocabulary: Vocabulary, ids: list[list[int]], passes: int, fastest: float
) -> Iterator[Line]:
    """The rows with contracts, over the shipped space; no other engine has them, so they are
    compared with the fastest peer's figure without."""
    ours = Statelang(statelang.load("kwai_star"), vocabulary, contracts=True)
    half = len(ids) // 2
    measure.first_pass(ours, vocabulary, ids[:half])
    kinds = measure.by_kind(ours, vocabulary, ids[half:])
    engines: dict[str, Engine] = {COPYING: ours, ZERO: ZeroCopy(ours)}
    few = dict.fromkeys(engines, ids[:12])
    loops = measure.steps(engines, vocabulary, few, passes)
    yield Line(f"{title}: mask and step, warm", "us/token", loops, fastest)
    for kind, (unseen, warm) in kinds.items():
        figures = {"statelang, seen before": warm, "statelang, trace never seen": unseen}
        unit = "us/token, copying, a timer around each"
        yield Line(f"{title}: {kind}", unit, figures, fastest)


def sizes(vocabulary: Vocabulary, quick: bool) -> Iterator[Line]:
    """What a grammar costs by its size, in this process."""
    for states, actions, degree in _SIZES[: 2 if quick else None]:
        size = f"{states} states, {actions} actions, {states * degree} transitions"
        line = Line(f"{size}: from the grammar to the first mask", "ms, all threads")
        reading = Line(f"{size}: reading the text, by its actions", "ms an action, all threads")
        text = machines.lark(states, actions, degree)
        start = time.process_time()
        space = statelang.loads(text, size)
        read = (time.process_time() - start) * 1e3
        first = measure.cold(partial(Statelang, space, vocabulary), vocabulary)
        line.figures["statelang, from text"] = read + first
        line.figures["statelang, from a loaded space"] = first
        for peer in of_machine(states, actions, degree):
            line.figures[peer.name] = measure.cold(peer.prepare(vocabulary), vocabulary)
        reading.figures["statelang"] = read / actions
        yield from (line, reading)


def rows(file: Path | None, quick: bool) -> Iterator[Line]:
    """Every row of the benchmark, each as soon as it is measured."""
    texts = traces(file, 12 if quick else 50)
    for name, make in VOCABULARIES.items():
        if quick and name != "131k":
            continue
        vocabulary = make()
        ids = [vocabulary.encode(text.encode()) for text in texts]
        fastest = 0.0
        for bound in languages.TEXTS:
            title = f"{name}, text {bound}"
            yield from first_masks(title, bound, vocabulary, ids, quick)
            for line in compare(title, bound, vocabulary, ids, quick):
                yield line
                if line.name.startswith(f"{name}, text unbounded: mask and step, warm"):
                    fastest = min(_peers(line))
        yield from contracts(f"{name}, contracts on", vocabulary, ids, 3 if quick else 5, fastest)
        yield from sizes(vocabulary, quick)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write it as JSON and as a plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.masks", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="GSM8K's lines, question and answer")
    parser.add_argument("--quick", action="store_true", help="few traces, 131k, the best engines")
    parser.add_argument("--out", type=Path, help="write OUT.json and OUT.png")
    options = parser.parse_args(arguments)

    import torch

    torch.set_num_threads(1)
    lines: list[Line] = []
    start = time.perf_counter()
    for line in rows(options.file, options.quick):
        lines.append(line)
        print(line.text(), flush=True)
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    if options.out is not None:
        report.write(lines, options.out)


if __name__ == "__main__":
    main()
