"""Lark's LALR reader: built for our own grammars, and asked about those of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import lark
from lark import lexer
from lark.exceptions import LarkError
from lark.parsers.lalr_analysis import LALR_Analyzer

_MAX_SYMBOLS: Final = 20_000  # of all rules, multiplied out; the shipped have 350
_MAX_ITEMS: Final = 30_000  # of the states of the automaton; the shipped spaces have 500


class TooMany(Exception):
    """A grammar whose automaton has more states than are worth building."""


class _Fine(Exception):
    """Lark has nothing against a grammar."""


class _Analysis(LALR_Analyzer):
    """Lark's analysis, given up where its states grow out of hand."""

    items = 0

    def expand_rule(self, *arguments: Any) -> Any:
        found = super().expand_rule(*arguments)
        self.items += len(found)
        if self.items > _MAX_ITEMS:
            raise TooMany
        return found


def _analysed(parser_conf: Any, debug: bool, strict: bool) -> None:
    """In the place of Lark's parser: the analysis in strict mode, and no parser."""
    if sum(len(rule.expansion) + 1 for rule in parser_conf.rules) > _MAX_SYMBOLS:
        raise TooMany
    analysis: Any = _Analysis(parser_conf, strict=True)
    analysis.compute_lalr()
    raise _Fine


def refusal(text: str) -> str:
    """What Lark's LALR reader in strict mode has against a grammar; empty where it takes it.

    Raises TooMany where it would take too long to find out.
    """
    try:
        with _uncompared():
            lark.Lark(text, parser="lalr", _plugins={"LALR_Parser": _analysed})
    except LarkError as error:
        return str(error).strip()
    except _Fine:
        pass
    return ""


def reader(text: str, **options: Any) -> lark.Lark:
    """The reader of a grammar of our own."""
    with _uncompared():
        return lark.Lark(text, parser="lalr", **options)


@contextmanager
def _uncompared() -> Iterator[None]:
    """Without what Lark does where `interegular` happens to be installed: it compares all
    terminals of every grammar, its own included, to log what overlaps, in 0.2 of the 0.5 seconds
    of a check. `checks.portable` compares them too."""
    compares = lexer.has_interegular
    lexer.has_interegular = False
    try:
        yield
    finally:
        lexer.has_interegular = compares
