"""What a grammar file says, for the reference: its rules with their clauses, its few texts.

Shares the reading of the file (`statelang.language.syntax`) and nothing else with the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from itertools import product
from typing import Any

from attrs import field, frozen
from lark.utils import get_regexp_width

from statelang.language.syntax import (
    Choice,
    Comment,
    Definition,
    File,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
    parse,
)
from statelang.source import Source
from tests.laws.meaning import Names, Path, clause, conjuncts, paths, value


class TooMany(Exception):
    """The space has more texts than can be written out."""


@frozen(eq=False)
class Rule:
    """What is said of one rule, or of one alternative of it."""

    gates: tuple[Any, ...] = ()  # conditions without fields
    ended: Mapping[Path, tuple[Any, ...]] = field(factory=dict)  # by the last field they name
    late: tuple[Any, ...] = ()
    sets: tuple[tuple[str, Any], ...] = ()
    mark: Any = None
    restore: Any = None
    paths: frozenset[Path] = frozenset()
    lists: frozenset[Path] = frozenset()


@frozen(eq=False, slots=False)
class Language:
    """The texts of one space for one problem.

    Args:
        grammar: The text of the file.
        problem: Its inputs.
        contracts: False for the plain grammar.
    """

    grammar: str
    problem: Mapping[str, Any] = field(factory=dict)
    contracts: bool = True

    @cached_property
    def file(self) -> File:
        return parse(Source(self.grammar))

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        return {d.name: d for d in self.file.definitions}

    # -- what the file says

    @cached_property
    def _clauses(self) -> list[Any]:
        blocks = [comment for block, _ in self.file.comments for comment in block]
        return [clause(comment.text) for comment in blocks if comment.contract]

    @cached_property
    def registers(self) -> dict[str, Any]:
        """First values of the registers, and the inputs."""
        found: dict[str, Any] = {}
        for tree in self._clauses:
            words = [c for c in tree.children if getattr(c, "type", "") not in ("KEPT", "HIDDEN")]
            if tree.data == "ghost":
                found[str(words[0])] = value(words[2], Names(found))
            elif tree.data == "input":
                given = self.problem[str(words[0])]
                found[str(words[0])] = frozenset(given) if isinstance(given, list) else given
        return found

    @cached_property
    def unmoved(self) -> set[str]:
        """Registers that `restore` leaves alone: kept ones and inputs."""
        kinds = [(t, [getattr(c, "type", "") for c in t.children]) for t in self._clauses]
        return {
            str(next(c for c in tree.children if getattr(c, "type", "") == "NAME"))
            for tree, types in kinds
            if tree.data == "input" or (tree.data == "ghost" and "KEPT" in types)
        }

    @cached_property
    def limits(self) -> list[tuple[str, int]]:
        return [
            (str(t.children[0]), int(t.children[1])) for t in self._clauses if t.data == "limit"
        ]

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """What stands above each rule."""
        return {
            name: self._rule(definition.contracts, definition.body)
            for name, definition in self.definitions.items()
            if not definition.is_terminal and not definition.is_state
        }

    @cached_property
    def alternatives(self) -> dict[int, Rule]:
        """What stands at the end of alternatives, by their place in the file."""
        return {
            a.span.start: self._rule((a.contract,), a.body)
            for d in self.definitions.values()
            if not d.is_terminal
            for a in d.alternatives
            if a.contract
        }

    def _rule(self, comments: tuple[Comment, ...], body: Item) -> Rule:
        order: list[Path] = []
        lists: set[Path] = set()
        self._fields(body, (), False, order, lists)
        known = frozenset(order)
        gates, late, sets, mark, restore = [], [], [], None, None
        ended: dict[Path, tuple[Any, ...]] = {}
        for comment in comments:
            tree = clause(comment.text)
            match str(tree.data):
                case "requires":
                    for each in conjuncts(tree.children[0]):
                        named = paths(each) & known
                        if not named:
                            gates.append(each)
                        elif named & lists:
                            late.append(each)
                        else:
                            last = max(named, key=lambda p: len(order) - order[::-1].index(p))
                            ended[last] = (*ended.get(last, ()), each)
                case "checks":
                    late.append(tree.children[0])
                case "set":
                    sets.append((str(tree.children[0]), tree.children[1]))
                case "mark":
                    mark = tree.children[0]
                case "restore":
                    restore = tree.children[0]
        return Rule(
            tuple(gates), ended, tuple(late), tuple(sets), mark, restore, known,
            frozenset(lists),
        )  # fmt: skip

    def _fields(
        self, item: Item, above: Path, repeated: bool, order: list[Path], lists: set[Path]
    ) -> None:
        """The fields of a rule in the order in which they end; those that are lists."""
        match item:
            case Sequence(items=items) | Choice(options=items):
                for each in items:
                    self._fields(each, above, repeated, order, lists)
            case Repeat(item=inner, high=high):
                self._fields(inner, above, repeated or high != 1, order, lists)
            case Reference(name=name):
                path = (*above, name)
                if not item.is_terminal and not self.is_recursive(name):
                    self._fields(self.definitions[name].body, path, repeated, order, lists)
                order.append(path)
                if repeated:
                    lists.add(path)

    @cache  # noqa: B019 - as short-lived as the test
    def is_recursive(self, name: str) -> bool:
        """Whether a part is inside itself."""
        seen: set[str] = set()
        todo = [name]
        while todo:
            for inner in used(self.definitions[todo.pop()].body):
                if inner == name:
                    return True
                if inner not in seen and not self.definitions[inner].is_terminal:
                    seen.add(inner)
                    todo.append(inner)
        return False

    @cache  # noqa: B019
    def deepest(self, name: str) -> int | None:
        """How often a rule or a machine may be inside itself."""
        trees = [clause(comment.text) for comment in self.definitions[name].contracts]
        return next((int(t.children[0]) for t in trees if t.data == "depth"), None)

    @cache  # noqa: B019
    def means_number(self, name: str) -> bool:
        """Whether a terminal, or a part that is one terminal, is of type `number`."""
        definition = self.definitions[name]
        if definition.is_terminal:
            trees = [clause(comment.text) for comment in definition.contracts]
            return any(str(t.children[0]) == "number" for t in trees)
        body = definition.body
        return (
            isinstance(body, Reference)
            and not self.is_recursive(name)
            and self.means_number(body.name)
        )

    @cache  # noqa: B019
    def terminal(self, name: str) -> tuple[str, ...]:
        """The texts of a terminal, which must be few."""
        return self.spellings(self.definitions[name].body)

    def spellings(self, item: Item) -> tuple[str, ...]:
        """The texts of something in which no rule is used."""
        match item:
            case Literal(value=text, ignore_case=False):
                return (text,)
            case Regexp(pattern=pattern, flags=""):
                return spelled(pattern)
            case Sequence(items=items):
                rows = product(*map(self.spellings, items))
                return tuple({"".join(row): None for row in rows})
            case Choice(options=options):
                return tuple({t: None for option in options for t in self.spellings(option)})
            case Reference(name=name) if item.is_terminal:
                return self.terminal(name)
        raise NotImplementedError(item)


def used(item: Item) -> Iterator[str]:
    match item:
        case Sequence(items=items) | Choice(options=items):
            for each in items:
                yield from used(each)
        case Repeat(item=inner):
            yield from used(inner)
        case Reference(name=name):
            yield name


@cache
def spelled(pattern: str) -> tuple[str, ...]:
    """The texts of a regular expression, by trying all texts over the characters it names."""
    chars = {c for c in pattern if c not in r"\[](){}|?*+^$"}
    for low, high in re.findall(r"(\w)-(\w)", pattern):
        chars |= {chr(c) for c in range(ord(low), ord(high) + 1)}
    _, longest = get_regexp_width(pattern)
    if sum(len(chars) ** n for n in range(longest + 1)) > 50_000:
        raise TooMany
    tried = ("".join(t) for n in range(longest + 1) for t in product(sorted(chars), repeat=n))
    return tuple(text for text in tried if re.fullmatch(pattern, text))
