"""The rules of a grammar file without its contracts, ready to be written in another notation.

Terminals are spelled out in code points, because that is what other notations count in.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from statelang.language.syntax import (
    Choice,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
    parse,
)
from statelang.regular import regex
from statelang.regular.regex import Maker, Ranges
from statelang.space import StateSpace

_LAST: Final = 0x10FFFF
_SURROGATES: Final = (0xD800, 0xDFFF)


@frozen
class Text:
    """Exactly this text; the empty one where nothing is written."""

    value: str


@frozen
class Chars:
    """One character out of sorted, disjoint, inclusive ranges of code points."""

    ranges: Ranges

    def shorter(self) -> tuple[bool, Ranges]:
        """The ranges of the characters, or (True and) those of all others where they are fewer."""
        first, last = _SURROGATES
        outside, at = [], 0
        for low, high in (*self.ranges, (_LAST + 1, _LAST + 1)):
            if low > at and (at, low) != (first, last + 1):
                outside.append((at, low - 1))
            at = high + 1
        negated = 0 < len(outside) <= len(self.ranges) and self.ranges[-1][1] == _LAST
        return (True, tuple(outside)) if negated else (False, self.ranges)


@frozen
class Use:
    """Another rule or a terminal."""

    name: str


@frozen
class All:
    """One after the other."""

    items: tuple[Node, ...]


@frozen
class OneOf:
    """One of several."""

    options: tuple[Node, ...]


@frozen
class Times:
    """`low` to `high` times; None is without bound."""

    item: Node
    low: int
    high: int | None


Node = Text | Chars | Use | All | OneOf | Times


def rules(space: StateSpace) -> dict[str, Node]:
    """Every state, action, part and terminal of the space, in the order of the file."""
    return {d.name: node(d.body) for d in parse(space.source).definitions}


def is_state(name: str) -> bool:
    """Whether a rule of that name is a state."""
    return name == "start" or (name.startswith("_") and name.upper() != name)


def node(item: Item) -> Node:
    """One item of a rule or a terminal."""
    match item:
        case Literal(value, ignore_case, _):
            if not ignore_case:
                return Text(value)
            return join(*(regex.read(_escaped(char), "i", MAKER) for char in value))
        case Regexp(pattern, flags, _):
            return regex.read(pattern, flags, MAKER)
        case Reference(name, _):
            return Use(name)
        case Sequence(items, _):
            return join(*map(node, items))
        case Choice(options, _):
            return OneOf(tuple(map(node, options)))
        case Repeat(inner, low, high, _):
            return Times(node(inner), low, high)
    raise TypeError(f"`{item}` is outside the portable profile and is never loaded")


def join(*items: Node) -> Node:
    """One after the other, neighbouring texts made one."""
    flat: list[Node] = []
    for item in items:
        for part in item.items if isinstance(item, All) else (item,):
            if isinstance(part, Text) and flat and isinstance(flat[-1], Text):
                flat[-1] = Text(flat[-1].value + part.value)
            elif part != Text(""):
                flat.append(part)
    if not flat:
        return Text("")
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def _characters(ranges: Ranges) -> Node:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(_without_surrogates(ranges)):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    if len(merged) == 1 and merged[0][0] == merged[0][1]:
        return Text(chr(merged[0][0]))
    return Chars(tuple(merged))


def _without_surrogates(ranges: Ranges) -> Ranges:
    """No text holds half of a surrogate pair."""
    first, last = _SURROGATES
    parts = [(low, min(high, first - 1)) for low, high in ranges]
    parts += [(max(low, last + 1), high) for low, high in ranges]
    return tuple((low, high) for low, high in parts if low <= high)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x80 else char


MAKER: Maker[Node] = Maker(
    join, lambda *options: options[0] if len(options) == 1 else OneOf(options), Times, _characters
)
