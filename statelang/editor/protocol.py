"""What the server says, in the protocol's own types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lsprotocol import types

from statelang.diagnostics import Diagnostic, Severity
from statelang.editor.clauses import Role
from statelang.editor.completion import Proposal
from statelang.editor.indexing import Index
from statelang.editor.lines import Definition
from statelang.editor.places import Places
from statelang.source import Span

_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_ITEMS: Final = {
    "state": types.CompletionItemKind.Class,
    "action": types.CompletionItemKind.Method,
    "part": types.CompletionItemKind.Struct,
    "terminal": types.CompletionItemKind.Constant,
    "field": types.CompletionItemKind.Field,
    "register": types.CompletionItemKind.Variable,
    "function": types.CompletionItemKind.Function,
    "type": types.CompletionItemKind.TypeParameter,
    "clause": types.CompletionItemKind.Keyword,
    "word": types.CompletionItemKind.Keyword,
}
_SYMBOLS: Final = {
    "state": types.SymbolKind.Class,
    "action": types.SymbolKind.Method,
    "part": types.SymbolKind.Struct,
    "terminal": types.SymbolKind.Constant,
}


def position(places: Places, offset: int) -> types.Position:
    """An offset as line and character."""
    return types.Position(*places.position(offset))


def range_(places: Places, span: Span) -> types.Range:
    """A span as two positions."""
    return types.Range(position(places, span.start), position(places, span.end))


def location(places: Places, uri: str, span: Span) -> types.Location:
    """A span in a file."""
    return types.Location(uri, range_(places, span))


def diagnostic(places: Places, uri: str, finding: Diagnostic) -> types.Diagnostic:
    """A finding; its second labels are related places."""
    notes = (f"{title}: {text}" for title in ("note", "help") if (text := getattr(finding, title)))
    return types.Diagnostic(
        range=range_(places, finding.span),
        message="\n".join([finding.message, *notes]),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source="statelang",
        related_information=[
            types.DiagnosticRelatedInformation(location(places, uri, label.span), label.text)
            for label in finding.also
        ],
    )


def completion(proposals: Iterable[Proposal]) -> list[types.CompletionItem]:
    """Proposals in the order in which they were made."""
    return [
        types.CompletionItem(
            label=proposal.name,
            kind=_ITEMS[proposal.kind],
            detail=proposal.kind,
            documentation=proposal.about or None,
            sort_text=f"{number:04}",
        )
        for number, proposal in enumerate(proposals)
    ]


def outline(places: Places, index: Index) -> list[types.DocumentSymbol]:
    """The registers, then every definition, each in the order of the file."""
    declared = {n.text: n for n in reversed(index.names) if n.defines and n.role is Role.REGISTER}
    registers = [
        types.DocumentSymbol(
            name=name,
            kind=types.SymbolKind.Variable,
            range=range_(places, Span(clause.start, clause.start + len(clause.text))),
            selection_range=range_(places, declared[name].span),
            detail=clause.doc,
        )
        for name, clause in index.registers.items()
    ]
    definitions = [
        types.DocumentSymbol(
            name=name,
            kind=_SYMBOLS[index.kind(name)],
            range=range_(places, definition.span),
            selection_range=range_(places, _head(definition)),
            detail=definition.doc,
        )
        for name, definition in index.definitions.items()
    ]
    return registers + definitions


def _head(definition: Definition) -> Span:
    return Span(definition.span.start, definition.span.start + len(definition.name))
