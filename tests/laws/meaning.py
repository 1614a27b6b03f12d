"""What a contract's expression means, read literally off the tree of its clause.

Shares nothing with `statelang.clauses.expression` but the notation: names are looked up by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from attrs import field, frozen
from lark import Token, Tree

from statelang.clauses import parsing

Path = tuple[str, ...]


class Undefined(Exception):
    """There is no value: a clause with it does not hold."""


@cache
def clause(text: str) -> Any:
    """The tree of a clause's text."""
    return parsing.parse(text)


@frozen
class Names:
    """What the names of a clause stand for."""

    registers: Mapping[str, Any]
    opening: Mapping[str, Any] = field(factory=dict)  # the registers when the rule began
    fields: Mapping[Path, Any] = field(factory=dict)
    counts: Mapping[str, int] = field(factory=dict)
    lasts: Mapping[str, Mapping[Path, Any]] = field(factory=dict)
    paths: frozenset[Path] = frozenset()  # every field that the rule has, written or not


def path_of(node: Any) -> Path:
    """The names of a path."""
    return tuple(map(str, node.children))


def paths(node: Any) -> set[Path]:
    """The paths that an expression names: fields of its rule, and registers."""
    if not isinstance(node, Tree):
        return set()
    if node.data == "name":
        return {path_of(node.children[0])}
    if node.data == "last":
        return set()
    return {path for child in node.children for path in paths(child)}


def number(text: str) -> Fraction:
    """The number that a text spells."""
    try:
        return Fraction(text.replace(",", ""))
    except ValueError:
        raise Undefined from None


def value(node: Any, names: Names) -> Any:
    """The value of an expression: a text, a Fraction, a bool, a frozenset, a dict or a tuple."""
    kind, children = str(node.data), node.children

    def at(index: int) -> Any:
        return value(children[index], names)

    match kind:
        case "conditional":
            return at(1) if at(0) else at(2)
        case "or":
            return at(0) or at(1)
        case "and":
            return at(0) and at(1)
        case "not":
            return not at(0)
        case "compare" if children[1] == "~":
            written = _text_of(children[0], names)
            return number(written) == _rounded(at(2), len(written.partition(".")[2]))
        case "compare":
            return _compared(str(children[1]), at(0), at(2))
        case "contains":
            return at(0) in at(1)
        case "excludes":
            return at(0) not in at(1)
        case "arithmetic":
            return _arithmetic(str(children[1]), at(0), at(2))
        case "negative":
            return -at(0)
        case "index":
            return _item(at(0), at(1))
        case "number":
            return Fraction(str(children[0]))
        case "text":
            return json.loads(str(children[0]))
        case "true" | "false":
            return kind == "true"
        case "empty":
            return frozenset()
        case "set_of":
            return frozenset(value(child, names) for child in children)
        case "map_of":
            return {value(k, names): value(v, names) for k, v in (p.children for p in children)}
        case "count":
            return Fraction(names.counts.get(str(children[0]), 0))
        case "last":
            return _found(names.lasts.get(str(children[0]), {}), path_of(children[1]))
        case "old":
            return names.opening[str(children[0])]
        case "call":
            arguments = [value(child, names) for child in children[1:]]
            return _applied(str(children[0]), *arguments)
        case "name":
            path = path_of(children[0])
            if path in names.paths:
                return _found(names.fields, path)
            return _item(names.registers, path[0])
    raise NotImplementedError(kind)


def holds(node: Any, names: Names) -> bool:
    """Whether a condition holds; one that is undefined does not."""
    try:
        return bool(value(node, names))
    except Undefined:
        return False


def _item(container: Any, key: Any) -> Any:
    try:
        return container[int(key) if isinstance(container, tuple) else key]
    except (LookupError, TypeError):
        raise Undefined from None


def _found(fields: Mapping[Path, Any], path: Path) -> Any:
    """A field's value; `Written` fields know their type."""
    written = _item(fields, path)
    if isinstance(written, tuple):
        return tuple(item.value for item in written)
    return written.value


@frozen
class Written:
    """The text of a field, and whether it means a number."""

    text: str
    numeric: bool

    @property
    def value(self) -> Any:
        """What it means."""
        return number(self.text) if self.numeric else self.text


def _text_of(node: Any, names: Names) -> str:
    assert node.data == "name"
    written = _item(names.fields, path_of(node.children[0]))
    assert isinstance(written, Written)
    return written.text


def _rounded(exact: Fraction, places: int) -> Fraction:
    """Halves go away from zero."""
    scaled = abs(exact) * 10**places
    whole = int(scaled) + (scaled - int(scaled) >= Fraction(1, 2))
    return Fraction(whole if exact >= 0 else -whole, 10**places)


def _compared(relation: str, left: Any, right: Any) -> bool:
    results = {
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }
    return bool(results[relation]())


def _arithmetic(sign: str, left: Any, right: Any) -> Any:
    maps = isinstance(left, dict) or isinstance(right, dict)
    match sign:
        case "|" if maps:
            return {**dict(left), **dict(right)}
        case "-" if isinstance(left, dict):
            return {key: item for key, item in left.items() if key not in right}
        case "|":
            return left | right
        case "&":
            return left & right
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right == 0:
            raise Undefined
        case "/":
            return left / right
    raise NotImplementedError(sign)


def _applied(name: str, *arguments: Any) -> Any:
    match name, arguments:
        case "size", (items,):
            return Fraction(len(items))
        case "keys", (items,):
            return frozenset(items)
        case "values", (items,):
            return frozenset(dict(items).values())
        case "sorted", (items,):
            return tuple(sorted(items))
        case "div" | "mod", (left, right):
            if right == 0:
                raise Undefined
            return Fraction(left // right) if name == "div" else left % right
    raise NotImplementedError(name)


def conjuncts(node: Tree[Token] | Any) -> list[Any]:
    """The parts of a condition between its outer `and`s."""
    if node.data == "and":
        return [part for child in node.children for part in conjuncts(child)]
    return [node]
