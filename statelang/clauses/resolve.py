"""From the tree of a contract clause to typed expressions; done once, at load."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from lark import Token

from statelang.clauses import expression as ex
from statelang.clauses.functions import FUNCTIONS, argument_of
from statelang.clauses.parsing import Node, wrong
from statelang.clauses.values import (
    ANY,
    NUMBER,
    TEXT,
    TRUTH,
    Number,
    Type,
    Undefined,
    Value,
    list_of,
    map_of,
    read_number,
    record_of,
    set_of,
)

_NO_SLOTS: Final[frozenset[int]] = frozenset()
MAX_ITEMS: Final = 10_000  # of a list: joining doubles it at every step


class Scope(Protocol):
    """The names a clause may use."""

    def register(self, name: str) -> tuple[int, Type] | None:
        """Index and type of a ghost register or an input."""
        ...

    def action(self, name: str) -> int | None:
        """Index of an action."""
        ...

    def field(self, path: tuple[str, ...]) -> tuple[int, Type] | str:
        """Slot and type of a field of the rule the clause stands on, or why there is none."""
        ...

    def last(self, action: int, path: tuple[str, ...]) -> tuple[int, Type] | str:
        """The same for a field of another action's last step."""
        ...

    def opening(self) -> int:
        """The slot that keeps the registers as they were when the rule opened."""
        ...

    def names(self) -> list[str]:
        """Every name in scope, for suggestions."""
        ...


def resolve(node: Any, scope: Scope) -> ex.Expression:
    """The typed expression of a tree. Raises ContractError (SL402, SL403, SL404)."""
    return _Resolver(scope).of(node)


def condition(node: Any, scope: Scope) -> ex.Expression:
    """The same, which must be a condition."""
    return _Resolver(scope).typed(node, TRUTH)


