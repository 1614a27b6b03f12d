"""`statelang walk`: random legal traces."""

import argparse
import json
from random import Random

import statelang
from statelang.commands.common import SPACE, Subparsers, json_object, positive


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "walk",
        "print random legal traces",
        'Print random traces that keep the grammar and every contract, one JSON object with "text" '
        "a line, in the form that `validate` reads.",
        "statelang walk kwai_star_formal -n 3 --seed 1",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument(
        "-n", type=positive, default=1, metavar="N", help="how many traces (default: 1)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="the same seed gives the same traces (default: 0)"
    )
    parser.add_argument(
        "--problem", type=json_object, metavar="JSON", help="the space's inputs, as one JSON object"
    )


def run(options: argparse.Namespace) -> int:
    """Print the traces."""
    from statelang.walk import walk

    space = statelang.load(options.space)
    random = Random(options.seed)
    beside = {} if options.problem is None else {"problem": options.problem}
    for _ in range(options.n):
        text = walk(space, random.getrandbits(48), problem=options.problem)
        print(json.dumps({"text": text, **beside}))
    return 0
