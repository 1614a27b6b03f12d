"""Lark's LALR reader of a grammar, built without what no one here looks at."""

from __future__ import annotations

from typing import Any

import lark
from lark import lexer
from lark.parsers.lalr_parser import LALR_Parser


class _Strict(LALR_Parser):
    """Lark's strict mode, without the package that its other half (the lexer's) needs."""

    def __init__(self, parser_conf: Any, debug: bool = False, strict: bool = False) -> None:
        super().__init__(parser_conf, debug=debug, strict=True)


def reader(text: str, *, strict: bool = False, **options: Any) -> lark.Lark:
    """The reader; a strict one refuses a grammar in which it would have to guess.

    Raises lark.exceptions.LarkError.

    Where `interegular` happens to be installed, Lark compares all terminals of every grammar that
    it reads, its own included, to log what overlaps: 0.2 of the 0.5 seconds of a check. Terminals
    are compared by `checks.portable`, so that is switched off meanwhile.
    """
    compares = lexer.has_interegular
    lexer.has_interegular = False
    try:
        plugins = {"LALR_Parser": _Strict} if strict else {}
        return lark.Lark(text, parser="lalr", _plugins=plugins, **options)
    finally:
        lexer.has_interegular = compares
