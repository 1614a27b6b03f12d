"""Conditions that a mask cannot enforce: they are judged when their rule is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from statelang.clauses.expression import enforceable, excludes
from statelang.compiling.env import Clause
from statelang.compiling.events import BeginSpan, CloseScope, EndSpan
from statelang.compiling.program import Call, Edge, Program, Read
from statelang.diagnostics import Diagnostic, Severity
from statelang.language.syntax import File
from statelang.regular.automaton import Regular
from statelang.source import Span
from statelang.space import StateSpace

_FEW: Final = 1_000  # texts of a field: a search can try them all
_FORMS: Final = (
    "a mask decides `F == e`, `F != e`, `F in S`, `F not in S` and `F ~ e`, where `F` is the last "
    "field of the condition"
)


def findings(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    """One finding for each condition that leaves a field of many texts open."""
    beyond = {span: None for edges in _bodies(space.program) for span in _beyond(edges)}
    for span in sorted(beyond, key=lambda span: span.start):
        yield Diagnostic(
            "SL425",
            "the mask cannot enforce this exactly",
            file.source,
            span,
            Severity.WARNING,
            label="judged when the rule is complete",
            note=_FORMS,
            help="write `checks` for `requires`, or write the condition in one of these forms",
        )


def _bodies(program: Program) -> Iterator[dict[int, list[Edge]]]:
    """The edges of each body by position: the numbers of fields count within a body."""
    edges = [edge for edges in program.edges for edge in edges]
    for entry in {edge.entry for edge in edges if isinstance(edge, Call)}:
        found: dict[int, list[Edge]] = {}
        todo = [entry]
        while todo:
            at = todo.pop()
            if at not in found:
                found[at] = program.edges[at]
                todo += [edge.target for edge in program.edges[at]]
        yield found


def _beyond(body: dict[int, list[Edge]]) -> Iterator[Span]:
    enforced: set[int] = set()
    waiting: list[Clause] = []
    bound: dict[int, bool] = {}  # fields with few texts, by slot
    for edges in body.values():
        for edge in edges:
            event = None if isinstance(edge, Read) else edge.event
            if isinstance(event, (CloseScope, EndSpan)):
                waiting += event.clauses
            elif isinstance(event, BeginSpan):
                exact = [(s, c) for s, c in event.guards if enforceable(c.expression, s)]
                enforced |= {id(clause) for _, clause in exact}
                few = any(not excludes(clause.expression) for _, clause in exact)
                for slot, more in _written(body, edge.target):
                    bound[slot] = bound.get(slot, True) and (few or more)
    for clause in waiting:
        if clause.kind == "requires" and id(clause) not in enforced:
            if not all(bound.get(slot, False) for slot in clause.expression.slots):
                yield clause.span


def _written(body: dict[int, list[Edge]], at: int) -> Iterator[tuple[int, bool]]:
    """The fields that the terminal at a position is written to, and whether its texts are few."""
    for read in body[at]:
        if isinstance(read, Read):
            few = _texts(read.language) <= _FEW
            for after in body[read.target]:
                if not isinstance(after, Read) and isinstance(after.event, EndSpan):
                    yield from ((slot, few) for slot, _ in after.event.slots)


def _texts(language: Regular) -> int:
    """How many texts a terminal has, or a number above _FEW."""
    match language.kind, language.parts:
        case "bytes", (int() as byte_set,):
            return byte_set.bit_count()
        case "then", (Regular() as first, Regular() as second):
            return min(_texts(first) * _texts(second), _FEW + 1)
        case "either", parts:
            return sum(_texts(part) for part in parts if isinstance(part, Regular))
        case "repeat", (Regular() as item, _, int() as high):
            texts = 1
            for _ in range(min(high, 10)):  # two texts ten times are more than a few
                texts *= _texts(item) + 1
            return min(texts, _FEW + 1)
        case "empty", _:
            return 1
    return _FEW + 1
