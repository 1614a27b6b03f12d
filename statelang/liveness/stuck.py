"""The shortest trace after which nothing is legal, by walking the machine itself, step by step.

Fields that nothing decides are written in a few ways only, so to find none proves nothing; one that
is found is real.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from attrs import define, field, frozen

from statelang.clauses.values import Type, Value
from statelang.compiling.env import Clause
from statelang.space import StateSpace
from statelang.walking.machine import Configuration, Machine
from statelang.walking.search import Node, Search

MAX_CONFIGURATIONS: Final = 240
_WIDTH: Final = 4  # ways to write what nothing decides
_MAX_VISITED: Final = 500  # nodes of one step
_MAX_STEPS: Final = 10  # kept of those that lead on from one configuration
_MAX_TO_BE_SURE: Final = 2_000
_MAX_LENGTH: Final = 400  # bytes of one step; a longer one is not followed to its end
_SAMPLES: Final[Mapping[str, tuple[Any, ...]]] = {
    "text": ("a",),
    "number": (2,),
    "truth": (True, False),
}


@frozen
class Exploration:
    """What a walk through the machine has met."""

    explored: int
    steps: int  # of the longest trace
    stuck: bytes | None = None
    state: str = ""
    broken: tuple[Clause, bytes] | None = None  # an invariant that does not hold, and after what
    problem: Mapping[str, Any] = field(factory=dict)


def explore(space: StateSpace) -> Exploration:
    """Walk from the start, all traces of one step before those of two."""
    result = Exploration(0, 0)
    for problem in _problems(space):
        result = _Walk(space, problem).run()
        if result.stuck is not None or result.broken is not None:
            break
    return result


def _problems(space: StateSpace) -> Iterator[dict[str, Any]]:
    """Small inputs to try: there is one problem where the space has none."""
    names = [register.name for register in space.inputs]
    for values in product(*(_sample(register.type) for register in space.inputs)):
        yield dict(zip(names, values, strict=True))


def _sample(type: Type) -> list[Any]:
    if type.name in _SAMPLES:
        return list(_SAMPLES[type.name])
    inner = [_sample(argument)[0] for argument in type.arguments]
    if type.name == "record":
        return [dict(zip(type.fields, inner, strict=True))]
    return [{inner[0]: inner[1]} if type.name == "map" else inner[:1]]


@define(eq=False)
class _Walk:
    space: StateSpace
    problem: dict[str, Any]
    search: Search = field(init=False)
    whole: bool = True  # no step was left out since this was set

    def run(self) -> Exploration:
        machine = Machine(self.space)
        self.search = Search(machine)
        (thread, env), *_ = machine.start(self.problem).alive
        start = Node(thread, env, b"")
        todo: deque[tuple[Node, bytes, int]] = deque([(start, b"", 0)])
        seen = {_key(start)}
        explored, longest = 0, 0
        while todo:
            if explored == MAX_CONFIGURATIONS:
                return Exploration(explored, longest, problem=self.problem)
            node, text, steps = todo.popleft()
            explored, longest = explored + 1, max(longest, steps)
            for clause in self.space.program.invariants:
                if not clause.holds(node.env):
                    broken = clause, text
                    return Exploration(explored, longest, broken=broken, problem=self.problem)
            found = False
            for written, after in self.steps(node, _WIDTH, _MAX_VISITED):
                found = True
                key = _key(after)
                if key not in seen:
                    seen.add(key)
                    todo.append((after, text + written, steps + 1))
            if not found and not self.ended(node) and self.surely_stuck(node):
                state = self.state(node)
                return Exploration(explored, longest, text, state, problem=self.problem)
        return Exploration(explored, longest, problem=self.problem)

    def steps(self, start: Node, width: int, limit: int) -> Iterator[tuple[bytes, Node]]:
        """Complete steps from a place between two, each with what it writes."""
        visited, given = 0, 0
        todo: list[tuple[Node, bytes]] = [(start, b"")]
        while todo:
            node, written = todo.pop()
            trail = node.env.trail
            if trail is not start.env.trail and trail is not None and trail.end >= 0:
                given += 1
                yield written, node
                if given == _MAX_STEPS:
                    self.whole = False
                    return
                continue
            if self.search.machine.low(node.thread) > _MAX_LENGTH:
                self.whole = False
                continue
            visited += 1
            if visited > limit or len(written) > _MAX_LENGTH:
                self.whole = False
                return
            children = self.search.shortest_first(self.search.children(node, width), node)
            for byte, child in reversed(children):
                forced, thread = self.search.run(child.thread)
                text = child.text + forced if child.env.starts else b""
                after = Node(thread, child.env, text) if forced else child
                todo.append((after, written + bytes((byte,)) + forced))

    def surely_stuck(self, node: Node) -> bool:
        """Whether no step at all can be taken: every byte is tried."""
        before, self.whole = self.whole, True
        none = next(self.steps(node, 256, _MAX_TO_BE_SURE), None) is None
        exhausted, self.whole = self.whole, before
        return none and exhausted

    def ended(self, node: Node) -> bool:
        at = Configuration(((node.thread, node.env),), node.text)
        return self.search.machine.ends(at) is not None

    def state(self, node: Node) -> str:
        """The state of a place between two steps: the nearest one that it may go on from."""
        return self.space.program.states.get(node.thread.place, "")


def _key(node: Node) -> tuple[object, ...]:
    return (node.thread, *(_frozen(part) for part in node.env.key[:3]))


def _frozen(value: Value | Any) -> object:
    if isinstance(value, Mapping):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, tuple):
        return tuple(_frozen(item) for item in value)
    return value
