"""`statelang export`: a space in another notation."""

import argparse
import sys
from pathlib import Path

import statelang
from statelang.commands.common import SPACE, Subparsers


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    from statelang.exports import TARGETS

    parser = verbs.add(
        "export",
        "write a space in another notation",
        "Write a space for another reader. What the notation cannot carry is named on standard "
        "error, clause by clause; the text then accepts at least what the space accepts.\n\n"
        + "\n".join(f"{name}: {about}." for name, about in TARGETS.items()),
        "statelang export kwai_star --to gbnf -o kwai_star.gbnf",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument(
        "--to", required=True, choices=TARGETS, metavar="TARGET", help=", ".join(TARGETS)
    )
    parser.add_argument(
        "-o", "--out", metavar="FILE", help="where to write (default: the terminal)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the text, and say what is not in it."""
    found = statelang.export(statelang.load(options.space), options.to)
    if options.out:
        whole = Path(f"{options.out}.part")
        whole.write_text(found.text, encoding="utf-8")
        whole.replace(options.out)
    else:
        sys.stdout.write(found.text)
    if found.dropped:
        count = len(found.dropped)
        print(
            f"not carried, {count} contract clause{'s' * (count > 1)}: check the traces with "
            "`statelang validate`",
            file=sys.stderr,
        )
        for dropped in found.dropped:
            print(f"  line {dropped.line}: {dropped.clause}", file=sys.stderr)
    return 0
