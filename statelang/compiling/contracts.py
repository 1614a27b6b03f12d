"""The contract lines of a file, resolved and put where they are judged.

`requires` is split at its top-level `and`s; each part is judged at the opening of its rule, when
its last field ends, or at the close (`place`). What is wrong becomes a finding; nothing stops.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import define, evolve, field, frozen
from lark import Tree

from statelang.clauses import expression as ex
from statelang.clauses import parsing, resolve
from statelang.clauses.parsing import ContractError
from statelang.clauses.values import (
    ANY,
    NUMBER,
    TEXT,
    TRUTH,
    Type,
    Undefined,
    Value,
    list_of,
    map_of,
)
from statelang.compiling.bodies import All, Any, Bodies, Body, Node, Part, Times
from statelang.compiling.env import Clause, Env
from statelang.compiling.fields import Scope
from statelang.compiling.program import Answer
from statelang.diagnostics import Diagnostic
from statelang.language.analysis import references
from statelang.language.syntax import Comment, Definition
from statelang.source import Source, Span

COMPARISONS: Final = ("number", "text", "choice", "rows", "ordered rows")
_TO_THE_HEAD: Final = (
    "it is a clause of the file: move it to the head, with an empty line before the first rule"
)
_MARKS: Final = map_of(ANY, ANY)


@frozen
class Register:
    """A ghost register (with its first value) or an input (without)."""

    name: str
    type: Type
    doc: str
    initial: ex.Expression | None
    hidden: bool = False
    kept: bool = False


@define
class Contracts:
    """Everything the contract lines of a file say. `hidden` are registers no clause can name."""

    source: Source
    definitions: dict[str, Definition]
    bodies: Bodies
    actions: tuple[str, ...]
    findings: list[Diagnostic] = field(factory=list)
    registers: list[Register] = field(factory=list)
    hidden: list[Register] = field(factory=list)
    answer: Answer | None = None
    gates: dict[tuple[str, int], tuple[Clause, ...]] = field(factory=dict)
    deepest: dict[str, tuple[int, Clause]] = field(factory=dict)
    invariants: list[Clause] = field(factory=list)
    functions: dict[str, None] = field(factory=dict)
    tools: int | None = None  # the index of the register that holds the environment
    marks: int | None = None  # the index of the register that holds what `mark` saved
    _limits: dict[str, list[Clause]] = field(factory=dict)
    _values: list[Value] = field(factory=list)  # the first ones, up to an input

    def read(self, blocks: list[tuple[Comment, ...]]) -> None:
        """Read all lines; the bodies must be laid out."""
        for body in self.bodies.known.values():
            for _, comment in self._rules(body.root):
                self._hide(comment)
        self._file_clauses(blocks)
        for name, body in self.bodies.known.items():
            self._body(name, body)
        for definition in self.definitions.values():
            if definition.is_state:
                self._state(definition)

    # -- findings

    def report(self, error: ContractError, comment: Comment) -> None:
        """A finding about a part of a contract line."""
        base = comment.span.start + self.source.text[comment.span.start :].index(comment.text)
        start, end = error.start, max(error.end, error.start + 1)
        span = Span(base + start, base + end)
        finding = Diagnostic(error.code, str(error), self.source, span, help=error.help)
        if finding not in self.findings:
            self.findings.append(finding)

    def clause(self, comment: Comment) -> parsing.Node | None:
        """The tree of a clause; None, with a finding, where it cannot be read."""
        try:
            return parsing.parse(comment.text)
        except ContractError as error:
            self.report(error, comment)
            return None

    # -- registers

    def read_registers(self, blocks: list[tuple[Comment, ...]]) -> None:
        """The ghost registers and inputs, each with the documentation above it."""
        docs: list[str] = []
        for block in blocks:
            docs.clear()
            for comment in block:
                if not comment.contract:
                    docs.append(comment.text)
                    continue
                if comment.word in ("ghost", "input"):
                    tree = self.clause(comment)
                    if tree is not None:
                        try:
                            self._register(tree, comment, " ".join(docs))
                        except ContractError as error:
                            self.report(error, comment)
                docs.clear()

    def _register(self, tree: parsing.Node, comment: Comment, doc: str) -> None:
        flags = {t.type for t in tree.children if not isinstance(t, Tree)}
        token, written, *first = (
            c for c in tree.children if getattr(c, "type", "") not in ("HIDDEN", "KEPT")
        )
        name, size = str(token), len(comment.text)
        type = parsing.read_type(written)  # type: ignore[arg-type]
        initial = None
        if first:
            initial = resolve.resolve(first[0], _FileScope(self))
            if not type.accepts(initial.type):
                message = f"`{name}` is a `{type}`, its first value a `{initial.type}`"
                raise ContractError("SL402", message, 0, size)
            self._first_value(name, initial, comment)
        if any(r.name == name for r in self.registers):
            message = f"the register `{name}` is declared twice"
            self.report(ContractError("SL406", message, 0, 5), comment)
        if name.upper() == name or name.startswith("_"):
            help_ = "registers are written in lower case"
            message = f"`{name}` is no name for a register"
            self.report(ContractError("SL406", message, 0, 5, help_), comment)
        self.registers.append(
            Register(name, type, doc, initial, "HIDDEN" in flags, "KEPT" in flags)
        )

    def _first_value(self, name: str, initial: ex.Expression, comment: Comment) -> None:
        """A first value must exist before any step: it uses no count, no input, and is defined."""
        if len(self._values) < len(self.registers):
            return  # it may start from an input: the problem will tell
        try:
            self._values.append(initial.evaluate(Env(tuple(self._values), (), {})))
        except (Undefined, IndexError):
            message = f"`{name}` has no first value: this is undefined before the first step"
            raise ContractError(
                "SL407", message, 0, len(comment.text), "write a plain value"
            ) from None

    def _hide(self, comment: Comment) -> None:
        """Registers of the engine's own, behind those of the file, where a clause needs them."""
        nothing = ex.Constant(_MARKS, frozenset(), {})
        if comment.word in ("mark", "restore") and self.marks is None:
            self.marks = len(self.registers) + len(self.hidden)
            self.hidden.append(Register("(marks)", _MARKS, "", nothing, kept=True))
        if comment.word == "writes" and self.tools is None:
            self.tools = len(self.registers) + len(self.hidden)
            self.hidden.append(Register("(tools)", ANY, "", nothing, kept=True))

    # -- clauses of the file

    def _file_clauses(self, blocks: list[tuple[Comment, ...]]) -> None:
        readers = {
            "answer": self._answer,
            "limit": self._limit,
            "invariant": self._invariant,
        }
        for comment in (c for block in blocks for c in block if c.contract):
            reader = readers.get(comment.word)
            tree = self.clause(comment) if reader else None
            if reader is None or tree is None:
                continue
            try:
                reader(tree, comment)
            except ContractError as error:
                self.report(error, comment)

    def _answer(self, tree: parsing.Node, comment: Comment) -> None:
        if self.answer is not None:
            raise ContractError("SL406", "there are two `answer` clauses", 0, 6, "keep one")
        path, *words = tree.children
        assert isinstance(path, Tree)
        action, *rest = (str(c) for c in path.children)
        if action not in self.actions or not rest:
            message = f"`{action}` is not an action with that field"
            raise ContractError("SL404", message, 7, 8 + len(action), parsing.CLAUSES["answer"])
        comparison = " ".join(map(str, words))
        if comparison not in COMPARISONS:
            at = comment.text.rindex(str(words[0]))
            help_ = "answers compare as " + ", ".join(f"`{name}`" for name in COMPARISONS)
            message = f"`{comparison}` is not a way to compare answers"
            raise ContractError("SL402", message, at, len(comment.text), help_)
        body = self.bodies.known[action]
        found = body.root.scope.ask(tuple(rest))
        if isinstance(found, str):
            raise ContractError("SL403", found, 7, len(comment.text))
        body.keep = True
        index = self.actions.index(action)
        self.answer = Answer(index, found[0], ".".join(rest), found[1], comparison)

    def _limit(self, tree: parsing.Node, comment: Comment) -> None:
        action, number = (str(c) for c in tree.children)
        if action not in self.actions:
            help_ = resolve.near(action, self.actions)
            raise ContractError("SL404", f"`{action}` is not an action", 6, 6 + len(action), help_)
        count = ex.Count(NUMBER, frozenset(), self.actions.index(action))
        most = ex.Constant(NUMBER, frozenset(), _natural(number, comment))
        limit = ex.Compare(TRUTH, frozenset(), "<", count, most)
        clause = Clause("limit", comment.text, comment.span, limit)
        self._limits.setdefault(action, []).append(clause)

    def _invariant(self, tree: parsing.Node, comment: Comment) -> None:
        condition = resolve.condition(tree.children[0], _FileScope(self))
        self.invariants.append(Clause("invariant", comment.text, comment.span, condition))

    # -- clauses of rules

    def _rules(self, root: Part) -> Iterator[tuple[Part, Comment]]:
        """Every contract line of a body with the part that it is about."""
        todo: list[Node] = [root]
        while todo:
            node = todo.pop()
            if isinstance(node, Part):
                own = self.definitions[node.scope.rule].contracts
                for comment in (node.contract,) if node.contract else own:
                    yield node, comment
                todo.append(node.body)
            elif isinstance(node, All):
                todo += node.items
            elif isinstance(node, Any):
                todo += node.options
            elif isinstance(node, Times):
                todo.append(node.item)

    def _body(self, name: str, body: Body) -> None:
        for part, comment in self._rules(body.root):
            tree = self.clause(comment)
            if tree is None:
                continue
            try:
                if tree.data == "depth" and part is body.root and not part.contract:
                    self._depth(name, tree, comment, name in self.bodies.recursive)
                else:
                    self._rule_clause(part.scope, tree, comment)
            except ContractError as error:
                self.report(error, comment)
        body.root.scope.gates[:0] = self._limits.get(name, [])

    def _rule_clause(self, scope: Scope, tree: parsing.Node, comment: Comment) -> None:
        names = _RuleScope(self, scope)
        match str(tree.data):
            case "requires":
                for each in ex.conjuncts(resolve.condition(tree.children[0], names)):
                    place(scope, Clause("requires", comment.text, comment.span, each))
            case "checks":
                condition = resolve.condition(tree.children[0], names)
                scope.late.append(Clause("checks", comment.text, comment.span, condition))
            case "set":
                self._set(scope, tree, comment, names)
            case "writes":
                place(scope, self._writes(scope, tree, comment, names))
            case "mark" | "restore" as kind:
                self._mark(scope, kind, tree, comment, names)
            case kind:
                help_ = "above a rule stand `requires`, `checks`, `set`, `writes`, `mark`, ..."
                if kind in parsing.FILE_CLAUSES:
                    help_ = _TO_THE_HEAD
                if kind == "depth":
                    help_ = "put it above a rule that is in itself"
                kind = "type" if kind == "type_of" else kind
                raise ContractError("SL405", f"`{kind}` cannot stand here", 0, len(kind), help_)

    def _set(self, scope: Scope, tree: parsing.Node, comment: Comment, names: _RuleScope) -> None:
        name, value = str(tree.children[0]), resolve.resolve(tree.children[1], names)
        found = names.register(name)
        if found is None or self.registers[found[0]].initial is None:
            help_ = resolve.near(name, [r.name for r in self.registers])
            message = f"there is no ghost register `{name}`"
            raise ContractError("SL403", message, 4, 4 + len(name), help_)
        if not found[1].accepts(value.type):
            message = f"`{name}` is a `{found[1]}`, this is a `{value.type}`"
            raise ContractError("SL402", message, 0, len(comment.text))
        if any(index == found[0] for index, _, _ in scope.sets):
            message = f"`{name}` is set twice in one rule"
            raise ContractError("SL406", message, 4, 4 + len(name))
        clause = Clause("set", comment.text, comment.span, value)
        scope.sets.append((found[0], found[1], clause))

    def _writes(
        self, scope: Scope, tree: parsing.Node, comment: Comment, names: _RuleScope
    ) -> Clause:
        target, function, *values = tree.children
        field_ = resolve.resolve(Tree("name", [target], tree.meta), names)
        size = len(comment.text)
        if not isinstance(field_, ex.Field) or field_.type.name == "list":
            message = "the environment writes one field of this rule, once"
            raise ContractError("SL403", message, 7, size, parsing.CLAUSES["writes"])
        arguments = tuple(resolve.resolve(value, names) for value in values)
        for value in arguments:
            if value.type not in (TEXT, NUMBER, TRUTH):
                message = f"`{function}` is given a `{value.type}`"
                raise ContractError("SL402", message, 7, size, "give texts, numbers or truths")
        begins = min(o.order for o in scope.occurrences(field_.slot))
        for slot in frozenset[int]().union(*(value.slots for value in arguments)):
            if any(o.order >= begins for o in scope.occurrences(slot)):
                message = f"`{field_.name}` is written from what comes after it"
                raise ContractError("SL408", message, 7, size, "use fields to its left")
        self.functions[str(function)] = None
        assert self.tools is not None
        slots = frozenset({field_.slot}).union(*(value.slots for value in arguments))
        written = ex.Written(TRUTH, slots, field_, self.tools, str(function), arguments)
        return Clause("writes", comment.text, comment.span, written)

    def _mark(
        self, scope: Scope, kind: str, tree: parsing.Node, comment: Comment, names: _RuleScope
    ) -> None:
        key = resolve.resolve(tree.children[0], names)
        start, size = len(kind) + 1, len(comment.text)
        if key.type not in (TEXT, NUMBER):
            message = f"registers are saved under a text or a number, not under a `{key.type}`"
            raise ContractError("SL402", message, start, size, parsing.CLAUSES[kind])
        if scope.mark is not None if kind == "mark" else scope.restore is not None:
            raise ContractError("SL406", f"there are two `{kind}` on one rule", 0, size)
        clause = Clause(kind, comment.text, comment.span, key)
        assert self.marks is not None
        if kind == "mark":
            names.opening()
            scope.mark = clause
            return
        scope.restore = clause
        marked = ex.Register(_MARKS, frozenset(), self.marks)
        known = ex.Contains(TRUTH, key.slots, key, marked)
        place(scope, Clause("restore", comment.text, comment.span, known))

    def _depth(self, name: str, tree: parsing.Node, comment: Comment, recursive: bool) -> None:
        if not recursive:
            message = f"`{name}` is never inside itself"
            raise ContractError("SL405", message, 0, 5, "remove the clause")
        most = _natural(str(tree.children[0]), comment)
        if most < 1:
            raise ContractError("SL402", "a depth is at least 1", 6, len(comment.text))
        never = ex.Constant(TRUTH, frozenset(), False)
        clause = Clause("depth", comment.text, comment.span, never)
        self.deepest[name] = most, clause

    # -- clauses of states and their transitions

    def _state(self, definition: Definition) -> None:
        for comment in definition.contracts:
            tree = self.clause(comment)
            if tree is None:
                continue
            try:
                if tree.data != "depth":
                    help_ = "put it at the end of the transition's own line"
                    if tree.data in parsing.FILE_CLAUSES:
                        help_ = _TO_THE_HEAD
                    raise ContractError("SL405", "no contract stands above a state", 0, 1, help_)
                name = definition.name
                self._depth(name, tree, comment, name in _called(self.definitions, name))
            except ContractError as error:
                self.report(error, comment)
        for index, alternative in enumerate(definition.alternatives):
            comment_ = alternative.contract
            tree = self.clause(comment_) if comment_ else None
            if tree is None or comment_ is None:
                continue
            try:
                if tree.data != "requires":
                    help_ = "a transition is gated by `requires`"
                    raise ContractError("SL405", f"`{tree.data}` cannot stand here", 0, 1, help_)
                condition = resolve.condition(tree.children[0], _FileScope(self))
                gate = Clause("requires", comment_.text, comment_.span, condition)
                self.gates[definition.name, index] = (gate,)
            except ContractError as error:
                self.report(error, comment_)


