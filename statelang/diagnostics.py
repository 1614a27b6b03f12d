"""Findings about a grammar file, and the errors this package raises."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from statelang.snippet import Label, snippet, visible
from statelang.source import Source, Span


class Severity(StrEnum):
    """An error stops `load`; a warning does not; a note only tells."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Diagnostic:
    """One finding: a stable rule id, what is wrong, where, and what to do next.

    `label` stands at the place itself; `also` are other places that belong to it, in the same
    source; `note` adds a fact, `help` the next step.
    """

    code: str
    message: str
    source: Source = field(repr=False)
    span: Span
    severity: Severity = Severity.ERROR
    label: str = ""
    help: str = ""
    note: str = ""
    also: tuple[Label, ...] = ()

    @property
    def file(self) -> str:
        """The name of the file the finding is in."""
        return self.source.name

    @property
    def line(self) -> int:
        """Line of the finding, from 1."""
        return self.source.position(self.span.start)[0]

    @property
    def column(self) -> int:
        """Column of the finding, from 1."""
        return self.source.position(self.span.start)[1]

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain values, for JSON. Lines and columns count from 1."""
        return {
            "file": self.file,
            **_region(self.source, self.span),
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "label": self.label,
            "note": self.note,
            "help": self.help,
            "also": [
                {**_region(self.source, label.span), "label": label.text} for label in self.also
            ],
        }

    def render(self, *, colour: bool = False) -> str:
        """The finding with its source lines underlined, as a compiler prints it."""

        def paint(style: str, text: str) -> str:
            code = _COLOURS.get(self.severity if style == "primary" else style)
            return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text

        head = paint("primary", f"{self.severity.value}[{self.code}]")
        notes = [pair for pair in (("note", self.note), ("help", self.help)) if pair[1]]
        return "\n".join(
            [
                f"{head}{paint('title', f': {visible(self.message)}')}",
                *snippet(self.source, Label(self.span, self.label), self.also, notes, paint),
            ]
        )


_COLOURS: Final = {
    Severity.ERROR: "1;31",
    Severity.WARNING: "1;33",
    Severity.NOTE: "1;36",
    "secondary": "1;34",
    "gutter": "1;34",
    "title": "1",
}


def _region(source: Source, span: Span) -> dict[str, int]:
    line, column = source.position(span.start)
    end_line, end_column = source.position(max(span.end, span.start))
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All findings as a compiler prints them, a blank line between two."""
    return "\n\n".join(diagnostic.render(colour=colour) for diagnostic in diagnostics)


class StatelangError(Exception):
    """Something cannot be read or used; the message names it, the place and the next step."""


class GrammarError(StatelangError):
    """A grammar file breaks the language's rules; `diagnostics` holds every finding."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(render(self.diagnostics))
