"""Where reading does not get on: rules that begin with themselves, and what never ends."""

from __future__ import annotations

from collections.abc import Iterator

from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import circular, nullable, productive, references, table
from statelang.language.syntax import Choice, Definition, File, Item, Reference, Repeat, Sequence


def findings(file: File) -> Iterator[Diagnostic]:
    """Every finding about endings."""
    definitions = table(file)
    yield from _left_recursion(file, definitions)
    yield from _never_ends(file, definitions)
    yield from _only_stops(file)


def _heads(item: Item, empty: set[str]) -> tuple[set[str], bool]:
    """The rules an item may begin with, and whether it can be empty."""
    match item:
        case Sequence(items, _):
            found: set[str] = set()
            for part in items:
                more, can_be_empty = _heads(part, empty)
                found |= more
                if not can_be_empty:
                    return found, False
            return found, True
        case Choice(alternatives, _):
            parts = [_heads(a, empty) for a in alternatives]
            return set().union(*(p[0] for p in parts)), any(p[1] for p in parts)
        case Repeat(inner, low, _, _):
            found, can_be_empty = _heads(inner, empty)
            return found, can_be_empty or low == 0
        case Reference(name, _):
            return {name}, name in empty
    return set(), False


def _left_recursion(file: File, definitions: dict[str, Definition]) -> Iterator[Diagnostic]:
    empty = nullable(definitions)
    first = {n: _heads(d.body, empty)[0] for n, d in definitions.items() if not d.is_terminal}
    again = circular(first)
    for name in first:
        if name in again:
            message = f"`{name}` begins with itself"
            help_ = "write the repetition out: `sum : term (SIGN term)*`"
            yield Diagnostic("SL108", message, file.source, definitions[name].span, help=help_)


def _never_ends(file: File, definitions: dict[str, Definition]) -> Iterator[Diagnostic]:
    """What no finite text matches; a rule that only uses such a one is not blamed for it."""
    ends = productive(definitions)
    endless = {name: d for name, d in definitions.items() if name not in ends}
    others = {
        name: {r.name for r in references(d)} & endless.keys() - {name}
        for name, d in endless.items()
    }
    together = circular(others)
    for name, definition in endless.items():
        if others[name] and name not in together:
            continue
        code, kind, help_ = "SL205", "rule", "give it an alternative that does not use it again"
        if definition.is_state:
            code, kind = "SL202", "state"
            help_ = "give it a transition that leads to the end: an action that stands alone"
        yield Diagnostic(
            code, f"the {kind} `{name}` never ends", file.source, definition.span,
            label="no way from here comes to an end", help=help_,
        )  # fmt: skip


def _only_stops(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        if definition.is_state and not references(definition):
            yield Diagnostic(
                "SL213",
                f"the state `{definition.name}` is never left",
                file.source,
                definition.span,
                Severity.WARNING,
                label="nothing can be done here but stop",
                help="end the trace with the action before it: write `action` without a state",
            )