def _natural(digits: str, comment: Comment) -> int:
    if len(digits) > 9:
        raise ContractError("SL402", "this number is too large", 0, len(comment.text))
    return int(digits)


def place(scope: Scope, clause: Clause) -> None:
    """A condition is decided at the opening, when its last field ends, or at the close."""
    slots = clause.expression.slots
    _tie(scope, clause)
    if not slots:
        scope.gates.append(clause)
        return
    where = {slot: scope.occurrences(slot) for slot in slots}
    if any(is_list for slot in slots for o in where[slot] for s, is_list in o.slots if s == slot):
        scope.late.append(clause)
        return
    last = max(slots, key=lambda slot: max(o.order for o in where[slot]))
    clause = evolve(clause, last=last)
    for occurrence in where[last]:
        occurrence.clauses.append(clause)
        if not any(scope.holds(occurrence, slot) for slot in slots - {last}):
            occurrence.guards.append((last, clause))  # else it asks for what is not written yet
    if any(o.choices > scope.choices for found in where.values() for o in found):
        scope.late.append(clause)


def _tie(scope: Scope, clause: Clause) -> None:
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


def _called(definitions: dict[str, Definition], name: str) -> set[str]:
    """The machines that run while the machine `name` runs, called by it or by those it calls."""
    called: set[str] = set()
    seen: set[str] = set()
    todo = [name]
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        for alternative in definitions[state].alternatives:
            one = Definition("", alternative.span, (alternative,), 0)
            names = [r.name for r in references(one)]
            states = [n for n in names if definitions[n].is_state]
            if names and definitions[names[0]].is_state:
                called.add(names[0])
            todo += states
    return called


