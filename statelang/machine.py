"""The walk: `Configuration, bytes -> Configuration`, a pure step over a program.

A configuration is a set of live threads. A thread is a place in the program (`Thread`, which knows
nothing of registers and is shared and remembered) with an `Env` of its own. The step of a thread on
a byte is taken once and then looked up; only events, which move registers and judge contracts, are
run each time. `Machine(space, contracts=False)` walks the plain grammar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final
from weakref import WeakValueDictionary

from attrs import define, field, frozen

from statelang.automaton import ANYTHING, EMPTY, NOTHING, Regular, TooComplex, both
from statelang.diagnostics import StatelangError
from statelang.program import (
    BeginSpan,
    Broken,
    Call,
    CloseAction,
    EndSpan,
    Env,
    Event,
    Gate,
    OpenAction,
    Pass,
    Program,
    Read,
)
from statelang.space import StateSpace
from statelang.tools import Environment, Function
from statelang.values import Type, Undefined, Value, read_number, simplest

MAX_THREADS: Final = 256
_MAX_REMEMBERED: Final = 200_000
_MAX_ENTERED: Final = 10_000
_MAX_STACK: Final = 1_000
_UNKNOWN: Final = object()


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


@frozen(eq=False)
class Configuration:
    """Where a trace stands. `text` is what open captures may still need; `base` counts the rest."""

    alive: tuple[tuple[Thread, Env], ...]
    text: bytes = b""
    base: int = 0

    @property
    def length(self) -> int:
        """Bytes read so far."""
        return self.base + len(self.text)


@define
class Blame:
    """Why threads died, kept where somebody asks for it."""

    entries: list[tuple[int, Broken]] = field(factory=list)


class Machine:
    """Walks one state space. Shares what it learns about places between all walks."""

    def __init__(self, space: StateSpace, *, contracts: bool = True, guards: bool = True) -> None:
        self.space = space
        self.program: Program = space.program
        self.contracts = contracts
        self.guards = contracts and guards
        self._threads: dict[tuple[object, ...], Thread] = {}
        self._returns: WeakValueDictionary[tuple[int, Stack], Return] = WeakValueDictionary()
        self._entered: dict[tuple[object, ...], Any] = {}
        self._lows = _shortest_ends(self.program)

    # -- beginnings and ends

    def start(
        self,
        problem: Mapping[str, Any] | None = None,
        tools: Mapping[str, Function] | None = None,
    ) -> Configuration:
        """The configuration before the first byte.

        With `tools`, the functions that `writes` clauses name, a field that the environment writes
        admits what the function gives and nothing else; without, every text.

        Raises StatelangError for an input or a function that is missing or of another type.
        """
        registers: list[Value] = []
        for index, (name, type, initial) in enumerate(self.program.registers):
            if index == self.program.tools and tools is not None:
                environment: Any = Environment(self.space.name, self.program.functions, tools)
                registers.append(environment)
                continue
            if initial is None:
                registers.append(read_input(self.space.name, name, type, problem or {}))
                continue
            try:
                value = initial.evaluate(Env(tuple(registers), (), {}))
            except (Undefined, IndexError):
                raise StatelangError(
                    f"the register `{name}` of the space `{self.space.name}` has no first value "
                    "for this problem; look at the inputs that its first value is made from"
                ) from None
            registers.append({} if type.name == "map" and not value else value)
        env = Env(tuple(registers), (0,) * len(self.program.actions), {})
        return Configuration(((self.thread(self.program.entry, None, (), None), env),))

    def ends(self, configuration: Configuration, blame: Blame | None = None) -> Env | None:
        """The final Env where the trace may end here, else None."""
        for thread, env in configuration.alive:
            if thread.left is not None and not thread.left.nullable:
                continue
            for exit_ in self.exits(thread):
                if exit_.read is None:
                    text, base = configuration.text, configuration.base
                    after = self.apply(exit_.events, env, text, len(text), base, blame)
                    if after is not None:
                        return after
        return None

    # -- the step

    def advance(
        self, configuration: Configuration, data: bytes, blame: Blame | None = None
    ) -> Configuration | None:
        """The configuration after `data`; None where no thread survives."""
        text = configuration.text + data
        alive: list[tuple[Thread, Env]] = list(configuration.alive)
        at, size = len(configuration.text), len(text)
        while at < size:
            if len(alive) == 1:
                thread, env = alive[0]
                while at < size:
                    following = thread.quiet.get(text[at])
                    if following is None:
                        break
                    thread, at = following, at + 1
                alive[0] = thread, env
                if at == size:
                    break
            alive = self._byte(alive, text, at, configuration.base, blame)
            if not alive:
                return None
            at += 1
        base = configuration.base
        if all(not env.starts for _, env in alive):  # nothing captures: the text is not needed
            return Configuration(tuple(alive), b"", base + size)
        return Configuration(tuple(alive), text, base)

    def accepted(self, configuration: Configuration, data: bytes) -> int:
        """How many bytes of `data` can be taken."""
        low, high = 0, len(data)
        if self.advance(configuration, data) is not None:
            return high
        while low < high - 1:
            middle = (low + high) // 2
            following = self.advance(configuration, data[low:middle])
            if following is not None:
                configuration, low = following, middle
            else:
                high = middle
        return low

    def _byte(
        self,
        alive: list[tuple[Thread, Env]],
        text: bytes,
        at: int,
        base: int,
        blame: Blame | None,
    ) -> list[tuple[Thread, Env]]:
        result: list[tuple[Thread, Env]] = []
        for thread, env in alive:
            for move in self.moves(thread, text[at]):
                found = self.take(move, env, text, at, base, blame)
                if found is not None and not any(
                    found[0] is t and (found[1] is e or found[1].key == e.key) for t, e in result
                ):
                    result.append(found)
        return result[:MAX_THREADS]

    def take(
        self,
        move: Move,
        env: Env,
        text: bytes,
        at: int,
        base: int = 0,
        blame: Blame | None = None,
    ) -> tuple[Thread, Env] | None:
        """The thread and Env after a move on the byte `text[at]`; None where a contract forbids."""
        if move.exit is not None:
            return self._dynamic(move.exit, env, text, at, base, blame)
        assert move.thread is not None
        if move.before:
            after = self.apply(move.before, env, text, at, base, blame)
            if after is None:
                return None
            env = after
        if move.after:
            after = self.apply(move.after, env, text, at + 1, base, blame)
            if after is None:
                return None
            env = after
        return move.thread, env

    def _dynamic(
        self, exit_: Exit, env: Env, text: bytes, at: int, base: int, blame: Blame | None
    ) -> tuple[Thread, Env] | None:
        """A move into a guarded field: what the guard leaves depends on the Env."""
        assert exit_.read is not None
        entered = self.entered(exit_, env, text, at, base, blame)
        if entered is None:
            return None
        env, language, guards = entered
        byte = text[at]
        left = language.step(byte)
        stepped = tuple(guard.step(byte) for guard in guards)
        if not _live(left) or not all(map(_live, stepped)):
            return None
        place, stack, pops, after = self.settle(exit_.read.target, exit_.stack, left, stepped)
        if pops is None:
            return None
        if after:
            done_after = self.apply(after, env, text, at + 1, base, blame)
            if done_after is None:
                return None
            env = done_after
        return self.thread(place, None if left is EMPTY else left, pops, stack), env

    def entered(
        self,
        exit_: Exit,
        env: Env,
        text: bytes,
        at: int,
        base: int,
        blame: Blame | None = None,
    ) -> tuple[Env, Regular, tuple[Regular, ...]] | None:
        """The Env at the beginning of a guarded field, what may be written there, and the guards
        of the parts around it; None where the events before it break a contract."""
        key = exit_, env, text[:at] if env.starts else b"", base, at
        found = self._entered.get(key, _UNKNOWN)
        if found is _UNKNOWN or blame is not None:
            if len(self._entered) > _MAX_ENTERED:
                self._entered.clear()
            found = self._entered[key] = self._enter(exit_, env, text, at, base, blame)
        result: tuple[Env, Regular, tuple[Regular, ...]] | None = found
        return result

    def beyond(self, move: Move, byte: int) -> Thread | None:
        """Where a move into a guarded field leads if its guards allow all: an upper bound."""
        exit_ = move.exit
        assert exit_ is not None and exit_.read is not None
        parts = sum(
            isinstance(e, BeginSpan) and bool(e.guards) and not e.is_terminal for e in exit_.events
        )
        guards = tuple(g.step(byte) for g in exit_.guards) + (ANYTHING,) * parts
        left = exit_.read.language.step(byte)
        place, stack, kept, _ = self.settle(exit_.read.target, exit_.stack, left, guards)
        if kept is None:
            return None
        return self.thread(place, None if left is EMPTY else left, kept, stack)

    def _enter(
        self, exit_: Exit, env: Env, text: bytes, at: int, base: int, blame: Blame | None
    ) -> tuple[Env, Regular, tuple[Regular, ...]] | None:
        """The Env at the beginning of a guarded field, and what its guards leave to be written."""
        assert exit_.read is not None
        guards, language = list(exit_.guards), exit_.read.language
        for event in exit_.events:
            if self.skips(event):
                continue
            done = self.apply((event,), env, text, at, base, blame)
            if done is None:
                return None
            env = done
            if isinstance(event, BeginSpan) and event.guards:
                found = both(*event.languages(env))
                if event.is_terminal:
                    language = both(language, found)
                else:
                    guards.append(found)
        if not _live(language) or not all(map(_live, guards)):
            return None
        return env, language, tuple(guards)

    def apply(
        self,
        events: tuple[Event, ...],
        env: Env,
        text: bytes,
        at: int,
        base: int = 0,
        blame: Blame | None = None,
    ) -> Env | None:
        """Let events happen after `text[:at]`; None, and an entry in `blame`, where one breaks."""
        for event in events:
            done = event.apply(env, text, at, base)
            if isinstance(done, Broken):
                if blame is not None:
                    blame.entries.append((base + at, done))
                return None
            env = done
        return env

    def skips(self, event: Event) -> bool:
        """Without contracts only the opening and the close of a step happen."""
        return not self.contracts and not isinstance(event, (OpenAction, CloseAction))

    # -- places

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
        if not _live(left) or not all(map(_live, stepped)):
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


def _live(language: Regular) -> bool:
    try:
        return language.live
    except TooComplex:
        return True  # undecided within bounds: the walk itself will tell


def _shortest_ends(program: Program) -> list[int]:
    """Least bytes from each position to the return of its own body."""
    far = 1 << 30
    lows = [0 if not edges else far for edges in program.edges]
    changed = True
    while changed:
        changed = False
        for place in range(len(lows) - 1, -1, -1):
            best = lows[place]
            for edge in program.edges[place]:
                if isinstance(edge, Read):
                    cost = edge.language.shortest + lows[edge.target]
                elif isinstance(edge, Call):
                    cost = lows[edge.entry] + lows[edge.target]
                else:
                    cost = lows[edge.target]
                best = min(best, cost)
            if best < lows[place]:
                lows[place] = best
                changed = True
    return lows


def read_input(space: str, name: str, type: Type, problem: Mapping[str, Any]) -> Value:
    """The value of an input, as the contract language has it. Raises StatelangError."""
    if name not in problem:
        raise StatelangError(
            f"the problem has no `{name}`, an input of type `{type}` that the space `{space}` "
            f"declares; add the key `{name}` to the problem"
        )
    try:
        return _converted(problem[name], type)
    except (TypeError, ValueError, AttributeError, Exception) as error:
        raise StatelangError(
            f"the input `{name}` of the space `{space}` is no `{type}`: {error}; "
            f"correct it in the problem"
        ) from None


def _converted(value: Any, type: Type) -> Value:
    if type.name == "text":
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a text")
        return value
    if type.name == "truth":
        if not isinstance(value, bool):
            raise TypeError(f"{value!r} is neither true nor false")
        return value
    if type.name == "number":
        if isinstance(value, str):
            return read_number(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{value!r} is not a number")
        return simplest(Fraction(str(value)))
    if type.name == "map":
        key, item = type.arguments
        return {_converted(k, key): _converted(v, item) for k, v in dict(value).items()}
    if isinstance(value, (str, Mapping)):
        raise TypeError(f"{value!r} is not a list")
    items = tuple(_converted(item, type.arguments[0]) for item in value)
    return frozenset(items) if type.name == "set" else items
