"""The values of the contract language: types, exact numbers and how they are spelled.

Numbers are exact rationals. A number is read from text as `12`, `-3`, `1,250`, `0.75` or `.75`;
anything else is not a number. `spelled` gives the regular language of all texts that read as one
value, so that a mask can admit every spelling and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Final

from attrs import frozen

from statelang.regular import regex
from statelang.regular.automaton import (
    ALL_BYTES,
    EMPTY,
    Regular,
    both,
    either,
    literal,
    one_of,
    repeat,
    then,
    words,
)

Number = int | Fraction
Value = str | bool | Number | frozenset["Value"] | Mapping["Value", "Value"] | tuple["Value", ...]

MAX_DIGITS: Final = 400
ROUNDED_PLACES: Final = 12


class Undefined(Exception):
    """An expression has no value here: a missing key, a division by zero, an unread field."""


@frozen
class Type:
    """A type of contracts: `text`, `number`, `truth`, `set[T]`, `list[T]`, `map[K, V]`, and
    records `{name: T, ...}`, whose `fields` stand in alphabetical order."""

    name: str
    arguments: tuple[Type, ...] = ()
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.fields:
            parts = zip(self.fields, self.arguments, strict=True)
            return "{" + ", ".join(f"{name}: {type}" for name, type in parts) + "}"
        inner = ", ".join(map(str, self.arguments))
        return f"{self.name}[{inner}]" if inner else self.name

    def accepts(self, other: Type) -> bool:
        """Whether a value of `other` may stand where this type is asked for."""
        if self.name == "any" or other.name == "any":
            return True
        if other.name == "empty":  # `{}` is every set and every map
            return self.name in ("set", "map")
        return (
            self.name == other.name
            and self.fields == other.fields
            and len(self.arguments) == len(other.arguments)
            and all(a.accepts(b) for a, b in zip(self.arguments, other.arguments, strict=True))
        )


TEXT: Final = Type("text")
NUMBER: Final = Type("number")
TRUTH: Final = Type("truth")
ANY: Final = Type("any")


def record_of(parts: Mapping[str, Type]) -> Type:
    """The type of records with these fields; their order means nothing."""
    names = tuple(sorted(parts))
    return Type("record", tuple(parts[name] for name in names), names)


def set_of(item: Type) -> Type:
    """The type of sets of `item`."""
    return Type("set", (item,))


def list_of(item: Type) -> Type:
    """The type of lists of `item`."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """The type of maps from `key` to `value`."""
    return Type("map", (key, value))


_NUMBER = re.compile(r"-?(?:(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)")
NUMBER_TEXTS: Final = both(regex.parse(_NUMBER.pattern), repeat(one_of(ALL_BYTES), 0, MAX_DIGITS))


def simplest(value: Number) -> Number:
    """An integer where the value is one: integers are the fast case."""
    return value.numerator if value.denominator == 1 else value


def read_number(text: str) -> Number:
    """The number that `text` spells. Raises Undefined where it spells none."""
    if text.isdigit() and text.isascii() and len(text) <= MAX_DIGITS:  # most are
        return int(text)
    if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text):
        raise Undefined(f"`{repr(text[:40])[1:-1]}` is not a number")
    plain = text.replace(",", "")
    return simplest(Fraction(plain)) if "." in plain else int(plain)


def spell(value: Number) -> str:
    """The shortest decimal spelling. Raises Undefined where the decimals never end, or there are
    more than 400 digits."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 4 * MAX_DIGITS:
        raise Undefined("the number is too long to write")
    if value.denominator == 1:
        text = str(value.numerator)
    else:
        places = _decimal_places(value.denominator)
        scaled = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
        text = ("-" if value < 0 else "") + f"{scaled[:-places]}.{scaled[-places:]}"
    if len(text) > MAX_DIGITS:
        raise Undefined("the number is too long to write")
    return text


def _decimal_places(denominator: int) -> int:
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator != 1:
        raise Undefined("the number has no finite decimal spelling")
    return max(twos, fives)


def places_of(text: str) -> int:
    """How many decimal places a number is written with."""
    return len(text.partition(".")[2])


def rounded(value: Number, places: int) -> Number:
    """`value` rounded to so many decimal places, halves away from zero."""
    scale = 10**places
    nearest = (abs(value) * scale * 2 + 1) // 2
    return simplest(Fraction(nearest if value >= 0 else -nearest, scale))


_ZEROS = repeat(one_of(1 << ord("0")), 0, None)


@lru_cache(maxsize=20_000)
def spelled(value: Value) -> Regular:
    """Every text that reads as `value` (a text or a number)."""
    if isinstance(value, str):
        return words((value.encode(),))
    if not isinstance(value, (int, Fraction)) or isinstance(value, bool):
        raise TypeError(f"a value of type {type(value).__name__} is not written in one field")
    size: Number = -value if value < 0 else value
    try:
        whole, _, decimals = spell(size).partition(".")
    except Undefined:
        return either()
    return _spelled(value < 0, value == 0, whole, decimals, trailing=True)


@lru_cache(maxsize=20_000)
def spelled_rounded(value: Number) -> Regular:
    """Every text that is `value` rounded half up to the places it is written with, to 12 places."""
    options = []
    for places in range(ROUNDED_PLACES + 1):
        near = rounded(value, places)
        try:
            whole, _, decimals = spell(-near if near < 0 else near).partition(".")
        except Undefined:
            continue
        padded = decimals.ljust(places, "0")
        negative = value < 0 and near != 0
        options.append(_spelled(negative, near == 0, whole, padded, trailing=False))
        if near == value:  # from here on every place more is a zero more
            digits = literal(f".{padded}".encode())
            zeros = repeat(literal(b"0"), 1, ROUNDED_PLACES - places)
            more = then(digits, zeros) if places < ROUNDED_PLACES else either()
            sign, front = _before(negative, near == 0, whole)
            options.append(then(sign, either(front, EMPTY) if whole == "0" else front, more))
            break
    return either(*options)


def _before(negative: bool, zero: bool, whole: str) -> tuple[Regular, Regular]:
    """The sign and the digits before the point, with leading zeros or in groups of three."""
    sign = repeat(literal(b"-"), 0, 1) if zero else literal(b"-") if negative else EMPTY
    plain = then(_ZEROS, literal(whole.encode()))
    return sign, either(plain, literal(f"{int(whole):,}".encode()))


def _spelled(negative: bool, zero: bool, whole: str, decimals: str, *, trailing: bool) -> Regular:
    sign, front = _before(negative, zero, whole)
    if decimals:
        point = literal(f".{decimals}".encode())
        back = then(point, _ZEROS) if trailing else point
        return then(sign, either(front, EMPTY) if whole == "0" else front, back)
    if not trailing:
        return then(sign, front)
    point = then(literal(b".0"), _ZEROS)
    whole_number = then(front, repeat(point, 0, 1))
    return then(sign, either(whole_number, point) if zero else whole_number)


def any_of(values: Iterable[Value]) -> Regular:
    """Every text that reads as one of the values."""
    return _any_of(frozenset(values))


@lru_cache(maxsize=5_000)
def _any_of(values: frozenset[Value]) -> Regular:
    if all(isinstance(value, str) for value in values):
        return words(str(value).encode() for value in values)
    return either(*(spelled(value) for value in sorted(values, key=str)))  # one order every run
