"""A state space in other notations: one small module for each target.

What a target cannot say is not lost in silence: `Export.dropped` names every contract clause that
the text does not carry. A text that drops clauses accepts at least what the space accepts.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from attrs import frozen

from statelang.diagnostics import StatelangError
from statelang.space import StateSpace

TARGETS: Final[dict[str, str]] = {
    "lark": "plain Lark, without the contracts",
    "llguidance": "llguidance's dialect of Lark; finite contracts become its parameters",
    "gbnf": "llama.cpp's notation",
    "ebnf": "xgrammar's notation, as SGLang and older vLLM take it",
    "regex": "one regular expression, where the space is regular",
    "json": "everything, as data; its JSON Schema is `space.schema.json` beside this module",
    "scxml": "a W3C state chart; events are actions",
}


@frozen
class Dropped:
    """A contract clause that an exported text does not carry, and its line in the grammar file."""

    clause: str
    line: int


@frozen
class Export:
    """A space in another notation, and the contract clauses that are not in it."""

    target: str
    text: str
    dropped: tuple[Dropped, ...]


def export(space: StateSpace, to: str) -> Export:
    """The space in another notation.

    Args:
        space: The state space.
        to: One of `TARGETS`.

    Raises:
        StatelangError: there is no such target, or the space cannot be written in it at all; the
            message says why.
    """
    if to not in TARGETS:
        known = ", ".join(f"`{name}`" for name in TARGETS)
        raise StatelangError(f"`{to}` is not a target of export; the targets are {known}")
    text, dropped = import_module(f"statelang.exports.as_{to}").write(space)
    return Export(to, text, dropped)