class _Resolver:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def of(self, node: Any) -> ex.Expression:
        result: ex.Expression = getattr(self, f"_{node.data}")(node, *node.children)
        return result

    def typed(self, node: Any, *types: Type) -> ex.Expression:
        result = self.of(node)
        if not any(t.accepts(result.type) for t in types):
            wanted = " or ".join(f"`{t}`" for t in types)
            raise wrong(node, "SL402", f"this is of type `{result.type}`, not {wanted}", "")
        return result

    def _number(self, node: Node, token: Token) -> ex.Expression:
        if len(token) > 100:
            raise wrong(node, "SL402", "this number is too long", "")
        return ex.Constant(NUMBER, _NO_SLOTS, read_number(token))

    def _text(self, node: Node, token: Token) -> ex.Expression:
        try:
            return ex.Constant(TEXT, _NO_SLOTS, json.loads(token))
        except ValueError:
            raise wrong(node, "SL401", "this text holds an unknown escape", "") from None

    def _true(self, node: Node) -> ex.Expression:
        return ex.Constant(TRUTH, _NO_SLOTS, True)

    def _false(self, node: Node) -> ex.Expression:
        return ex.Constant(TRUTH, _NO_SLOTS, False)

    def _empty(self, node: Node) -> ex.Expression:
        return ex.Constant(Type("empty"), _NO_SLOTS, frozenset())

    def _conditional(self, node: Node, test: Node, yes: Node, no: Node) -> ex.Expression:
        condition, first, second = self.typed(test, TRUTH), self.of(yes), self.of(no)
        type = self.join(node, first, second)
        return ex.If(type, condition.slots | first.slots | second.slots, condition, first, second)

    def join(self, node: Any, first: ex.Expression, second: ex.Expression) -> Type:
        if first.type.accepts(second.type):
            return first.type
        if second.type.accepts(first.type):
            return second.type
        message = f"`{first.type}` and `{second.type}` do not go together"
        raise wrong(node, "SL402", message, "both sides must have one type")

    def _or(self, node: Node, left: Node, right: Node) -> ex.Expression:
        first, second = self.typed(left, TRUTH), self.typed(right, TRUTH)
        return ex.Or(TRUTH, first.slots | second.slots, first, second)

    def _and(self, node: Node, left: Node, right: Node) -> ex.Expression:
        first, second = self.typed(left, TRUTH), self.typed(right, TRUTH)
        return ex.And(TRUTH, first.slots | second.slots, first, second)

    def _not(self, node: Node, inner: Node) -> ex.Expression:
        negated = self.typed(inner, TRUTH)
        return ex.Not(TRUTH, negated.slots, negated)

    def _compare(self, node: Node, left: Node, sign: Token, right: Node) -> ex.Expression:
        first, second = self.of(left), self.of(right)
        slots = first.slots | second.slots
        type = self.join(node, first, second)
        first, second = _emptied(first, type), _emptied(second, type)
        if sign == "~":
            if not isinstance(first, ex.Field) or type != NUMBER:
                help_ = "write `FIELD ~ value`, where FIELD is a number of this rule"
                raise wrong(
                    node, "SL402", "`~` rounds to the places a field is written with", help_
                )
            return ex.Rounded(TRUTH, slots, first, second)
        if sign not in ("==", "!=") and type.name not in ("number", "set", "any"):
            raise wrong(node, "SL402", f"`{sign}` compares numbers or sets, not `{type}`", "")
        return ex.Compare(TRUTH, slots, str(sign), first, second)

    def _contains(self, node: Node, item: Node, container: Node) -> ex.Contains:
        inner, outer = self.of(item), self.of(container)
        if outer.type.name not in ("set", "map", "list"):
            message = f"`in` looks into a set, a map or a list, not into `{outer.type}`"
            raise wrong(container, "SL402", message, "")
        if not argument_of(outer.type, 0).accepts(inner.type):
            message = f"a `{outer.type}` never holds a `{inner.type}`"
            raise wrong(node, "SL402", message, "")
        return ex.Contains(TRUTH, inner.slots | outer.slots, inner, outer)

    def _excludes(self, node: Node, item: Node, container: Node) -> ex.Expression:
        inner = self._contains(node, item, container)
        return ex.Excludes(TRUTH, inner.slots, inner)

    def _arithmetic(self, node: Node, left: Node, sign: Token, right: Node) -> ex.Expression:
        first, second = self.of(left), self.of(right)
        slots, name = first.slots | second.slots, first.type.name
        if sign == "+" and name == "list":
            type = self.join(node, first, second)
            return ex.Apply(type, slots, "+", _joined, (first, second))
        if sign in "+*/" or (sign == "-" and name == "number"):
            self.typed(left, NUMBER), self.typed(right, NUMBER)
            apply = partial(ex.arithmetic, str(sign))
            return ex.Apply(NUMBER, slots, str(sign), apply, (first, second))
        if name == "map" and sign == "-":
            self.typed(right, set_of(argument_of(first.type, 0)))
            return ex.Apply(first.type, slots, "-", _without, (first, second))
        type = self.join(node, first, second)
        if type.name == "map" and sign == "|":
            return ex.Apply(type, slots, "|", _merged, (first, second))
        if type.name not in ("set", "empty"):
            message = f"`{sign}` does not apply to `{type}`"
            raise wrong(
                node, "SL402", message, "`+ - * /` take numbers, `| & -` take sets and maps"
            )
        return ex.Apply(type, slots, str(sign), _SETS[str(sign)], (first, second))

    def _negative(self, node: Node, inner: Node) -> ex.Expression:
        number = self.typed(inner, NUMBER)
        return ex.Apply(NUMBER, number.slots, "-", operator.neg, (number,))

    def _index(self, node: Node, container: Node, key: Node) -> ex.Expression:
        table, index = self.of(container), self.of(key)
        if table.type.name == "list":
            self.typed(key, NUMBER)
            type = argument_of(table.type, 0)
            return ex.Apply(type, table.slots | index.slots, "[]", _item, (table, index))
        if table.type.name != "map":
            message = f"only a map or a list is looked up, not `{table.type}`"
            raise wrong(container, "SL402", message, "")
        if not argument_of(table.type, 0).accepts(index.type):
            raise wrong(key, "SL402", f"a key of `{table.type}` is no `{index.type}`", "")
        slots = table.slots | index.slots
        return ex.Apply(argument_of(table.type, 1), slots, "[]", _look_up, (table, index))

    def _set_of(self, node: Node, *items: Node) -> ex.Expression:
        members = tuple(self.typed(item, TEXT, NUMBER) for item in items)
        for member in members[1:]:
            self.join(node, members[0], member)
        slots = _NO_SLOTS.union(*(m.slots for m in members))
        return ex.SetOf(set_of(members[0].type), slots, members)

    def _map_of(self, node: Node, *pairs: Node) -> ex.Expression:
        entries = tuple(
            (self.typed(pair.children[0], TEXT, NUMBER), self.of(pair.children[1]))
            for pair in pairs
        )
        for key, value in entries[1:]:
            self.join(node, entries[0][0], key), self.join(node, entries[0][1], value)
        slots = _NO_SLOTS.union(*(key.slots | value.slots for key, value in entries))
        return ex.MapOf(map_of(entries[0][0].type, entries[0][1].type), slots, entries)

    def action(self, token: Token) -> int:
        index = self.scope.action(str(token))
        if index is None:
            raise wrong(
                token, "SL404", f"`{token}` is not an action", "name an action of this file"
            )
        return index

    def _count(self, node: Node, action: Token) -> ex.Expression:
        return ex.Count(NUMBER, _NO_SLOTS, self.action(action))

    def _last(self, node: Node, action: Token, path: Node) -> ex.Expression:
        index = self.action(action)
        names = tuple(map(str, path.children))
        found = self.scope.last(index, names)
        if isinstance(found, str):
            raise wrong(path, "SL403", found, "")
        return ex.Last(found[1], _NO_SLOTS, index, found[0], f"{action}.{'.'.join(names)}")

    def _old(self, node: Node, name: Token) -> ex.Expression:
        found = self.scope.register(str(name))
        if found is None:
            raise wrong(name, "SL403", f"there is no register `{name}`", "")
        return ex.Old(found[1], _NO_SLOTS, self.scope.opening(), found[0])

    def _name(self, node: Node, path: Node) -> ex.Expression:
        names = tuple(map(str, path.children))
        register = self.scope.register(names[0])
        if register and len(names) > 1 and register[1].fields:
            record: ex.Expression = ex.Register(register[1], _NO_SLOTS, register[0])
            for name in names[1:]:
                record = self.member(path, record, name)
            return record
        if len(names) > 1:
            register = None
        found = self.scope.field(names)
        if register and not isinstance(found, str):
            message = f"`{names[0]}` is both a field and a register here"
            raise wrong(path, "SL403", message, "rename one of them")
        if register:
            return ex.Register(register[1], _NO_SLOTS, register[0])
        if isinstance(found, str):
            raise wrong(path, "SL403", found, self.near(names[-1]))
        return ex.Field(found[1], frozenset({found[0]}), found[0], ".".join(names))

    def near(self, name: str) -> str:
        return near(name, self.scope.names())

    def _call(self, node: Node, name: Token, *arguments: Node) -> ex.Expression:
        function = FUNCTIONS.get(str(name))
        if function is None:
            help_ = near(str(name), FUNCTIONS) or "functions are " + ", ".join(FUNCTIONS)
            raise wrong(name, "SL404", f"there is no function `{name}`", help_)
        most, least = len(function.parameters), len(function.parameters) - function.optional
        if not least <= len(arguments) <= most:
            raise wrong(node, "SL402", f"`{name}` takes {most} arguments", "")
        values = tuple(self.of(argument) for argument in arguments)
        for value, allowed, argument in zip(values, function.parameters, arguments, strict=False):
            if value.type.name not in (*allowed, "any", "empty"):
                wanted = " or ".join(f"`{a}`" for a in allowed)
                message = f"`{name}` takes {wanted} here, not `{value.type}`"
                raise wrong(argument, "SL402", message, "")
        slots = _NO_SLOTS.union(*(value.slots for value in values))
        type = function.result([value.type for value in values])
        return ex.Apply(type, slots, str(name), function.apply, values)

    def _list_of(self, node: Node, *items: Node) -> ex.Expression:
        members = tuple(self.of(item) for item in items)
        for member in members[1:]:
            self.join(node, members[0], member)
        slots = _NO_SLOTS.union(*(m.slots for m in members))
        type = list_of(members[0].type if members else ANY)
        return ex.Apply(type, slots, "[...]", _all, members)

    def _record_of(self, node: Node, *parts: Node) -> ex.Expression:
        values: dict[str, ex.Expression] = {}
        for part in parts:
            name, value = part.children
            if str(name) in values:
                raise wrong(name, "SL402", f"the record has two fields `{name}`", "rename one")
            values[str(name)] = self.of(value)
        type = record_of({name: value.type for name, value in values.items()})
        slots = _NO_SLOTS.union(*(value.slots for value in values.values()))
        ordered = tuple(values[name] for name in type.fields)
        return ex.Apply(type, slots, "{...}", _all, ordered)

    def _member(self, node: Node, record: Node, name: Token) -> ex.Expression:
        return self.member(name, self.of(record), str(name))

    def member(self, node: Any, record: ex.Expression, name: str) -> ex.Expression:
        if name not in record.type.fields:
            message = f"a `{record.type}` has no field `{name}`"
            raise wrong(node, "SL402", message, near(name, record.type.fields))
        index = record.type.fields.index(name)
        type = record.type.arguments[index]
        return ex.Apply(type, record.slots, f".{name}", operator.itemgetter(index), (record,))


