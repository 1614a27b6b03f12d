"""Terminals as regular languages over UTF-8: the portable regular expressions, and nothing more.

The portable subset is what Lark, llguidance and xgrammar read alike: literals, classes, groups,
`|`, `*`, `+`, `?`, `{m,n}`, the flags `i` and `s`. The rest (look-around, lazy repetition, `\\d`,
`\\b`, back references) means different things to different readers and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final, Generic, TypeVar

from attrs import define, frozen

from statelang.regular.automaton import EMPTY, Regular, either, literal, one_of, repeat, then

_MAX_CODE = 0x10FFFF
_LAST_CASED = 0x1E943
_SURROGATES = (0xD800, 0xDFFF)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_SPECIAL: Final = frozenset(".^$*+?{}[]()|\\/-\"'`~!@#%&=:;, ")
MAX_REPEAT: Final = 100_000
_MAX_DEPTH: Final = 50

Ranges = tuple[tuple[int, int], ...]
T = TypeVar("T")


class RegexError(ValueError):
    """A regular expression outside the portable subset; `offset` is where, in characters."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@frozen
class Maker(Generic[T]):
    """What a pattern is read into: how its parts are put together, and one character out of
    inclusive ranges of code points."""

    then: Callable[..., T]
    either: Callable[..., T]
    repeat: Callable[[T, int, int | None], T]
    characters: Callable[[Ranges], T]


def parse(pattern: str, flags: str = "") -> Regular:
    """The language of a pattern, without its slashes. Raises RegexError."""
    return read(pattern, flags, Maker(then, either, repeat, characters))


def read(pattern: str, flags: str, make: Maker[T]) -> T:
    """The same, as something other than an automaton. Raises RegexError."""
    parser = _Parser(pattern, "i" in flags, "s" in flags, make)
    result = parser.choice()
    if parser.at < len(pattern):
        raise RegexError("`)` closes nothing", parser.at)
    return result


def text(value: str, *, ignore_case: bool = False) -> Regular:
    """Exactly this string."""
    if not ignore_case:
        return literal(value.encode())
    return then(*(characters(_both_cases(((ord(c), ord(c)),))) for c in value))


def characters(ranges: Ranges) -> Regular:
    """One character out of inclusive ranges of code points, in UTF-8."""
    ascii_bytes, options = 0, []
    for low, high in ranges:
        for code in range(low, min(high, 0x7F) + 1):
            ascii_bytes |= 1 << code
        options += [_sequence(s) for s in _utf8(max(low, 0x80), high)]
    return either(one_of(ascii_bytes), *options)


def _sequence(ranges: list[tuple[int, int]]) -> Regular:
    return then(*(one_of(((1 << (high - low + 1)) - 1) << low) for low, high in ranges))


def _utf8(low: int, high: int) -> list[list[tuple[int, int]]]:
    """Byte-range sequences that spell exactly `low` to `high`, without the surrogates."""
    if low > high:
        return []
    first, last = _SURROGATES
    if low <= last and high >= first:
        return _utf8(low, first - 1) + _utf8(last + 1, high)
    for limit in (0x7F, 0x7FF, 0xFFFF):
        if low <= limit < high:
            return _utf8(low, limit) + _utf8(limit + 1, high)
    if high <= 0x7F:
        return [[(low, high)]]
    for bits in (6, 12, 18):  # split until all but one trailing block is whole
        mask = (1 << bits) - 1
        if low & ~mask != high & ~mask:
            if low & mask:
                return _utf8(low, low | mask) + _utf8((low | mask) + 1, high)
            if high & mask != mask:
                return _utf8(low, (high & ~mask) - 1) + _utf8(high & ~mask, high)
    return [list(zip(chr(low).encode(), chr(high).encode(), strict=True))]


@cache
def _case_orbits() -> dict[int, tuple[int, ...]]:
    """Characters that differ only in case, by character."""
    folded: dict[str, list[int]] = {}
    for code in range(_LAST_CASED + 1):
        char = chr(code)
        fold = "i" if char in "Iiİı" else char.casefold()  # noqa: RUF001 - as `re` has it
        folded.setdefault(fold if len(fold) == 1 else char.lower(), []).append(code)
    orbits = [tuple(codes) for codes in folded.values() if len(codes) > 1]
    return {code: orbit for orbit in orbits for code in orbit}


def _both_cases(ranges: Ranges) -> Ranges:
    orbits = _case_orbits()
    extra = {
        (other, other)
        for low, high in ranges
        for code in range(low, min(high, _LAST_CASED) + 1)
        for other in orbits.get(code, ())
    }
    return ranges + tuple(sorted(extra))


def _complement(ranges: Ranges) -> Ranges:
    result, at = [], 0
    for low, high in sorted(ranges):
        if low > at:
            result.append((at, low - 1))
        at = max(at, high + 1)
    if at <= _MAX_CODE:
        result.append((at, _MAX_CODE))
    return tuple(result)


