"""The command line. Knows every verb's name; what a verb does is in `statelang.commands`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from statelang.commands import (
    check,
    data,
    diff,
    explain,
    export,
    fmt,
    generate,
    lsp,
    new,
    prompt,
    quickstart,
    report,
    show,
    train,
    validate,
    walk,
)
from statelang.commands import eval as evaluate
from statelang.commands.common import Subparsers
from statelang.diagnostics import GrammarError, Severity, StatelangError

# In the order of the work: look at a space, judge texts, make data, train, measure, show.
_VERBS: tuple[ModuleType, ...] = (
    new, check, fmt, lsp, show, diff, prompt, export, walk, validate, explain, data, train, generate, evaluate, report, quickstart,
)  # fmt: skip

_EXAMPLES = """\
examples:
  statelang quickstart
  statelang check grammars/kwai_star.lark
  statelang show kwai_star"""


def parser() -> argparse.ArgumentParser:
    """Declare every verb with its arguments; loads nothing that a verb needs."""
    top = argparse.ArgumentParser(
        prog="statelang",
        description="A reasoning method as one grammar file: check it, generate under it, judge by "
        "it, train on it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"statelang {_version()}")
    verbs = Subparsers(top, "VERB")
    for verb in _VERBS:
        verb.add(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status.

    0 is done, 1 is a finding or a verdict against, 2 is what could not be read or used.
    """
    for stream in (sys.stdout, sys.stderr):
        # Documentation and traces may hold what the terminal's encoding lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _refuse("interrupted; the same command starts again", 130)
    except BrokenPipeError:
        # The reader has left, as `head` does. Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except GrammarError as error:
        return _refuse(_in_short(error))
    except StatelangError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "statelang":
            raise
        return _refuse(
            f"the package `{error.name}` is missing, which this verb needs. Install it with "
            'pip install "statelang[training]".'
        )
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{place}{error.strerror or error}. Check that the place can be used.")
    return status


def _version() -> str:
    try:
        return version("statelang")
    except PackageNotFoundError:
        return "(a checkout that is not installed)"


def _refuse(message: str, status: int = 2) -> int:
    print(f"statelang: {message}", file=sys.stderr)
    return status


def _in_short(error: GrammarError) -> str:
    """One paragraph for a verb that needs a sound grammar; `check` shows the rest."""
    errors = [d for d in error.diagnostics if d.severity is Severity.ERROR]
    first = errors[0]
    count = "one error" if len(errors) == 1 else f"{len(errors)} errors, the first"
    return (
        f"the grammar {first.file} has {count} at line {first.line}, column {first.column}: "
        f"{first.message}. Run `statelang check {first.file}` to see each with its next step."
    )
