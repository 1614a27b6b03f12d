"""What Lark reads and other readers do not, or differently: the notation outside the profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from statelang.clauses import parsing
from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import leaves
from statelang.language.syntax import File, Item, Literal, Outside, Regexp
from statelang.source import Span

_TOKENS: Final = re.compile(r'"(?:\\.|[^"\\\n])*"|/(?!/)(?:\\.|[^/\\\n])*/|(//[^\n]*)')
_MISWRITTEN: Final = re.compile(r"//+\s*@?\s*(?=[a-z])")
_MAX_NEARLY: Final = 100
_CONTENT: Final = re.compile(r"[=<>~:.(]|^limit\b")  # prose seldom has these and still parses


def findings(file: File) -> Iterator[Diagnostic]:
    """Every finding about the portable profile."""
    for item in _outside(file):
        yield Diagnostic(
            item.code, f"{item.what} is not in the portable profile", file.source, item.span,
            help=item.help,
        )  # fmt: skip
    yield from _shaped_start(file)
    yield from _separator_of_other_notations(file)
    yield from islice(_nearly_contracts(file), _MAX_NEARLY)


def _outside(file: File) -> Iterator[Outside]:
    yield from file.outside
    for definition in file.definitions:
        yield from definition.outside
        for leaf in leaves(definition.body):
            if isinstance(leaf, Outside):
                yield leaf


def _shaped_start(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        before = file.source.text[: definition.span.start]
        if definition.name == "start" and before.endswith(("?", "!")):
            at = definition.span.start - 1
            yield Diagnostic(
                "SL015", f"`{before[-1]}start` is not found by every reader", file.source,
                Span(at, definition.span.end), help="write `start : ...`",
            )  # fmt: skip


def _separator_of_other_notations(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        for leaf in leaves(definition.body):
            if "::=" in _written(leaf):
                help_ = 'write it in two texts: `":" ":="`'
                yield Diagnostic(
                    "SL018", "`::=` makes servers take the file for another notation", file.source,
                    leaf.span if isinstance(leaf, (Literal, Regexp)) else definition.span,
                    help=help_,
                )  # fmt: skip


def _written(item: Item) -> str:
    if isinstance(item, Literal):
        return item.value
    return item.pattern if isinstance(item, Regexp) else ""


def _nearly_contracts(file: File) -> Iterator[Diagnostic]:
    """Comments that would be contracts if they began with `//@`: nothing enforces them."""
    for match in _TOKENS.finditer(file.source.text):
        comment = match[1]
        if comment is None or comment.startswith("//@"):
            continue
        marker = _MISWRITTEN.match(comment)
        if marker is None:
            continue
        clause = comment[marker.end() :].strip()
        if clause.split(" ")[0] not in parsing.CLAUSES or not _is_clause(clause, marker[0]):
            continue
        start = match.start(1)
        yield Diagnostic(
            "SL109", "this comment looks like a contract, but nothing enforces it", file.source,
            Span(start, start + len(comment.rstrip())), Severity.WARNING,
            label="contracts begin with `//@`", help=f"write `//@ {clause}`",
        )  # fmt: skip


def _is_clause(text: str, marker: str) -> bool:
    if "@" in marker:
        return True
    if not _CONTENT.search(text):
        return False
    try:
        parsing.parse(text)
    except parsing.ContractError:
        return False
    return True
