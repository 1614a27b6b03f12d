"""Traces to replay: GSM8K problems as Kwai-STaR steps, some with a wrong one taken back."""

from __future__ import annotations

from pathlib import Path

import statelang
from statelang.training.sources import Reader, read_line
from statelang.walk import walk


def traces(file: Path | None, count: int) -> list[str]:
    """The first `count` traces that a file of GSM8K lines gives; random walks without a file.

    Every other trace is, where there is one, that in which a wrong solution is judged and done
    again.
    """
    space = statelang.load("kwai_star")
    if file is None:
        return [walk(space, seed) for seed in range(count)]
    reader = Reader(space, file.stem, reads_gsm8k=True, seed=0)
    found: list[str] = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            outcome = read_line(reader, number, line)
            if outcome.pair is not None and len(found) % 2:
                found.append(outcome.pair.chosen)
            elif outcome.row is not None:
                found.append(outcome.row.completion)
            if len(found) == count:
                break
    return found