@define
class _Parser(Generic[T]):
    pattern: str
    ignore_case: bool
    dot_all: bool
    make: Maker[T]
    at: int = 0
    depth: int = 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def choice(self) -> T:
        """choice = sequence ( "|" sequence )*"""
        options = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            options.append(self.sequence())
        return self.make.either(*options)

    def sequence(self) -> T:
        """sequence = ( atom repetition? )*"""
        items = []
        while (char := self.peek()) and char not in "|)":
            items.append(self.repetition(self.atom()))
        return self.make.then(*items)

    def repetition(self, item: T) -> T:
        """repetition = "*" | "+" | "?" | "{" m ("," n?)? "}\""""
        start, char = self.at, self.peek()
        if char not in ("*", "+", "?", "{"):
            return item
        self.at += 1
        low, high = self.bounds(start) if char == "{" else _BOUNDS[char]
        if self.peek() in ("?", "+"):
            raise RegexError("a lazy or possessive repetition is not portable", start)
        if self.peek() in ("*", "{"):
            raise RegexError("a repetition of a repetition needs a group", self.at)
        return self.make.repeat(item, low, high)

    def bounds(self, start: int) -> tuple[int, int | None]:
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at : end].partition(",") if end > 0 else ("", "", "")
        if not re.fullmatch(r"[0-9]+(,[0-9]*)?", f"{low}{comma}{high}"):
            raise RegexError("a bound is written `{3}`, `{1,4}` or `{2,}`", start)
        if max(len(low), len(high)) > 9:
            raise RegexError(f"a bound above {MAX_REPEAT:,} is not allowed", start)
        least, most = int(low), int(high) if high else (None if comma else int(low))
        if most is not None and most < least:
            raise RegexError(f"the bound `{{{low},{high}}}` admits nothing", start)
        if max(least, most or 0) > MAX_REPEAT:
            raise RegexError(f"a bound above {MAX_REPEAT:,} is not allowed", start)
        self.at = end + 1
        return least, most

    def atom(self) -> T:
        """atom = "(" ("?:")? choice ")" | "[" class "]" | "." | "\\" escape | character"""
        start, char = self.at, self.peek()
        self.at += 1
        if char == "(":
            return self.group(start)
        if char == "[":
            return self.char_class(start)
        if char == ".":
            ranges: Ranges = ((0, _MAX_CODE),) if self.dot_all else _complement(((10, 10),))
            return self.make.characters(ranges)
        if char in "*+?{":
            raise RegexError(f"`{char}` repeats nothing", start)
        if char in "^$":
            raise RegexError(f"the anchor `{char}` is not portable", start)
        return self.of(((self.code(char, start),) * 2,))

    def group(self, start: int) -> T:
        if self.pattern.startswith("?", self.at):
            if not self.pattern.startswith("?:", self.at):
                raise RegexError("only plain and `(?:...)` groups are portable", start)
            self.at += 2
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise RegexError(f"groups are nested deeper than {_MAX_DEPTH}", start)
        result = self.choice()
        self.depth -= 1
        if self.peek() != ")":
            raise RegexError("`(` is never closed", start)
        self.at += 1
        return result

    def code(self, char: str, start: int) -> int:
        if char != "\\":
            return ord(char)
        escaped = self.peek()
        self.at += 1
        if escaped in ("x", "u"):
            size = 2 if escaped == "x" else 4
            digits = self.pattern[self.at : self.at + size]
            if not re.fullmatch(f"[0-9A-Fa-f]{{{size}}}", digits):
                raise RegexError(f"`\\{escaped}{digits}` is not a character", start)
            self.at += size
            return int(digits, 16)
        if escaped in _ESCAPES and not (escaped == "0" and self.peek().isdigit()):
            return ord(_ESCAPES[escaped])
        if escaped and escaped in _SPECIAL:
            return ord(escaped)
        raise RegexError(f"`\\{escaped}` is not portable; write the characters as a class", start)

    def char_class(self, start: int) -> T:
        """class = "^"? ( character ( "-" character )? )+"""
        negated = self.peek() == "^"
        self.at += negated
        ranges: list[tuple[int, int]] = []
        while (char := self.peek()) != "]" or not ranges:
            if not char:
                raise RegexError("`[` is never closed", start)
            at = self.at
            if char == "[" or self.pattern[at : at + 2] in ("&&", "||", "~~", "--"):
                message = f"`{self.pattern[at : at + 2]}` inside a class means set notation to some"
                raise RegexError(f"{message}; escape it", at)
            self.at += 1
            low = high = self.code(char, at)
            if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 2
                high = self.code(self.pattern[self.at - 1], self.at - 1)
                if high < low:
                    raise RegexError("this range runs backwards", at)
            ranges.append((low, high))
        self.at += 1
        return self.of(tuple(ranges), negated=negated)

    def of(self, ranges: Ranges, *, negated: bool = False) -> T:
        if self.ignore_case:
            ranges = _both_cases(ranges)
        return self.make.characters(_complement(ranges) if negated else ranges)


_BOUNDS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}

__all__ = ["EMPTY", "RegexError", "characters", "parse", "text"]
