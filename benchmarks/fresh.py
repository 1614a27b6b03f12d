"""What an engine costs in a process of its own: the first mask, and memory.

    python -m benchmarks.fresh VOCABULARY.npz unbounded "statelang, from a loaded space" TRACES.json

prints one line of JSON. Imports and the tables of the vocabulary are not counted; times are those
of all threads of the process together.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import statelang
from benchmarks import languages, measure
from benchmarks.engines import Engine, Statelang
from benchmarks.peers import peers
from statelang.engine import Vocabulary, load_cached

OURS: Final = (
    "statelang, from a loaded space",
    "statelang, compiled before and kept on disk",
    "statelang, from text",
)
_LONG: Final = 5_000  # ms, from which once is enough
CONTRACTS: Final = "statelang, kwai_star with contracts"


def run(vocabulary: Path, bound: str, engine: str, traces: Path, times: int) -> dict[str, float]:
    """Start processes and take the median: milliseconds of the processor from the grammar to the
    first mask, cold and once more, and MB that the engine then takes."""
    command = [sys.executable, "-m", "benchmarks.fresh", str(vocabulary), bound, engine]
    found = []
    for _ in range(times):
        done = subprocess.run([*command, str(traces)], check=True, capture_output=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return {key: median(figures[key] for figures in found) for key in found[0]}


def _ours(name: str, text: str, vocabulary: Vocabulary, folder: Path) -> Callable[[], Engine]:
    """What is timed for our own engine, everything before it done."""
    if name == CONTRACTS:
        kwai_star = statelang.load("kwai_star")
        return lambda: Statelang(kwai_star, vocabulary, contracts=True)
    if name == OURS[2]:
        return lambda: Statelang(statelang.loads(text), vocabulary)
    file = folder / "regular.lark"
    file.write_text(text, encoding="utf-8")
    if name == OURS[1]:
        command = "import sys; from statelang.engine import load_cached; load_cached(*sys.argv[1:])"
        subprocess.run([sys.executable, "-c", command, str(file), str(folder)], check=True)
        statelang.loads('start : a\na : "a"\n')  # the modules that read texts are imported
        return lambda: Statelang(load_cached(file, folder), vocabulary)
    space = statelang.load(file)
    return lambda: Statelang(space, vocabulary)


def main(vocabulary_file: str, bound: str, engine: str, traces: str) -> None:
    """Measure one engine, once."""
    vocabulary = Vocabulary.load(vocabulary_file)
    row = measure.bitmask(vocabulary)
    measure.prepare(vocabulary)
    assert row.ctypes.data  # numpy imports what reads it
    ids = json.loads(Path(traces).read_text())
    with TemporaryDirectory() as folder:
        if engine in (*OURS, CONTRACTS):
            make = _ours(engine, languages.lark(bound), vocabulary, Path(folder))
        else:
            make = next(p for p in peers(bound) if p.name == engine).prepare(vocabulary)
        gc.collect()
        before = _resident()
        made, first = _first_mask(make, row)
        again = _first_mask(make, row)[1] if first < _LONG else first
    for tokens in ids:
        measure.replay(made.session(row), tokens)
    print(json.dumps({"cold": first, "warm": again, "memory": _resident() - before}))


def _first_mask(make: Callable[[], Engine], row: object) -> tuple[Engine, float]:
    start = time.process_time()
    made = make()
    made.session(row).fill()
    return made, (time.process_time() - start) * 1e3


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main(*sys.argv[1:])
