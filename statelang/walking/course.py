"""One trace on its way through a machine, in pieces: by strides where there are some, else by byte.

What is kept is the text since the last checkpoint, a place where one reading of the trace is left
and no field is open; so a trace of any number of steps needs the memory of its longest step, and
what its registers hold.
"""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from statelang.compiling.env import Env, Trail
from statelang.walking.happenings import Told
from statelang.walking.machine import Blame, Configuration, Machine, is_between
from statelang.walking.places import Stack, Thread
from statelang.walking.strides import Strides, Way


@frozen
class Step:
    """One action of a trace and its place, in characters."""

    action: str
    start: int
    end: int


@frozen
class Checkpoint:
    """Where a trace stood: its one thread there, and what was read before, in characters, lines
    and characters of the last line."""

    thread: Thread
    env: Env
    base: int = 0
    lines: int = 0
    column: int = 0

    def after(self, text: str, thread: Thread, env: Env) -> Checkpoint:
        """The checkpoint after a text that leads to a place."""
        lines = text.count("\n")
        column = len(text) - text.rindex("\n") - 1 if lines else self.column + len(text)
        return Checkpoint(thread, env, self.base + len(text), self.lines + lines, column)


@define(eq=False)
class Course:
    """One trace and one machine.

    `beside` is a machine that must be left with one thread too before a walk byte by byte sets a
    checkpoint: that without contracts, where the contracts alone may have decided.
    """

    strides: Strides
    at: Checkpoint
    beside: Machine | None = None
    alive: bool = True
    text: str = ""  # since the checkpoint
    walked: Configuration | None = None  # after all of `text`; None: nothing was walked yet
    blame: Blame = field(factory=Blame)  # since the checkpoint
    told: int = 0  # the number of the last step in `_steps` so far
    _steps: list[Step] = field(factory=list)
    _shadow: Configuration | None = None

    @property
    def _names(self) -> tuple[str, ...]:
        return self.machine.program.actions

    @property
    def machine(self) -> Machine:
        """The machine that reads."""
        return self.strides.machine

    def feed(self, text: str, *, invalid: bool = False) -> None:
        """Read on; an `invalid` text is followed by something that is no character."""
        self.text += text
        unread = text.encode()
        while self.alive:
            if self.walked is None:
                self._stride()
                unread = self.text.encode()
                if unread or invalid:
                    self._begin_walk()
            if not unread and not invalid:
                return
            if not unread:
                unread, invalid = b"\xff", False
            unread = self._walk(unread)

    def ends(self) -> Env | None:
        """The final Env where the trace may end here, else None. No text can follow."""
        configuration = self.walked or Configuration(((self.at.thread, self.at.env),))
        found = self.machine.ends(configuration, self.blame) if self.alive else None
        if found is not None:
            found = found.copy()
            if self.walked is not None:
                found.trail = self._placed(found.trail)
            self._note(found)
        return found

    def take_steps(self) -> tuple[Step, ...]:
        """The steps that were completed since the last call."""
        taken, self._steps = tuple(self._steps), []
        return taken

    def open_step(self) -> Step | None:
        """The step under way, up to what was read; that of the first reading."""
        env = (self.walked or self.begun()).alive[0][1]
        if env.trail is None or env.trail.end >= 0 or env.trail.number <= self.told:
            return None
        return self.untold(env.trail, len(self.text.encode()))[-1]

    def begun(self) -> Configuration:
        """The configuration at the checkpoint, places in bytes from there on."""
        env, trail = self.at.env.copy(), self.at.env.trail
        if trail is not None:
            start = trail.start - self.at.base
            env.trail = Trail(trail.action, start, trail.end, None, trail.number)
        return Configuration(((self.at.thread, env),))

    def untold(self, trail: Trail | None, end: int) -> tuple[Step, ...]:
        """The steps of a walk that were not told yet; one under way ends at the byte `end`."""
        found = []
        while trail is not None and trail.number > self.told:
            until = self.place(trail.end if trail.end >= 0 else end)
            found.append(Step(self._names[trail.action], self.place(trail.start), until))
            trail = trail.before
        return tuple(reversed(found))

    def again(self, strides: Strides) -> Course:
        """A course from the checkpoint on through another machine, which asks no tools."""
        env, tools = self.at.env.copy(), self.machine.program.tools
        if tools is not None:
            registers = list(env.registers)
            registers[tools] = {}
            env.registers = tuple(registers)
        thread = adopted(strides.machine, self.at.thread)
        return Course(strides, evolve(self.at, thread=thread, env=env), told=self.told)

    def place(self, offset: int) -> int:
        """Where a byte after the checkpoint stands, in characters of the trace."""
        if offset <= 0 or self.text.isascii():
            return self.at.base + offset
        return self.at.base + len(self.text.encode()[:offset].decode(errors="replace"))

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """The same as line and column, from 1."""
        before = self.text.encode()[:offset].decode(errors="replace")
        here = self.at.after(before, self.at.thread, self.at.env)
        return here.lines + 1, here.column + 1

    # -- by strides

    def _stride(self) -> None:
        """Whole strides from the checkpoint; then the checkpoint after the last that it holds."""
        at, of, judges = self.at, self.strides.of, self.machine.judges
        text, base, thread, env, end = self.text, at.base, at.thread, at.env.copy(), 0
        kept, kept_thread, kept_env = 0, thread, at.env
        told: list[Told] = []
        known = 0
        env.slots = list(env.slots)  # type: ignore[assignment]  # as happenings have it
        stride = of(thread)
        while stride is not None:
            found = stride.match(text, end)
            if found is None:
                break
            way: Way = stride.ways[found.lastindex]
            for happening in way.happenings:
                if happening(env, found, base, told) is not None and judges:
                    break
            else:
                thread, end = way.thread, found.end()
                if way.closes and not env.starts:
                    kept, kept_thread, kept_env, known = end, thread, env, len(told)
                    env = env.copy()
                    if env.slots != ():  # another step is open
                        kept_env.slots = tuple(env.slots)
                        env.slots = list(env.slots)  # type: ignore[assignment]
                stride = way.next
                if stride is None:
                    stride = way.next = of(thread)
                continue
            break
        if kept:
            names = self._names
            self._steps += [Step(names[one], start, stop) for one, start, stop in told[:known]]
            self.told += known
            self._reach(kept, kept_thread, kept_env)

    def _note(self, env: Env) -> None:
        """Tell the steps that are complete, and forget those before the last."""
        trail, found = env.trail, []
        while trail is not None and trail.number > self.told:
            if trail.end >= 0:
                found.append(Step(self._names[trail.action], trail.start, trail.end))
            trail = trail.before
        self._steps += reversed(found)
        trail = env.trail
        if trail is not None:
            self.told = trail.number - (trail.end < 0)
            env.trail = Trail(trail.action, trail.start, trail.end, None, trail.number)

    def _reach(self, read: int, thread: Thread, env: Env) -> None:
        """A checkpoint after so many characters."""
        self.at = self.at.after(self.text[:read], thread, env)
        self.text = self.text[read:]
        self.walked = self._shadow = None
        if self.blame.entries:
            self.blame = Blame()

    # -- byte by byte

    def _begin_walk(self) -> None:
        self.walked = self.begun()
        if self.beside is not None:
            thread, env = self.walked.alive[0]
            self._shadow = Configuration(((adopted(self.beside, thread), env),))

    def _walk(self, unread: bytes) -> bytes:
        """Walk to the next checkpoint, or to the end; what is still unread."""
        assert self.walked is not None
        after, taken = self.machine.to_next_step(self.walked, unread, self.blame)
        if after is None:
            self.alive = False
            return b""
        self.walked, rest = after, unread[taken:]
        if self._shadow is not None and self.beside is not None:
            self._shadow = self.beside.advance(self._shadow, unread[:taken])
        thread, env = after.alive[0]
        if len(after.alive) == 1 and is_between(thread, env) and self._is_alone(thread):
            env = env.copy()
            env.trail = self._placed(env.trail)
            self._note(env)
            self._reach(len(self.text) - len(rest.decode()), thread, env)
        return rest

    def _placed(self, trail: Trail | None) -> Trail | None:
        """Steps whose places count from the beginning of the trace."""
        found = []
        while trail is not None and trail.number > self.told:
            found.append(trail)
            trail = trail.before
        result = None
        for one in reversed(found):
            end = self.place(one.end) if one.end >= 0 else -1
            result = Trail(one.action, self.place(one.start), end, result, one.number)
        return result

    def _is_alone(self, thread: Thread) -> bool:
        """Whether the machine beside has one thread too, at the same place."""
        if self.beside is None:
            return True
        if self._shadow is None or len(self._shadow.alive) > 1:
            return False
        other = self._shadow.alive[0][0]
        return other is adopted(self.beside, thread)


def adopted(machine: Machine, thread: Thread) -> Thread:
    """The same place in another machine of the same program."""
    places, stack = [], thread.stack
    while stack is not None:
        places.append(stack.place)
        stack = stack.below
    below: Stack = None
    for place in reversed(places):
        below = machine.calling(place, below)
    return machine.thread(thread.place, thread.left, thread.guards, below)
