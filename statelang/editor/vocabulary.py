"""The words of the contract language with what each means.

Clauses and functions are explained where they are declared; this page only looks them up.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from attrs import frozen

from statelang.clauses.functions import FUNCTIONS
from statelang.clauses.parsing import FILE_CLAUSES
from statelang.language.syntax import parse
from statelang.source import Source


@frozen
class Word:
    """How a word is written, and what it means."""

    form: str
    meaning: str


@cache
def clauses() -> dict[str, Word]:
    """The clauses, each with an example: the rules with one in the grammar of clauses."""
    text = files("statelang.clauses").joinpath("contracts.lark").read_text(encoding="utf-8")
    found = {}
    for definition in parse(Source(text)).definitions:
        meaning, _, example = definition.doc.partition(" Example: ")
        if example:
            found[definition.name.removesuffix("_of")] = Word(example, meaning)
    return found


def clauses_on(kind: str) -> dict[str, Word]:
    """The clauses that may stand on a terminal, or on another kind of definition."""
    if kind == "terminal":
        return {"type": clauses()["type"]}
    other = (*FILE_CLAUSES, "type")
    return {name: word for name, word in clauses().items() if name not in other}


@cache
def functions() -> dict[str, Word]:
    """The functions, as they are called."""
    found = {
        "count": Word("count(action)", "How many complete steps of an action there are."),
        "last": Word("last(action).FIELD", "A field of the last step of an action."),
        "old": Word("old(register)", "A register as it was when the rule began."),
    }
    for name, function in FUNCTIONS.items():
        kinds = [" or ".join(kind) for kind in function.parameters]
        needed = len(kinds) - function.optional
        shown = ", ".join(kinds[:needed]) + "".join(f"[, {kind}]" for kind in kinds[needed:])
        found[name] = Word(f"{name}({shown})", function.meaning)
    return found


TYPES: Final = {
    "text": "Characters.",
    "number": "An exact number, a fraction where need be.",
    "truth": "`true` or `false`.",
    "set": "`set[T]`: texts or numbers without order or repetition.",
    "list": "`list[T]`: values in order.",
    "map": "`map[K, V]`: a value for each key, a text or a number.",
}
COMPARISONS: Final = {
    "number": "Answers compare by value.",
    "choice": "Answers compare without case.",
    "text": "Answers compare as texts.",
    "rows": "Answers compare as lines of cells, in any order.",
    "ordered rows": "Answers compare as lines of cells, in their order.",
}
# What may begin a value, what may follow one, and what stands at one place alone.
VALUES: Final = {
    "if": "`if` condition `then` value `else` value.",
    "not": "True where a condition is false.",
    "true": "Always.",
    "false": "Never.",
}
CONNECTIVES: Final = {
    "and": "True where both sides are; the right one is asked only where the left one is true.",
    "or": "True where one side is; the right one is asked only where the left one is false.",
    "in": "Whether a set, a list, or the keys of a map hold a value.",
    "not in": "Whether they do not.",
    "then": "The value where the condition is true.",
    "else": "The value where the condition is false.",
}
EXTRA: Final = {
    "hidden": "An input that is never shown to the model.",
    "kept": "A register that `restore` leaves alone.",
    "as": "How answers compare.",
    "ordered": COMPARISONS["ordered rows"],
}
WORDS: Final = VALUES | CONNECTIVES | EXTRA
