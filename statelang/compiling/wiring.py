"""From laid-out bodies to a program: positions, the edges between them, the events on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import define, field

from statelang.clauses.expression import Register, Written, parts
from statelang.compiling.bodies import (
    All,
    Any,
    Bodies,
    Body,
    Node,
    Part,
    Recursive,
    Text,
    Times,
    TooLarge,
)
from statelang.compiling.contracts import Contracts
from statelang.compiling.env import Clause
from statelang.compiling.events import (
    BeginSpan,
    CloseAction,
    CloseScope,
    EndSpan,
    Event,
    Gate,
    Keeping,
    OpenAction,
    OpenScope,
    PopFrame,
    PushFrame,
)
from statelang.compiling.fields import Occurrence
from statelang.compiling.program import Call, Pass, Program, Read
from statelang.language.syntax import Definition, Item, Reference, Sequence

MAX_POSITIONS: Final = 100_000


def wire(
    definitions: dict[str, Definition],
    bodies: Bodies,
    contracts: Contracts,
    actions: tuple[str, ...],
) -> Program:
    """The program of a file without errors. Raises TooLarge."""
    return _Wiring(definitions, bodies, contracts, actions).run()


@define
class _Wiring:
    definitions: dict[str, Definition]
    bodies: Bodies
    contracts: Contracts
    actions: tuple[str, ...]
    program: Program = field(factory=Program)
    entries: dict[str, int] = field(factory=dict)
    numbers: dict[str, int] = field(factory=dict)  # of the actions
    _tied: int = 0

    def run(self) -> Program:
        program, contracts = self.program, self.contracts
        program.actions = self.actions
        self.numbers = {name: number for number, name in enumerate(self.actions)}
        registers = (*contracts.registers, *contracts.hidden)
        program.registers = tuple((r.name, r.type, r.initial) for r in registers)
        program.kept = frozenset(
            i for i, register in enumerate(registers) if register.kept or register.initial is None
        )
        program.answer = contracts.answer
        program.invariants = tuple(contracts.invariants)
        program.functions = tuple(contracts.functions)
        program.tools, program.marks = contracts.tools, contracts.marks
        end = program.position()
        states = {d.name: program.position() for d in self.definitions.values() if d.is_state}
        program.states = {position: name for name, position in states.items()}
        program.entry = states["start"]
        self.entries = {**states, **{name: program.position() for name in self.bodies.known}}
        for name, limit in contracts.deepest.items():
            program.deepest[self.entries[name]] = limit
        for name, body in self.bodies.known.items():
            self.body(name, body, end)
        for name, position in states.items():
            for index, alternative in enumerate(self.definitions[name].alternatives):
                items = [r.name for r in _references(alternative.body)]
                at = position
                if (name, index) in contracts.gates:
                    at = self.passing(at, Gate(contracts.gates[name, index]))
                if not items:
                    program.edges[at].append(Pass(end))
                else:
                    self.call(at, items[0], states[items[1]] if len(items) == 2 else end, None)
        return program

    def call(self, at: int, rule: str, target: int, event: Event | None) -> None:
        """A call; where the depth is limited, its return is a position of its own to count by."""
        program, entry = self.program, self.entries[rule]
        if entry in program.deepest:
            own = self.program.position()
            program.edges[own].append(Pass(target))
            program.returns[own] = entry
            target = own
        program.edges[at].append(Call(entry, target, event))

    def body(self, name: str, body: Body, end: int) -> None:
        program, at = self.program, self.entries[name]
        index = self.numbers.get(name)
        if index is not None:
            at = self.passing(at, OpenAction(index, name, len(body.slots.types)))
            at = self.emit(body.root, at)
            program.edges[at].append(Pass(end, CloseAction(index, body.keep)))
        else:
            at = self.emit(body.root, at)
            program.edges[at].append(Pass(end))

    def passing(self, at: int, event: Event | None) -> int:
        target = self.program.position()
        self.program.edges[at].append(Pass(target, event))
        return target

    def emit(self, node: Node, at: int) -> int:
        """Edges for `node` from position `at`; the position after it."""
        if len(self.program.edges) > MAX_POSITIONS:
            raise TooLarge
        match node:
            case Text():
                return self.text(node, at)
            case All(items):
                for item in items:
                    at = self.emit(item, at)
                return at
            case Any(options):
                target = self.program.position()
                for option in options:
                    self.program.edges[self.emit(option, self.passing(at, None))].append(
                        Pass(target)
                    )
                return target
            case Times():
                return self.times(node, at)
            case Recursive():
                return self.recursive(node, at)
            case Part():
                return self.part(node, at)
        raise AssertionError(node)

    def text(self, node: Text, at: int) -> int:
        occurrence = node.occurrence
        captured = occurrence is not None and occurrence.captured
        if occurrence is not None and captured:
            at = self.passing(at, BeginSpan(tuple(occurrence.guards), is_terminal=True))
        target = self.program.position()
        self.program.edges[at].append(Read(node.language, target, node.name))
        if not self._tied and not (occurrence is not None and occurrence.tied):
            self.program.free.add(target)
        if occurrence is not None and captured:
            return self.passing(target, _end(occurrence, pops=False))
        return target

    def times(self, node: Times, at: int) -> int:
        for _ in range(node.low):
            at = self.emit(node.item, at)
        target = self.program.position()
        if node.high is None:
            loop = self.passing(at, None)
            body = self.emit(node.item, self.passing(loop, None))
            self.program.edges[body].append(Pass(loop))
            self.program.edges[loop].append(Pass(target))
            return target
        for count in range(node.high - node.low):
            left_out = () if node.low or count else tuple(_written(node.item))
            skipped = self.passing(at, Gate(left_out)) if left_out else at
            self.program.edges[skipped].append(Pass(target))
            at = self.emit(node.item, self.passing(at, None))
        self.program.edges[at].append(Pass(target))
        return target

    def recursive(self, node: Recursive, at: int) -> int:
        occurrence, body = node.occurrence, self.bodies.known[node.rule]
        guards = self.guards(node, occurrence)
        if occurrence.captured:
            at = self.passing(at, BeginSpan(guards))
        target = self.program.position()
        size = len(body.slots.types)
        self.call(at, node.rule, target, PushFrame(size) if size else None)
        if size:
            target = self.passing(target, PopFrame())
        if occurrence.captured:
            target = self.passing(target, _end(occurrence, pops=bool(guards)))
        return target

    def part(self, node: Part, at: int) -> int:
        scope, occurrence = node.scope, node.occurrence
        captured = occurrence is not None and occurrence.captured
        tied = occurrence is not None and occurrence.tied
        self._tied += tied
        guards = self.guards(node, occurrence) if occurrence is not None else ()
        if occurrence is not None and captured:
            at = self.passing(at, BeginSpan(guards))
        if scope.has_contracts:
            opening = OpenScope(tuple(scope.own_slots), tuple(scope.gates), scope.opening)
            at = self.passing(at, opening)
        at = self.emit(node.body, at)
        if scope.late or scope.sets or scope.mark or scope.restore:
            keeping = None
            if scope.mark or scope.restore:
                marks, kept = self.program.marks, self.program.kept
                assert marks is not None
                keeping = Keeping(scope.mark, scope.restore, scope.opening, marks, kept)
            close = CloseScope(tuple(scope.late), tuple(scope.sets), keeping)
            at = self.passing(at, close)
        if occurrence is not None and captured:
            at = self.passing(at, _end(occurrence, pops=bool(guards)))
        self._tied -= tied
        return at

    def guards(self, node: Node, occurrence: Occurrence) -> tuple[tuple[int, Clause], ...]:
        """The conditions that narrow a part from its beginning. Those that read a register which
        changes inside of it are not known before its end."""
        if not occurrence.guards:
            return ()
        changed = frozenset(self.changed(node, set()))
        return tuple(
            (slot, clause)
            for slot, clause in occurrence.guards
            if not any(
                isinstance(each, Register) and each.index in changed
                for each in parts([clause.expression])
            )
        )

    def changed(self, node: Node, seen: set[str]) -> Iterator[int]:
        """The registers that a part of a body, or a recursive rule that it runs, may change."""
        match node:
            case All(items) | Any(items):
                for item in items:
                    yield from self.changed(item, seen)
            case Times(item):
                yield from self.changed(item, seen)
            case Recursive(rule) if rule not in seen:
                seen.add(rule)
                yield from self.changed(self.bodies.known[rule].root, seen)
            case Part(scope, body):
                yield from (index for index, _, _ in scope.sets)
                if scope.mark and self.program.marks is not None:
                    yield self.program.marks
                if scope.restore:
                    yield from set(range(len(self.program.registers))) - self.program.kept
                yield from self.changed(body, seen)


def _written(node: Node) -> Iterator[Clause]:
    """The clauses by which the environment writes something inside a node: where it is left out,
    they are decided as of an empty text."""
    match node:
        case All(items) | Any(items):
            for item in items:
                yield from _written(item)
        case Times(item):
            yield from _written(item)
        case Part(body=body):
            yield from _written(body)
    occurrence = getattr(node, "occurrence", None)
    for clause in occurrence.clauses if occurrence is not None else ():
        if isinstance(clause.expression, Written) and clause.last == clause.expression.target.slot:
            yield clause


def _end(occurrence: Occurrence, *, pops: bool) -> EndSpan:
    return EndSpan(tuple(occurrence.slots), tuple(occurrence.clauses), pops)


def _references(item: Item) -> list[Reference]:
    items = item.items if isinstance(item, Sequence) else (item,)
    return [i for i in items if isinstance(i, Reference)]
