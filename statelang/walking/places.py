"""Places of a walk and the ways between them; they know nothing of registers.

A place is a position of the program, what is left of the text being read, guards of the parts
around it, and the calls to come back from. Each is one shared object; its ways on are found once
and then looked up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final
from weakref import WeakValueDictionary

from attrs import frozen

from statelang.compiling.events import BeginSpan, CloseAction, EndSpan, Event, Gate, OpenAction
from statelang.compiling.program import Call, Pass, Program, Read
from statelang.regular.automaton import EMPTY, NOTHING, Regular, TooComplex

_MAX_REMEMBERED: Final = 200_000
_MAX_STACK: Final = 1_000


class Return:
    """Where to go on once a call is done, and the returns below. Made by `Machine.calling`, so that
    equal stacks are one object: however deep, they are compared at once.

    `low` is a lower bound on the bytes from here to the end of the trace.
    """

    __slots__ = ("__weakref__", "below", "low", "place")

    def __init__(self, place: int, below: Stack, low: int) -> None:
        self.place = place
        self.below = below
        self.low = low


Stack = Return | None


class Thread:
    """A place: the position after the text being read, what is left of that text, guards of the
    parts around it, and the calls to come back from."""

    __slots__ = ("exits", "guards", "left", "low", "moves", "place", "quiet", "stack")

    def __init__(
        self, place: int, left: Regular | None, guards: tuple[Regular, ...], stack: Stack
    ) -> None:
        self.place = place
        self.left = left  # None: between two texts
        self.guards = guards
        self.stack = stack
        self.quiet: dict[int, Thread] = {}  # bytes with one move and no event
        self.moves: dict[int, tuple[Move, ...]] = {}
        self.exits: tuple[Exit, ...] | None = None
        self.low: int | None = None


@frozen(eq=False)
class Exit:
    """A way from a place to the next text (`read`), or to the end of the trace (None)."""

    events: tuple[Event, ...]
    read: Read | None
    guards: tuple[Regular, ...]
    stack: Stack
    dynamic: bool


@frozen(eq=False)
class Move:
    """One way to take a byte: events before it, events after it, the thread that results.

    `exit` is set where the thread depends on the Env: a guard is computed when a field begins.
    """

    before: tuple[Event, ...]
    after: tuple[Event, ...]
    thread: Thread | None
    exit: Exit | None = None


class Places:
    """The places of one program, made as they are reached.

    Without `contracts` only the opening and the close of a step happen; with `guards` a contract
    narrows a field while it is written, else it is judged when the field is complete.
    """

    def __init__(self, program: Program, *, contracts: bool, guards: bool) -> None:
        self.program = program
        self.contracts = contracts
        self.guards = guards
        self._threads: dict[tuple[object, ...], Thread] = {}
        self._returns: WeakValueDictionary[tuple[int, Stack], Return] = WeakValueDictionary()
        self._lows = _shortest_ends(program)

    def skips(self, event: Event) -> bool:
        """Without contracts only the opening and the close of a step happen."""
        return not self.contracts and not isinstance(event, (OpenAction, CloseAction))

    def thread(
        self, place: int, left: Regular | None, guards: tuple[Regular, ...], stack: Stack
    ) -> Thread:
        """The one Thread of a place."""
        key = (place, left, guards, stack)
        found = self._threads.get(key)
        if found is None:
            if len(self._threads) >= _MAX_REMEMBERED:  # hostile traces do not fill the memory
                self._threads.clear()
            found = self._threads[key] = Thread(place, left, guards, stack)
        return found

    def exits(self, thread: Thread) -> tuple[Exit, ...]:
        """Every way on from a place once the text being read is complete."""
        if thread.exits is None:
            thread.exits = tuple(self._exits(thread.place, thread.guards, thread.stack))
        return thread.exits

    def _exits(self, place: int, guards: tuple[Regular, ...], stack: Stack) -> Iterator[Exit]:
        Todo = tuple[int, tuple[Event, ...], tuple[Regular, ...], Stack, bool, frozenset[Any], int]
        todo: list[Todo] = [(place, (), guards, stack, False, frozenset(), 0)]
        while todo:
            at, events, held, below, dynamic, seen, pushed = todo.pop()
            edges = self.program.edges[at]
            if not edges:
                if below is None:
                    yield Exit(events, None, held, None, dynamic)
                else:
                    place, under = below.place, below.below
                    todo.append((place, events, held, under, dynamic, seen, pushed - 1))
                continue
            if (at, below) in seen or pushed > _MAX_STACK:
                continue
            seen = seen | {(at, below)}
            for edge in reversed(edges):
                if isinstance(edge, Read):
                    yield Exit(events, edge, held, below, dynamic)
                    continue
                event = edge.event
                more = events
                kept: tuple[Regular, ...] | None = held
                now_dynamic = dynamic
                if event is not None and not self.skips(event):
                    more = (*events, event)
                    if self.guards and isinstance(event, BeginSpan) and event.guards:
                        now_dynamic = True
                    if self.guards and isinstance(event, EndSpan) and event.pops_guard:
                        kept = held[:-1] if held and held[-1].nullable else None
                if kept is None:
                    continue
                if isinstance(edge, Pass):
                    todo.append((edge.target, more, kept, below, now_dynamic, seen, pushed))
                else:
                    under = self.push(edge.target, below)
                    if self.contracts and self.too_deep(edge.entry, below):
                        more = (*more, Gate((self.program.deepest[edge.entry][1],)))
                    todo.append((edge.entry, more, kept, under, now_dynamic, seen, pushed + 1))

    def push(self, target: int, stack: Stack) -> Stack:
        """The stack with a return to `target`; a tail call leaves nothing to return to."""
        if stack is not None and not self.program.edges[target]:
            return stack
        return self.calling(target, stack)

    def calling(self, place: int, below: Stack) -> Return:
        """The one stack with a return to `place` on top."""
        found = self._returns.get((place, below))
        if found is None:
            low = self._lows[place] + (below.low if below is not None else 0)
            found = self._returns[place, below] = Return(place, below, low)
        return found

    def too_deep(self, entry: int, stack: Stack) -> bool:
        """Whether a call is one more inside itself than its `depth` allows."""
        if entry not in self.program.deepest:
            return False
        inside = 0
        while stack is not None:
            inside += self.program.returns.get(stack.place) == entry
            stack = stack.below
        return inside >= self.program.deepest[entry][0]

    def moves(self, thread: Thread, byte: int) -> tuple[Move, ...]:
        """Every way a thread can take a byte."""
        found = thread.moves.get(byte)
        if found is None:
            found = thread.moves[byte] = tuple(self._moves(thread, byte))
            if len(found) == 1:
                move = found[0]
                if move.thread is not None and not move.before and not move.after:
                    thread.quiet[byte] = move.thread
        return found

    def _moves(self, thread: Thread, byte: int) -> Iterator[Move]:
        if thread.left is not None:
            move = self._into((), thread.place, thread.left, thread.guards, thread.stack, byte)
            if move:
                yield move
        if thread.left is None or thread.left.nullable:
            for exit_ in self.exits(thread):
                if exit_.read is None:
                    continue
                if exit_.dynamic:
                    if exit_.read.language.step(byte) is not NOTHING:
                        yield Move((), (), None, exit_)
                    continue
                read = exit_.read
                move = self._into(
                    exit_.events, read.target, read.language, exit_.guards, exit_.stack, byte
                )
                if move:
                    yield move

    def _into(
        self,
        before: tuple[Event, ...],
        place: int,
        language: Regular,
        guards: tuple[Regular, ...],
        stack: Stack,
        byte: int,
    ) -> Move | None:
        left = language.step(byte)
        stepped = tuple(guard.step(byte) for guard in guards)
        if not live(left) or not all(map(live, stepped)):
            return None
        place, stack, kept, after = self.settle(place, stack, left, stepped)
        if kept is None:
            return None
        thread = self.thread(place, None if left is EMPTY else left, kept, stack)
        return Move(before, after, thread)

    def settle(
        self, place: int, stack: Stack, left: Regular, guards: tuple[Regular, ...]
    ) -> tuple[int, Stack, tuple[Regular, ...] | None, tuple[Event, ...]]:
        """Where a text is complete and only one way leads on, go it at once: steps close early."""
        events: list[Event] = []
        if left is not EMPTY:
            return place, stack, guards, ()
        while True:
            edges = self.program.edges[place]
            if not edges:
                if stack is None:
                    return place, stack, guards, tuple(events)
                place, stack = stack.place, stack.below
                continue
            edge = edges[0]
            if len(edges) > 1 or not isinstance(edge, Pass):
                return place, stack, guards, tuple(events)
            event = edge.event
            if event is not None and not self.skips(event):
                if isinstance(event, BeginSpan) and event.guards and self.guards:
                    return place, stack, guards, tuple(events)
                if self.guards and isinstance(event, EndSpan) and event.pops_guard:
                    if not guards or not guards[-1].nullable:
                        return place, stack, None, ()
                    guards = guards[:-1]
                events.append(event)
            place = edge.target

    # -- distances

    def low(self, thread: Thread) -> int:
        """A lower bound on the bytes from a place to the end of the trace, contracts aside."""
        if thread.low is None:
            total = self._lows[thread.place]
            if thread.left is not None:
                total += max(thread.left.shortest, 0)
            if thread.stack is not None:
                total += thread.stack.low
            thread.low = total
        return thread.low


def live(language: Regular) -> bool:
    try:
        return language.live
    except TooComplex:
        return True  # undecided within bounds: the walk itself will tell


def _shortest_ends(program: Program) -> list[int]:
    """Least bytes from each position to the return of its own body."""
    far = 1 << 30
    lows = [0 if not edges else far for edges in program.edges]
    users: list[list[int]] = [[] for _ in lows]
    for place, edges in enumerate(program.edges):
        for edge in edges:
            users[edge.target].append(place)
            if isinstance(edge, Call):
                users[edge.entry].append(place)
    todo = deque(range(len(lows) - 1, -1, -1))
    while todo:
        place = todo.popleft()
        best = lows[place]
        for edge in program.edges[place]:
            cost = lows[edge.target]
            if isinstance(edge, Read):
                cost += edge.language.shortest
            elif isinstance(edge, Call):
                cost += lows[edge.entry]
            if cost < best:
                best = cost
        if best < lows[place]:
            lows[place] = best
            todo.extend(users[place])
    return lows
