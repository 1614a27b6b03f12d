"""`statelang paths`: few traces that visit every transition."""

import argparse
import json
import sys

import statelang
from statelang.commands.common import SPACE, Subparsers, json_object
from statelang.commands.coverage import named


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "paths",
        "print few traces that visit every transition",
        "Print legal traces that together visit every transition, one JSON object with "
        '"text" a line. The fewest routes through the control graph are planned first and written '
        "out where the contracts allow it; for the other transitions a trace of their own is "
        "searched. How many were planned and written, and what was not reached, goes to standard "
        "error.\n"
        "Exit status: 0 every transition is visited, 1 not, 2 the space or the problem could not "
        "be used.",
        "statelang paths kwai_star_formal",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument(
        "--problem", type=json_object, metavar="JSON", help="the space's inputs, as one JSON object"
    )


def run(options: argparse.Namespace) -> int:
    """Print the traces, then the summary."""
    from statelang.traces.covering import paths

    space = statelang.load(options.space)
    found = paths(space, options.problem)
    for text in found.traces:
        row = {"text": text}
        print(json.dumps(row if options.problem is None else {**row, "problem": options.problem}))
    fewest = "the fewest" if found.minimal else "not proved to be the fewest"
    print(
        f"{found.planned} routes planned ({fewest} that the control graph needs), "
        f"{found.realised} of them written under the contracts; {len(found.traces)} traces",
        file=sys.stderr,
    )
    for one in found.missed:
        source, action, target = named(one)
        print(f"not reached: {source}: {action} {target}".rstrip(), file=sys.stderr)
    return 1 if found.missed else 0
