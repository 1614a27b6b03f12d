"""`statelang show`: the states, transitions and actions of a space, with their documentation."""

import argparse
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence

import statelang
from statelang.commands.common import SPACE, Subparsers
from statelang.space import StateSpace

_WIDEST = 100  # characters; longer lines of prose are hard to read


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "show",
        "print the states and transitions of a space",
        "Print a state space as tables: its states, its transitions, its actions.",
        "statelang show kwai_star",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)


def run(options: argparse.Namespace) -> int:
    """Print the tables."""
    print(describe(statelang.load(options.space)))
    return 0


def describe(space: StateSpace) -> str:
    """The tables as text, as wide as the terminal."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    moves = [
        (step.source, step.action or f"{step.call} (a machine)", step.target or "(end)")
        for step in space.transitions
    ]
    moves += [(name, "", "(may stop here)") for name in sorted(space.stops)]
    order = [state.name for state in space.states]
    moves.sort(key=lambda move: order.index(move[0]))
    parts = [
        f"{space.name}  (grammar {space.hash[:12]})",
        textwrap.fill(space.doc, width),
        *_table(("STATE", "WHAT IT MEANS"), ((s.name, s.doc) for s in space.states), width),
        *_table(("FROM", "ACTION", "TO"), _without_repeats(moves), width),
        *_table(("ACTION", "WHAT IT DOES"), ((a.name, a.doc) for a in space.actions), width),
    ]
    return "\n".join(parts)


def _without_repeats(moves: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """The moves, a state named only at its first one."""
    before = None
    for source, action, target in moves:
        yield ("" if source == before else source, action, target)
        before = source


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Iterator[str]:
    """Lines of a table whose last column is wrapped to the width."""
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head) - 1)]
    left = sum(widths) + 2 * len(widths)
    yield ""
    for row in table:
        first, *more = textwrap.wrap(row[-1], max(width - left, 24)) or [""]
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=False)]
        yield "  ".join([*cells, first]).rstrip()
        yield from (" " * left + line for line in more)
