"""Few legal traces that visit every transition: routes of the control graph, written out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, Final

from attrs import frozen

from statelang.compiling.env import Trail
from statelang.space import StateSpace, Transition
from statelang.traces.marks import marked
from statelang.traces.routes import cover
from statelang.traces.visits import possible_pairs, visited
from statelang.walk import wandering
from statelang.walking.machine import Configuration, Machine
from statelang.walking.search import Node, Order, Search

_ATTEMPTS: Final = 3_000  # steps that are tried for one trace
_FURTHEST: Final = 0.3  # how often one of the furthest places is gone on from
_WIDTHS: Final = (1, 2, 4, 16)
_AGAIN: Final = 0.5  # how often the longest way is taken where a text may end
_LIMIT: Final = 300  # places that the search for one step visits
_SLACK: Final = 2  # transitions beyond the fewest that may lead to one


@frozen
class Paths:
    """Legal traces that together visit every transition that was reached.

    `planned` is the number of traces that the control graph needs, proved to be the fewest where
    `minimal`; `realised` is how many of these routes the contracts let stand as they were planned.
    The other transitions are visited by traces of their own, and `missed` by none: no legal trace
    through them was found.
    """

    traces: tuple[str, ...]
    planned: int
    minimal: bool
    realised: int
    missed: tuple[Transition, ...]


def paths(space: StateSpace, problem: Mapping[str, Any] | None = None) -> Paths:
    """Few traces that visit every transition of a space, as legal texts.

    The fewest routes through the control graph come first (see `cover`); each is written out where
    the contracts allow it. For what is left, a trace is searched that leads to each transition.

    Raises StatelangError for an input that is missing or of another type.
    """
    plan = cover(space)
    writer = _Writer(space, problem)
    found: dict[str, None] = {}
    due = {index for route in plan.routes for index in route}
    realised = 0
    for route in plan.routes:
        text = writer.along(route)
        if text is not None:
            realised += 1
            found[text] = None
            due -= set(route)
    for index in sorted(due):
        if index in due:
            text = writer.through(index)
            if text is not None:
                found[text] = None
                due -= set(visited(space, text, problem) or ())
    alternatives = marked(space).alternatives
    missed = tuple(alternatives[index] for index in sorted(due))
    return Paths(tuple(found), len(plan.routes), plan.minimal, realised, missed)


Progress = Callable[[Trail | None], int | None]


class _Writer:
    """Writes traces of a space along transitions; bounded, so it may miss one that there is."""

    def __init__(self, space: StateSpace, problem: Mapping[str, Any] | None) -> None:
        alternatives = marked(space).alternatives
        self.machine = Machine(marked(space).space)
        self.search = Search(self.machine)
        self.pairs = possible_pairs(alternatives)
        self.firsts = [i for i, one in enumerate(alternatives) if one.source == "start"]
        ((self.thread, self.env),) = self.machine.start(problem).alive

    def along(self, route: tuple[int, ...]) -> str | None:
        """A legal trace that takes exactly these transitions."""
        known: dict[Trail | None, int | None] = {None: 0}

        def taken(trail: Trail | None) -> int | None:
            """How many transitions of the route a trail has taken; None off the route."""
            if trail not in known:
                assert trail is not None
                found = taken(trail.before)
                if trail.action < 0 and found is not None:
                    follows = found < len(route) and route[found] == ~trail.action
                    found = found + 1 if follows else None
                known[trail] = found
            return known[trail]

        return next(self._explored(taken, len(route), ends=True), None)

    def through(self, index: int) -> str | None:
        """A legal trace that takes one transition."""
        distance = self._distances(index)
        least = 1 + min(distance.get(first, len(self.pairs)) for first in self.firsts)
        known: dict[Trail | None, tuple[int, int]] = {None: (0, least)}

        def due(trail: Trail | None) -> tuple[int, int]:
            """How many transitions a trail has taken, and how many are due."""
            if trail not in known:
                assert trail is not None
                taken, left = due(trail.before)
                if trail.action < 0 and left:
                    taken, left = taken + 1, distance.get(~trail.action, len(self.pairs))
                known[trail] = taken, left
            return known[trail]

        def progress(trail: Trail | None) -> int | None:
            taken, left = due(trail)
            return least - left if taken + left <= least + _SLACK else None

        return next(self._explored(progress, least, ends=False), None)

    def _explored(self, progress: Progress, goal: int, *, ends: bool) -> Iterator[str]:
        """Legal traces whose progress reaches the goal, at their end or on the way.

        Step by step: from a place reached before, often one of the furthest, one more step is
        written, the shortest or one at random. So a gate that is closed by an earlier step, as a
        right step closes the way to `backtrack`, is passed from another place.
        """
        chance = Random(0)
        first = Node(self.thread, self.env, b"")
        places: dict[int, list[tuple[Node, bytes]]] = {0: [(first, b"")]}
        if ends and goal in map(progress, self._ended(first)):
            yield ""
        tries: Counter[Node] = Counter()
        for attempt in range(_ATTEMPTS):
            furthest = chance.random() < _FURTHEST
            far = max(places) if furthest else chance.choice(sorted(places))
            start, text = min(chance.choices(places[far], k=3), key=lambda one: tries[one[0]])
            tries[start] += 1  # of a few places the one gone on from least often
            written = self._step(start, progress, attempt)
            if written is None:
                continue
            text += written
            after = self.machine.advance(
                Configuration(((start.thread, start.env),), start.text), written
            )
            for thread, env in after.alive if after is not None else ():
                node = Node(thread, env, after.text if after is not None else b"")
                reached = progress(env.trail)
                if ends and goal in map(progress, self._ended(node)):
                    yield text.decode()
                elif not ends and goal in map(progress, (env.trail, *self._ended(node))):
                    end = self.search.complete(Configuration(((thread, env),), node.text))
                    if end is not None:
                        yield (text + end).decode()
                if reached is not None:
                    places.setdefault(reached, []).append((node, text))

    def _step(self, start: Node, progress: Progress, attempt: int) -> bytes | None:
        """One more step along transitions that count as progress."""
        number = _closed(start.env.trail)
        search = self.search
        inner: Order = search.shortest_first
        if attempt % 4 == 1:
            inner = search.at_random(attempt)
        elif attempt % 4 == 2:
            search, inner = wandering(search, Random(attempt))
        elif attempt % 4 == 3:
            inner = self._lingering(Random(attempt))

        def order(children: list[tuple[int, Node]], node: Node) -> list[tuple[int, Node]]:
            kept = [one for one in children if progress(one[1].env.trail) is not None]
            return inner(kept, node)

        def done(node: Node) -> bool:
            return any(
                _closed(trail) > number and progress(trail) is not None
                for trail in (node.env.trail, *self._ended(node))
            )

        return search.from_node(start, order, _WIDTHS[attempt % len(_WIDTHS)], done, _LIMIT)

    def _lingering(self, chance: Random) -> Order:
        """Short texts, but a repetition is gone through again and again: what a later step needs,
        as a second open subproblem, an earlier one must have written."""

        def order(children: list[tuple[int, Node]], node: Node) -> list[tuple[int, Node]]:
            found = self.search.shortest_first(children, node)
            left = node.thread.left
            between = left is None or left.nullable
            return found[::-1] if between and chance.random() < _AGAIN else found

        return order

    def _ended(self, node: Node) -> list[Trail | None]:
        """The trails of every way in which the trace may end at a node."""
        if node.thread.left is not None and not node.thread.left.nullable:
            return []
        exits = [exit_ for exit_ in self.machine.exits(node.thread) if exit_.read is None]
        size = len(node.text)
        found = [self.machine.apply(exit_.events, node.env, node.text, size) for exit_ in exits]
        return [env.trail for env in found if env is not None]

    def _distances(self, index: int) -> dict[int, int]:
        """How many transitions after each one `index` can be taken at the earliest."""
        distance, todo = {index: 0}, deque([index])
        while todo:
            at = todo.popleft()
            for first, second in self.pairs:
                if second == at and first not in distance:
                    distance[first] = distance[at] + 1
                    todo.append(first)
        return distance


def _closed(trail: Trail | None) -> int:
    """How many steps of a trail are complete."""
    return 0 if trail is None else trail.number - (trail.end < 0)
