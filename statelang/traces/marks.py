"""Which alternatives of the states a trace takes: a machine that keeps them in its trail."""

from __future__ import annotations

from functools import lru_cache

from attrs import define, evolve, frozen

from statelang.compiling.env import Clause, Env, Trail
from statelang.compiling.events import Event
from statelang.compiling.program import Call, Pass, Program
from statelang.space import StateSpace, Transition


@define(eq=False)
class Taken(Event):
    """Alternative `index` is taken: an entry of the trail, as `~index`."""

    index: int

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        number = env.trail.number if env.trail else 0
        env.trail = Trail(~self.index, base + at, base + at, env.trail, number)
        return None


@frozen(eq=False)
class Marked:
    """A space whose machine marks the alternatives it takes, and these by their index.

    An empty alternative ("may stop here") is a transition without action, call and target.
    """

    space: StateSpace
    alternatives: tuple[Transition, ...]


@lru_cache(maxsize=32)
def marked(space: StateSpace) -> Marked:
    """The same space, its program with a mark before every alternative of a state."""
    program = evolve(space.program, edges=[list(edges) for edges in space.program.edges])
    alternatives: list[Transition] = []
    for place, state in space.program.states.items():
        transitions = iter([one for one in space.transitions if one.source == state])
        for number, edge in enumerate(space.program.edges[place]):
            writes = _is_call(program, place, number)
            taken = next(transitions) if writes else Transition(state, None, None)
            at = program.position()
            program.edges[at].append(edge)
            program.edges[place][number] = Pass(at, Taken(len(alternatives)))
            alternatives.append(taken)
    return Marked(evolve(space, program=program), tuple(alternatives))


def _is_call(program: Program, place: int, number: int) -> bool:
    """Whether an alternative runs an action or a machine, behind its gate if it has one."""
    edge = program.edges[place][number]
    while isinstance(edge, Pass) and edge.event is not None:
        edge = program.edges[edge.target][0]
    return isinstance(edge, Call)


def taken(env: Env) -> tuple[int, ...]:
    """The alternatives that a walk of a marked machine has taken, in their order."""
    found, trail = [], env.trail
    while trail is not None:
        if trail.action < 0:
            found.append(~trail.action)
        trail = trail.before
    return tuple(reversed(found))
