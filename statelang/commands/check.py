"""`statelang check`: every finding about grammar files."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from statelang.commands.common import Subparsers, tally
from statelang.diagnostics import Diagnostic, Severity, StatelangError, render
from statelang.loader import examine, liveness_of, read, shipped
from statelang.source import Source


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "check",
        "find what is wrong in grammar files",
        "Print everything that is wrong in grammar files, each with its place and what to do "
        "next. Every finding has a code that never changes its meaning; --explain tells why its "
        "rule is there, with an example. Of a sound file it is said whether every trace can be "
        "ended (proved live), or where the search for a proof stopped.\n"
        "Exit status: 0 no errors and no warnings (notes allowed), 1 some, 2 a file could not be "
        "read.",
        "statelang check kwai_star --format github\n  statelang check --explain SL303",
        run,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help="a .lark file, the name of a shipped space, or - for standard input",
    )
    what.add_argument("--explain", metavar="CODE", help="print the page of a rule and exit")
    parser.add_argument(
        "--format",
        choices=("terminal", *_FORMATS),
        default="terminal",
        help="terminal: as a compiler prints it; json: one list of objects; github: workflow "
        "commands, which GitHub shows at the lines of a pull request; sarif: a SARIF 2.1.0 log "
        "(default: terminal)",
    )


def run(options: argparse.Namespace) -> int:
    """Check every file, even after one that cannot be read."""
    if options.explain:
        from statelang.rules import rule

        print(rule(options.explain).page, end="")
        return 0
    checked: dict[str, list[Diagnostic]] = {}
    sources: dict[str, Source] = {}
    unread: list[str] = []
    for file in options.files:
        try:
            sources[file] = _source(file)
            checked[file] = examine(sources[file])
        except StatelangError as error:
            print(f"statelang: {error}", file=sys.stderr)
            unread.append(str(error))
    if options.format == "terminal":
        _terminal(checked, sources)
    else:
        _FORMATS[options.format](checked, unread)
    found = (finding.severity for findings in checked.values() for finding in findings)
    return 2 if unread else int(any(severity is not Severity.NOTE for severity in found))


def _source(file: str) -> Source:
    if file == "-":
        try:
            return Source(sys.stdin.buffer.read().decode(), "<stdin>")
        except UnicodeDecodeError as error:
            raise StatelangError(
                f"standard input is not UTF-8 (byte {error.start}); save the grammar as UTF-8"
            ) from None
    # A path is never taken for the text of a grammar, however it is spelt.
    return read(file if file in shipped() else Path(file))


def _terminal(checked: dict[str, list[Diagnostic]], sources: dict[str, Source]) -> None:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for file, findings in checked.items():
        print(render(findings, colour=colour), end="\n\n" if findings else "")
        live = liveness_of(sources[file])
        print(f"{file}: {tally(findings)}" + (f"; {live}" if live else ""))


def _json(checked: dict[str, list[Diagnostic]], unread: list[str]) -> None:
    found = [finding.as_dict() for findings in checked.values() for finding in findings]
    print(json.dumps(found, indent=2))


def _github(checked: dict[str, list[Diagnostic]], unread: list[str]) -> None:
    from statelang.formats import github

    for findings in checked.values():
        for finding in findings:
            print(github(finding))


def _sarif(checked: dict[str, list[Diagnostic]], unread: list[str]) -> None:
    from statelang.formats import sarif
    from statelang.rules import rules

    found = [finding for findings in checked.values() for finding in findings]
    print(json.dumps(sarif(found, unread, rules()), indent=2))


_FORMATS: Final[dict[str, Callable[[dict[str, list[Diagnostic]], list[str]], None]]] = {
    "json": _json, "github": _github, "sarif": _sarif,
}  # fmt: skip
