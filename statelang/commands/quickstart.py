"""`statelang quickstart`: the whole way, from a grammar to a constrained model and its report."""

import argparse
from pathlib import Path

from statelang.commands.common import Subparsers


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "quickstart",
        "the whole way in a few minutes, on a CPU",
        "Load kwai_star_formal, make problems and rows, train a tiny model by SFT and DPO, let it "
        "solve held-out problems in four ways, and write a report. Started again after a stop, it "
        "goes on.",
        "statelang quickstart",
        run,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/quickstart"),
        metavar="FOLDER",
        help="where everything goes (default: runs/quickstart)",
    )


def run(options: argparse.Namespace) -> int:
    """Run every stage; each says what it does."""
    from statelang.training.quickstart import quickstart

    quickstart(options.out)
    return 0