def _emptied(expression: ex.Expression, type: Type) -> ex.Expression:
    """`{}` beside a map is the empty map."""
    if expression.type.name == "empty" and type.name == "map":
        return ex.Constant(type, _NO_SLOTS, {})
    return expression


def near(name: str, names: Any) -> str:
    """`did you mean ...?` where a known name is close."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(names), n=1)
    return f"did you mean `{found[0]}`?" if found else ""


def _without(table: Any, keys: Any) -> Value:
    return {key: value for key, value in table.items() if key not in keys}


def _merged(first: Any, second: Any) -> Value:
    return {**(first or {}), **(second or {})}


def _look_up(table: Any, key: Value) -> Value:
    if not table or key not in table:
        raise Undefined(f"`{key}` is not a key")
    found: Value = table[key]
    return found


def _joined(first: tuple[Value, ...], second: tuple[Value, ...]) -> Value:
    if len(first) + len(second) > MAX_ITEMS:
        raise Undefined(f"a list of more than {MAX_ITEMS} items")
    return (*first, *second)


def _all(*values: Value) -> Value:
    return values


def _item(items: tuple[Value, ...], index: Number) -> Value:
    if index.denominator != 1 or not 0 <= index < len(items):
        raise Undefined(f"there is no item {index}")
    return items[int(index)]


_SETS: Final[dict[str, Callable[[Any, Any], Value]]] = {
    "|": operator.or_,
    "&": operator.and_,
    "-": operator.sub,
}
