"""What is known of a space: that it is live, that it can lock, or how far the search came."""

from __future__ import annotations

from functools import lru_cache

from attrs import frozen

from statelang.compiling.env import Clause
from statelang.liveness.abstract import UNDEFINED, outcome
from statelang.liveness.clauses import shape
from statelang.liveness.proof import Proof, prove
from statelang.liveness.steps import Steps
from statelang.liveness.stuck import Exploration, explore
from statelang.space import StateSpace


@frozen
class Liveness:
    """Whether every trace that has begun can be brought to an end.

    `proved` says so for every problem, given the invariants in `assumed`, which are declared and
    neither proved nor refuted. Else `open` names the states where no way to the end is known, and
    `exploration` what walking the machine has met, a stuck trace at best.
    """

    proved: bool
    open: tuple[str, ...]
    assumed: tuple[str, ...]
    exploration: Exploration | None
    never: tuple[str, ...] = ()  # actions that can never be taken
    impossible: tuple[Clause, ...] = ()  # conditions that never hold
    idle: tuple[Clause, ...] = ()  # conditions that always hold
    endless: bool = False  # no trace can end

    def __str__(self) -> str:
        given = f", given that {' and '.join(self.assumed)}" if self.assumed else ""
        if self.proved:
            return f"proved live{given}"
        found = self.exploration
        if found is None:
            return "not proved live"
        if found.stuck is not None:
            return f"not live: stuck after {_steps(found.steps)}"
        return (
            f"not proved live: {_unproved(self.open)}; no stuck trace among {found.explored} "
            f"configurations of up to {_steps(found.steps)}"
        )


def _steps(number: int) -> str:
    return "one step" if number == 1 else f"{number} steps"


def _unproved(names: tuple[str, ...]) -> str:
    if not names:
        return "its limits and registers multiply to too many cases for a proof"
    return f"no way to the end is known from {', '.join(f'`{name}`' for name in names)}"


@lru_cache(maxsize=32)
def liveness(space: StateSpace) -> Liveness:
    """Prove that a space is live, or look for a trace that gets stuck.

    Bounded by `proof.MAX_NODES` and `stuck.MAX_CONFIGURATIONS`.
    """
    proof = prove(space.program)
    known = _proved_invariants(space, proof)
    assumed = tuple(c.text for c in space.program.invariants if c.text not in known)
    exploration = None if proof.holds and not assumed else explore(space)
    order = [state.name for state in space.states]
    return Liveness(
        proof.holds,
        tuple(sorted(proof.open or (), key=order.index)),
        tuple(text.removeprefix("invariant ") for text in assumed),
        exploration,
        _never(space, proof),
        *_verdicts(proof),
        endless=proof.open is not None and not proof.ends,
    )


def _proved_invariants(space: StateSpace, proof: Proof) -> set[str]:
    return {
        clause.text
        for clause in space.program.invariants
        if proof.between and all(outcome(clause.expression, at) == {True} for at in proof.between)
    }


def _never(space: StateSpace, proof: Proof) -> tuple[str, ...]:
    if proof.open is None or proof.steps is None:
        return ()
    return tuple(
        name for index, name in enumerate(space.program.actions) if index not in proof.done
    )


def _verdicts(proof: Proof) -> tuple[tuple[Clause, ...], tuple[Clause, ...]]:
    """Conditions that never hold, and that always do, wherever they are judged."""
    if proof.open is None or proof.steps is None:
        return (), ()
    return _by_outcome(proof.steps)


def _by_outcome(steps: Steps) -> tuple[tuple[Clause, ...], tuple[Clause, ...]]:
    together: dict[tuple[object, ...], tuple[Clause, set[object]]] = {}
    for key, outcomes in steps.verdicts.items():
        clause = steps.clauses[key]
        place = clause.span, shape(clause.expression)
        together.setdefault(place, (clause, set()))[1].update(outcomes)
    never = [c for c, outcomes in together.values() if not outcomes - {False, UNDEFINED}]
    always = [c for c, outcomes in together.values() if outcomes == {True}]
    return tuple(never), tuple(always)
