"""`statelang lsp`: the language server for editors."""

import argparse
import os
import sys

from statelang.commands.common import Subparsers
from statelang.diagnostics import StatelangError


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    verbs.add(
        "lsp",
        "serve an editor (language server)",
        "Serve an editor over standard input and output: findings as you type, hover, completion, "
        "definitions, references, rename, outline and formatting of .lark files. An editor starts "
        'it; docs/editors.md shows how. Needs pip install "statelang[editor]".',
        "statelang lsp",
        run,
    )


def run(options: argparse.Namespace) -> int:
    """Serve until the editor leaves."""
    try:
        from statelang.editor.server import build
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("pygls", "lsprotocol"):
            raise
        raise StatelangError(
            f"the package `{package}` is missing, which the language server needs. Install it "
            'with pip install "statelang[editor]".'
        ) from None
    # Streams of its own: the server closes them, and this process has more to do.
    with (
        os.fdopen(os.dup(sys.stdin.fileno()), "rb") as questions,
        os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers,
    ):
        build().start_io(questions, answers)
    return 0
