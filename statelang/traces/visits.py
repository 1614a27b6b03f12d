"""Which states and transitions traces visit, and a few traces that visit every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from attrs import frozen

from statelang.space import StateSpace, Transition
from statelang.traces.marks import marked, taken
from statelang.walking.machine import Machine


@frozen
class Coverage:
    """How often the legal ones of some traces visit each part of a space; what is 0 never.

    `pairs` are transitions one directly after the other, by their indices in `transitions`: those
    that the control graph allows. An empty alternative ("may stop here") is a transition too.
    """

    legal: int
    illegal: int
    states: Mapping[str, int]
    transitions: tuple[tuple[Transition, int], ...]
    pairs: Mapping[tuple[int, int], int]

    @property
    def is_complete(self) -> bool:
        """Whether every transition is visited."""
        return all(visits for _, visits in self.transitions)


@lru_cache(maxsize=32)
def _machine(space: StateSpace) -> Machine:
    return Machine(marked(space).space, guards=False)


def visited(
    space: StateSpace, text: str, problem: Mapping[str, Any] | None = None
) -> tuple[int, ...] | None:
    """The transitions that a legal trace takes, as indices; None for a trace that is not legal.

    Raises StatelangError for an input that is missing or of another type.
    """
    machine = _machine(space)
    end = machine.advance(machine.start(problem), text.encode(errors="surrogatepass"))
    env = machine.ends(end) if end is not None else None
    return taken(env) if env is not None else None


def coverage(space: StateSpace, traces: Iterable[tuple[str, Mapping[str, Any] | None]]) -> Coverage:
    """Count what traces visit; each comes with its problem, or None. They are read once, and not
    kept.

    Raises StatelangError for an input that is missing or of another type.
    """
    counts: Counter[int] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    legal = illegal = 0
    for text, problem in traces:
        found = visited(space, text, problem)
        if found is None:
            illegal += 1
            continue
        legal += 1
        counts.update(found)
        pairs.update(pairwise(found))
    alternatives = marked(space).alternatives
    states = dict.fromkeys((state.name for state in space.states), 0)
    for index, visits in counts.items():
        states[alternatives[index].source] += visits
    return Coverage(
        legal,
        illegal,
        states,
        tuple((one, counts[index]) for index, one in enumerate(alternatives)),
        {pair: pairs[pair] for pair in possible_pairs(alternatives)},
    )


def possible_pairs(alternatives: tuple[Transition, ...]) -> list[tuple[int, int]]:
    """The transitions that may stand one directly after the other, by the control graph.

    After a transition that ends its machine comes what follows a call of it: of every call from
    which the machine reaches that transition.
    """
    of_state: dict[str, list[int]] = {}
    for index, one in enumerate(alternatives):
        of_state.setdefault(one.source, []).append(index)
    machines = {one.call for one in alternatives if one.call} | {"start"}
    members = {machine: _reached(machine, alternatives, of_state) for machine in machines}
    after: dict[str, set[int]] = {machine: set() for machine in machines}
    changed = True
    while changed:  # a call at the end of a machine returns to where that machine returns
        changed = False
        for one in alternatives:
            if one.call is None:
                continue
            if one.target is not None:
                new = set(of_state[one.target])
            else:
                new = {i for m in machines if one.source in members[m] for i in after[m]}
            changed = changed or not new <= after[one.call]
            after[one.call] |= new
    found = []
    for index, one in enumerate(alternatives):
        if one.call is not None:
            following = set(of_state[one.call])
        elif one.target is not None:
            following = set(of_state[one.target])
        else:
            following = {i for m in machines if one.source in members[m] for i in after[m]}
        found += [(index, other) for other in sorted(following)]
    reached, todo = set(of_state["start"]), list(of_state["start"])
    while todo:
        at = todo.pop()
        new = {second for first, second in found if first == at} - reached
        reached |= new
        todo += new
    return [(first, second) for first, second in found if first in reached]


def _reached(
    machine: str, alternatives: tuple[Transition, ...], of_state: Mapping[str, list[int]]
) -> set[str]:
    """The states of a machine: those that its targets lead to."""
    reached, todo = {machine}, [machine]
    while todo:
        for index in of_state[todo.pop()]:
            target = alternatives[index].target
            if target is not None and target not in reached:
                reached.add(target)
                todo.append(target)
    return reached