# ---- names -----------------------------------------------------------------------------------


class _FileScope:
    """Names that need no step: registers and counts."""

    def __init__(self, contracts: Contracts) -> None:
        self.contracts = contracts

    def register(self, name: str) -> tuple[int, Type] | None:
        for index, register in enumerate(self.contracts.registers):
            if register.name == name:
                return index, register.type
        return None

    def action(self, name: str) -> int | None:
        actions = self.contracts.actions
        return actions.index(name) if name in actions else None

    def field(self, path: tuple[str, ...]) -> tuple[int, Type] | str:
        return f"there is no register `{'.'.join(path)}` here"

    def last(self, action: int, path: tuple[str, ...]) -> tuple[int, Type] | str:
        body = self.contracts.bodies.known[self.contracts.actions[action]]
        body.keep = True
        return body.root.scope.ask(path)

    def opening(self) -> int:
        raise ContractError("SL405", "`old` belongs to a rule", 0, 1)

    def names(self) -> list[str]:
        return [r.name for r in self.contracts.registers] + list(self.contracts.actions)


class _RuleScope(_FileScope):
    """The same, and the fields of one rule in place."""

    def __init__(self, contracts: Contracts, scope: Scope) -> None:
        super().__init__(contracts)
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


def read_types(contracts: Contracts, types: dict[str, Type]) -> None:
    """The types of the terminals, into `types`."""
    for definition in contracts.definitions.values():
        if not definition.is_terminal:
            continue
        types[definition.name] = TEXT
        typed = False
        for comment in definition.contracts:
            tree = contracts.clause(comment)
            if tree is None:
                continue
            try:
                type_ = _type_of(tree, comment)
                if typed:
                    message = "there are two `type` on one terminal"
                    raise ContractError("SL406", message, 0, len(comment.text))
                types[definition.name], typed = type_, True
            except ContractError as error:
                contracts.report(error, comment)


def _type_of(tree: parsing.Node, comment: Comment) -> Type:
    if tree.data != "type_of":
        help_ = "only `type` stands on a terminal"
        raise ContractError("SL405", f"`{tree.data}` cannot stand here", 0, 1, help_)
    named = {"number": NUMBER, "text": TEXT}.get(str(tree.children[0]))
    if named is None:
        message = f"`{tree.children[0]}` is not a type of terminals"
        raise ContractError("SL402", message, 5, len(comment.text), "`number`, `text`")
    return named
