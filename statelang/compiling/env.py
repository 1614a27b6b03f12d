"""What a walk carries from byte to byte: registers, counts, and what of the steps it must know."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from statelang.clauses.expression import Expression
from statelang.clauses.values import Undefined, Value
from statelang.source import Span


@frozen
class Clause:
    """One contract condition, resolved: the words it was written in, and where. `last` is the slot
    of the field that decides it, once that is written."""

    kind: str
    text: str
    span: Span
    expression: Expression
    last: int | None = None

    def holds(self, env: Env) -> bool:
        """Whether the condition is true; undefined is false."""
        try:
            return bool(self.expression.evaluate(env))
        except Undefined:
            return False

    def waits(self, env: Env) -> bool:
        """Whether it is still to be judged where its rule is complete."""
        return self.last is None or env.slots[self.last] is None


class Env:
    """Registers, counts and the fields read so far. Whoever makes one may let events happen to it;
    once it is in a configuration it never changes."""

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

    def copy(self) -> Env:
        """Another one that is the same now."""
        return Env(
            self.registers,
            self.counts,
            self.lasts,
            self.slots,
            self.frames,
            self.starts,
            self.trail,
        )

    def last(self, action: int) -> tuple[Value | None, ...]:
        """The fields of the last complete step of an action. Raises Undefined before the first."""
        try:
            return self.lasts[action]
        except KeyError:
            raise Undefined("there is no such step yet") from None

    def with_registers(self, registers: tuple[Value, ...]) -> Env:
        """The same with other registers."""
        return Env(
            registers, self.counts, self.lasts, self.slots, self.frames, self.starts, self.trail
        )

    def since(self, first: int) -> Env:
        """The same, where the text begins `first` bytes later."""
        if not first or not self.starts:
            return self
        after = self.copy()
        after.starts = tuple(start - first for start in self.starts)
        return after

    @property
    def key(self) -> tuple[object, ...]:
        """What two walks must share to go on alike (the trail only tells where they came from)."""
        return (self.registers, self.counts, self.lasts, self.slots, self.frames, self.starts)


@frozen(eq=False)
class Frames:
    """Fields of the rules around a recursive one, innermost first."""

    slots: tuple[Value | None, ...]
    outer: Frames | None


class Trail:
    """One step: the action, where its text starts, and where it ends (-1 while it is open).

    Never changed; plain, as one is made at the opening and the close of every step.
    """

    __slots__ = ("action", "before", "end", "number", "start")

    def __init__(
        self, action: int, start: int, end: int, before: Trail | None, number: int
    ) -> None:
        self.action = action
        self.start = start
        self.end = end
        self.before = before
        self.number = number


@frozen(eq=False)
class Broken:
    """A clause that does not hold, and the Env it was judged on."""

    clause: Clause
    env: Env
