"""The shape of the machine: alternatives of states are transitions, contracts stand at a rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from statelang.clauses.parsing import CLAUSES, FILE_CLAUSES
from statelang.clauses.resolve import near
from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import options, references, shape
from statelang.language.syntax import Definition, File, Item, Outside, Reference
from statelang.snippet import Label
from statelang.source import Span

_STATE_FORM: Final = (
    "an alternative of a state is `action _next`, `action`, `_machine _next`, or empty"
)


def findings(file: File) -> Iterator[Diagnostic]:
    """Every finding about where states, actions and contracts stand."""
    yield from _state_form(file)
    yield from _states_in_payloads(file)
    yield from _same_alternative(file)
    yield from _two_targets(file)
    yield from _contracts_apart(file)
    yield from _documentation_apart(file)


def _is_state_name(name: str) -> bool:
    return name.startswith("_") and name.upper() != name


def _state_form(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        if not definition.is_state:
            continue
        for alternative, items in zip(definition.alternatives, options(definition), strict=True):
            why = _no_transition(items)
            if why and not any(isinstance(item, Outside) for item in items):
                message = f"this alternative of the state `{definition.name}` is no transition"
                yield Diagnostic(
                    "SL104", message, file.source, alternative.span, label=why, help=_STATE_FORM
                )


def _no_transition(items: tuple[Item, ...]) -> str:
    """Why the items of an alternative are no transition; empty where they are one."""
    names = [item.name for item in items if isinstance(item, Reference)]
    if len(names) < len(items) or any(name.upper() == name for name in names):
        return "texts and repetitions belong in an action"
    if len(names) > 2:
        return "one action, then one state"
    if len(names) == 2 and not _is_state_name(names[1]):
        return f"`{names[1]}` is no state"
    if len(names) == 1 and _is_state_name(names[0]):
        return "no action leads to it"
    return ""


def _states_in_payloads(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        if definition.is_state or definition.is_terminal:
            continue
        for reference in references(definition):
            if _is_state_name(reference.name) or reference.name == "start":
                message = f"the state `{reference.name}` cannot be part of a payload"
                help_ = "names with a leading `_` are states; drop it for a part"
                yield Diagnostic("SL105", message, file.source, reference.span, help=help_)


def _same_alternative(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        if definition.is_terminal:
            continue
        seen: dict[object, int] = {}
        help_ = _without(definition)
        for index, alternative in enumerate(definition.alternatives):
            first = seen.setdefault(shape(alternative.body), index)
            if first != index:
                yield Diagnostic(
                    "SL207",
                    f"`{definition.name}` has the same alternative twice",
                    file.source,
                    alternative.span,
                    Severity.WARNING,
                    label="and again",
                    help=help_,
                    also=(Label(definition.alternatives[first].span, "written here"),),
                )


def _without(definition: Definition) -> str:
    if any(alternative.contract for alternative in definition.alternatives):
        return "keep one, and join the two conditions with `or`"
    return "remove one"


def _two_targets(file: File) -> Iterator[Diagnostic]:
    """One action to two states: what is written does not tell where the trace stands."""
    for definition in file.definitions:
        seen: dict[str, tuple[str, Span]] = {}
        if not definition.is_state:
            continue
        for alternative, items in zip(definition.alternatives, options(definition), strict=True):
            names = [item.name for item in items if isinstance(item, Reference)]
            if not names or alternative.contract:
                continue  # gates may tell the two apart
            target = names[1] if len(names) == 2 else ""
            first, span = seen.setdefault(names[0], (target, alternative.span))
            if first != target:
                yield Diagnostic(
                    "SL206",
                    f"`{names[0]}` leads from `{definition.name}` to two states",
                    file.source,
                    alternative.span,
                    Severity.WARNING,
                    label=f"to {_shown(target)}",
                    help="lead both to one state that has the transitions of the two",
                    also=(Label(span, f"to {_shown(first)}"),),
                )


def _shown(target: str) -> str:
    return f"`{target}`" if target else "the end"


def _contracts_apart(file: File) -> Iterator[Diagnostic]:
    for block, _ in file.comments:
        for comment in block:
            word = comment.word
            if comment.contract and word not in FILE_CLAUSES:
                message = f"the clause `{word}` stands above no rule"
                help_ = "put it directly above the rule it is about, without an empty line"
                yield Diagnostic(
                    "SL107", message, file.source, comment.span,
                    help=help_ if word in CLAUSES else near(word.lstrip("@"), CLAUSES) or help_,
                )  # fmt: skip


def _documentation_apart(file: File) -> Iterator[Diagnostic]:
    for block, following in file.comments:
        if following and not any(comment.contract for comment in block):
            message = "this documentation stands above no rule"
            help_ = "put it directly above its rule, or write it with `//`"
            yield Diagnostic(
                "SL106", message, file.source, block[0].span, Severity.WARNING, help=help_
            )
