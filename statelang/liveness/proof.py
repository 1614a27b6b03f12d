"""The proof: from every place between two steps there is a way to the end that nothing can close.

A node is a position of the program, the calls to come back from, and rough registers. An edge is
good where it is sure and every node that it may lead to is good; a node is good where one of its
edges is, or where the trace ends. Registers are followed only as the proof needs them: they are
added one by one until it succeeds or none helps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field

from statelang.clauses import expression as ex
from statelang.compiling.events import BeginSpan, CloseAction, CloseScope, EndSpan, Event, OpenScope
from statelang.compiling.program import Call, Pass, Program, Read
from statelang.liveness.abstract import Abstract
from statelang.liveness.clauses import all_clauses, clauses_of
from statelang.liveness.steps import Facts, Result, Steps

MAX_NODES: Final = 20_000  # of one attempt: a quarter of a second
_MAX_VISITED: Final = 100_000  # of all attempts
_MAX_CALLS: Final = 8
_MAX_ATTEMPTS: Final = 24

Node = tuple[int, tuple[int, ...], Abstract]
Way = tuple[list[Node], bool, Event | None]  # where it may lead, whether it is sure, what happens


@define(eq=False)
class Proof:
    """One attempt. `open` are the states where no way to the end is known; None: given up."""

    followed: frozenset[int]
    open: frozenset[str] | None
    ends: bool = True
    nodes: int = 0
    done: frozenset[int] = frozenset()  # actions that may be completed
    between: tuple[Abstract, ...] = ()  # every way to stand between two steps
    doubts: tuple[int, ...] = ()  # registers that would have to be followed to go on
    steps: Steps | None = field(default=None, repr=False)

    @property
    def holds(self) -> bool:
        """Whether the space is proved live."""
        return self.open is not None and not self.open

    def better_than(self, other: Proof) -> bool:
        """Whether this attempt leaves fewer states open, or shows that no trace ends."""
        if self.open is None or other.open is None:
            return self.open is not None
        return (self.ends, len(self.open)) < (other.ends, len(other.open))


def prove(program: Program) -> Proof:
    """The best attempt: the proof itself, or one that leaves few states open."""
    facts = Facts(program)
    best = attempt(facts, frozenset())
    left, visited, improved = _MAX_ATTEMPTS, best.nodes, True
    while improved and best.ends and not best.holds:
        improved = False
        for register in dict.fromkeys((*best.doubts, *_asked(program))):
            if register in best.followed:
                continue
            if left > 0 and visited < _MAX_VISITED and not improved:
                left -= 1
                found = attempt(facts, best.followed | {register})
                visited += found.nodes
                if found.better_than(best):
                    best, improved = found, True
    return best


def _asked(program: Program) -> list[int]:
    """Registers that any condition asks for, those that close an opening first."""
    clauses = sorted(all_clauses(program), key=lambda clause: bool(clause.expression.slots))
    asked = ex.parts(clause.expression for clause in clauses if clause.kind != "set")
    found = dict.fromkeys(item.index for item in asked if isinstance(item, ex.Register))
    return [index for index in found if index != program.tools]


def attempt(facts: Facts, followed: frozenset[int]) -> Proof:
    """Try to prove a program live while following some registers."""
    program, steps = facts.program, Steps(facts, followed)
    walk = _Walk(program, steps, facts.landing)
    whole = walk.explore()
    if not whole:
        return Proof(followed, None, nodes=len(walk.ways))
    good = walk.good()
    open_states = frozenset(
        program.states[node[0]]
        for node in walk.ways
        if node[0] in program.states and node not in good
    )
    return Proof(
        followed,
        open_states,
        walk.ends,
        len(walk.ways),
        frozenset(walk.done),
        tuple({node[2]: None for node in walk.ways if node[0] in program.states}),
        tuple(r for r in walk.doubts(good) if r not in followed),
        steps,
    )


@define(eq=False)
class _Walk:
    program: Program
    steps: Steps
    landing: list[int]
    ways: dict[Node, list[Way]] = field(factory=dict)
    finals: list[Node] = field(factory=list)
    done: set[int] = field(factory=set)
    ends: bool = False
    _effects: dict[int, bool] = field(factory=dict)

    def explore(self) -> bool:
        """Every node that may be reached; False where there are too many."""
        todo: list[Node] = [(self.program.entry, (), at) for at in self.steps.start()]
        while todo:
            node = todo.pop()
            if node in self.ways:
                continue
            if len(self.ways) >= MAX_NODES:
                return False
            place, calls, at = node
            edges = self.program.edges[place]
            if not edges and not calls:
                self.ways[node] = []
                self.finals.append(node)
                self.ends = True
                continue
            ways = list(self._ways(node))
            if not edges:
                ways.append(([(self.landing[calls[-1]], calls[:-1], at)], True, None))
            if any(len(after[1]) > _MAX_CALLS for way in ways for after in way[0]):
                return False
            self.ways[node] = ways
            todo += [after for way in ways for after in way[0]]
        return True

    def _ways(self, node: Node) -> Iterator[Way]:
        place, calls, at = node
        for edge in self.program.edges[place]:
            if isinstance(edge, Read):
                yield [(self.landing[edge.target], calls, at)], True, None
            elif isinstance(edge, Pass):
                result = Result((at,))
                if edge.event is not None:
                    result = self.steps.apply(edge.event, edge.target, at)
                    if isinstance(edge.event, CloseAction):
                        self.done.add(edge.event.action)
                if result.after:
                    target = self.landing[edge.target]
                    after = [(target, calls, one) for one in result.after]
                    yield after, result.sure, edge.event
            elif self._called_in_place(edge):
                if self._too_deep(edge.entry, calls):
                    continue
                back = (*calls, edge.target)
                if calls and not self.program.edges[edge.target]:
                    back = calls
                yield [(self.landing[edge.entry], back, at)], True, None
            else:  # a recursive part: nothing happens in it, or what happens is not followed
                quiet = not self._eventful(edge.entry)
                yield [(self.landing[edge.target], calls, at)], quiet, None

    def _too_deep(self, entry: int, calls: tuple[int, ...]) -> bool:
        limit = self.program.deepest.get(entry)
        inside = sum(self.program.returns.get(back) == entry for back in calls)
        return limit is not None and inside >= limit[0]

    def _called_in_place(self, edge: Call) -> bool:
        states = self.program.states
        return edge.entry in states or edge.entry in self.steps.origins.action_entry.values()

    def _eventful(self, entry: int) -> bool:
        """Whether contracts bind what a recursive part does."""
        if entry in self.program.deepest and not self._ends_alone(entry):
            return True
        found = self._effects.get(entry)
        if found is None:
            self._effects[entry] = True  # for a part in itself, until this one is decided
            found = any(
                _binds(getattr(edge, "event", None))
                or (isinstance(edge, Call) and edge.entry != entry and self._eventful(edge.entry))
                for place, body in self.steps.origins.body_of.items()
                if body == entry
                for edge in self.program.edges[place]
            )
            self._effects[entry] = found
        return found

    def _ends_alone(self, entry: int) -> bool:
        """Whether a recursive part can be written without being in itself."""
        seen: set[int] = set()
        todo = [entry]
        while todo:
            place = todo.pop()
            if not self.program.edges[place]:
                return True
            if place not in seen:
                seen.add(place)
                edges = self.program.edges[place]
                todo += [edge.target for edge in edges if not isinstance(edge, Call)]
        return False

    def good(self) -> set[Node]:
        """Nodes with a way to the end: backwards from it."""
        users: dict[Node, list[tuple[Node, int]]] = {}
        waiting: dict[tuple[Node, int], int] = {}
        for node, ways in self.ways.items():
            for index, (after, sure, _) in enumerate(ways):
                if sure:
                    waiting[node, index] = len(set(after))
                    for one in set(after):
                        users.setdefault(one, []).append((node, index))
        good: set[Node] = set()
        todo: list[Node] = list(self.finals)
        while todo:
            node = todo.pop()
            if node in good:
                continue
            good.add(node)
            for way in users.get(node, ()):
                waiting[way] -= 1
                if waiting[way] == 0:
                    todo.append(way[0])
        return good

    def doubts(self, good: set[Node]) -> list[int]:
        """Registers in conditions that may fail where all else would lead to the end."""
        found: dict[int, None] = {}
        for ways in self.ways.values():
            for after, sure, event in ways:
                if not sure and event is not None and good.issuperset(after):
                    asked = ex.parts(clause.expression for clause in clauses_of(event))
                    found.update(
                        {item.index: None for item in asked if isinstance(item, ex.Register)}
                    )
        return [index for index in found if index != self.program.tools]


def _binds(event: Any) -> bool:
    if isinstance(event, BeginSpan):
        return bool(event.guards)
    if isinstance(event, CloseScope):
        return bool(event.clauses or event.sets or event.keeping)
    if isinstance(event, OpenScope):
        return bool(event.gates)
    return isinstance(event, EndSpan) and bool(event.clauses)
