"""The state space: states, actions and the transitions between them. Frozen; walked elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from attrs import field, frozen

from statelang.clauses.values import Type
from statelang.compiling.compiler import Register
from statelang.compiling.program import Answer, Program
from statelang.regular.automaton import Regular
from statelang.source import Source


@frozen
class State:
    """Where a trace may stand between two steps."""

    name: str
    doc: str = ""


@frozen
class Action:
    """What one step writes."""

    name: str
    doc: str = ""


@frozen
class Transition:
    """`source -- action --> target`; a target of None ends the trace (or returns from a call).

    With `call`, the machine that starts at that state runs in place of an action. `gates` are the
    contract lines that must hold for the transition to be open.
    """

    source: str
    action: str | None
    target: str | None
    call: str | None = None
    gates: tuple[str, ...] = ()


@frozen
class Terminal:
    """A named piece of payload text, as a regular language over UTF-8, and what it means."""

    name: str
    language: Regular = field(repr=False)
    type: Type
    doc: str = ""


@frozen(eq=False)
class StateSpace:
    """A reasoning method: a finite-state machine over actions, with payloads and contracts.

    `stops` are the states where a trace may end; `contracts` the contract lines by rule;
    `literals` every quoted text of the payloads, in the order of the file.
    """

    name: str
    source: Source = field(repr=False)
    doc: str
    states: tuple[State, ...]
    actions: tuple[Action, ...]
    transitions: tuple[Transition, ...]
    terminals: tuple[Terminal, ...] = field(repr=False)
    registers: tuple[Register, ...] = field(repr=False)
    stops: frozenset[str]
    contracts: Mapping[str, tuple[str, ...]] = field(repr=False)
    literals: tuple[str, ...] = field(repr=False)
    program: Program = field(repr=False)

    @property
    def hash(self) -> str:
        """SHA-256 of the grammar file's text, in hexadecimal."""
        return self.source.hash

    @property
    def answer(self) -> Answer | None:
        """Where the answer of a trace stands, if the space says so."""
        return self.program.answer

    @property
    def inputs(self) -> tuple[Register, ...]:
        """The values that come with a problem."""
        return tuple(r for r in self.registers if r.initial is None)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: by name, as the page needs the space and is seldom asked for."""
        bundle: dict[str, str] = import_module("statelang.drawing.page").bundle(self)
        return bundle
