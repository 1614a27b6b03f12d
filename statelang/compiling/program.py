"""The compiled form of a grammar: positions, edges between them, and events on the way.

A program is a recursive transition network. Its edges read a regular language (`Read`), run
another body and come back (`Call`), or read nothing and let an event happen (`Pass`). Events move
the registers and fields of an `Env`; they are where contracts are judged.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from statelang.clauses.expression import Expression
from statelang.clauses.values import Type
from statelang.compiling.env import Clause
from statelang.compiling.events import Event
from statelang.regular.automaton import Regular

END: Final = -1


@frozen(eq=False)
class Read:
    """Read a text of a regular language and be at `target`."""

    language: Regular
    target: int
    name: str


@frozen(eq=False)
class Pass:
    """Read nothing and be at `target`; an event may happen."""

    target: int
    event: Event | None = None


@frozen(eq=False)
class Call:
    """Run another body and come back at `target`."""

    entry: int
    target: int
    event: Event | None = None


Edge = Read | Pass | Call


@frozen
class Answer:
    """Which field answers, and how answers compare (`contracts.COMPARISONS`)."""

    action: int
    slot: int
    path: str
    type: Type
    comparison: str


@define(eq=False)
class Program:
    """All positions. A position without edges returns to its caller, or ends the trace."""

    edges: list[list[Edge]] = field(factory=list)
    states: dict[int, str] = field(factory=dict)
    entry: int = 0
    actions: tuple[str, ...] = ()
    registers: tuple[tuple[str, Type, Expression | None], ...] = ()
    answer: Answer | None = None
    free: set[int] = field(factory=set)  # after a field whose text binds nothing in its own step
    kept: frozenset[int] = frozenset()  # registers that `restore` leaves alone
    invariants: tuple[Clause, ...] = ()
    functions: tuple[str, ...] = ()  # what `writes` clauses call
    tools: int | None = None  # the register that holds the environment
    marks: int | None = None  # the register that holds what `mark` saves
    deepest: dict[int, tuple[int, Clause]] = field(factory=dict)  # entry: nested calls allowed
    returns: dict[int, int] = field(factory=dict)  # where such a call comes back: its entry

    def position(self) -> int:
        """A new position."""
        self.edges.append([])
        return len(self.edges) - 1
