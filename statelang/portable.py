"""Findings about how other readers of Lark will take the file. Lark itself is asked, for real."""

from __future__ import annotations

import re

from lark import Lark
from lark.exceptions import LarkError

from statelang.diagnostics import Diagnostic
from statelang.program import Program
from statelang.source import Span
from statelang.syntax import File


def portability(file: File, program: Program) -> list[Diagnostic]:
    """What Lark's LALR reader says against the file."""
    try:
        Lark(file.source.text, parser="lalr")
    except LarkError as error:
        first = str(error).strip().split("\n")[0]
        at = 0
        for definition in file.definitions:
            if re.search(rf"\b{re.escape(definition.name)}\b", str(error)):
                at = definition.span.start
        help_ = "Lark reads one token ahead; give alternatives different beginnings"
        message = f"Lark's LALR reader refuses the grammar: {first}"
        return [Diagnostic("SL301", message, file.source, Span(at, at + 1), help=help_)]
    return []
