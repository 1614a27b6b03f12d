"""What happens between two bytes: steps and fields open and close, contracts are judged."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, frozen

from statelang.clauses.expression import guards
from statelang.clauses.values import Type, Undefined, Value
from statelang.compiling.env import Clause, Env, Frames, Trail
from statelang.regular.automaton import Regular


@define(eq=False)
class Event:
    """Something that happens between two bytes."""

    @property
    def moves(self) -> bool:
        """Whether it changes the Env."""
        return True

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        """Change `env`, which is the caller's own, once `text[:at]` has been read since byte `base`
        of the trace; the first clause that breaks, or None."""
        raise NotImplementedError


def _broken(clauses: tuple[Clause, ...], env: Env) -> Clause | None:
    for clause in clauses:
        if not clause.holds(env):
            return clause
    return None


@define(eq=False)
class Gate(Event):
    """A transition that only some configurations may take."""

    clauses: tuple[Clause, ...]

    @property
    def moves(self) -> bool:
        return False

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        return _broken(self.clauses, env)


@define(eq=False)
class OpenAction(Event):
    """A step begins."""

    action: int
    name: str
    size: int = 0

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        number = env.trail.number + 1 if env.trail else 1
        env.trail = Trail(self.action, base + at, -1, env.trail, number)
        env.slots, env.frames, env.starts = (None,) * self.size, None, ()
        return None


@define(eq=False)
class CloseAction(Event):
    """A step is complete: it is counted and its fields are kept where `last` asks for them."""

    action: int
    keep: bool = False

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        counts = list(env.counts)
        counts[self.action] += 1
        env.counts = tuple(counts)
        if self.keep:
            env.lasts = {**env.lasts, self.action: env.slots}
        trail = env.trail
        assert trail is not None
        env.trail = Trail(trail.action, trail.start, base + at, trail.before, trail.number)
        env.slots, env.frames, env.starts = (), None, ()
        return None


@define(eq=False)
class OpenScope(Event):
    """A rule with contracts opens: its fields are unread, its gates must hold."""

    slots: tuple[int, ...] = ()
    gates: tuple[Clause, ...] = ()
    opening: int | None = None

    @property
    def moves(self) -> bool:
        return bool(self.slots)

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        if self.slots:
            slots = list(env.slots)
            for slot in self.slots:
                slots[slot] = None
            if self.opening is not None:
                slots[self.opening] = env.registers
            env.slots = tuple(slots)
        return _broken(self.gates, env)


@frozen(eq=False)
class Keeping:
    """What `mark` and `restore` on a rule do: save the registers as they were at its opening under
    a key, put saved ones back. Kept registers and inputs stay as they are."""

    mark: Clause | None
    restore: Clause | None
    opening: int | None
    marks: int  # the register that holds what was saved
    kept: frozenset[int]

    def restored(self, env: Env) -> tuple[Value, ...]:
        """The registers put back. Raises Undefined where nothing is saved under the key."""
        if self.restore is None:
            return env.registers
        saved = self._saved(env).get(self.restore.expression.evaluate(env))
        if saved is None:
            raise Undefined("nothing is marked under this key")
        return tuple(now if i in self.kept else saved[i] for i, now in enumerate(env.registers))

    def marked(self, env: Env, key: Value) -> tuple[Value, ...]:
        """The registers, those of the opening saved under a key."""
        assert self.opening is not None
        opening = env.slots[self.opening]
        assert isinstance(opening, tuple)
        # The marks themselves are not saved with the rest: they would nest without end.
        plain = tuple({} if i == self.marks else value for i, value in enumerate(opening))
        registers = list(env.registers)
        registers[self.marks] = {**self._saved(env), key: plain}
        return tuple(registers)

    def _saved(self, env: Env) -> Mapping[Value, tuple[Value, ...]]:
        return env.registers[self.marks]  # type: ignore[return-value]


@define(eq=False)
class CloseScope(Event):
    """A rule with contracts is complete: the conditions that wait are judged, saved registers are
    put back, then all `set` lines happen at once."""

    clauses: tuple[Clause, ...] = ()
    sets: tuple[tuple[int, Type, Clause], ...] = ()
    keeping: Keeping | None = None

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        broken = _broken(tuple(clause for clause in self.clauses if clause.waits(env)), env)
        if broken is not None:
            return broken
        keeping = self.keeping
        if keeping is None:
            return self._set(env)
        try:
            key = keeping.mark.expression.evaluate(env) if keeping.mark else None
            env.registers = keeping.restored(env)
            broken = self._set(env)
            if broken is None and key is not None:
                env.registers = keeping.marked(env, key)
        except Undefined:
            return keeping.restore or keeping.mark
        return broken

    def _set(self, env: Env) -> Clause | None:
        if not self.sets:
            return None
        registers = list(env.registers)
        for index, type, clause in self.sets:
            try:
                value = clause.expression.evaluate(env)
            except Undefined:
                return clause
            registers[index] = {} if type.name == "map" and not value else value
        env.registers = tuple(registers)
        return None


@define(eq=False)
class BeginSpan(Event):
    """A field begins. `guards` are conditions it decides, as (slot, clause)."""

    guards: tuple[tuple[int, Clause], ...] = ()
    is_terminal: bool = False

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        env.starts = (*env.starts, at)
        return None

    def languages(self, env: Env) -> list[Regular]:
        """What each guard leaves of the field; what no automaton expresses waits for its end."""
        return guards([(slot, clause.expression) for slot, clause in self.guards], env)


@define(eq=False)
class EndSpan(Event):
    """A field is complete: its text goes to its slots, and the conditions it decides are judged."""

    slots: tuple[tuple[int, bool], ...] = ()
    clauses: tuple[Clause, ...] = ()
    pops_guard: bool = False

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        *starts, start = env.starts
        env.starts = tuple(starts)
        return self.write(env, text[start:at].decode())

    def write(self, env: Env, read: str) -> Clause | None:
        """Put what has been read into the fields; the first clause that breaks, or None."""
        slots = list(env.slots)
        for slot, is_list in self.slots:
            if is_list:
                so_far = slots[slot]
                slots[slot] = (*(so_far if isinstance(so_far, tuple) else ()), read)
            else:
                slots[slot] = read
        env.slots = tuple(slots)
        return _broken(self.clauses, env)


@define(eq=False)
class PushFrame(Event):
    """A recursive rule begins with fields of its own."""

    size: int

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        env.frames = Frames(env.slots, env.frames)
        env.slots = (None,) * self.size
        return None


@define(eq=False)
class PopFrame(Event):
    """A recursive rule ends; the fields around it are back."""

    def happen(self, env: Env, text: bytes, at: int, base: int = 0) -> Clause | None:
        assert env.frames is not None
        env.slots, env.frames = env.frames.slots, env.frames.outer
        return None
