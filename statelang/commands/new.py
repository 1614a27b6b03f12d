"""`statelang new`: a grammar to begin from, with its tests."""

import argparse

from statelang.commands.common import Subparsers
from statelang.starter import new


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "new",
        "begin a state space of your own",
        "Write NAME.lark, a small grammar that works, with a comment on every kind of clause, and "
        "test_NAME.py, its tests. Change both into your method. Nothing is overwritten.",
        "statelang new word_sums --folder grammars",
        run,
    )
    parser.add_argument("name", metavar="NAME", help="small letters, digits and underscores")
    parser.add_argument("--folder", default=".", metavar="DIR", help="where (default: here)")


def run(options: argparse.Namespace) -> int:
    """Write the files and say what comes next."""
    grammar, tests = new(options.name, options.folder)
    print(f"wrote {grammar} and {tests}")
    print(f"next: statelang check {grammar}; statelang show {grammar}; pytest {tests}")
    return 0
