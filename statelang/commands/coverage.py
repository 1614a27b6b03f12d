"""`statelang coverage`: what a file of traces visits, and what it never does."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import statelang
from statelang.commands.common import TRACES, Subparsers, add_traces, traces

if TYPE_CHECKING:
    from statelang.space import Transition
    from statelang.traces.visits import Coverage

_EVERY = 5.0  # seconds between two lines of progress


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "coverage",
        "count which states and transitions traces visit",
        "Count how often the legal traces of a file visit each state, each transition and each "
        "pair of transitions one directly after the other, and list what they never visit. Traces "
        "that break the grammar or a contract are counted apart.\n"
        f"{TRACES} It is read once, as a stream.\n"
        "Exit status: 0 every transition is visited and every trace legal, 1 not, 2 a line could "
        "not be read.",
        "statelang coverage kwai_star_formal runs/data/sft.jsonl",
        run,
    )
    add_traces(parser, terminal="tables", as_json="one object")


def run(options: argparse.Namespace) -> int:
    """Print the counts."""
    from statelang.traces.visits import coverage

    space = statelang.load(options.space)
    found = coverage(space, _with_progress(options.file))
    print(json.dumps(_plain(found)) if options.format == "json" else "\n".join(_tables(found)))
    return 0 if found.is_complete and not found.illegal else 1


def _with_progress(file: str) -> Iterator[tuple[str, dict[str, Any] | None]]:
    said = time.monotonic()
    for number, (_, text, problem) in enumerate(traces(file), start=1):
        yield text, problem
        if time.monotonic() - said > _EVERY:
            said = time.monotonic()
            print(f"{number:,} traces", file=sys.stderr, flush=True)


def _plain(found: Coverage) -> dict[str, Any]:
    """The counts as plain values; pairs name their transitions by index."""
    return {
        "legal": found.legal,
        "illegal": found.illegal,
        "states": dict(found.states),
        "transitions": [
            {
                "source": one.source,
                "action": one.action,
                "call": one.call,
                "target": one.target,
                "visits": visits,
            }
            for one, visits in found.transitions
        ],
        "pairs": [
            {"first": first, "second": second, "visits": visits}
            for (first, second), visits in found.pairs.items()
        ],
    }


def _tables(found: Coverage) -> Iterator[str]:
    counts = [list(found.states.values()), [visits for _, visits in found.transitions]]
    counts.append(list(found.pairs.values()))
    names = ("states", "transitions", "pairs of transitions")
    parts = [
        f"{sum(map(bool, visits))} of {len(visits)} {name}"
        for name, visits in zip(names, counts, strict=True)
    ]
    yield f"{found.legal:,} legal traces visit {', '.join(parts)}; {found.illegal:,} are illegal"
    yield ""
    yield from _rows(("STATE", "VISITS"), [(s, f"{n:,}") for s, n in found.states.items()])
    yield ""
    moves = [(*named(one), f"{visits:,}") for one, visits in found.transitions]
    yield from _rows(("FROM", "ACTION", "TO", "VISITS"), moves)
    never = [
        (_in_short(found.transitions[first][0]), _in_short(found.transitions[second][0]))
        for (first, second), visits in found.pairs.items()
        if not visits
    ]
    if never:
        yield ""
        yield from _rows(("NEVER DIRECTLY", "AFTER ONE ANOTHER"), never)


def named(one: Transition) -> tuple[str, str, str]:
    """Source, action and target of a transition in words."""
    if one.action is None and one.call is None:
        return one.source, "(may stop here)", ""
    return one.source, one.action or f"{one.call} (a machine)", one.target or "(end)"


def _in_short(one: Transition) -> str:
    source, action, target = named(one)
    return f"{source}: {action} {target}".rstrip()


def _rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        cells = [
            cell.rjust(width) if title == "VISITS" else cell.ljust(width)
            for cell, width, title in zip(row, widths, head, strict=True)
        ]
        yield "  ".join(cells).rstrip()
