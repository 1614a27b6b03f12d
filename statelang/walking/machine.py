"""The walk: `Configuration, bytes -> Configuration`, a pure step over a program.

A configuration is a set of live threads. A thread is a place in the program (`Thread`, which knows
nothing of registers and is shared and remembered) with an `Env` of its own. The step of a thread on
a byte is taken once and then looked up; only events, which move registers and judge contracts, are
run each time. `Machine(space, contracts=False)` walks the plain grammar.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import define, field, frozen

from statelang.clauses.values import Undefined, Value
from statelang.compiling.env import Broken, Env
from statelang.compiling.events import BeginSpan, Event
from statelang.diagnostics import StatelangError
from statelang.regular.automaton import ANYTHING, EMPTY, Regular, both
from statelang.space import StateSpace
from statelang.tools import Environment, Function
from statelang.walking.inputs import read_input
from statelang.walking.places import Exit, Move, Places, Thread, live

MAX_THREADS: Final = 256
_MAX_ENTERED: Final = 250  # for one search or token: a later one has other Envs
_UNKNOWN: Final = object()


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


class Machine(Places):
    """Walks one state space. Shares what it learns about places between all walks.

    With `judges=False` registers and fields are kept, and no condition forbids anything.
    """

    def __init__(
        self, space: StateSpace, *, contracts: bool = True, guards: bool = True, judges: bool = True
    ) -> None:
        super().__init__(space.program, contracts=contracts, guards=contracts and guards)
        self.space = space
        self.judges = judges
        self._entered: dict[tuple[object, ...], Any] = {}

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

    def remembering(self, configuration: Configuration) -> Configuration:
        """The same where the tools are not run: what they were not asked yet closes its field."""
        index = self.program.tools
        if index is None:
            return configuration
        alive = []
        for thread, env in configuration.alive:
            registers: list[Any] = list(env.registers)
            if isinstance(environment := registers[index], Environment):
                registers[index] = environment.remembered
                env = env.with_registers(tuple(registers))
            alive.append((thread, env))
        return Configuration(tuple(alive), configuration.text, configuration.base)

    def asked(self, configuration: Configuration) -> int:
        """How often the tools of a trace were run."""
        index = self.program.tools
        found = None if index is None else configuration.alive[0][1].registers[index]
        return found.asked if isinstance(found, Environment) else 0

    # -- the step

    def advance(
        self, configuration: Configuration, data: bytes, blame: Blame | None = None
    ) -> Configuration | None:
        """The configuration after `data`; None where no thread survives."""
        return self._walk(configuration, data, blame, stops=False)[0]

    def to_next_step(
        self, configuration: Configuration, data: bytes, blame: Blame | None = None
    ) -> tuple[Configuration | None, int]:
        """The same, no further than to where a step is complete and one thread is left between two
        texts; and how many bytes were taken."""
        return self._walk(configuration, data, blame, stops=True)

    def _walk(
        self, configuration: Configuration, data: bytes, blame: Blame | None, *, stops: bool
    ) -> tuple[Configuration | None, int]:
        text = configuration.text + data
        alive: list[tuple[Thread, Env]] = list(configuration.alive)
        before = len(configuration.text)
        at, size = before, len(text)
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
                return None, at - before
            at += 1
            if stops and len(alive) == 1 and is_between(*alive[0]):
                break
        base = configuration.base
        if all(not env.starts for _, env in alive):  # nothing captures: the text is not needed
            return Configuration(tuple(alive), b"", base + at), at - before
        # No more text than captures need: what was read in other pieces is the same configuration.
        first = min(env.starts[0] for _, env in alive if env.starts)
        kept = tuple((thread, env.since(first)) for thread, env in alive)
        return Configuration(kept, text[first:at], base + first), at - before

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
        found = self.inside(exit_, language, guards, text[at])
        if found is None:
            return None
        thread, after = found
        if after:
            done_after = self.apply(after, env, text, at + 1, base, blame)
            if done_after is None:
                return None
            env = done_after
        return thread, env

    def inside(
        self, exit_: Exit, language: Regular, guards: tuple[Regular, ...], byte: int
    ) -> tuple[Thread, tuple[Event, ...]] | None:
        """The place after the first byte of a guarded field that has been `entered`, and what
        happens after that byte; None where the guards do not allow it."""
        assert exit_.read is not None
        left = language.step(byte)
        stepped = tuple(guard.step(byte) for guard in guards)
        if not live(left) or not all(map(live, stepped)):
            return None
        place, stack, pops, after = self.settle(exit_.read.target, exit_.stack, left, stepped)
        if pops is None:
            return None
        return self.thread(place, None if left is EMPTY else left, pops, stack), after

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
        if not live(language) or not all(map(live, guards)):
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
        after = env
        for event in events:
            if after is env and event.moves:
                after = env.copy()
            clause = event.happen(after, text, at, base)
            if clause is not None and self.judges:
                if blame is not None:
                    blame.entries.append((base + at, Broken(clause, after)))
                return None
        return after


def is_between(thread: Thread, env: Env) -> bool:
    """Whether a place is between two steps."""
    complete = env.trail is not None and env.trail.end >= 0
    return complete and thread.left is None and not thread.guards
