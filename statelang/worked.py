"""Worked examples: a problem with a legal trace, given, shipped beside a grammar, or walked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen

from statelang.diagnostics import StatelangError
from statelang.machine import Machine
from statelang.space import StateSpace
from statelang.walk import walk

_WALKS: Final = 24


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
    """The example that ships with a space; else the walked trace that shows the most actions in the
    fewest characters. None where neither can be had: walks need the inputs of a problem."""
    beside = files("statelang.grammars").joinpath(f"{space.source.name}.example.json")
    if "/" not in space.source.name and beside.is_file():
        row = json.loads(beside.read_text(encoding="utf-8"))
        return Example(row["text"], row["problem"])
    if space.inputs:
        return None
    try:
        texts = {walk(space, seed) for seed in range(_WALKS)}
    except StatelangError:
        return None
    return Example(max(sorted(texts), key=lambda text: _worth(space, text)))


def _worth(space: StateSpace, text: str) -> tuple[int, int]:
    return len({action for action, _ in steps(space, Example(text))}), -len(text)
