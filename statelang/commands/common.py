"""What several verbs share: how a verb is declared, and how the files they are given are read."""

import argparse
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from statelang.diagnostics import Diagnostic, StatelangError

_WIDTH = 90  # characters of a line of help
MAX_TRACE = 16_000_000  # bytes of a file that holds one trace as plain text

SPACE = "the name of a state space that ships with statelang, or the path of a .lark file"


TRACES = (
    'FILE is JSON lines as `validate` reads them ("text" or "completion", and "problem"), or the '
    "plain text of one trace."
)


class Subparsers:
    """Where verbs are added; argparse's own class for it has no public name."""

    def __init__(self, parser: argparse.ArgumentParser, metavar: str) -> None:
        self._parsers = parser.add_subparsers(metavar=metavar, required=True)

    def add(
        self, name: str, summary: str, about: str, example: str, run: Callable[..., int] | None
    ) -> argparse.ArgumentParser:
        """Add a verb: `summary` for the list of verbs, `about` and `example` for its own help."""
        parser = self._parsers.add_parser(
            name,
            help=summary,
            description="\n".join(textwrap.fill(line, _WIDTH) for line in about.splitlines()),
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if run:
            parser.set_defaults(run=run)
        return parser


def add_traces(parser: argparse.ArgumentParser, *, terminal: str, as_json: str) -> None:
    """The options of a verb that reads a file of traces and prints in one of two forms."""
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument("file", metavar="FILE", help="the traces; - is standard input")
    parser.add_argument(
        "--format",
        choices=("terminal", "json"),
        default="terminal",
        help=f"terminal: {terminal}; json: {as_json} (default: terminal)",
    )


def positive(text: str) -> int:
    """A whole number above 0, as argparse wants it read."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def temperature(text: str) -> float:
    """A finite number, 0 or above, as argparse wants it read."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number, 0 or above")
    return number


def utf8(text: str) -> str:
    """Text that can be written as UTF-8, as argparse wants it read."""
    text.encode()
    return text


def json_object(text: str) -> dict[str, Any]:
    """An object of JSON, as argparse wants it read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"it is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError("it is not a JSON object")
    return found


def tally(findings: Iterable[Diagnostic]) -> str:
    """How many findings there are of each severity, in words."""
    counts = Counter(str(finding.severity) for finding in findings)
    parts = [f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in sorted(counts.items())]
    return ", ".join(parts) or "nothing found"


def json_lines(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a JSON lines file (`-` is standard input) with its place, blank lines skipped.

    Raises StatelangError for what is missing, empty, not UTF-8, not JSON or not an object.
    """
    yield from _objects(_named(file), _lines(file))


def _named(file: str) -> str:
    return "standard input" if file == "-" else file


def _objects(name: str, lines: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    number = found = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{name} line {number}"
        try:
            row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            raise StatelangError(
                f"{place} is not UTF-8 ({error.reason}). Save the file as UTF-8."
            ) from error
        except (ValueError, RecursionError) as error:
            raise StatelangError(
                f"{place} is not JSON ({error}). Every line is one JSON object."
            ) from error
        if not isinstance(row, dict):
            raise StatelangError(f"{place} is not a JSON object. Every line is one, as {{...}}.")
        found += 1
        yield place, row
    if not found:
        raise StatelangError(f"{name} is empty. It needs one JSON object a line.")


def _lines(file: str) -> Iterator[bytes]:
    if file == "-":
        yield from sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as lines:
            yield from lines
    except OSError as error:
        raise StatelangError(
            f"{file} cannot be read: {error.strerror}. Check the path; - is standard input."
        ) from error


def text_of(row: dict[str, Any], place: str) -> str:
    """The trace in a line: its `text`, else its `completion`."""
    for key in ("text", "completion"):
        if isinstance(row.get(key), str):
            return str(row[key])
    raise StatelangError(f'{place} holds no trace. Give it as "text" or "completion".')


def problem_of(row: dict[str, Any], place: str) -> dict[str, Any] | None:
    """The problem that stands beside a trace, if there is one."""
    problem = row.get("problem")
    if problem is None or isinstance(problem, dict):
        return problem
    raise StatelangError(
        f'{place} has a "problem" that is no object. Give one with "question" and "answer".'
    )


def traces(file: str) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Each trace of a file with its place and its problem.

    The file is JSON lines, or the plain text of one trace where its first character is no `{`.
    Raises StatelangError as `json_lines` and `text_of` do.
    """
    lines = _lines(file)
    head = []
    for line in lines:
        head.append(line)
        if line.strip():
            break
    together, first = chain(head, lines), head[-1].strip() if head else b""
    if not first or first.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        for place, row in _objects(_named(file), together):
            yield place, text_of(row, place), problem_of(row, place)
        return
    data = bytearray()
    for line in together:
        data += line
        if len(data) > MAX_TRACE:
            raise StatelangError(
                f"{_named(file)} is too long for one trace; at most {MAX_TRACE:,} bytes are read. "
                "Give several traces as JSON lines."
            )
    try:
        yield _named(file), data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        raise StatelangError(
            f"{_named(file)} is not UTF-8 ({error.reason}). Save the file as UTF-8."
        ) from error
