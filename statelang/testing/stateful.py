"""A stateful test of a space: Hypothesis takes one legal step after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from attrs import frozen
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from statelang.compiling.events import OpenAction
from statelang.space import StateSpace, Transition
from statelang.testing.choices import Choices, Point, Walk
from statelang.testing.strategies import Problem, Problems, as_strategy, chosen, walk_of
from statelang.walking.machine import Configuration
from statelang.walking.search import Node

_END: Final = "the end"


class TraceMachine(RuleBasedStateMachine):
    """Walks a space step by step; a subclass drives an engine of its own along.

    `trace` is the text so far and `problem` the values of the inputs. Override `on_start`,
    `on_step` and `on_end`, and add invariants that compare the engine with `configuration`.
    """

    space: ClassVar[StateSpace]
    problem: Problem
    configuration: Configuration
    trace: str

    def on_start(self) -> None:
        """A trace begins."""

    def on_step(self, transition: Transition, text: str) -> None:
        """A step was taken, and wrote `text`."""

    def on_end(self) -> None:
        """The trace is complete; another begins."""

    def begin(self) -> None:
        """Stand before the first step."""
        self.configuration = walk_of(self.space).machine.start(self.problem)
        self.trace = ""
        self._find_open()
        self.on_start()

    def _find_open(self) -> None:
        """What may come next: the transitions, by how they read in the grammar, and the end."""
        walk = walk_of(self.space)
        self._open: dict[str, _Open] = {}
        for thread, env in self.configuration.alive:
            node = Node(thread, env, self.configuration.text)
            for transition in _opening(walk, node):
                name = f"{transition.source} : {transition.action} {transition.target or ''}"
                plainest = _plainest(_step(walk, node, transition))
                if plainest is not None:
                    self._open.setdefault(name.strip(), _Open(transition, walk, node, plainest))
        self._ended = walk.machine.ends(self.configuration) is not None

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Take one open transition, or begin anew where the trace may end.

        One rule for all: Hypothesis leaves whole rules out of a run, and of a narrow machine
        nothing would be left.
        """
        walk = walk_of(self.space)
        taken = data.draw(st.sampled_from([*[_END] * self._ended, *self._open]), "transition")
        if taken == _END:
            self.on_end()
            self.begin()
            return
        found = self._open[taken]
        text = data.draw(_drawn(found), "text") or found.plainest.decode()
        after = walk.machine.advance(self.configuration, text.encode())
        assert after is not None
        self.configuration = after
        self.trace += text
        self._find_open()
        self.on_step(found.transition, text)


@frozen(repr=False)
class _Open:
    """A transition that can be taken, where it leads on from, and the plainest step."""

    transition: Transition
    walk: Walk
    node: Node
    plainest: bytes


def _opening(walk: Walk, node: Node) -> Iterator[Transition]:
    """The transitions whose gates are open at a node."""
    machine, space = walk.machine, walk.machine.space
    if node.thread.left is not None and not node.thread.left.nullable:
        return
    state = space.program.states.get(node.thread.place)
    for exit_ in machine.exits(node.thread):
        opened = [event.name for event in exit_.events if isinstance(event, OpenAction)]
        if not opened or machine.apply(exit_.events, node.env, node.text, len(node.text)) is None:
            continue
        target = space.program.states.get(exit_.stack.place) if exit_.stack else None
        among = [t for t in space.transitions if t.action == opened[0]]
        yield min(among, key=lambda t: (t.target != target, t.source != state))


def _step(walk: Walk, node: Node, transition: Transition) -> Choices:
    """One step that takes a transition and leaves a known way to the end."""
    number = (node.env.trail.number if node.env.trail else 0) + 1
    index = walk.machine.program.actions.index(transition.action or "")

    def taken(node: Node) -> bool:
        trail = node.env.trail
        return trail is not None and trail.number == number and trail.action == index

    def done(node: Node) -> bool:
        if not taken(node) or not walk.closes(node):
            return False
        at = Configuration(((node.thread, node.env),), node.text)
        return walk.search.complete(at) is not None

    return walk.go(Point(walk, b"", node), taken, done)


def _plainest(choices: Choices) -> bytes | None:
    """What comes of a walk that always takes the first way."""
    try:
        next(choices)
        while True:
            choices.send(0)
    except StopIteration as end:
        found: bytes | None = end.value
        return found


@st.composite
def _drawn(draw: st.DrawFn, found: _Open) -> str | None:
    text = chosen(draw, _step(found.walk, found.node, found.transition))
    return None if text is None else text.decode()


def state_machine(space: StateSpace, problem: Problems = None) -> type[TraceMachine]:
    """A `RuleBasedStateMachine` that walks a space: the base class of a stateful test.

    Args:
        space: The state space.
        problem: The space's inputs, as a mapping or a strategy of mappings.
    """

    def start(self: TraceMachine, problem: Problem) -> None:
        self.problem = problem
        self.begin()

    begins = initialize(problem=as_strategy(space, problem))(start)
    members = {"space": space, "start": begins}
    return type(f"{space.name.title().replace('_', '')}Machine", (TraceMachine,), members)
