"""Arithmetic written in a trace: read exactly, never evaluated as code.

sum = product ( ("+" | "-") product )*
product = signed ( ("*" | "/") signed )*
signed = "-" signed | NUMBER | NAME | "(" sum ")"
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from statelang.clauses.values import (
    MAX_DIGITS,
    Number,
    Undefined,
    Value,
    read_number,
    simplest,
    spell,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[-+*/()]))"
)
_OF_TWO = re.compile(r"([0-9]{1,15}) ?([-+*]) ?([0-9]{1,15})")  # most are no more than that
_OPERATIONS: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_MAX_TOKENS: Final = 500
_MAX_DEPTH: Final = 50
_MAX_BITS: Final = MAX_DIGITS * 4


def names(text: str) -> frozenset[str]:
    """The identifiers that occur in an arithmetic text."""
    return frozenset(_NAME.findall(text))


def fill(text: str, values: Mapping[Any, Value]) -> str:
    """The text with every identifier replaced by its value, spelled shortest. Raises Undefined."""

    def replace(match: re.Match[str]) -> str:
        value = values.get(match[0])
        if value is None:
            raise Undefined(f"`{match[0]}` has no value")
        return value if isinstance(value, str) else spell(_number(value))

    return _NAME.sub(replace, text)


def _number(value: Value) -> Number:
    if isinstance(value, (int, Fraction)):
        return value
    raise Undefined("not a number")


@lru_cache(maxsize=10_000)
def _tokens(text: str) -> tuple[str, ...]:
    tokens: list[str] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(tokens) == _MAX_TOKENS:
            raise Undefined(f"`{text[:40]}` is not arithmetic")
        tokens.append(match[match.lastgroup or 0])
        at = match.end()
    return tuple(tokens)


def value(text: str, values: Mapping[Any, Value]) -> Number:
    """The exact value of an arithmetic text, names looked up in `values`. Raises Undefined."""
    found = _OF_TWO.fullmatch(text)
    if found is not None:
        return _OPERATIONS[found[2]](int(found[1]), int(found[3]))
    reader = _Reader(_tokens(text), values)
    result = reader.sum(0)
    if reader.at < len(reader.tokens):
        raise Undefined(f"`{text[:40]}` is not arithmetic")
    return simplest(result)


class _Reader:
    def __init__(self, tokens: tuple[str, ...], values: Mapping[Any, Value]) -> None:
        self.tokens = tokens
        self.values = values
        self.at = 0

    def take(self) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        self.at += 1
        return token

    def next_is(self, signs: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at] in signs

    def sum(self, depth: int) -> Number:
        result = self.product(depth)
        while self.next_is("+-"):
            sign, term = self.take(), self.product(depth)
            result = _bounded(result + term if sign == "+" else result - term)
        return result

    def product(self, depth: int) -> Number:
        result = self.signed(depth)
        while self.next_is("*/"):
            if self.take() == "*":
                result = _bounded(result * self.signed(depth))
            else:
                divisor = self.signed(depth)
                if divisor == 0:
                    raise Undefined("division by zero")
                result = _bounded(Fraction(result) / divisor)
        return result

    def signed(self, depth: int) -> Number:
        if depth > _MAX_DEPTH:
            raise Undefined("nested too deep")
        token = self.take()
        if token == "-":
            return -self.signed(depth + 1)
        if token == "(":
            result = self.sum(depth + 1)
            if self.take() != ")":
                raise Undefined("`(` is never closed")
            return result
        if token[:1].isalpha() or token[:1] == "_":
            found = self.values.get(token)
            if found is None:
                raise Undefined(f"`{token}` has no value")
            return _number(found)
        return read_number(token)


def _bounded(number: Number) -> Number:
    if number.numerator.bit_length() > _MAX_BITS or number.denominator.bit_length() > _MAX_BITS:
        raise Undefined("the number is too large")
    return number
