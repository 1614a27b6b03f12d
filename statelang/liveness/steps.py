"""What an event does to a walk with rough registers: where it may lead, and whether it can fail.

An event is `sure` where the writer can make it happen whatever the registers hold, by the choice of
the field that it is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Final

from attrs import evolve, frozen

from statelang.clauses import expression as ex
from statelang.clauses.values import NUMBER
from statelang.compiling.env import Clause
from statelang.compiling.events import (
    BeginSpan,
    CloseAction,
    CloseScope,
    EndSpan,
    Event,
    Gate,
    OpenAction,
    OpenScope,
)
from statelang.compiling.program import Program
from statelang.liveness.abstract import (
    LARGEST,
    UNDEFINED,
    Abstract,
    AtLeast,
    Outcome,
    anything,
    outcome,
    register_of,
)
from statelang.liveness.clauses import all_clauses, constants, landing, needed
from statelang.liveness.origins import MAX_STATES, Origins, can_write, one_text, within
from statelang.regular import regex
from statelang.regular.automaton import ALL_BYTES, Regular, TooComplex, both, lives, one_of, repeat

_MANY: Final = 200  # bytes: a language with longer texts has more of them than any set
_PLAIN: Final = regex.parse(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")  # one spelling for one number


@frozen
class Result:
    """Where an event may lead, and whether nothing can close it."""

    after: tuple[Abstract, ...]
    sure: bool = True


class Facts:
    """What every attempt asks of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.origins = Origins(program)
        self.most = _most_counted(program)
        self.needed = needed(program)
        self.landing = [landing(program, place) for place in range(len(program.edges))]
        self.guards = {
            id(clause)
            for edges in program.edges
            for edge in edges
            if isinstance(event := getattr(edge, "event", None), BeginSpan)
            for _, clause in event.guards
        }


class Steps:
    """The events of one program, for walks that follow some of its registers."""

    def __init__(self, facts: Facts, followed: frozenset[int]) -> None:
        self.program = program = facts.program
        self.origins = facts.origins
        self.most = facts.most
        self.needed = facts.needed
        self.guards = facts.guards
        self.followed = followed | set(constants(program)) - {program.marks}
        self.invariants = [
            part for clause in program.invariants for part in ex.conjuncts(clause.expression)
        ]
        self.verdicts: dict[int, set[object]] = {}  # clause: what it came to
        self.clauses: dict[int, Clause] = {}

    def start(self) -> list[Abstract]:
        """Where a trace begins."""
        at = Abstract(
            (None,) * len(self.program.registers),
            tuple(0 if i in self.most else None for i in range(len(self.program.actions))),
        )
        starts = [at]
        for index, (_, type, initial) in enumerate(self.program.registers):
            if index not in self.followed:
                continue
            more = []
            for one in starts:
                values = anything(type) if initial is None else outcome(initial, one)
                for value in values - {UNDEFINED}:
                    more.append(_with(one, index, value))
            starts = more
        return starts

    def judge(self, clause: Clause, at: Abstract) -> Outcome:
        """What a clause comes to; an invariant is taken to hold."""
        if clause.expression in self.invariants:
            return frozenset({True})
        found = outcome(clause.expression, at)
        self.clauses[id(clause)] = clause
        self.verdicts.setdefault(id(clause), set()).update(found)
        return found

    def apply(self, event: Event, place: int, at: Abstract) -> Result:
        """The event on the way to `place`, where only what is needed from there on is kept."""
        result = self._apply(event, place, at)
        keep = self.needed[place]
        after = dict.fromkeys(
            evolve(
                one,
                members=frozenset(m for m in one.members if m[0] in keep),
                read=one.read & keep,
                held=one.held & keep,
            )
            for one in result.after
        )
        return Result(tuple(after), result.sure)

    def _apply(self, event: Event, place: int, at: Abstract) -> Result:
        match event:
            case Gate(clauses=clauses):
                return self._gates(clauses, at)
            case OpenAction():
                return Result((Abstract(at.registers, at.counts),))
            case CloseAction(action=action):
                counts = list(at.counts)
                if action in self.most and isinstance(counts[action], int):
                    more, most = counts[action] + 1, self.most[action]  # type: ignore[operator]
                    counts[action] = AtLeast(most) if more >= most else more
                return Result((Abstract(at.registers, tuple(counts)),))
            case OpenScope(slots=slots, gates=gates):
                members = frozenset(m for m in at.members if m[0] not in slots)
                at = evolve(at, members=members, read=at.read - set(slots))
                return self._gates(gates, at)
            case BeginSpan(guards=guards):
                return self._begin(guards, place, at)
            case EndSpan():
                return self._end(event, at)
            case CloseScope():
                return self._close(event, at)
        return Result((at,))

    def _gates(self, clauses: Iterable[Clause], at: Abstract) -> Result:
        sure = True
        for clause in clauses:
            if id(clause) in at.held:
                continue
            found = self.judge(clause, at)
            if True not in found:
                return Result((), False)
            sure = sure and found == {True}
        return Result((at,), sure)

    def _begin(self, guards: tuple[tuple[int, Clause], ...], place: int, at: Abstract) -> Result:
        if not guards:
            return Result((at,))
        seen = evolve(at, read=at.read | {slot for slot, _ in guards})
        for _, clause in guards:
            if True not in self.judge(clause, seen):
                return Result((), False)
        found = one_text(self.program, place)
        if found is None:
            return Result((at,), False)
        body = self.origins.body_of.get(place, -1)
        return Result((at,), self._writable(guards, found[0], body, at, seen))

    def _end(self, event: EndSpan, at: Abstract) -> Result:
        clauses = event.clauses
        members = at.members | set(_members(clauses))
        held = at.held | {id(clause) for clause in clauses}
        read = at.read | {slot for slot, _ in event.slots}
        waited = (clause for clause in clauses if id(clause) not in self.guards)
        result = self._gates(waited, evolve(at, read=read))
        after = tuple(evolve(one, members=members, held=held) for one in result.after)
        return Result(after, result.sure)

    def _writable(
        self,
        guards: tuple[tuple[int, Clause], ...],
        language: Regular,
        body: int,
        at: Abstract,
        seen: Abstract,
    ) -> bool:
        """Whether some text of the field satisfies all its conditions, whatever the registers."""
        binding = [
            (slot, clause.expression)
            for slot, clause in guards
            if outcome(clause.expression, seen) != {True}
        ]
        if all(ex.excludes(e) and _total(e, at, slot) for slot, e in binding):
            return not binding or _endless(language, binding)
        if len(binding) > 1:
            return False
        ((slot, condition),) = binding
        if isinstance(condition, ex.Compare) and condition.relation == "==":
            for own, other in (
                (condition.left, condition.right),
                (condition.right, condition.left),
            ):
                if isinstance(own, ex.Field) and own.slot == slot and slot not in other.slots:
                    values = outcome(other, at)
                    if all(isinstance(v, (int, Fraction, str, AtLeast)) for v in values):
                        return all(can_write(value, language) for value in values)
                    defined = UNDEFINED not in values
                    return defined and self.origins.covers(other, body, language)
        if isinstance(condition, ex.Contains) and isinstance(condition.item, ex.Field):
            sizes = outcome(condition.container, at)
            origin = self.origins.of(condition.container, body)
            texts = origin.keys if condition.container.type.name == "map" else origin.items
            filled = not sizes & {0, UNDEFINED}
            return condition.item.slot == slot and filled and within(texts, language)
        return False

    def _close(self, event: CloseScope, at: Abstract) -> Result:
        gates = self._gates(event.clauses, at)
        if not gates.after:
            return gates
        ways, sure = [at], gates.sure
        if event.keeping is not None and event.keeping.restore is not None:
            ways = [self._restored(at, values) for values in self._kept(at)]
        changed: dict[Abstract, None] = {}
        for way in ways:
            found = []
            for index, _, clause in event.sets:
                values = outcome(clause.expression, way)
                sure = sure and UNDEFINED not in values
                if index in self.followed:
                    found.append([(index, v) for v in values - {UNDEFINED}])
                elif values == {UNDEFINED}:
                    return Result((), False)
            for choice in product(*found):
                after = way
                for index, value in choice:
                    after = _with(after, index, value)
                changed[after] = None
        return Result(tuple(changed), sure)

    def _kept(self, at: Abstract) -> Iterable[tuple[object, ...]]:
        """What the registers may hold after `restore`: anything, but for those that are kept."""
        options = []
        for index, (_, type, _) in enumerate(self.program.registers):
            if index not in self.followed or index in self.program.kept:
                options.append([at.registers[index]])
            else:
                options.append(list(anything(type)))
        return product(*options)

    def _restored(self, at: Abstract, values: tuple[object, ...]) -> Abstract:
        return evolve(at, registers=values, members=frozenset())


