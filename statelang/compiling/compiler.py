"""From the tree of a grammar file to a program: bodies laid out, contracts resolved, edges made."""

from __future__ import annotations

from collections.abc import Iterable

from statelang.clauses.values import Type
from statelang.compiling.bodies import Bodies, TooLarge
from statelang.compiling.contracts import Contracts, Register, read_types
from statelang.compiling.env import Clause
from statelang.compiling.program import Program
from statelang.compiling.ties import tie
from statelang.compiling.wiring import wire
from statelang.diagnostics import Diagnostic
from statelang.language.syntax import Comment, Definition
from statelang.language.terminals import Terminals
from statelang.regular.automaton import Regular
from statelang.source import Source


class Compiler:
    """One file on its way: `run` does everything once, the tables are read afterwards."""

    def __init__(
        self,
        source: Source,
        definitions: dict[str, Definition],
        terminals: Terminals,
        languages: dict[str, Regular],
        actions: tuple[str, ...],
    ) -> None:
        self.definitions = definitions
        self.languages = languages
        self.actions = actions
        self.types: dict[str, Type] = {}
        self.bodies = Bodies(definitions, terminals, languages, self.types)
        self.contracts = Contracts(source, definitions, self.bodies, actions)

    def run(self, comments: Iterable[tuple[tuple[Comment, ...], int]]) -> Program:
        """The program; empty where something is wrong (`findings`). Raises TooLarge."""
        blocks = [block for block, _ in comments]
        read_types(self.contracts, self.types)
        self.contracts.read_registers(blocks)
        self.bodies.lay_out(self.actions)
        self.contracts.read(blocks)
        if self.findings:
            return Program()
        tie(self.bodies, (gate for gates in self.gates.values() for gate in gates), self.actions)
        return wire(self.definitions, self.bodies, self.contracts, self.actions)

    @property
    def findings(self) -> list[Diagnostic]:
        """What is wrong with the contracts."""
        return self.contracts.findings

    @property
    def registers(self) -> list[Register]:
        """Ghost registers and inputs, in the order of the file."""
        return self.contracts.registers

    @property
    def gates(self) -> dict[tuple[str, int], tuple[Clause, ...]]:
        """What a transition requires, by state and alternative."""
        return self.contracts.gates


__all__ = ["Compiler", "Register", "TooLarge"]
