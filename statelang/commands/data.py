"""`statelang data`: rows and pairs from problems, or from traces."""

import argparse
from pathlib import Path

import statelang
from statelang.commands.common import SPACE, Subparsers


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "data",
        "make training rows and pairs",
        "Turn problems into rows for SFT and pairs for DPO, each judged before it is written.\n"
        'FILE is GSM8K in its annotated or socratic form ("question", "answer"), or holds traces '
        'already ("prompt", "completion"). The folder receives sft.jsonl, dpo.jsonl, '
        "refused.jsonl and manifest.json.\n"
        "Exit status: 0 the end of the file was reached, 2 it could not be read.",
        "statelang data kwai_star gsm8k_train.jsonl --out runs/gsm8k",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument("file", type=Path, metavar="FILE", help="a JSON lines file")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where the four files go"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="draws which steps are made wrong (default: 0)"
    )


def run(options: argparse.Namespace) -> int:
    """Make the rows and say how many there are."""
    from statelang.training.data import make_data

    space = statelang.load(options.space)
    counts = make_data(space, options.file, options.out, seed=options.seed)["counts"]
    print(
        f"{options.out}: {counts['rows']:,} rows, {counts['pairs']:,} pairs, "
        f"{counts['refused']:,} refused"
    )
    return 0
