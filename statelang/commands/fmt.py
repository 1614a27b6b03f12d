"""`statelang fmt`: grammar files in their normal form."""

import argparse
import os
import re
import shutil
import sys
from difflib import unified_diff
from pathlib import Path

from statelang.commands.common import Subparsers
from statelang.diagnostics import GrammarError, StatelangError, render


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "fmt",
        "write grammar files in their normal form",
        "Rewrite grammar files with the spacing, alignment and blank lines of the shipped ones. "
        "The meaning and every comment stay. A file that cannot be read is left as it is, with "
        "its findings on standard error.\nExit status: 0 done, 1 a file is not in its normal form "
        "(--check, --diff), 2 a file could not be read.",
        "statelang fmt grammars/kwai_star.lark --diff",
        run,
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a .lark file; - formats standard input to standard output",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, name the files that would change"
    )
    parser.add_argument("--diff", action="store_true", help="write nothing, show what would change")


def run(options: argparse.Namespace) -> int:
    """Format every file, even after one that cannot be read."""
    return max(_format(file, options) for file in options.files)


def _format(file: str, options: argparse.Namespace) -> int:
    from statelang.language.formatting import fmt

    try:
        before = _read(file)
        # Any line end counts, as when a grammar file is loaded.
        after = fmt(before.replace("\r\n", "\n").replace("\r", "\n"), file)
    except GrammarError as error:
        print(f"{render(error.diagnostics)}\n\n{file}: left as it is", file=sys.stderr)
        return 2
    except StatelangError as error:
        print(f"statelang: {error}", file=sys.stderr)
        return 2
    if options.diff:
        print(_difference(file, before, after), end="")
    if options.check and before != after:
        print(f"{file}: not in its normal form")
    if options.check or options.diff:
        return int(before != after)
    if file == "-":
        sys.stdout.buffer.write(after.encode())  # UTF-8, whatever the terminal's encoding is
    elif before != after:
        _replace(Path(file).resolve(), after)  # behind a link, its target
    return 0


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode()
    except UnicodeDecodeError as error:
        raise StatelangError(
            f"{file} is not UTF-8 (byte {error.start}). Save the grammar file as UTF-8."
        ) from None
    except OSError as error:
        raise StatelangError(
            f"{file} cannot be read: {error.strerror}. Give the path of a .lark file; "
            "- is standard input."
        ) from None


def _difference(file: str, before: str, after: str) -> str:
    return "".join(unified_diff(_rows(before), _rows(after), file, f"{file} (formatted)"))


def _rows(text: str) -> list[str]:
    """The lines as `diff -u` shows them, a carriage return as `\\r`."""
    rows = re.findall(r"[^\n]*\n|[^\n]+", text.replace("\r", "\\r"))
    if rows and not rows[-1].endswith("\n"):
        rows[-1] += "\n\\ No newline at end of file\n"
    return rows


def _replace(file: Path, text: str) -> None:
    """Write beside and replace, so that the file is never half-written; its mode stays."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        shutil.copymode(file, draft)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
