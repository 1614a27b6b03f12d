"""Traces of a space, drawn at random, and how a vocabulary writes them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from statelang.diagnostics import StatelangError
from statelang.engine.doctor.findings import Place
from statelang.language.analysis import leaves
from statelang.language.syntax import Literal, parse
from statelang.source import Span
from statelang.space import StateSpace
from statelang.teaching.worked import example_of
from statelang.walk import walk

_WALKS: Final = 10
_SECONDS: Final = 2.0  # after which no further walk is begun


@frozen(eq=False)
class Sample:
    """A space, the places of its literals, and traces: an example if there is one, then walks.

    `place` is where the space begins; `problem` gives the space's inputs to all traces; `why` says
    why there are none.
    """

    space: StateSpace
    place: Place
    literals: Mapping[str, Place]
    problem: Mapping[str, Any] | None
    traces: tuple[str, ...]
    why: str = ""

    @property
    def is_asked(self) -> bool:
        """Whether the inputs of the space are known, if it has any."""
        return self.problem is not None or not self.space.inputs


def draw(space: StateSpace, problem: Mapping[str, Any] | None) -> Sample:
    """The traces of one problem; without one, of the problem that ships with the space."""
    found: list[str] = []
    if problem is None:
        example = example_of(space)
        if example is not None:
            problem = example.problem
            found.append(example.text)
    if problem is None and space.inputs:
        names = ", ".join(f"`{each.name}`" for each in space.inputs)
        why = f"the space has inputs ({names}); give them as a problem"
        return Sample(space, *_places(space), problem, (), why)
    why, began = "", time.monotonic()
    try:
        for seed in range(_WALKS):
            if found and time.monotonic() - began > _SECONDS:
                break
            found.append(walk(space, seed, problem=problem))
    except StatelangError as error:
        why = str(error)
    return Sample(space, *_places(space), problem, tuple(dict.fromkeys(found)), why)


def _places(space: StateSpace) -> tuple[Place, dict[str, Place]]:
    """Where the space begins, and where each quoted text of its payloads first stands."""
    literals: dict[str, Place] = {}
    definitions = parse(space.source).definitions
    for definition in definitions:
        for leaf in leaves(definition.body):
            if isinstance(leaf, Literal) and leaf.value in space.literals:
                literals.setdefault(leaf.value, (space.source, leaf.span))
    start = next(each for each in definitions if each.name == "start")
    span = Span(start.span.start, start.span.start + len(start.name))
    return (space.source, span), literals
