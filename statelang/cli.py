"""The command line. Knows every verb's name; what a verb does is in `statelang.commands`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from statelang.commands.common import Subparsers
from statelang.diagnostics import GrammarError, Severity, StatelangError

# In the order of the work: look at a space, judge texts, make data, train, measure, show.
# Each is a module of `statelang.commands`, loaded when it is asked for.
_VERBS = (
    "new", "infer", "check", "fmt", "lsp", "show", "diff", "prompt", "export", "walk",
    "validate", "explain", "coverage", "paths", "migrate", "doctor", "data", "train",
    "generate", "eval", "report", "quickstart",
)  # fmt: skip

_EXAMPLES = """\
examples:
  statelang quickstart
  statelang check grammars/kwai_star.lark
  statelang show kwai_star"""


class _Version(argparse.Action):
    """Prints the version, which takes a while to find out, only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("statelang")
        except PackageNotFoundError:
            found = "(a checkout that is not installed)"
        print(f"statelang {found}")
        parser.exit()


def parser(*asked: str) -> argparse.ArgumentParser:
    """Declare every verb with its arguments, or those asked for; loads nothing that one needs."""
    top = argparse.ArgumentParser(
        prog="statelang",
        description="A reasoning method as one grammar file: check it, generate under it, judge by "
        "it, train on it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    verbs = Subparsers(top, "VERB")
    for verb in asked or _VERBS:
        import_module(f"statelang.commands.{verb}").add(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status.

    0 is done, 1 is a finding or a verdict against, 2 is what could not be read or used.
    """
    for stream in (sys.stdout, sys.stderr):
        # Documentation and traces may hold what the terminal's encoding lacks.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = parser(*(word for word in words[:1] if word in _VERBS)).parse_args(words)
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _refuse("interrupted; the same command goes on with what is in --out", 130)
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
        extra = "server" if error.name == "httpx2" else "training"
        return _refuse(
            f"the package `{error.name}` is missing, which this verb needs. Install it with "
            f'pip install "statelang[{extra}]".'
        )
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{place}{error.strerror or error}. Check that the place can be used.")
    return status


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
