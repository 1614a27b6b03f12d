"""`statelang check`: every finding about grammar files."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import statelang
from statelang.commands.common import Subparsers
from statelang.diagnostics import Diagnostic, StatelangError, render


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "check",
        "find what is wrong in grammar files",
        "Print everything that is wrong in grammar files, each with its place and what to do "
        "next.\nExit status: 0 nothing found, 1 findings, 2 a file could not be read.",
        "statelang check grammars/kwai_star.lark --format json",
        run,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a .lark file, or the name of a shipped space"
    )
    parser.add_argument(
        "--format",
        choices=("terminal", "json"),
        default="terminal",
        help="terminal: as a compiler prints it; json: one list of objects (default: terminal)",
    )


def run(options: argparse.Namespace) -> int:
    """Check every file, even after one that cannot be read."""
    found: list[Diagnostic] = []
    unreadable = False
    for file in options.files:
        try:
            # A path is never taken for the text of a grammar, however it is spelt.
            findings = statelang.check(file if file in statelang.shipped() else Path(file))
        except StatelangError as error:
            print(f"statelang: {error}", file=sys.stderr)
            unreadable = True
            continue
        found += findings
        if options.format == "terminal":
            print(render(findings), end="\n\n" if findings else "")
            print(f"{file}: {_count(findings)}")
    if options.format == "json":
        print(json.dumps([finding.as_dict() for finding in found], indent=2))
    return 2 if unreadable else 1 if found else 0


def _count(findings: list[Diagnostic]) -> str:
    counts = Counter(str(finding.severity) for finding in findings)
    parts = [f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in sorted(counts.items())]
    return ", ".join(parts) or "nothing found"
