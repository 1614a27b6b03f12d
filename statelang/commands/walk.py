"""`statelang walk`: random legal traces."""

import argparse
import json
from random import Random

import statelang
from statelang.commands.common import SPACE, Subparsers, positive


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "walk",
        "print random legal traces",
        'Print random traces that keep the grammar and every contract, one JSON object with "text" '
        "a line.",
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


def run(options: argparse.Namespace) -> int:
    """Print the traces."""
    from statelang.walk import walk

    space = statelang.load(options.space)
    random = Random(options.seed)
    for _ in range(options.n):
        print(json.dumps({"text": walk(space, random.getrandbits(48))}))
    return 0
