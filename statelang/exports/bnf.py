"""What GBNF and xgrammar's EBNF have in common: how the right side of a rule is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from statelang.exports.rules import All, Chars, Node, OneOf, Text, Times, Use

_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}
_IN_CLASS: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"} | {
    char: rf"\x{ord(char):02x}" for char in "[]^-"
}


def written(node: Node, names: Mapping[str, str], *, inner: bool = False) -> str:
    """The right side of a rule; `inner` where it stands beside something else."""
    match node:
        case Text(value):
            return '"' + "".join(_ESCAPES.get(c) or _plain(c) for c in value) + '"'
        case Chars():
            return _class(node)
        case Use(name):
            return names[name]
        case All(items):
            text = " ".join(written(item, names, inner=True) for item in items)
            return f"({text})" if inner else text
        case OneOf(options):
            text = " | ".join(written(option, names) for option in options)
            return f"({text})" if inner else text
        case Times(item, low, high):
            text = written(item, names, inner=True)
            if isinstance(item, Times):
                text = f"({text})"
            return text + _bounds(low, high)
    raise AssertionError(node)


def _bounds(low: int, high: int | None) -> str:
    short = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (low, high) in short:
        return short[low, high]
    if low == high:
        return f"{{{low}}}"
    return f"{{{low},{'' if high is None else high}}}"


def _class(chars: Chars) -> str:
    negated, spans = chars.shorter()
    return f"[{'^' if negated else ''}{''.join(map(_span, spans))}]"


def _span(span: tuple[int, int]) -> str:
    low, high = (_IN_CLASS.get(chr(code)) or _plain(chr(code)) for code in span)
    if span[0] == span[1]:
        return low
    return f"{low}{high}" if span[1] == span[0] + 1 else f"{low}-{high}"


def _plain(char: str) -> str:
    """A printable character as it is, any other by its code."""
    code = ord(char)
    if char.isprintable():
        return char
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
