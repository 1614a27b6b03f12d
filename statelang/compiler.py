"""From the tree of a grammar file to a program: bodies laid out, contracts resolved, edges made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import define, field, frozen

from statelang import expression as ex
from statelang import regex, resolve
from statelang.analysis import references
from statelang.automaton import Regular
from statelang.diagnostics import Diagnostic
from statelang.fields import Occurrence, Scope, Slots
from statelang.program import (
    Answer,
    BeginSpan,
    Call,
    Clause,
    CloseAction,
    CloseScope,
    EndSpan,
    Env,
    Event,
    Gate,
    OpenAction,
    OpenScope,
    Pass,
    PopFrame,
    Program,
    PushFrame,
    Read,
)
from statelang.resolve import ContractError
from statelang.source import Source, Span
from statelang.syntax import (
    Choice,
    Comment,
    Definition,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
)
from statelang.terminals import Terminals
from statelang.values import NUMBER, TEXT, TRUTH, Type, Undefined, Value, list_of

MAX_POSITIONS: Final = 100_000


class TooLarge(Exception):
    """A grammar that unfolds to more positions than are allowed."""


@frozen
class Register:
    """A ghost register (with its first value) or an input (without)."""

    name: str
    type: Type
    doc: str
    initial: ex.Expression | None
    hidden: bool = False


# ---- the laid-out body: what the positions are made from -------------------------------------


@define(eq=False)
class _Text:
    language: Regular
    name: str
    occurrence: Occurrence | None = None


@define(eq=False)
class _Part:
    scope: Scope
    body: _Node
    occurrence: Occurrence | None = None


@define(eq=False)
class _Recursive:
    rule: str
    occurrence: Occurrence


@define(eq=False)
class _All:
    items: list[_Node]


@define(eq=False)
class _Any:
    options: list[_Node]


@define(eq=False)
class _Times:
    item: _Node
    low: int
    high: int | None


_Node = _Text | _Part | _Recursive | _All | _Any | _Times


@define(eq=False)
class _Body:
    """One action, or one recursive rule: the unit that has fields."""

    slots: Slots
    root: _Part
    entry: int = -1
    keep: bool = False


@define
class Compiler:
    """Holds the tables while a file is compiled; `run` does everything once."""

    source: Source
    definitions: dict[str, Definition]
    terminals: Terminals
    languages: dict[str, Regular]
    actions: tuple[str, ...]
    findings: list[Diagnostic] = field(factory=list)
    registers: list[Register] = field(factory=list)
    types: dict[str, Type] = field(factory=dict)
    bodies: dict[str, _Body] = field(factory=dict)
    program: Program = field(factory=Program)
    answer: Answer | None = None
    limits: dict[str, list[Clause]] = field(factory=dict)
    gates: dict[tuple[str, int], tuple[Clause, ...]] = field(factory=dict)
    _order: int = 0
    _laying: list[str] = field(factory=list)
    _recursive: frozenset[str] = frozenset()
    _todo: list[str] = field(factory=list)
    _tied: int = 0

    def run(self, comments: Iterable[tuple[tuple[Comment, ...], int]]) -> Program:
        """The program; what is wrong is in `findings`. Raises TooLarge."""
        self.read_types()
        self._recursive = _recursive_rules(self.definitions)
        blocks = [block for block, _ in comments]
        self.read_registers(blocks)
        for name in self.actions:
            self.body(name)
        while self._todo:
            self.body(self._todo.pop())
        self.read_file_clauses(blocks)
        for name, body in list(self.bodies.items()):
            self.resolve_scopes(name, body.root)
        self.read_gates()
        if not self.findings:
            self.build()
        return self.program

    # -- findings

    def report(
        self, code: str, message: str, comment: Comment, start: int, end: int, help: str = ""
    ) -> None:
        base = comment.span.start + self.source.text[comment.span.start :].index(comment.text)
        span = Span(base + start, base + max(end, start + 1))
        finding = Diagnostic(code, message, self.source, span, help=help)
        if finding not in self.findings:
            self.findings.append(finding)

    def clause(self, comment: Comment) -> resolve.Node | None:
        """The tree of a clause; None, with a finding, where it cannot be read."""
        try:
            return resolve.parse(comment.text)
        except ContractError as error:
            self.report(error.code, str(error), comment, error.start, error.end, error.help)
            return None

    # -- file-level clauses

    def read_types(self) -> None:
        for definition in self.definitions.values():
            if not definition.is_terminal:
                continue
            self.types[definition.name] = TEXT
            for comment in definition.contracts:
                tree = self.clause(comment)
                if tree is None:
                    continue
                named = {"number": NUMBER, "text": TEXT}.get(str(tree.children[0]))
                if tree.data != "type_of":
                    help_ = "only `type` stands on a terminal"
                    self.report("SL405", f"`{tree.data}` cannot stand here", comment, 0, 1, help_)
                elif named is None:
                    message = f"`{tree.children[0]}` is not a type of terminals"
                    self.report("SL402", message, comment, 5, len(comment.text), "`number`, `text`")
                else:
                    self.types[definition.name] = named

    def read_registers(self, blocks: list[tuple[Comment, ...]]) -> None:
        docs: list[str] = []
        for block in blocks:
            docs.clear()
            for comment in block:
                if not comment.contract:
                    docs.append(comment.text)
                    continue
                if comment.text.split(" ")[0] in ("ghost", "input"):
                    self.read_register(comment, " ".join(docs))
                docs.clear()

    def read_register(self, comment: Comment, doc: str) -> None:
        tree = self.clause(comment)
        if tree is None:
            return
        children = [c for c in tree.children if getattr(c, "type", "") != "HIDDEN"]
        name = str(children[0])
        try:
            type = resolve.read_type(children[1])  # type: ignore[arg-type]
            initial = None
            if tree.data == "ghost":
                initial = resolve.resolve(children[2], _FileScope(self))
                self.read_initial(name, initial, comment)
                if not type.accepts(initial.type):
                    message = f"`{name}` is a `{type}`, its first value a `{initial.type}`"
                    raise ContractError("SL402", message, 0, len(comment.text))
        except ContractError as error:
            self.report(error.code, str(error), comment, error.start, error.end, error.help)
            return
        if any(r.name == name for r in self.registers):
            self.report("SL406", f"the register `{name}` is declared twice", comment, 0, 5)
        if name.upper() == name or name.startswith("_"):
            message = f"`{name}` is no name for a register"
            self.report("SL406", message, comment, 0, 5, "registers are written in lower case")
        hidden = len(children) < len(tree.children)
        self.registers.append(Register(name, type, doc, initial, hidden))

    def read_initial(self, name: str, initial: ex.Expression, comment: Comment) -> None:
        """A first value must exist before any step: it uses no count, no input, and is defined."""
        if any(r.initial is None for r in self.registers):
            return  # it may start from an input: the problem will tell
        values: tuple[Value, ...] = ()
        try:
            for first in (*(r.initial for r in self.registers if r.initial), initial):
                values = (*values, first.evaluate(Env(values, (), {})))
        except (Undefined, IndexError):
            message = f"`{name}` has no first value: this is undefined before the first step"
            raise ContractError(
                "SL407", message, 0, len(comment.text), "write a plain value"
            ) from None

    def read_file_clauses(self, blocks: list[tuple[Comment, ...]]) -> None:
        for comment in (c for block in blocks for c in block if c.contract):
            word = comment.text.split(" ")[0]
            tree = self.clause(comment) if word in ("answer", "limit") else None
            if tree is None:
                continue
            try:
                if word == "answer":
                    self.read_answer(tree, comment)
                else:
                    self.read_limit(tree, comment)
            except ContractError as error:
                self.report(error.code, str(error), comment, error.start, error.end, error.help)

    def read_answer(self, tree: resolve.Node, comment: Comment) -> None:
        path, comparison = tree.children
        assert not isinstance(path, str)
        action, *rest = (str(c) for c in path.children)
        if action not in self.actions or not rest:
            message = f"`{action}` is not an action with that field"
            raise ContractError("SL404", message, 7, 8 + len(action), resolve.CLAUSES["answer"])
        if comparison not in ("number", "text", "choice"):
            at = comment.text.rindex(str(comparison))
            help_ = "answers compare as `number`, `text` or `choice`"
            message = f"`{comparison}` is not a way to compare answers"
            raise ContractError("SL402", message, at, len(comment.text), help_)
        body = self.bodies[action]
        found = body.root.scope.ask(tuple(rest))
        if isinstance(found, str):
            raise ContractError("SL403", found, 7, len(comment.text))
        body.keep = True
        index = self.actions.index(action)
        self.answer = Answer(index, found[0], ".".join(rest), found[1], str(comparison))

    def read_limit(self, tree: resolve.Node, comment: Comment) -> None:
        action, number = (str(c) for c in tree.children)
        if action not in self.actions:
            help_ = resolve.near(action, self.actions)
            raise ContractError("SL404", f"`{action}` is not an action", 6, 6 + len(action), help_)
        count = ex.Count(NUMBER, frozenset(), self.actions.index(action))
        most = ex.Constant(NUMBER, frozenset(), int(number))
        limit = ex.Compare(TRUTH, frozenset(), "<", count, most)
        clause = Clause("limit", comment.text, comment.span, limit)
        self.limits.setdefault(action, []).append(clause)

    # -- laying out bodies

    def body(self, name: str) -> _Body:
        if name not in self.bodies:
            slots = Slots()
            definition = self.definitions[name]
            scope = Scope(name, slots, 0, self._order, 0)
            self._laying = [name]
            node = self.lay(definition.body, scope, 0, 0)
            self.bodies[name] = _Body(slots, _Part(scope, node))
        return self.bodies[name]

    def lay(self, item: Item, scope: Scope, depth: int, choices: int) -> _Node:
        match item:
            case Literal() | Regexp():
                language = self.terminals.of(item)
                shown = item.value if isinstance(item, Literal) else item.pattern
                return _Text(language or regex.EMPTY, shown)
            case Sequence(items, _):
                return _All([self.lay(i, scope, depth, choices) for i in items])
            case Choice(options, _):
                return _Any([self.lay(o, scope, depth, choices + 1) for o in options])
            case Repeat(inner, low, high, _):
                more = depth + (high != 1)
                node = self.lay(inner, scope, more, choices + (low == 0))
                return _Times(node, low, high)
            case Reference():
                return self.lay_reference(item, scope, depth, choices)
        return _All([])

    def lay_reference(self, item: Reference, scope: Scope, depth: int, choices: int) -> _Node:
        self._order += 1
        if self._order > MAX_POSITIONS:
            raise TooLarge
        name = item.name
        type = self.types[name] if item.is_terminal else self.part_type(name)
        occurrence = Occurrence(name, type, item.span, self._order, depth, choices)
        if item.is_terminal:
            scope.members.append((occurrence, None))
            return _Text(self.languages.get(name, regex.EMPTY), name, occurrence)
        if name in self._recursive:
            scope.members.append((occurrence, None))
            if name not in self.bodies:
                self._todo.append(name)
            return _Recursive(name, occurrence)
        inner = Scope(name, scope.body, depth, self._order, choices)
        scope.members.append((occurrence, inner))
        body = self.lay(self.definitions[name].body, inner, depth, choices)
        self._order += 1
        occurrence.order = self._order  # a part is complete after all that is in it
        return _Part(inner, body, occurrence)

    def part_type(self, name: str) -> Type:
        """A part that is one terminal has its type; every other part is text."""
        seen = set()
        while name not in self.types:
            body = self.definitions[name].body
            if name in seen or not isinstance(body, Reference):
                return TEXT
            seen.add(name)
            name = body.name
        return self.types[name]

    # -- contracts on rules

    def resolve_scopes(self, action: str, part: _Part) -> None:
        todo: list[_Node] = [part]
        while todo:
            node = todo.pop()
            if isinstance(node, _Part):
                self.resolve_rule(node.scope, self.definitions[node.scope.rule])
                todo.append(node.body)
            elif isinstance(node, _All):
                todo += node.items
            elif isinstance(node, _Any):
                todo += node.options
            elif isinstance(node, _Times):
                todo.append(node.item)
        part.scope.gates[:0] = self.limits.get(action, [])

    def resolve_rule(self, scope: Scope, definition: Definition) -> None:
        names = _RuleScope(self, scope)
        for alternative in definition.alternatives:
            if alternative.contract is not None:
                help_ = "give the alternative a rule of its own and put the contract above it"
                message = "a contract on one alternative of a payload is not read"
                self.report("SL405", message, alternative.contract, 0, 1, help_)
        for comment in definition.contracts:
            tree = self.clause(comment)
            if tree is None:
                continue
            try:
                if tree.data in ("requires", "checks"):
                    kind = str(tree.data)
                    condition = resolve.condition(tree.children[0], names)
                    for each in ex.conjuncts(condition) if kind == "requires" else [condition]:
                        self.place(scope, Clause(kind, comment.text, comment.span, each))
                elif tree.data == "set":
                    self.place_set(scope, tree, comment, names)
                else:
                    help_ = "above a rule stand `requires`, `checks` and `set`"
                    if tree.data in ("ghost", "input", "answer", "limit"):
                        help_ = "leave an empty line between the clauses of the file and the rule"
                    raise ContractError("SL405", f"`{tree.data}` cannot stand here", 0, 1, help_)
            except ContractError as error:
                self.report(error.code, str(error), comment, error.start, error.end, error.help)

    def place_set(
        self, scope: Scope, tree: resolve.Node, comment: Comment, names: _RuleScope
    ) -> None:
        name, value = str(tree.children[0]), resolve.resolve(tree.children[1], names)
        found = names.register(name)
        if found is None or self.registers[found[0]].initial is None:
            help_ = resolve.near(name, [r.name for r in self.registers])
            raise ContractError("SL403", f"there is no ghost register `{name}`", 4, 5, help_)
        if not found[1].accepts(value.type):
            message = f"`{name}` is a `{found[1]}`, this is a `{value.type}`"
            raise ContractError("SL402", message, 0, len(comment.text))
        if any(index == found[0] for index, _, _ in scope.sets):
            raise ContractError("SL406", f"`{name}` is set twice in one rule", 4, 5)
        clause = Clause("set", comment.text, comment.span, value)
        scope.sets.append((found[0], found[1], clause))

    def place(self, scope: Scope, clause: Clause) -> None:
        """A condition is decided at the opening, when its last field ends, or at the close."""
        slots = clause.expression.slots
        if clause.kind == "checks":
            scope.late.append(clause)
            return
        self.tie(scope, clause)
        if not slots:
            scope.gates.append(clause)
            return
        where = {slot: scope.occurrences(slot) for slot in slots}
        if any(
            is_list for slot in slots for o in where[slot] for s, is_list in o.slots if s == slot
        ):
            scope.late.append(clause)
            return
        last = max(slots, key=lambda slot: max(o.order for o in where[slot]))
        for occurrence in where[last]:
            occurrence.clauses.append(clause)
            occurrence.guards.append((last, clause))
        if any(o.choices > scope.choices for found in where.values() for o in found):
            scope.late.append(clause)

    def tie(self, scope: Scope, clause: Clause) -> None:
        """Mark the fields whose text decides what else of the step can be written."""
        slots = clause.expression.slots
        alone = len(slots) == 1 and ex.excludes(clause.expression)
        for slot in slots:
            for occurrence in scope.occurrences(slot):
                exact = occurrence.name.upper() == occurrence.name and not any(
                    is_list for own, is_list in occurrence.slots if own == slot
                )
                if not (alone and exact):
                    occurrence.tied = True

    def read_gates(self) -> None:
        names = _FileScope(self)
        for definition in self.definitions.values():
            if not definition.is_state:
                continue
            for comment in definition.contracts:
                help_ = "put it at the end of the transition's own line"
                if comment.text.split(" ")[0] in ("ghost", "input", "answer", "limit"):
                    help_ = "leave an empty line between the clauses of the file and the first rule"
                self.report("SL405", "no contract stands above a state", comment, 0, 1, help_)
            for index, alternative in enumerate(definition.alternatives):
                comment_ = alternative.contract
                tree = self.clause(comment_) if comment_ else None
                if tree is None or comment_ is None:
                    continue
                try:
                    if tree.data != "requires":
                        help_ = "a transition is gated by `requires`"
                        raise ContractError(
                            "SL405", f"`{tree.data}` cannot stand here", 0, 1, help_
                        )
                    condition = resolve.condition(tree.children[0], names)
                    gate = Clause("requires", comment_.text, comment_.span, condition)
                    self.gates[definition.name, index] = (gate,)
                except ContractError as error:
                    self.report(
                        error.code, str(error), comment_, error.start, error.end, error.help
                    )

    # -- positions

    def build(self) -> None:
        program = self.program
        end = program.position()
        states = {d.name: program.position() for d in self.definitions.values() if d.is_state}
        program.states = {position: name for name, position in states.items()}
        program.entry = states["start"]
        for body in self.bodies.values():
            body.entry = program.position()
        for name, body in self.bodies.items():
            self.build_body(name, body, end)
        for name, position in states.items():
            for index, alternative in enumerate(self.definitions[name].alternatives):
                items = [r.name for r in _references(alternative.body)]
                at = position
                if (name, index) in self.gates:
                    at = program.position()
                    program.edges[position].append(Pass(at, Gate(self.gates[name, index])))
                target = states[items[1]] if len(items) == 2 else end
                if not items:
                    program.edges[at].append(Pass(end))
                else:
                    entry = states.get(items[0], -1)
                    entry = self.bodies[items[0]].entry if entry < 0 else entry
                    program.edges[at].append(Call(entry, target))
        program.actions = self.actions
        program.registers = tuple((r.name, r.type, r.initial) for r in self.registers)
        program.answer = self.answer

    def build_body(self, name: str, body: _Body, end: int) -> None:
        program = self.program
        at = body.entry
        if name in self.actions:
            index = self.actions.index(name)
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

    def emit(self, node: _Node, at: int) -> int:
        """Edges for `node` from position `at`; the position after it."""
        if len(self.program.edges) > MAX_POSITIONS:
            raise TooLarge
        match node:
            case _Text():
                return self.emit_text(node, at)
            case _All(items):
                for item in items:
                    at = self.emit(item, at)
                return at
            case _Any(options):
                target = self.program.position()
                for option in options:
                    self.program.edges[self.emit(option, self.passing(at, None))].append(
                        Pass(target)
                    )
                return target
            case _Times():
                return self.emit_times(node, at)
            case _Recursive():
                return self.emit_recursive(node, at)
            case _Part():
                return self.emit_part(node, at)
        raise AssertionError(node)

    def emit_text(self, node: _Text, at: int) -> int:
        occurrence = node.occurrence
        captured = occurrence is not None and occurrence.captured
        if occurrence is not None and captured:
            at = self.passing(at, BeginSpan(tuple(occurrence.guards), is_terminal=True))
        target = self.program.position()
        self.program.edges[at].append(Read(node.language, target, node.name))
        if occurrence is not None and captured:
            if not occurrence.tied and not self._tied:
                self.program.free.add(target)
            return self.passing(target, _end(occurrence, pops=False))
        return target

    def emit_times(self, node: _Times, at: int) -> int:
        for _ in range(node.low):
            at = self.emit(node.item, at)
        target = self.program.position()
        if node.high is None:
            loop = self.passing(at, None)
            body = self.emit(node.item, self.passing(loop, None))
            self.program.edges[body].append(Pass(loop))
            self.program.edges[loop].append(Pass(target))
            return target
        for _ in range(node.high - node.low):
            self.program.edges[at].append(Pass(target))
            at = self.emit(node.item, self.passing(at, None))
        self.program.edges[at].append(Pass(target))
        return target

    def emit_recursive(self, node: _Recursive, at: int) -> int:
        occurrence, body = node.occurrence, self.bodies[node.rule]
        if occurrence.captured:
            at = self.passing(at, BeginSpan(tuple(occurrence.guards)))
        target = self.program.position()
        size = len(body.slots.types)
        self.program.edges[at].append(Call(body.entry, target, PushFrame(size) if size else None))
        if size:
            target = self.passing(target, PopFrame())
        if occurrence.captured:
            target = self.passing(target, _end(occurrence, pops=bool(occurrence.guards)))
        return target

    def emit_part(self, node: _Part, at: int) -> int:
        scope, occurrence = node.scope, node.occurrence
        captured = occurrence is not None and occurrence.captured
        tied = occurrence is not None and occurrence.tied
        self._tied += tied
        if occurrence is not None and captured:
            at = self.passing(at, BeginSpan(tuple(occurrence.guards)))
        if scope.has_contracts:
            opening = OpenScope(tuple(scope.own_slots), tuple(scope.gates), scope.opening)
            at = self.passing(at, opening)
        at = self.emit(node.body, at)
        if scope.late or scope.sets:
            at = self.passing(at, CloseScope(tuple(scope.late), tuple(scope.sets)))
        if occurrence is not None and captured:
            at = self.passing(at, _end(occurrence, pops=bool(occurrence.guards)))
        self._tied -= tied
        return at


def _end(occurrence: Occurrence, *, pops: bool) -> EndSpan:
    return EndSpan(tuple(occurrence.slots), tuple(occurrence.clauses), pops)


def _references(item: Item) -> list[Reference]:
    items = item.items if isinstance(item, Sequence) else (item,)
    return [i for i in items if isinstance(i, Reference)]


def _recursive_rules(definitions: dict[str, Definition]) -> frozenset[str]:
    uses = {
        name: {r.name for r in references(d) if not r.is_terminal}
        for name, d in definitions.items()
        if not d.is_terminal and not d.is_state
    }
    found = set()
    for name in uses:
        reached: set[str] = set()
        todo = list(uses[name])
        while todo:
            current = todo.pop()
            if current not in reached:
                reached.add(current)
                todo += uses.get(current, ())
        if name in reached:
            found.add(name)
    return frozenset(found)


class _FileScope:
    """Names that need no step: registers and counts."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler

    def register(self, name: str) -> tuple[int, Type] | None:
        for index, register in enumerate(self.compiler.registers):
            if register.name == name:
                return index, register.type
        return None

    def action(self, name: str) -> int | None:
        actions = self.compiler.actions
        return actions.index(name) if name in actions else None

    def field(self, path: tuple[str, ...]) -> tuple[int, Type] | str:
        return f"there is no register `{'.'.join(path)}` here"

    def last(self, action: int, path: tuple[str, ...]) -> tuple[int, Type] | str:
        body = self.compiler.bodies[self.compiler.actions[action]]
        body.keep = True
        return body.root.scope.ask(path)

    def opening(self) -> int:
        raise ContractError("SL405", "`old` belongs to a rule", 0, 1)

    def names(self) -> list[str]:
        return [r.name for r in self.compiler.registers] + list(self.compiler.actions)


class _RuleScope(_FileScope):
    """The same, and the fields of one rule in place."""

    def __init__(self, compiler: Compiler, scope: Scope) -> None:
        super().__init__(compiler)
        self.scope = scope

    def field(self, path: tuple[str, ...]) -> tuple[int, Type] | str:
        return self.scope.ask(path)

    def opening(self) -> int:
        if self.scope.opening is None:
            self.scope.opening = self.scope.body.new(list_of(TEXT))
            self.scope.own_slots.append(self.scope.opening)
        return self.scope.opening

    def names(self) -> list[str]:
        return super().names() + [occurrence.name for occurrence, _ in self.scope.members]


__all__ = ["Compiler", "Register", "TooLarge", "Undefined", "Value"]
