"""What happens between two bytes: steps and fields open and close, contracts are judged.

An event makes a new `Env`, or says which clause breaks.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, frozen

from statelang.automaton import NOTHING, Regular
from statelang.env import Broken, Clause, Env, Frames, Trail
from statelang.expression import Inexact
from statelang.values import Type, Undefined, Value


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
    marks: int  # the register that holds what was saved
    kept: frozenset[int]

    def restored(self, env: Env) -> Env:
        """The registers put back. Raises Undefined where nothing is saved under the key."""
        if self.restore is None:
            return env
        saved = self._saved(env).get(self.restore.expression.evaluate(env))
        if saved is None:
            raise Undefined("nothing is marked under this key")
        return env.with_registers(
            tuple(now if i in self.kept else saved[i] for i, now in enumerate(env.registers))
        )

    def marked(self, env: Env, key: Value) -> Env:
        """The registers of the opening saved under a key."""
        assert self.opening is not None
        opening = env.slots[self.opening]
        assert isinstance(opening, tuple)
        # The marks themselves are not saved with the rest: they would nest without end.
        plain = tuple({} if i == self.marks else value for i, value in enumerate(opening))
        registers = list(env.registers)
        registers[self.marks] = {**self._saved(env), key: plain}
        return env.with_registers(tuple(registers))

    def _saved(self, env: Env) -> Mapping[Value, tuple[Value, ...]]:
        return env.registers[self.marks]  # type: ignore[return-value]


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
