"""`statelang report`: one page about a run."""

import argparse
from pathlib import Path

import statelang
from statelang.commands.common import SPACE, Subparsers


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "report",
        "write a page about a run",
        "Write one self-contained HTML page: the state diagram, loss curves, the table as a plot, "
        "and traces step by step. It reads results.json, samples.jsonl, sft/log.jsonl and "
        "dpo/log.jsonl from the run's folder; what is missing is left out.",
        "statelang report kwai_star_formal runs/quickstart",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the page (default: report.html in RUN)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    from statelang.training.report import write_report

    space = statelang.load(options.space)
    print(f"the report is {write_report(space, options.run_folder, options.out)}")
    return 0
