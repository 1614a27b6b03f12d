"""The compiled form of a grammar: positions, edges between them, and events on the way.

A program is a recursive transition network. Its edges read a regular language (`Read`), run
another body and come back (`Call`), or read nothing and let an event happen (`Pass`). Events move
the registers and fields of an `Env`; they are where contracts are judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import define, field, frozen

from statelang.automaton import NOTHING, Regular
from statelang.expression import Expression, Inexact
from statelang.source import Span
from statelang.values import Type, Undefined, Value

END: Final = -1


@frozen
class Clause:
    """One contract condition, resolved: the words it was written in, and where."""

    kind: str
    text: str
    span: Span
    expression: Expression

    def holds(self, env: Env) -> bool:
        """Whether the condition is true; undefined is false."""
        try:
            return bool(self.expression.evaluate(env))
        except Undefined:
            return False


# ---- what a walk carries ---------------------------------------------------------------------


class Env:
    """Registers, counts and the fields read so far. Never changed: events make new ones."""

    __slots__ = ("counts", "frames", "lasts", "registers", "slots", "starts", "trail")

    def __init__(
        self,
        registers: tuple[Value, ...],
        counts: tuple[int, ...],
        lasts: Mapping[int, tuple[Value | None, ...]],
        slots: tuple[Value | None, ...] = (),
        frames: Frames | None = None,
        starts: tuple[int, ...] = (),
        trail: Trail | None = None,
    ) -> None:
        self.registers = registers
        self.counts = counts
        self.lasts = lasts
        self.slots = slots  # fields of the rule being read
        self.frames = frames  # those of the rules around it
        self.starts = starts  # where the open captures began
        self.trail = trail  # the steps so far, latest first

    def last(self, action: int) -> tuple[Value | None, ...]:
        """The fields of the last complete step of an action. Raises Undefined before the first."""
        try:
            return self.lasts[action]
        except KeyError:
            raise Undefined("there is no such step yet") from None

    def with_slots(self, slots: tuple[Value | None, ...]) -> Env:
        """The same with other fields."""
        return Env(
            self.registers, self.counts, self.lasts, slots, self.frames, self.starts, self.trail
        )

    def with_registers(self, registers: tuple[Value, ...]) -> Env:
        """The same with other registers."""
        return Env(
            registers, self.counts, self.lasts, self.slots, self.frames, self.starts, self.trail
        )

    @property
    def key(self) -> tuple[object, ...]:
        """What two walks must share to go on alike (the trail only tells where they came from)."""
        return (self.registers, self.counts, self.lasts, self.slots, self.frames, self.starts)


@frozen(eq=False)
class Frames:
    """Fields of the rules around a recursive one, innermost first."""

    slots: tuple[Value | None, ...]
    outer: Frames | None


@frozen(eq=False)
class Trail:
    """One step: the action, where its text starts, and where it ends (-1 while it is open)."""

    action: int
    start: int
    end: int
    before: Trail | None
    number: int


# ---- events ----------------------------------------------------------------------------------


@frozen(eq=False)
class Broken:
    """A clause that does not hold, and the Env it was judged on."""

    clause: Clause
    env: Env


@define(eq=False)
class Event:
    """Something that happens between two bytes: a new Env, or the clause that breaks."""

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        """`text[:at]` has been read since byte `base` of the trace."""
        raise NotImplementedError


@define(eq=False)
class Gate(Event):
    """A transition that only some configurations may take."""

    clauses: tuple[Clause, ...]

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        for clause in self.clauses:
            if not clause.holds(env):
                return Broken(clause, env)
        return env


@define(eq=False)
class OpenAction(Event):
    """A step begins."""

    action: int
    name: str
    size: int = 0

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        number = env.trail.number + 1 if env.trail else 1
        trail = Trail(self.action, base + at, -1, env.trail, number)
        slots = (None,) * self.size
        return Env(env.registers, env.counts, env.lasts, slots, None, (), trail)


@define(eq=False)
class CloseAction(Event):
    """A step is complete: it is counted and its fields are kept where `last` asks for them."""

    action: int
    keep: bool = False

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        counts = list(env.counts)
        counts[self.action] += 1
        lasts = {**env.lasts, self.action: env.slots} if self.keep else env.lasts
        trail = env.trail
        assert trail is not None
        done = Trail(trail.action, trail.start, base + at, trail.before, trail.number)
        return Env(env.registers, tuple(counts), lasts, (), None, (), done)


@define(eq=False)
class OpenScope(Event):
    """A rule with contracts opens: its fields are unread, its gates must hold."""

    slots: tuple[int, ...] = ()
    gates: tuple[Clause, ...] = ()
    opening: int | None = None

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        if self.slots:
            slots = list(env.slots)
            for slot in self.slots:
                slots[slot] = None
            if self.opening is not None:
                slots[self.opening] = env.registers
            env = env.with_slots(tuple(slots))
        for clause in self.gates:
            if not clause.holds(env):
                return Broken(clause, env)
        return env


@frozen(eq=False)
class Keeping:
    """What `mark` and `restore` on a rule do: save the registers as they were at its opening under
    a key, put saved ones back. Kept registers and inputs stay as they are."""

    mark: Clause | None
    restore: Clause | None
    opening: int | None
    program: Program

    def restored(self, env: Env) -> Env:
        """The registers put back. Raises Undefined where nothing is saved under the key."""
        if self.restore is None:
            return env
        saved = self._saved(env).get(self.restore.expression.evaluate(env))
        if saved is None:
            raise Undefined("nothing is marked under this key")
        kept = self.program.kept
        return env.with_registers(
            tuple(now if i in kept else saved[i] for i, now in enumerate(env.registers))
        )

    def marked(self, env: Env, key: Value) -> Env:
        """The registers of the opening saved under a key."""
        assert self.opening is not None
        opening = env.slots[self.opening]
        assert isinstance(opening, tuple)
        # The marks themselves are not saved with the rest: they would nest without end.
        marks = self.program.marks
        assert marks is not None
        plain = tuple({} if i == marks else value for i, value in enumerate(opening))
        registers = list(env.registers)
        registers[marks] = {**self._saved(env), key: plain}
        return env.with_registers(tuple(registers))

    def _saved(self, env: Env) -> Mapping[Value, tuple[Value, ...]]:
        marks = self.program.marks
        assert marks is not None
        return env.registers[marks]  # type: ignore[return-value]


@define(eq=False)
class CloseScope(Event):
    """A rule with contracts is complete: the late conditions are judged, saved registers are put
    back, then all `set` lines happen at once."""

    clauses: tuple[Clause, ...] = ()
    sets: tuple[tuple[int, Type, Clause], ...] = ()
    keeping: Keeping | None = None

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        for clause in self.clauses:
            if not clause.holds(env):
                return Broken(clause, env)
        if self.keeping is None:
            return self._set(env)
        keeping, broken = self.keeping, self.keeping.restore or self.keeping.mark
        assert broken is not None
        try:
            key = keeping.mark.expression.evaluate(env) if keeping.mark else None
            done = self._set(keeping.restored(env))
        except Undefined:
            return Broken(broken, env)
        return done if isinstance(done, Broken) or key is None else keeping.marked(done, key)

    def _set(self, env: Env) -> Env | Broken:
        if not self.sets:
            return env
        registers = list(env.registers)
        for index, type, clause in self.sets:
            try:
                value = clause.expression.evaluate(env)
            except Undefined:
                return Broken(clause, env)
            registers[index] = {} if type.name == "map" and not value else value
        return env.with_registers(tuple(registers))


@define(eq=False)
class BeginSpan(Event):
    """A field begins. `guards` are conditions it decides, as (slot, clause)."""

    guards: tuple[tuple[int, Clause], ...] = ()
    is_terminal: bool = False

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        return Env(
            env.registers,
            env.counts,
            env.lasts,
            env.slots,
            env.frames,
            (*env.starts, at),
            env.trail,
        )

    def languages(self, env: Env) -> list[Regular]:
        """What each guard leaves of the field; what no automaton expresses waits for its end."""
        result = []
        for slot, clause in self.guards:
            try:
                result.append(clause.expression.guard(slot, env))
            except Undefined:
                return [NOTHING]
            except Inexact:
                continue
        return result


@define(eq=False)
class EndSpan(Event):
    """A field is complete: its text goes to its slots, and the conditions it decides are judged."""

    slots: tuple[tuple[int, bool], ...] = ()
    clauses: tuple[Clause, ...] = ()
    pops_guard: bool = False

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        read = text[env.starts[-1] : at].decode()
        slots = list(env.slots)
        for slot, is_list in self.slots:
            if is_list:
                so_far = slots[slot]
                slots[slot] = (*(so_far if isinstance(so_far, tuple) else ()), read)
            else:
                slots[slot] = read
        env = Env(
            env.registers,
            env.counts,
            env.lasts,
            tuple(slots),
            env.frames,
            env.starts[:-1],
            env.trail,
        )
        for clause in self.clauses:
            if not clause.holds(env):
                return Broken(clause, env)
        return env


@define(eq=False)
class PushFrame(Event):
    """A recursive rule begins with fields of its own."""

    size: int

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        frames, slots = Frames(env.slots, env.frames), (None,) * self.size
        return Env(env.registers, env.counts, env.lasts, slots, frames, env.starts, env.trail)


@define(eq=False)
class PopFrame(Event):
    """A recursive rule ends; the fields around it are back."""

    def apply(self, env: Env, text: bytes, at: int, base: int = 0) -> Env | Broken:
        assert env.frames is not None
        return Env(
            env.registers,
            env.counts,
            env.lasts,
            env.frames.slots,
            env.frames.outer,
            env.starts,
            env.trail,
        )


# ---- positions and edges ---------------------------------------------------------------------


@frozen(eq=False)
class Read:
    """Read a text of a regular language and be at `target`."""

    language: Regular
    target: int
    name: str


@frozen(eq=False)
class Pass:
    """Read nothing and be at `target`; an event may happen."""

    target: int
    event: Event | None = None


@frozen(eq=False)
class Call:
    """Run another body and come back at `target`."""

    entry: int
    target: int
    event: Event | None = None


Edge = Read | Pass | Call


@frozen
class Answer:
    """Which field answers, and how answers compare (`contracts.COMPARISONS`)."""

    action: int
    slot: int
    path: str
    type: Type
    comparison: str


@define(eq=False)
class Program:
    """All positions. A position without edges returns to its caller, or ends the trace."""

    edges: list[list[Edge]] = field(factory=list)
    states: dict[int, str] = field(factory=dict)
    entry: int = 0
    actions: tuple[str, ...] = ()
    registers: tuple[tuple[str, Type, Expression | None], ...] = ()
    answer: Answer | None = None
    free: set[int] = field(factory=set)  # after a field whose text binds nothing in its own step
    kept: frozenset[int] = frozenset()  # registers that `restore` leaves alone
    invariants: tuple[Clause, ...] = ()
    functions: tuple[str, ...] = ()  # what `writes` clauses call
    tools: int | None = None  # the register that holds the environment
    marks: int | None = None  # the register that holds what `mark` saves
    deepest: dict[int, tuple[int, Clause]] = field(factory=dict)  # entry: nested calls allowed
    returns: dict[int, int] = field(factory=dict)  # where such a call comes back: its entry

    def position(self) -> int:
        """A new position."""
        self.edges.append([])
        return len(self.edges) - 1
