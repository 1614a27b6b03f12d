"""The tools that a command line names for the `writes` clauses of a space."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from statelang.commands.common import utf8
from statelang.diagnostics import StatelangError
from statelang.tools import Function

_HELP: Final = (
    "what writes the fields of `writes` clauses: arithmetic, python (Linux on x86-64 alone) or "
    "sqlite:FILE, each for the function of that name, or NAME=TOOL for one of another name, as in "
    "sql=sqlite:shop.db (default: these fields are the model's to write)"
)
_TOOL: Final = re.compile(r"(?:(\w+)=)?(?:(arithmetic|python)|(sqlite):(.+))", re.DOTALL)


def add_tools(parser: argparse.ArgumentParser) -> None:
    """Declare `--tools`."""
    parser.add_argument("--tools", nargs="+", default=[], type=utf8, metavar="TOOL", help=_HELP)


def named(words: Sequence[str]) -> dict[str, Function] | None:
    """The functions, by the names that clauses have for them; None where none are named.

    Raises StatelangError for a word that names no tool, and for two tools of one name.
    """
    from statelang.engine.tools import Python, Sqlite, arithmetic

    found: dict[str, Function] = {}
    for word in words:
        match = _TOOL.fullmatch(word)
        if match is None:
            raise StatelangError(
                f"--tools {word}: there is no such tool. Give arithmetic, python or sqlite:FILE, "
                "with the function's own name in front where it has another (sql=sqlite:FILE)."
            )
        own, shipped, sqlite, file = match.groups()
        name = own or shipped or sqlite
        if name in found:
            raise StatelangError(
                f"--tools {word}: `{name}` is named twice. Give one tool for each function."
            )
        shipping: dict[str, Function] = {"arithmetic": arithmetic, "python": Python()}
        found[name] = Sqlite(Path(file)) if file else shipping[shipped]
    return found or None
