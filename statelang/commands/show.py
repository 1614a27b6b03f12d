"""`statelang show`: a state space as tables, as a picture, as a page, as a diagram's source."""

import argparse
import shutil
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import statelang
from statelang.commands.common import SPACE, Subparsers
from statelang.drawing.tables import Table, payloads, tables
from statelang.space import StateSpace

_WIDEST = 100  # characters; longer lines of prose are hard to read
_FORMS = ("mermaid", "dot", "svg", "html")


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "show",
        "print or draw what a space declares",
        "Print a state space as tables: its states, transitions, actions, registers, inputs and "
        "limits, then what each action writes, with its contracts. With --to, write it for other "
        "tools: a Mermaid or DOT diagram, a picture, or one page with all of it.",
        "statelang show kwai_star --to html -o kwai_star.html",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument("--to", choices=_FORMS, help="the form to write (default: tables)")
    parser.add_argument(
        "-o", metavar="FILE", dest="file", help="where to write it (default: standard output)"
    )


def run(options: argparse.Namespace) -> int:
    """Print the space, or write it to a file."""
    text = _form(options.to)(statelang.load(options.space))
    if options.file:
        Path(options.file).write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


def _form(name: str | None) -> Callable[[StateSpace], str]:
    from statelang.drawing.charts import dot, mermaid
    from statelang.drawing.diagram import draw
    from statelang.drawing.page import html

    forms = {"mermaid": mermaid, "dot": dot, "svg": draw, "html": html}
    return forms[name] if name else describe


def describe(space: StateSpace) -> str:
    """The tables as text, as wide as the terminal."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    parts = [
        f"{space.name}  (grammar {space.hash[:12]})",
        textwrap.fill(space.doc, width),
        *(line for table in tables(space) for line in _table(table, width)),
        "",
        "PAYLOADS AND CONTRACTS",
        *_payloads(space),
    ]
    return "\n".join(parts) + "\n"


def _table(table: Table, width: int) -> Iterator[str]:
    """Lines of a table whose last column is wrapped to the width."""
    rows = [tuple(cell.upper() for cell in table.head), *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head) - 1)]
    left = sum(widths) + 2 * len(widths)
    yield ""
    for row in rows:
        first, *more = textwrap.wrap(row[-1], max(width - left, 24)) or [""]
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=False)]
        yield "  ".join([*cells, first]).rstrip()
        yield from (" " * left + line for line in more)


def _payloads(space: StateSpace) -> Iterator[str]:
    """The rules as the file has them, their contracts below."""
    for rule in payloads(space):
        yield rule.text
        yield from (f"    {line}" for line in rule.contracts)
