"""Worked examples: a problem with a legal trace, given, shipped with a grammar, or searched for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen

from statelang.compiling.env import Trail
from statelang.diagnostics import StatelangError
from statelang.space import StateSpace
from statelang.walking.machine import Machine
from statelang.walking.search import Node, Order, Search

_LIMIT: Final = 4_000  # nodes that a search may visit
_WIDTHS: Final = (1, 4)  # bytes tried of each kind


@frozen
class Example:
    """A problem (its `question` and the space's inputs) and a trace that solves it."""

    text: str
    problem: Mapping[str, Any] = field(factory=dict)


def steps(space: StateSpace, example: Example) -> tuple[tuple[str, str], ...]:
    """The actions of an example, each with its text. Raises StatelangError where it is not legal,
    or an input is missing."""
    machine = _machine(space)
    data = example.text.encode()
    read = machine.advance(machine.start(example.problem), data)
    end = machine.ends(read) if read is not None else None
    if end is None:
        raise StatelangError(
            f"the example is no legal trace of the space `{space.name}`; `statelang validate "
            f"{space.source.name} FILE` says what is wrong with it"
        )
    found, trail = [], end.trail
    while trail is not None:
        action = space.program.actions[trail.action]
        found.append((action, data[trail.start : trail.end].decode()))
        trail = trail.before
    return tuple(reversed(found))


@lru_cache(maxsize=16)
def _machine(space: StateSpace) -> Machine:
    return Machine(space)


def example_of(space: StateSpace) -> Example | None:
    """The example that ships with a space; else a trace that takes a new action wherever it may.

    None where neither can be had: a trace needs the inputs of a problem, and is looked for within
    bounds.
    """
    beside = files("statelang.grammars").joinpath(f"{space.source.name}.example.json")
    if "/" not in space.source.name and beside.is_file():
        row = json.loads(beside.read_text(encoding="utf-8"))
        return Example(row["text"], row["problem"])
    if space.inputs:
        return None
    search = Search(_machine(space), limit=_LIMIT)
    start = search.machine.start({})
    thread, env = start.alive[0]
    for width in _WIDTHS:
        found = search.from_node(Node(thread, env, b""), _new_actions_first(search), width)
        if found is not None:
            return Example(found.decode())
    shortest = search.complete(start)
    return None if shortest is None else Example(shortest.decode())


def _new_actions_first(search: Search) -> Order:
    """New actions first, those far from the end before those near it; then the shortest way."""

    def key(child: Node, parent: Node) -> tuple[bool, int]:
        now, low = child.env.trail, search.machine.low(child.thread)
        opened = now is not None and now is not parent.env.trail and now.end < 0
        is_new = opened and now is not None and now.action not in _taken(now.before)
        return (False, -low) if is_new else (True, low)

    return lambda children, parent: sorted(children, key=lambda child: key(child[1], parent))


def _taken(trail: Trail | None) -> set[int]:
    found = set()
    while trail is not None:
        found.add(trail.action)
        trail = trail.before
    return found
