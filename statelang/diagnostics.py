"""Findings about a grammar file, and the errors this package raises."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from statelang.source import Source, Span


class Severity(StrEnum):
    """An error stops `load`; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@frozen
class Diagnostic:
    """One finding: a stable rule id, what is wrong, where, and what to do next."""

    code: str
    message: str
    source: Source = field(repr=False)
    span: Span
    severity: Severity = Severity.ERROR
    label: str = ""
    help: str = ""

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
        """The finding as plain values, for JSON."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "help": self.help,
        }

    def render(self) -> str:
        """The finding with its source line underlined, as a compiler prints it."""
        line, column = self.source.position(self.span.start)
        text = self.source.line(line)
        width = max(1, min(self.span.end - self.span.start, len(text) - column + 1))
        gutter = " " * len(str(line))
        marker = " " * (column - 1) + "^" * width + (f" {self.label}" if self.label else "")
        rows = [
            f"{self.severity.value}[{self.code}]: {self.message}",
            f"{gutter}--> {self.file}:{line}:{column}",
            f"{gutter} |",
            f"{line} | {text}".rstrip(),
            f"{gutter} | {marker}",
        ]
        if self.help:
            rows += [f"{gutter} = help: {self.help}"]
        return "\n".join(rows)


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings as a compiler prints them, a blank line between two."""
    return "\n\n".join(diagnostic.render() for diagnostic in diagnostics)


class StatelangError(Exception):
    """Something cannot be read or used; the message names it, the place and the next step."""


class GrammarError(StatelangError):
    """A grammar file breaks the language's rules; `diagnostics` holds every finding."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(render(self.diagnostics))
