"""What an expression reads, and how it is evaluated on chosen values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from attrs import frozen

from statelang.clauses import expression as ex
from statelang.clauses.values import Value

MAX_VALUES: Final = 64

Key = tuple[str, int, int]  # what, of which action, which slot or register


@frozen(eq=False)
class View:
    """Registers, counts and fields at given values, for an expression to look at."""

    values: Mapping[Key, Value | None]
    action: int

    @property
    def registers(self) -> _Row:
        return _Row(self.values, "register", 0)

    @property
    def counts(self) -> _Row:
        return _Row(self.values, "count", 0)

    @property
    def slots(self) -> _Row:
        return _Row(self.values, "slot", self.action)

    def last(self, action: int) -> _Row:
        return _Row(self.values, "last", action)


@frozen(eq=False)
class _Row:
    values: Mapping[Key, Value | None]
    what: str
    of: int

    def __getitem__(self, index: int) -> Any:
        return self.values[self.what, self.of, index]


def reads(expression: ex.Expression, action: int) -> frozenset[Key] | None:
    """What an expression of a rule of an action reads; None where it cannot be told."""
    found: set[Key] = set()
    todo: list[Any] = [expression]
    while todo:
        node = todo.pop()
        match node:
            case ex.Old() | ex.Written():
                return None
            case ex.Register(index=index):
                found.add(("register", 0, index))
            case ex.Count(action=counted):
                found.add(("count", 0, counted))
            case ex.Last(action=other, slot=slot):
                found.add(("last", other, slot))
            case ex.Field(slot=slot):
                found.add(("slot", action, slot))
        todo += _children(node)
    return frozenset(found)


def compared_counts(expression: ex.Expression) -> dict[Key, int | None]:
    """The counts an expression reads, each with the largest number that it is compared with; None
    where anything else is done with it."""
    found: dict[Key, int | None] = {}
    todo: list[Any] = [expression]
    while todo:
        node = todo.pop()
        if isinstance(node, ex.Compare):
            count, constant = node.left, node.right
            if isinstance(constant, ex.Count):
                count, constant = constant, count
            if isinstance(count, ex.Count) and isinstance(constant, ex.Constant):
                key, value = ("count", 0, count.action), constant.value
                known = found.get(key, 0)
                if known is not None and isinstance(value, int) and 0 <= value < MAX_VALUES:
                    found[key] = max(known, value)
                    continue
        if isinstance(node, ex.Count):
            found["count", 0, node.action] = None
        todo += _children(node)
    return found


def _children(node: Any) -> list[Any]:
    if isinstance(node, tuple):
        return list(node)
    if isinstance(node, ex.Expression):
        return [getattr(node, name.name) for name in attrs.fields(type(node))]
    return []
