"""Characters per second of `validate` and of Lark LALR.

One grammar, the same traces. Lark parses in its fastest configuration for it (the contextual lexer;
the basic one cuts such texts wrongly), into a tree, and with a transformer that builds nothing.
`validate` judges grammar, contracts and answer; without contracts it has the same file without its
`//@` lines. The readers take turns, on the process's clock; a figure is the median of its turns
after the first, in which everything is new and which is given apart.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from lark import Lark, Transformer

import statelang
from benchmarks.traces import traces
from statelang.engine import validate
from statelang.engine.verdicts.verdict import _machines
from statelang.space import StateSpace

SPACE = "kwai_star"
LARK = "Lark LALR"


def readers(space: StateSpace) -> dict[str, Callable[[str], object]]:
    """Every reader by its name."""
    text = space.source.text
    lines = text.splitlines(keepends=True)
    plain = statelang.loads("".join(x for x in lines if not x.lstrip().startswith("//@")), "plain")
    trees = Lark(text, parser="lalr", lexer="contextual")
    names = {str(rule.origin.name) for rule in trees.rules}
    nothing = {name: lambda self, children: None for name in names if not name.startswith("_")}
    bare = type("Nothing", (Transformer,), nothing)()
    return {
        LARK: trees.parse,
        "Lark LALR, no tree": Lark(text, parser="lalr", transformer=bare).parse,
        "validate": lambda trace: validate(space, trace),
        "validate, no contracts": lambda trace: validate(plain, trace),
    }


def measure(texts: list[str], turns: int) -> dict[str, dict[str, float]]:
    """Characters per second of each reader, warm and in the first turn, and how often Lark's."""
    every = readers(statelang.load(SPACE))
    times: dict[str, list[float]] = {name: [] for name in every}
    for _ in range(turns + 1):
        for name, read in every.items():
            start = time.process_time()
            for text in texts:
                read(text)
            times[name].append(time.process_time() - start)
    size = sum(map(len, texts))
    speed = {name: size / median(found[1:]) for name, found in times.items()}
    return {
        name: {
            "characters_per_second": round(speed[name]),
            "of_lark": round(speed[name] / speed[LARK], 2),
            "first_turn": round(size / times[name][0]),
        }
        for name in every
    }


def main() -> None:
    """Print a table, and write the figures as JSON where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.validation")
    parser.add_argument("file", nargs="?", type=Path, help="GSM8K lines; random walks without")
    parser.add_argument("-n", type=int, default=30, help="how many traces (default: 30)")
    parser.add_argument("--turns", type=int, default=15, help="of each reader (default: 15)")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    texts = traces(options.file, options.n)
    space = statelang.load(SPACE)
    assert all(validate(space, text).holds for text in texts)
    _machines.cache_clear()  # the first turn finds nothing learnt
    found = measure(texts, options.turns)
    print(f"{len(texts)} traces, {sum(map(len, texts)):,} characters")
    for name, row in found.items():
        print(f"{name:24}", *(f"{key} {value:,}" for key, value in row.items()), sep="  ")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
