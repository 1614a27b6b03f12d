"""`statelang infer`: a first grammar from tagged traces."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from statelang.commands.common import Subparsers, traces


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "infer",
        "write a first grammar from traces",
        "Write a first grammar that accepts all the traces of a file: states and transitions from "
        "the order of their steps, payloads from what the steps say. Steps are marked as "
        "<name>...</name>, or each line begins with [name], with name: or with a word. It is a "
        "beginning: say in its documentation what states and actions mean, and add contracts.\n"
        "What was found goes to standard error, the grammar to standard output or to a file.",
        "statelang infer traces.jsonl -o my_method.lark",
        run,
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help='JSON lines with "text" or "completion", or plain traces with blank lines between '
        "them; - is standard input",
    )
    parser.add_argument(
        "-o", metavar="FILE", dest="out", help="where to write it (default: standard output)"
    )


def run(options: argparse.Namespace) -> int:
    """Print the grammar, and what was found."""
    from statelang.inferring.inference import infer

    found = infer(_texts(options.file))
    if options.out:
        Path(options.out).write_text(found.grammar, encoding="utf-8")
    else:
        print(found.grammar, end="")
    print(
        f"{found.traces} traces, all accepted: {found.states} states, {found.actions} actions",
        file=sys.stderr,
    )
    if found.general:
        print(f"any text in the payloads of: {', '.join(found.general)}", file=sys.stderr)
    return 0


def _texts(file: str) -> Iterator[str]:
    """The traces of JSON lines, or the blocks of a plain text."""
    name = "standard input" if file == "-" else file
    for place, text, _ in traces(file):
        if place != name:  # a line of it
            yield text
        else:
            yield from (f"{block}\n" for block in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n")))