def _with(at: Abstract, index: int, value: object) -> Abstract:
    registers = list(at.registers)
    registers[index] = value
    members = frozenset(m for m in at.members if m[1] != index)
    return evolve(at, registers=tuple(registers), members=members)


def _members(clauses: Iterable[Clause]) -> Iterable[tuple[int, int]]:
    for clause in clauses:
        condition = clause.expression
        if isinstance(condition, ex.Contains) and isinstance(condition.item, ex.Field):
            register = register_of(condition.container)
            if register is not None:
                yield condition.item.slot, register


def _total(condition: ex.Expression, at: Abstract, slot: int) -> bool:
    """Whether a condition has a value once its field is read."""
    return UNDEFINED not in outcome(condition, evolve(at, read=at.read | {slot}))


def _endless(language: Regular, binding: list[tuple[int, ex.Expression]]) -> bool:
    """Whether a field has more values than any set: it can always differ."""
    numbers = any(
        part.type == NUMBER
        for slot, condition in binding
        for part in _parts(condition)
        if isinstance(part, ex.Field) and part.slot == slot
    )
    return _has_long_texts(language, numbers)


@lru_cache(maxsize=4_096)
def _has_long_texts(language: Regular, numbers: bool) -> bool:
    long = repeat(one_of(ALL_BYTES), _MANY, None)
    try:
        return lives(both(language, long, *([_PLAIN] if numbers else [])), MAX_STATES)
    except TooComplex:
        return False


def _parts(condition: ex.Expression) -> Iterable[ex.Expression]:
    match condition:
        case ex.Compare(left=left, right=right):
            return left, right
        case ex.Excludes(inner=inner):
            return inner.item, inner.container
    return ()


def _most_counted(program: Program) -> dict[int, int]:
    """Actions whose steps some clause counts, and from where on it does not tell them apart."""
    found: dict[int, int] = {}

    def note(action: int, most: int) -> None:
        found[action] = min(max(found.get(action, 1), most), LARGEST)

    compared: set[int] = set()
    for item in ex.parts(clause.expression for clause in all_clauses(program)):
        if isinstance(item, ex.Last):
            note(item.action, 1)
        elif isinstance(item, ex.Compare):
            for own, other in ((item.left, item.right), (item.right, item.left)):
                if isinstance(own, ex.Count) and isinstance(other, ex.Constant):
                    compared.add(id(own))
                    note(own.action, int(other.value) + 1)  # type: ignore[arg-type]
        elif isinstance(item, ex.Count) and id(item) not in compared:
            note(item.action, LARGEST)
    return found
