"""Conditions that need no configuration to be judged: true, or false, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from statelang.clauses.expression import (
    And,
    Compare,
    Count,
    Expression,
    Field,
    Last,
    Not,
    Old,
    Or,
    Register,
)
from statelang.clauses.values import Undefined
from statelang.compiling.env import Clause
from statelang.compiling.events import BeginSpan, CloseScope, EndSpan, Event, Gate, OpenScope
from statelang.compiling.program import Program, Read

_SAME: Final = {"==": True, "<=": True, ">=": True, "!=": False, "<": False, ">": False}


class _Unknown(Exception):
    """A value that only a configuration has."""


class _Nothing:
    """A view in which nothing can be looked at."""

    def __getattr__(self, name: str) -> Any:
        raise _Unknown


def truth(condition: Expression) -> bool | None:
    """The truth of a condition in every configuration; None where it depends on one.

    Undefined is false, as everywhere.
    """
    match condition:
        case And(left=left, right=right):
            return _joined(truth(left), truth(right), False)
        case Or(left=left, right=right):
            return _joined(truth(left), truth(right), True)
        case Not(inner=inner):
            found = truth(inner)
            return None if found is None else not found
        case Compare(relation=relation, left=left, right=right) if left == right:
            if isinstance(left, (Count, Field, Last, Old, Register)):
                return _SAME.get(relation)
    try:
        return bool(condition.evaluate(_Nothing()))
    except Undefined:
        return False
    except _Unknown:
        return None


def _joined(left: bool | None, right: bool | None, deciding: bool) -> bool | None:
    if deciding in (left, right):
        return deciding
    return None if None in (left, right) else not deciding


def events(program: Program) -> Iterator[Event]:
    """Everything that can happen on the way through a program."""
    for edges in program.edges:
        for edge in edges:
            if not isinstance(edge, Read) and edge.event is not None:
                yield edge.event


def conditions(program: Program) -> dict[int, Clause]:
    """Every condition of the program, once, in the order of the file."""
    found: dict[int, Clause] = {}
    for event in events(program):
        match event:
            case Gate(clauses=clauses) | OpenScope(gates=clauses) | EndSpan(clauses=clauses):
                found |= {id(clause): clause for clause in clauses}
            case CloseScope(clauses=clauses):
                found |= {id(clause): clause for clause in clauses}
            case BeginSpan(guards=guards):
                found |= {id(clause): clause for _, clause in guards}
    return dict(sorted(found.items(), key=lambda entry: entry[1].span.start))
