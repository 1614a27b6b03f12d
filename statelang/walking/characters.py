"""Regular languages over UTF-8 as patterns of Python's `re`, where one character decides each turn.

Such languages (one-unambiguous: A. Brueggemann-Klein and D. Wood, Information and Computation
142(2), 1998) are matched in one pass: every repetition may be possessive, so no pattern backtracks,
whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from attrs import frozen

from statelang.regular.automaton import Regular

Ranges = tuple[tuple[int, int], ...]  # inclusive, of code points, ascending and apart

_LAST: Final = 0x10FFFF
_SURROGATES: Final = (0xD800, 0xDFFF)
_TRAIL: Final = (0x80, 0xBF)
_LEADS: Final = ((0xC2, 0xDF, 2), (0xE0, 0xEF, 3), (0xF0, 0xF4, 4))


class Unfit(Exception):
    """A language that is not one-unambiguous over characters, or not written as an expression."""


@frozen
class Form:
    """A language as a pattern. `first` are the characters that a text may begin with, `more`
    those with which one that is complete may go on; `single` says that it is one character."""

    pattern: str
    first: Ranges
    more: Ranges
    nullable: bool
    single: bool = False


_NOTHING_MORE: Final = Form("", (), (), True)


@lru_cache(maxsize=10_000)
def form(language: Regular) -> Form:
    """The pattern of a language. Raises Unfit."""
    return _row(_factors(language))


def united(sets: Iterable[Ranges]) -> Ranges:
    """The union of sets of characters."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(part for ranges in sets for part in ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = result[-1][0], max(high, result[-1][1])
        else:
            result.append((low, high))
    return tuple(result)


def apart(first: Ranges, second: Ranges) -> bool:
    """Whether two sets of characters share none."""
    return all(a > y or x > b for a, b in first for x, y in second)


def character_class(ranges: Ranges) -> str:
    """The pattern of one character out of a set; texts hold no surrogates."""
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    outside, at = [], 0
    for low, high in (*united((ranges, (_SURROGATES,))), (_LAST + 1, _LAST + 1)):
        if low > at:
            outside.append((at, low - 1))
        at = high + 1
    if not outside:
        return "[\\s\\S]"
    if len(outside) < len(ranges):
        return f"[^{_spelled(outside)}]"
    return f"[{_spelled(ranges)}]"


def _spelled(ranges: Iterable[tuple[int, int]]) -> str:
    return "".join(
        _escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}"
        for low, high in ranges
    )


def _escaped(code: int) -> str:
    return chr(code) if chr(code).isalnum() and code < 0x80 else f"\\U{code:08x}"


def _factors(language: Regular) -> list[Regular]:
    """What a language is put together from, one after the other."""
    result = []
    while language.kind == "then":
        first, language = language.parts  # type: ignore[assignment]
        result.append(first)
    return [*result, language]  # type: ignore[list-item]


def _row(factors: Sequence[Regular]) -> Form:
    items, at = [], 0
    while at < len(factors):
        one, used = _item(factors, at)
        items.append(one)
        at += used
    result = _NOTHING_MORE
    for item in reversed(items):
        result = _after(item, result)
    return result


def _after(item: Form, rest: Form) -> Form:
    if rest is _NOTHING_MORE:
        return item
    if not apart(item.more, rest.first):
        raise Unfit
    first = united((item.first, rest.first)) if item.nullable else item.first
    more = united((item.more, rest.more)) if rest.nullable else rest.more
    return Form(item.pattern + rest.pattern, first, more, item.nullable and rest.nullable)


def _item(factors: Sequence[Regular], at: int) -> tuple[Form, int]:
    """The form that begins at a factor, and how many it takes: a character of UTF-8 is several."""
    factor = factors[at]
    match factor.kind, factor.parts:
        case "empty", _:
            return _NOTHING_MORE, 1
        case "bytes", (int() as byte_set,):
            sets = _intervals(byte_set)
            if sets[-1][1] < 0x80:
                return _single(tuple(sets)), 1
            size = _size(sets)
            return _single(_decoded(factors[at : at + size], size)), size
        case "either", options:
            return _choice([_row(_factors(o)) for o in options]), 1  # type: ignore[arg-type]
        case "repeat", (Regular() as inner, int() as low, high):
            return _repeated(_row(_factors(inner)), low, high), 1  # type: ignore[arg-type]
    raise Unfit


def _single(ranges: Ranges) -> Form:
    return Form(character_class(ranges), ranges, (), False, single=True)


def _choice(options: list[Form]) -> Form:
    singles = [one for one in options if one.single]
    others = [one for one in options if not one.single]
    if singles:
        others.insert(0, _single(united(one.first for one in singles)))
    if len(others) == 1:
        return others[0]
    for index, one in enumerate(others):
        if any(not apart(one.first, other.first) for other in others[:index]):
            raise Unfit
    if sum(one.nullable for one in others) > 1:
        raise Unfit
    nullable = any(one.nullable for one in others)
    others.sort(key=lambda one: one.nullable)
    first = united(one.first for one in others)
    more = united([*(one.more for one in others), *([first] if nullable else [])])
    return Form(f"(?:{'|'.join(one.pattern for one in others)})", first, more, nullable)


def _repeated(item: Form, low: int, high: int | None) -> Form:
    if high == 1:
        more = united((item.more, item.first))
        if item.nullable:
            raise Unfit
        return Form(f"(?:{item.pattern})?+", item.first, more, True)
    if item.nullable or not apart(item.more, item.first):
        raise Unfit
    inner = item.pattern if item.single else f"(?:{item.pattern})"
    bounds = f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}+"
    more = item.more if low == high else united((item.more, item.first))
    return Form(inner + bounds, item.first, more, low == 0)


def _intervals(byte_set: int) -> list[tuple[int, int]]:
    result: list[tuple[int, int]] = []
    for byte in range(256):
        if byte_set >> byte & 1:
            if result and result[-1][1] == byte - 1:
                result[-1] = result[-1][0], byte
            else:
                result.append((byte, byte))
    return result


def _size(leads: list[tuple[int, int]]) -> int:
    """How many bytes the characters have that begin so."""
    for low, high, size in _LEADS:
        if low <= leads[0][0] and leads[-1][1] <= high:
            return size
    raise Unfit


def _decoded(factors: Sequence[Regular], size: int) -> Ranges:
    sets = []
    for factor in factors:
        if factor.kind != "bytes":
            raise Unfit
        sets.append(_intervals(factor.parts[0]))  # type: ignore[arg-type]
    if len(sets) < size:
        raise Unfit
    return united([tuple(_spread(b"", sets))])


def _spread(prefix: bytes, sets: list[list[tuple[int, int]]]) -> Iterable[tuple[int, int]]:
    """The code points of byte sequences, in ranges."""
    for low, high in sets[0]:
        if all(later == [_TRAIL] for later in sets[1:]):
            rest = len(sets) - 1
            first = prefix + bytes([low]) + bytes([_TRAIL[0]]) * rest
            last = prefix + bytes([high]) + bytes([_TRAIL[1]]) * rest
            yield _code(first), _code(last)
        else:
            for byte in range(low, high + 1):
                yield from _spread(prefix + bytes([byte]), sets[1:])


def _code(sequence: bytes) -> int:
    try:
        return ord(sequence.decode())
    except UnicodeDecodeError:
        raise Unfit from None
