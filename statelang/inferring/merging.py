"""A small machine that accepts given sequences, learnt from them alone.

ALERGIA (Carrasco and Oncina 1994), in AALpy, reads positive examples: it joins two beginnings of
sequences where their continuations could have been drawn from one distribution. The probabilities
are dropped, and then states with the same continuations are joined too (Moore 1956). Joining only
ever adds: all the sequences are accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from statelang.diagnostics import StatelangError

_ALPHA: Final = 0.005  # how often beginnings that belong together may stay apart
_BEGIN, _END = "(begin)", "(end)"  # names are letters, digits and underscores


@frozen
class Graph:
    """A deterministic machine: for each state its edges, as name -> state, and where it may stop.

    State 0 is the first, and no edge leads back to it.
    """

    edges: tuple[Mapping[str, int], ...]
    stops: frozenset[int]

    def walk(self, sequence: Sequence[str]) -> list[int]:
        """The states that a sequence passes, the first included. Raises KeyError."""
        states = [0]
        for name in sequence:
            states.append(self.edges[states[-1]][name])
        return states


def learn(sequences: Sequence[Sequence[str]]) -> Graph:
    """The machine. Raises StatelangError where AALpy is missing."""
    try:
        from aalpy import run_Alergia
    except ModuleNotFoundError:
        raise StatelangError(
            "AALpy is missing, which learns machines from traces; install it with "
            '`pip install "statelang[infer]"`'
        ) from None

    chain = run_Alergia([[_BEGIN, *names, _END] for names in sequences], "mc", eps=_ALPHA)
    seen = dict.fromkeys(name for names in sequences for name in names)
    order = {name: number for number, name in enumerate([*seen, _END])}
    states = [chain.initial_state]
    edges: list[dict[str, int]] = []
    for state in states:  # grows, breadth first: the same in every run
        ways = sorted((after for after, _ in state.transitions), key=lambda way: order[way.output])
        states += (way for way in ways if way not in states)
        edges.append({way.output: states.index(way) for way in ways})
    return _smallest(edges)


def _smallest(edges: Sequence[Mapping[str, int]]) -> Graph:
    """Join the states from which the same sequences lead to the end."""
    classes, count = [0] * len(edges), 0
    while True:
        numbers: dict[object, int] = {}
        classes = [
            numbers.setdefault(
                (state == 0, frozenset((name, classes[after]) for name, after in ways.items())),
                len(numbers),
            )
            for state, ways in enumerate(edges)
        ]
        if len(numbers) == count:
            break
        count = len(numbers)
    first = {number: state for state, number in reversed([*enumerate(classes)])}
    ends = {classes[ways[_END]] for ways in edges if _END in ways}
    kept = [number for number in sorted(first) if number not in ends]
    place = {number: index for index, number in enumerate(kept)}
    joined = [edges[first[number]] for number in kept]
    return Graph(
        tuple(
            {name: place[classes[after]] for name, after in ways.items() if name != _END}
            for ways in joined
        ),
        frozenset(index for index, ways in enumerate(joined) if _END in ways),
    )


def state_names(graph: Graph, sequences: Sequence[Sequence[str]]) -> list[str]:
    """A name for each state: after the step that leads there most often."""
    entered = [Counter[str]() for _ in graph.edges]
    for names in sequences:
        for name, state in zip(names, graph.walk(names)[1:], strict=True):
            entered[state][name] += 1
    found = ["start"]
    for counts in entered[1:]:
        base = f"_after_{min(counts, key=lambda name: (-counts[name], name))}"
        number = sum(other == base or other.startswith(f"{base}_") for other in found)
        found.append(f"{base}_{number + 1}" if base in found else base)
    return found
