"""The functions of the contract language: total but for `Undefined`, and never the caller's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from statelang.clauses import arithmetic
from statelang.clauses.values import (
    ANY,
    NUMBER,
    TEXT,
    Number,
    Type,
    Undefined,
    Value,
    list_of,
    set_of,
    spell,
)


@frozen
class Function:
    """Parameter types (the last ones may be left out), result type, what it does, in words."""

    parameters: tuple[tuple[str, ...], ...]
    optional: int
    result: Callable[[list[Type]], Type]
    apply: Callable[..., Value]
    meaning: str


def argument_of(type: Type, index: int) -> Type:
    """What a set, a list or a map is of; anything where that is not known."""
    return type.arguments[index] if len(type.arguments) > index else ANY


def _sorted(items: Any) -> Value:
    return tuple(sorted(items))


def _div(left: Number, right: Number) -> Value:
    if right == 0:
        raise Undefined("division by zero")
    return left // right


def _mod(left: Number, right: Number) -> Value:
    if right == 0:
        raise Undefined("division by zero")
    return left % right


def _digits(number: Number) -> Value:
    if number < 0 or number.denominator != 1:
        raise Undefined("digits are those of a whole number from 0")
    spell(number)  # a number too long to write has no digits either
    return tuple(int(digit) for digit in str(number.numerator))


def _values(items: Any) -> Value:
    return frozenset(items.values())


def _value(text: str, values: Any = None) -> Value:
    return arithmetic.value(text, values or {})


FUNCTIONS: Final[dict[str, Function]] = {
    "size": Function(
        (("set", "map", "list", "text"),),
        0,
        lambda _: NUMBER,
        len,
        "How many members, entries, items or characters.",
    ),
    "keys": Function(
        (("map",),), 0, lambda a: set_of(argument_of(a[0], 0)), frozenset, "The keys of a map."
    ),
    "values": Function(
        (("map",),),
        0,
        lambda a: set_of(argument_of(a[0], 1)),
        _values,
        "The values of a map, as a set.",
    ),
    "sorted": Function(
        (("set", "list"),),
        0,
        lambda a: list_of(argument_of(a[0], 0)),
        _sorted,
        "The members in ascending order; texts by their characters.",
    ),
    "names": Function(
        (("text",),),
        0,
        lambda _: set_of(TEXT),
        arithmetic.names,
        "The names in a text of arithmetic: of `s1 * (2 + s3)` they are `s1` and `s3`.",
    ),
    "fill": Function(
        (("text",), ("map",)),
        0,
        lambda _: TEXT,
        arithmetic.fill,
        "A text of arithmetic with its names replaced by their values; undefined where one is "
        "missing.",
    ),
    "value": Function(
        (("text",), ("map",)),
        1,
        lambda _: NUMBER,
        _value,
        "What a text of arithmetic (`+ - * / ( )`, numbers and names) comes to, exactly; names are "
        "looked up in the map.",
    ),
    "div": Function(
        (("number",), ("number",)),
        0,
        lambda _: NUMBER,
        _div,
        "The quotient rounded down; undefined for a divisor of 0.",
    ),
    "mod": Function(
        (("number",), ("number",)),
        0,
        lambda _: NUMBER,
        _mod,
        "What is left of that division.",
    ),
    "digits": Function(
        (("number",),),
        0,
        lambda _: list_of(NUMBER),
        _digits,
        "The digits of a whole number from 0, the first one first.",
    ),
}
