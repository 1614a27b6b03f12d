"""What Lark's LALR reader has against a file; where it may have something, it is asked for real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from statelang.checks import lookahead
from statelang.diagnostics import Diagnostic
from statelang.language.analysis import table
from statelang.language.syntax import Choice, File, Item, Repeat, Sequence
from statelang.readers import TooMany, refusal
from statelang.snippet import Label
from statelang.source import Span
from statelang.space import StateSpace

_MAX_WAYS: Final = 2_000
# Lark's name for a rule, or for one that it made of a repetition in that rule.
_NAMED: Final = re.compile(r"<(?:__)?(\w+?)(?:_(?:star|plus|repeat)_\w+)? :")


def findings(file: File, space: StateSpace) -> list[Diagnostic]:
    """At most one kind of finding: what is too large for Lark is not given to it."""
    found = list(_multiplied(file))
    return found if found or lookahead.decides(file, space) else list(_lark(file))


def _multiplied(file: File) -> Iterator[Diagnostic]:
    """Lark writes every way through a rule out, so what may be left out doubles it each time."""
    for definition in file.definitions:
        if not definition.is_terminal:
            apart: list[int] = []
            most = max(_ways(definition.body, apart), *apart, 0)
            if most > _MAX_WAYS:
                message = f"Lark writes `{definition.name}` out as more than {_MAX_WAYS:,} rules"
                yield Diagnostic(
                    "SL004", message, file.source, definition.span,
                    label="every `?`, `*` and group multiplies them",
                    help="name the groups as parts of their own",
                )  # fmt: skip


def _ways(item: Item, apart: list[int]) -> int:
    """The alternatives of an item written out, at most a few more than _MAX_WAYS; `apart` takes
    those of what is repeated without end, which Lark makes a rule of its own."""
    match item:
        case Sequence(items, _):
            product = 1
            for part in items:
                product = min(product * _ways(part, apart), _MAX_WAYS + 1)
            return product
        case Choice(choices, _):
            return sum(_ways(choice, apart) for choice in choices)
        case Repeat(inner, low, None, _):
            apart.append(_ways(inner, apart))
            return 2 - min(low, 1)
        case Repeat(inner, low, int() as high, _):
            ways, total = _ways(inner, apart), 0
            for count in range(low, min(high, 50) + 1):  # longer ones are made of short ones
                total += min(ways, _MAX_WAYS + 1) ** min(count, 12)
            return min(max(total, 1), _MAX_WAYS + 1)
    return 1


def _lark(file: File) -> Iterator[Diagnostic]:
    try:
        message = refusal(file.source.text)
    except TooMany:
        yield Diagnostic(
            "SL004", "Lark would need too many states to read this", file.source, Span(0, 1),
            help="let actions lead to one state each, and begin alternatives differently",
        )  # fmt: skip
        return
    if message:
        yield _refused(file, message)


def _refused(file: File, message: str) -> Diagnostic:
    """Lark's message with the rules that it names, each at its place."""
    known = table(file)
    named = dict.fromkeys(name for name in _NAMED.findall(message) if name in known)
    spans = sorted((known[n].span for n in named), key=lambda s: s.start) or [Span(0, 1)]
    also = tuple(Label(span, "and this one") for span in spans[1:3])
    if message.startswith("Reduce/Reduce"):
        return Diagnostic(
            "SL304", "two rules read the same text here, and Lark cannot tell which", file.source,
            spans[0], label="this rule", also=also,
            help="begin the two differently, or make one rule of them",
        )  # fmt: skip
    if message.startswith("Shift/Reduce"):
        return Diagnostic(
            "SL305", "Lark cannot tell whether this rule ends here or goes on", file.source,
            spans[0], note=f"the next piece is {_terminal(message)} in both cases",
            help="let what repeats or may be left out differ from what follows it",
        )  # fmt: skip
    help_ = "Lark reads one piece ahead; give alternatives different beginnings"
    first = message.split("\n")[0].strip(": ")
    return Diagnostic(
        "SL301", f"Lark's LALR reader refuses the grammar: {first}", file.source, spans[0],
        also=also, help=help_,
    )  # fmt: skip


def _terminal(message: str) -> str:
    name = message.split("terminal ")[-1].split(".")[0]
    return "a quoted text" if name.startswith("__") else f"`{name}`"
