"""Contracts that say nothing, and registers that nothing needs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from typing import Final

from statelang.checks.conditions import conditions, truth
from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import table
from statelang.language.syntax import Alternative, Comment, Definition, File, Reference, Sequence
from statelang.snippet import Label
from statelang.source import Span
from statelang.space import StateSpace

_WORDS: Final = re.compile(r'"(?:\\.|[^"\\])*"|([A-Za-z_][A-Za-z0-9_]*)')


def findings(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    """Every finding about contracts that can be read and say too little."""
    yield from _constant(file, space)
    yield from _registers(file, space)


def _constant(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    truths: dict[Span, bool] = {}
    for clause in conditions(space.program).values():
        if clause.kind in ("requires", "checks"):
            found = truth(clause.expression)
            if found is not None:
                truths[clause.span] = truths.get(clause.span, True) and found
    shut = {span for span, found in truths.items() if not found}
    yield from _never_taken(file, shut)
    for span, found in truths.items():
        text = file.source.text[span.start : span.end]
        if span in shut:
            yield Diagnostic(
                "SL422", "this can never hold", file.source, span, Severity.WARNING,
                label="false in every configuration", help="mend the condition",
            )  # fmt: skip
        elif found and " and " not in text:
            yield Diagnostic(
                "SL421", "this always holds", file.source, span, Severity.WARNING,
                label="true in every configuration", help="remove it, or mend the condition",
            )  # fmt: skip


def _never_taken(file: File, shut: set[Span]) -> Iterator[Diagnostic]:
    """Actions all of whose transitions are shut; the gates are not reported again."""
    ways: dict[str, list[Alternative]] = defaultdict(list)
    definitions: dict[str, Definition] = table(file)
    for definition in definitions.values():
        if definition.is_state:
            for alternative in definition.alternatives:
                first = _first(alternative, definitions)
                if first is not None:
                    ways[first].append(alternative)
    for action, alternatives in ways.items():
        gates = [a.contract for a in alternatives if a.contract and a.contract.span in shut]
        if len(gates) == len(alternatives):
            shut -= {gate.span for gate in gates}
            yield Diagnostic(
                "SL215",
                f"the action `{action}` can never be taken",
                file.source,
                definitions[action].span,
                Severity.WARNING,
                label="every transition to it is shut",
                help="mend a gate, or remove the action with its transitions",
                also=tuple(Label(gate.span, "false in every configuration") for gate in gates),
            )


def _first(alternative: Alternative, definitions: dict[str, Definition]) -> str | None:
    body = alternative.body
    items = body.items if isinstance(body, Sequence) else (body,)
    first = items[0] if items else None
    if isinstance(first, Reference) and not definitions[first.name].is_state:
        return first.name
    return None


# -- registers


def direct(
    file: File, known: Container[str], findings: Iterable[Diagnostic]
) -> Iterator[Diagnostic]:
    """The findings without those that only follow from a register whose declaration is wrong."""
    broken = {
        f"`{name}`"
        for comment in _contracts(file)
        for word, *names in [_names(comment.text) or [""]]
        if word in ("ghost", "input")
        for name in _declared(names)
        if name not in known
    }
    for finding in findings:
        if finding.code != "SL403" or not any(name in finding.message for name in broken):
            yield finding


def _declared(names: list[str]) -> list[str]:
    """The register that a declaration names, from the words after the first."""
    return [name for name in names if name not in ("kept", "hidden")][:1]


def _registers(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    declared: dict[str, Comment] = {}
    read: set[str] = set()
    written: set[str] = set()
    for comment in _contracts(file):
        word, *names = _names(comment.text) or [""]
        if word in ("ghost", "input"):
            (own,) = _declared(names)
            declared[own] = comment
            read |= set(names) - {own}
        elif word == "set":
            written.add(names[0])
            read |= set(names[1:]) - {names[0]}
        else:
            read |= set(names)
            if word == "restore":
                written |= declared.keys()
    hidden = {register.name: register.hidden for register in space.inputs}
    for name, comment in declared.items():
        is_input = name in hidden
        place = _place(file, comment, name)
        if name not in read and (not is_input or hidden[name]):
            kind = "input" if is_input else "register"
            yield Diagnostic(
                "SL423", f"the {kind} `{name}` is never read", file.source, place,
                Severity.WARNING, label="no condition depends on it",
                help="remove it with its `set` lines, or use it in a condition",
            )  # fmt: skip
        elif not is_input and name not in written:
            yield Diagnostic(
                "SL424", f"the register `{name}` is never set", file.source, place,
                Severity.WARNING, label="it keeps its first value",
                help=f"add `//@ set {name} = ...` to a rule, or write the value where it is used",
            )  # fmt: skip


def _contracts(file: File) -> Iterator[Comment]:
    for block, _ in file.comments:
        yield from (comment for comment in block if comment.contract)
    for definition in file.definitions:
        yield from definition.contracts
        yield from (a.contract for a in definition.alternatives if a.contract)


def _names(clause: str) -> list[str]:
    """The words of a clause, without those in quotes."""
    return [match[1] for match in _WORDS.finditer(clause) if match[1]]


def _place(file: File, comment: Comment, name: str) -> Span:
    start = comment.span.start
    found = re.compile(rf"\b{name}\b").search(file.source.text, start + len("//@ ghost"))
    return Span(found.start(), found.end()) if found else comment.span
