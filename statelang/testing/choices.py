"""A walk whose choices somebody else makes: one after the other, never stuck, shortest first.

The ways on from a place are offered nearest to the end first, and bytes plainest first, so that a
chooser who always takes the first is at the end soonest; this is what makes drawn traces shrink.
Contracts are kept by the machine. A way that turns out to lead nowhere is left for the next one,
and where many do, the walk goes back to the last place with a known way to the end and takes that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final

from attrs import field, frozen

from statelang.compiling.env import Env, Trail
from statelang.compiling.events import OpenAction
from statelang.compiling.program import Call, Pass, Program
from statelang.space import StateSpace
from statelang.walking.machine import Machine
from statelang.walking.places import Move, Thread
from statelang.walking.search import Node, Search

_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ .,-"
_ORDER: Final = (*_PLAIN, *(b for b in range(256) if b not in _PLAIN))
_RANK: Final = {byte: rank for rank, byte in enumerate(_ORDER)}
_LONG: Final = 20  # kinds of more bytes than this are free text, which is seldom left at once
_PATIENCE: Final = 60  # choices in one step before it heads for its end
_RETRIES: Final = 40  # ways that lead nowhere before the walk goes back for good
_TRIED: Final = 16  # bytes of a kind that are tried before none of the kind will do
_MAX_POINTS: Final = 4_000  # remembered ones; more would slow the collection of garbage

Choices = Generator[int, int, bytes | None]
Goal = Callable[[Node], bool]


@frozen(eq=False)
class Way:
    """One way on: a kind of bytes, one of them, the move that takes it, and where that leads."""

    bytes: tuple[int, ...]
    byte: int
    move: Move | None  # None: the trace ends here
    node: Node
    steps: int  # of the shortest trace that goes on this way, contracts aside


@frozen(eq=False, slots=False)
class Point:
    """A place that walks come by, after the stretch on which there is nothing to choose.

    What is learnt here is remembered: walks that share a beginning find the way on at once.
    """

    walk: Walk = field(repr=False)
    forced: bytes
    node: Node
    _after: dict[Node, Point] = field(factory=dict)
    _spelled: dict[tuple[Way, int], Way] = field(factory=dict)

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """Every way on from here, nearest to the end first."""
        return self.walk.ways(self.node)

    def forget(self) -> None:
        """Forget what lies beyond."""
        self._after.clear()
        self._spelled.clear()
        self.__dict__.pop("ways", None)

    def after(self, way: Way) -> Point:
        """The point that a way leads to."""
        found = self._after.get(way.node)
        if found is None:
            found = self._after[way.node] = self.walk.point(way.node)
        return found

    def spelled(self, way: Way, byte: int) -> Way:
        """The same way with another byte of its kind; as it is where contracts forbid that one."""
        if byte == way.byte or way.move is None:
            return way
        found = self._spelled.get((way, byte))
        if found is None:
            found = self._spelled[way, byte] = self.walk.spelled(self.node, way, byte)
        return found


Frame = tuple[Point, int, list[Way]]  # a point, the bytes before it, the ways not taken yet


@lru_cache(maxsize=10_000)
def plainest_first(kind: int) -> tuple[int, ...]:
    """The bytes of a set, letters first."""
    return tuple(byte for byte in _ORDER if kind >> byte & 1)


class Walk:
    """Walks one space as a chooser says. Shares what it learns between all walks."""

    def __init__(self, space: StateSpace) -> None:
        self.machine = Machine(space)
        self.search = Search(self.machine)
        self._steps = _fewest_steps(self.machine.program)
        self.fewest = self._steps[self.machine.program.entry]
        self._known: dict[Thread, int] = {}
        self._points = 0

    def start(self, problem: Mapping[str, Any] | None) -> Point:
        """The point before the first byte. Raises StatelangError for a bad input."""
        thread, env = self.machine.start(problem).alive[0]
        return self.point(Node(thread, env, b""))

    def point(self, node: Node) -> Point:
        """A new point."""
        self._points += 1
        forced, thread = self.search.run(node.thread)
        if forced:
            node = Node(thread, node.env, node.text + forced if node.env.starts else b"")
        return Point(self, forced, node)

    def steps(self, thread: Thread, env: Env) -> int:
        """A lower bound on the steps of a trace that goes on from there, those so far included."""
        found = self._known.get(thread)
        if found is None:
            found, stack = self._steps[thread.place], thread.stack
            while stack is not None:
                found += self._steps[stack.place]
                stack = stack.below
            self._known[thread] = found
        return found + (env.trail.number if env.trail else 0)

    def reaching(self, actions: tuple[int, ...]) -> Goal:
        """Whether a node has taken one of the actions, or may still come to it."""
        before = _before(self.machine.program, actions)

        def goal(node: Node) -> bool:
            trail, stack = node.env.trail, node.thread.stack
            if any(node.env.counts[action] for action in actions) or (
                trail is not None and trail.action in actions
            ):
                return True
            found = node.thread.place in before
            while stack is not None and not found:
                found, stack = stack.place in before, stack.below
            return found

        return goal

    def closes(self, node: Node) -> bool:
        """Whether the step under way at a node is complete, or may be with no more text."""
        trail = node.env.trail
        if trail is None or trail.end >= 0:
            return True
        if node.thread.left is not None and not node.thread.left.nullable:
            return False
        for exit_ in self.machine.exits(node.thread):
            after = self.machine.apply(exit_.events, node.env, node.text, len(node.text))
            if after is not None and after.trail is not trail:
                return True
        return False

    def go(self, start: Point, allowed: Goal, done: Goal | None = None) -> Choices:
        """The bytes from `start` to the end of the trace, or to the first node that is `done`.

        Yields how many ways there are and is sent the one to take; yields 0 where a text is left.
        Only nodes that are `allowed` are passed. Returns None where no way is known.
        """
        if self._points > _MAX_POINTS:
            start.forget()
            self._points = 0
        frames: list[Frame] = []
        written, at, patience, retries = bytearray(), start, _PATIENCE, _RETRIES
        step: Trail | None = None
        while True:
            written += at.forced
            if done is not None and done(at.node):
                return bytes(written)
            ways = [way for way in at.ways if allowed(way.node)]
            if at.node.env.trail is not step:
                step, patience = at.node.env.trail, _PATIENCE
            patience -= len(ways) > 1
            chosen, byte = 0, -1
            if ways and patience > 0:
                chosen, byte = yield from self.choose(ways)
            frames.append((at, len(written), ways))
            if not ways:  # nothing goes on from here: back to a choice, in the end ever further
                retries -= 1
                if retries < _RETRIES // 2:
                    del frames[max(1, len(frames) - (2 << (-retries % 6))) :]
                    at, length, _ = frames.pop()
                    del written[length - len(at.forced) :]
                    if retries >= 0:
                        continue
                while frames and not frames[-1][2]:
                    frames.pop()
                chosen, byte = 0, -1
            if retries < 0 or not frames:
                path: list[Frame] = [(start, len(start.forced), []), *frames]
                return self.finish(path, bytes(written), allowed) if done is None else None
            at, length, ways = frames[-1]
            del written[length:]
            way = ways.pop(chosen)
            if way.move is None:
                return bytes(written)
            if byte >= 0:
                way = at.spelled(way, byte)
            written.append(way.byte)
            if byte >= 0 and way.node.thread.place != at.node.thread.place:
                yield 0
            at = at.after(way)

    def finish(self, frames: list[Frame], written: bytes, allowed: Goal) -> bytes | None:
        """From the last of ever fewer frames with a known way to an end that is allowed, that."""

        def ended(node: Node) -> bool:
            return self.search.ended(node) and allowed(node)

        while frames:
            at, length, _ = frames[-1]
            for width in (1, 16, 256):
                found = self.search.from_node(at.node, self.search.shortest_first, width, ended)
                if found is not None:
                    return written[:length] + found
            del frames[len(frames) // 2 :]
        return None

    def choose(self, ways: list[Way]) -> Generator[int, int, tuple[int, int]]:
        """The index of the chosen way, and one of its bytes.

        To go on with a free text and to put the end off by a step are offered twice; all characters
        beyond ASCII are one offer.
        """
        index, fewest = 0, ways[0].steps
        if len(ways) > 1:
            offered, foreign = list[int](), list[int]()
            for number, way in enumerate(ways):
                lingers = len(way.bytes) > _LONG or way.steps > fewest
                if way.byte >= 0x80:
                    foreign.append(number)
                else:
                    offered += [number, number] if lingers else [number]
            drawn = (yield len(offered) + bool(foreign)) if offered else 0
            if drawn < len(offered):
                index = offered[drawn]
            else:
                index = foreign[(yield len(foreign)) if len(foreign) > 1 else 0]
        kind = ways[index].bytes
        return index, kind[(yield len(kind))] if len(kind) > 1 else kind[0]

    def ways(self, node: Node) -> tuple[Way, ...]:
        """Every way on from a node, nearest to the end first."""
        found: dict[tuple[Thread, Env], Way] = {}
        for kind in self.search.kinds(node):
            ordered = plainest_first(kind)
            for byte in ordered[:_TRIED]:
                children = self.children(node, byte, ordered)
                for way in children:
                    found.setdefault((way.node.thread, way.node.env), way)
                if children:
                    break
        low = self.machine.low
        ways = sorted(found.values(), key=lambda w: (low(w.node.thread), _RANK[w.byte]))
        if self.search.ended(node):
            ways.insert(0, Way((0,), 0, None, node, self.steps(node.thread, node.env)))
        return tuple(ways)

    def children(self, node: Node, byte: int, kind: tuple[int, ...]) -> list[Way]:
        """The ways on with one byte."""
        machine, env = self.machine, node.env
        written = node.text + bytes((byte,))
        result = []
        for move in machine.moves(node.thread, byte):
            if move.thread is not None and not move.before and not move.after:
                taken: tuple[Thread, Env] | None = (move.thread, env)
            else:
                taken = machine.take(move, env, written, len(node.text))
            if taken is not None:
                after = Node(*taken, written if taken[1].starts else b"")
                result.append(Way(kind, byte, move, after, self.steps(*taken)))
        return result

    def spelled(self, node: Node, way: Way, byte: int) -> Way:
        for other in self.children(node, byte, way.bytes):
            if other.move is not None and way.move is not None and _alike(other.move, way.move):
                return other
        return way


def _alike(one: Move, other: Move) -> bool:
    """Whether two moves differ in their byte alone."""
    return (
        one.thread is other.thread
        and one.exit is other.exit
        and one.before == other.before
        and one.after == other.after
    )


def _fewest_steps(program: Program) -> list[int]:
    """The least number of steps opened from each position to the return of its own body."""
    far = 1 << 30
    fewest = [0 if not edges else far for edges in program.edges]
    changed = True
    while changed:
        changed = False
        for place in range(len(fewest) - 1, -1, -1):
            for edge in program.edges[place]:
                if isinstance(edge, Call):
                    cost = fewest[edge.entry] + fewest[edge.target]
                else:
                    opens = isinstance(edge, Pass) and isinstance(edge.event, OpenAction)
                    cost = fewest[edge.target] + opens
                if cost < fewest[place]:
                    fewest[place], changed = cost, True
    return fewest


def _before(program: Program, actions: tuple[int, ...]) -> frozenset[int]:
    """The positions from which a walk may come to one of the actions, without a return."""
    found: set[int] = set()
    size = -1
    while size < len(found):
        size = len(found)
        for place, edges in enumerate(program.edges):
            for edge in edges:
                event = edge.event if isinstance(edge, Pass) else None
                opens = isinstance(event, OpenAction) and event.action in actions
                calls = isinstance(edge, Call) and edge.entry in found
                if opens or calls or edge.target in found:
                    found.add(place)
    return frozenset(found)
