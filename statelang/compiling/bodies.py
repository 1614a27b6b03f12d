"""The bodies of actions and of recursive rules, laid out: every part in its place, with its fields.

A part that is not recursive is laid out where it is used, so `equation.NUMBER` of one use is not
that of another; a recursive rule has a body of its own and is called.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field

from statelang.clauses.values import TEXT, Type
from statelang.compiling.env import Clause
from statelang.compiling.fields import Occurrence, Scope, Slots
from statelang.language.analysis import circular, references
from statelang.language.syntax import (
    Alternative,
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
from statelang.language.terminals import Terminals
from statelang.regular import regex
from statelang.regular.automaton import Regular

MAX_PLACES: Final = 20_000  # names in place, laid out in well under a second


class TooLarge(Exception):
    """A grammar that unfolds to more positions than are allowed."""


@define(eq=False)
class Text:
    """A quoted text, an expression, or a terminal."""

    language: Regular
    name: str
    occurrence: Occurrence | None = None


@define(eq=False)
class Part:
    """A rule in place, or one alternative of it with a contract of its own."""

    scope: Scope
    body: Node
    occurrence: Occurrence | None = None
    contract: Comment | None = None


@define(eq=False)
class Recursive:
    """A call of a recursive rule."""

    rule: str
    occurrence: Occurrence


@define(eq=False)
class All:
    """One after the other."""

    items: list[Node]


@define(eq=False)
class Any:
    """One of several."""

    options: list[Node]


@define(eq=False)
class Times:
    """`low` to `high` times; None is without bound."""

    item: Node
    low: int
    high: int | None


Node = Text | Part | Recursive | All | Any | Times


@define(eq=False)
class Body:
    """One action, or one recursive rule: the unit that has fields. `keep`: `last` asks for them."""

    slots: Slots
    root: Part
    keep: bool = False
    deepest: tuple[int, Clause] | None = None  # how often it may be in itself, and who says so


@define
class Bodies:
    """Every body of a file, laid out when it is first asked for. Raises TooLarge."""

    definitions: dict[str, Definition]
    terminals: Terminals
    languages: dict[str, Regular]
    types: dict[str, Type]
    known: dict[str, Body] = field(factory=dict)
    recursive: frozenset[str] = frozenset()
    _order: int = 0
    _todo: list[str] = field(factory=list)

    def lay_out(self, actions: tuple[str, ...]) -> None:
        """All actions, and the recursive rules that they use."""
        self.recursive = _recursive_rules(self.definitions)
        self._todo = list(reversed(actions))
        while self._todo:
            name = self._todo.pop()
            if name not in self.known:
                scope = Scope(name, Slots(), 0, self._order, 0)
                node = self._alternatives(self.definitions[name], scope, 0, 0)
                self.known[name] = Body(scope.body, Part(scope, node))

    def _alternatives(self, definition: Definition, scope: Scope, depth: int, choices: int) -> Node:
        options = definition.alternatives
        more = choices + (len(options) > 1)
        laid = [self._alternative(option, scope, depth, more) for option in options]
        return laid[0] if len(laid) == 1 else Any(laid)

    def _alternative(
        self, alternative: Alternative, scope: Scope, depth: int, choices: int
    ) -> Node:
        """An alternative with a contract is a scope of its own that shares its fields."""
        if alternative.contract is None:
            return self._lay(alternative.body, scope, depth, choices)
        inner = Scope(scope.rule, scope.body, depth, self._order, choices)
        node = self._lay(alternative.body, inner, depth, choices)
        scope.members += inner.members
        return Part(inner, node, contract=alternative.contract)

    def _lay(self, item: Item, scope: Scope, depth: int, choices: int) -> Node:
        match item:
            case Literal() | Regexp():
                language = self.terminals.of(item)
                shown = item.value if isinstance(item, Literal) else item.pattern
                return Text(language or regex.EMPTY, shown)
            case Sequence(items, _):
                return All([self._lay(i, scope, depth, choices) for i in items])
            case Choice(options, _):
                return Any([self._lay(o, scope, depth, choices + 1) for o in options])
            case Repeat(inner, low, high, _):
                node = self._lay(inner, scope, depth + (high != 1), choices + (low == 0))
                return Times(node, low, high)
            case Reference():
                return self._reference(item, scope, depth, choices)
        return All([])

    def _reference(self, item: Reference, scope: Scope, depth: int, choices: int) -> Node:
        self._order += 1
        if self._order > MAX_PLACES:
            raise TooLarge
        name = item.name
        type = self.types[name] if item.is_terminal else self._part_type(name)
        occurrence = Occurrence(name, type, item.span, self._order, depth, choices)
        if item.is_terminal:
            scope.members.append((occurrence, None))
            return Text(self.languages.get(name, regex.EMPTY), name, occurrence)
        if name in self.recursive:
            scope.members.append((occurrence, None))
            self._todo.append(name)
            return Recursive(name, occurrence)
        inner = Scope(name, scope.body, depth, self._order, choices)
        scope.members.append((occurrence, inner))
        body = self._alternatives(self.definitions[name], inner, depth, choices)
        self._order += 1
        occurrence.order = self._order  # a part is complete after all that is in it
        return Part(inner, body, occurrence)

    def _part_type(self, name: str) -> Type:
        """A part that is one terminal has its type; every other part is text."""
        seen = set()
        while name not in self.types:
            body = self.definitions[name].body
            if name in seen or not isinstance(body, Reference):
                return TEXT
            seen.add(name)
            name = body.name
        return self.types[name]


def _recursive_rules(definitions: dict[str, Definition]) -> frozenset[str]:
    uses = {
        name: {r.name for r in references(d) if not r.is_terminal}
        for name, d in definitions.items()
        if not d.is_terminal and not d.is_state
    }
    return frozenset(circular(uses))
