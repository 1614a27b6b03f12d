"""Judge `checks` while a trace is written: which step failed, and where it began.

A mask does not see these clauses. They hold or fail once a rule is complete; a step that fails is
sampled again (`statelang.engine.decoding.loop`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import define, evolve, field

from statelang.compiling.events import CloseScope
from statelang.compiling.program import Edge, Program, Read
from statelang.space import StateSpace
from statelang.walking.machine import Configuration, Machine


def has_checks(space: StateSpace) -> bool:
    """Whether some clause of a space is judged only when its rule is complete by declaration."""
    return any(
        clause.kind == "checks"
        for edges in space.program.edges
        for edge in edges
        if not isinstance(edge, Read) and isinstance(edge.event, CloseScope)
        for clause in edge.event.clauses
    )


@lru_cache(maxsize=32)
def unchecked(space: StateSpace) -> StateSpace:
    """The same space without its `checks`."""
    program: Program = space.program
    edges = [[_unchecked(edge) for edge in edges] for edges in program.edges]
    return evolve(space, program=evolve(program, edges=edges))


def _unchecked(edge: Edge) -> Edge:
    if isinstance(edge, Read) or not isinstance(edge.event, CloseScope):
        return edge
    kept = tuple(clause for clause in edge.event.clauses if clause.kind != "checks")
    return evolve(edge, event=evolve(edge.event, clauses=kept))


@lru_cache(maxsize=32)
def _machine(space: StateSpace) -> Machine:
    return Machine(space, guards=False)


@define(eq=False)
class Judge:
    """Follows one trace, token by token, with its `checks`.

    What tools wrote is taken as it stands: it was forced.
    """

    machine: Machine
    _after: list[Configuration]
    _ends: list[int] = field(factory=lambda: [0])  # bytes, after each number of tokens

    @classmethod
    def of(cls, space: StateSpace, problem: Mapping[str, Any] | None) -> Judge:
        """At the beginning of a trace. Raises StatelangError for an input that is missing."""
        machine = _machine(space)
        return cls(machine, [machine.start(problem)])

    def takes(self, text: bytes) -> bool:
        """Go on by a token; False, and nothing changes, where a step fails with it."""
        following = self.machine.advance(self._after[-1], text)
        if following is None:
            return False
        self._after.append(following)
        self._ends.append(self._ends[-1] + len(text))
        return True

    def ends(self) -> bool:
        """Whether the trace may end here."""
        return self.machine.ends(self._after[-1]) is not None

    def opening(self, text: bytes = b"") -> int:
        """The tokens before the step under way, or before the one that fails within `text`; a
        token that only ends in the step counts to it."""
        at = self._after[-1]
        for byte in text:
            following = self.machine.advance(at, bytes((byte,)))
            if following is None:
                break
            at = following
        trail = at.alive[0][1].trail
        begin = 0 if trail is None else trail.start if trail.end < 0 else trail.end
        count = len(self._ends) - 1
        while self._ends[count] > begin:
            count -= 1
        return count

    def rollback(self, count: int) -> None:
        """Go back to where there were so many tokens."""
        del self._after[count + 1 :], self._ends[count + 1 :]
