"""What runs and is better written otherwise: free text without an end, missing documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import leaves, table
from statelang.language.syntax import File, Regexp
from statelang.language.terminals import Terminals
from statelang.regular.automaton import Regular
from statelang.snippet import Label
from statelang.space import StateSpace

_SHOWN: Final = 8  # places of one mistake that are marked


def findings(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    """Every finding of this family."""
    yield from _endless_text(file)
    yield from _undocumented(file, space)


# -- free text


def _endless_text(file: File) -> Iterator[Diagnostic]:
    terminals = Terminals(file.source, table(file))
    for definition in file.definitions:
        for leaf in leaves(definition.body):
            if isinstance(leaf, Regexp):
                language = terminals.of(leaf)
                if language is not None and _rambles(language):
                    yield Diagnostic(
                        "SL212",
                        "this free text has no bound: a weak model may never leave it",
                        file.source,
                        leaf.span,
                        Severity.WARNING,
                        help="give it one that no honest text reaches, such as `{1,400}`",
                    )


def _rambles(language: Regular) -> bool:
    """Whether words and spaces can follow each other without end."""
    todo: list[object] = [language]
    while todo:
        item = todo.pop()
        if isinstance(item, Regular):
            if item.kind == "repeat" and item.parts[2] is None and _is_prose(item.parts[0]):
                return True
            todo += item.parts
    return False


def _is_prose(item: object) -> bool:
    """Whether an item may be a space, and may be most letters."""
    if not isinstance(item, Regular):
        return False
    spaces = item.step(ord(" ")).nullable
    letters = sum(item.step(byte).nullable for byte in b"abcdefghijklmnopqrstuvwxyz")
    return spaces and letters > 20


# -- documentation


def _undocumented(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    """One finding for all of a file: the mistake is one habit."""
    actions = {action.name for action in space.actions}
    bare = [
        d for d in file.definitions
        if not d.docs and d.name != "start" and (d.is_state or d.name in actions)
    ]  # fmt: skip
    if bare:
        states = sum(d.is_state for d in bare)
        counts = [_count(states, "state"), _count(len(bare) - states, "action")]
        verb = "has" if len(bare) == 1 else "have"
        yield Diagnostic(
            "SL208",
            f"{' and '.join(filter(None, counts))} {verb} no documentation",
            file.source,
            bare[0].span,
            Severity.WARNING,
            help="put a line `/// What this step does.` above: prompts and reports show it",
            also=tuple(Label(d.span) for d in bare[1 : _SHOWN + 1]),
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}" if number else ""
