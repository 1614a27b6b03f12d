"""What can be wrong with a grammar file before its contracts are read: one function per defect.

Each takes the tree and returns its findings; nothing stops at the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from statelang.diagnostics import Diagnostic, Severity
from statelang.resolve import near
from statelang.source import Span
from statelang.syntax import (
    Choice,
    Definition,
    File,
    Item,
    Outside,
    Reference,
    Repeat,
    Sequence,
)

_STATE_FORM: Final = (
    "an alternative of a state is `action _next`, `action`, `_machine _next`, or empty"
)


def leaves(item: Item) -> Iterator[Item]:
    """The texts, expressions and references inside an item, left to right."""
    todo = [item]
    while todo:
        current = todo.pop()
        if isinstance(current, Sequence):
            todo += reversed(current.items)
        elif isinstance(current, Choice):
            todo += reversed(current.options)
        elif isinstance(current, Repeat):
            todo.append(current.item)
        else:
            yield current


def references(definition: Definition) -> list[Reference]:
    """The names a definition uses."""
    return [leaf for leaf in leaves(definition.body) if isinstance(leaf, Reference)]


def table(file: File) -> dict[str, Definition]:
    """Definitions by name; of two with one name, the first."""
    result: dict[str, Definition] = {}
    for definition in file.definitions:
        result.setdefault(definition.name, definition)
    return result


def structure(file: File) -> list[Diagnostic]:
    """Every finding about names, the profile, and the shape of the machine."""
    first = [
        *_outside(file), *_defined_twice(file), *_undefined(file), *_no_start(file),
        *_state_form(file), *_states_in_payloads(file), *_orphans(file),
    ]  # fmt: skip
    return first or [*_left_recursion(file), *_never_ends(file), *_never_used(file)]


def _outside(file: File) -> Iterator[Diagnostic]:
    found = list(file.outside)
    for definition in file.definitions:
        found += definition.outside
        found += [leaf for leaf in leaves(definition.body) if isinstance(leaf, Outside)]
    for item in found:
        message = f"{item.what} is not in the portable profile"
        yield Diagnostic("SL010", message, file.source, item.span, help=item.help)


def _defined_twice(file: File) -> Iterator[Diagnostic]:
    seen: dict[str, Definition] = {}
    for definition in file.definitions:
        first = seen.setdefault(definition.name, definition)
        if first is not definition:
            message = f"`{definition.name}` is defined twice"
            help_ = f"join the two with `|`; the first is on line {first.line}"
            yield Diagnostic("SL102", message, file.source, definition.span, help=help_)


def _undefined(file: File) -> Iterator[Diagnostic]:
    names = {d.name for d in file.definitions}
    for definition in file.definitions:
        for reference in references(definition):
            if reference.name not in names:
                kind = "terminal" if reference.is_terminal else "rule"
                message = f"{kind} `{reference.name}` is not defined"
                help_ = near(reference.name, names)
                yield Diagnostic(
                    "SL101",
                    message,
                    file.source,
                    reference.span,
                    label="not defined in this file",
                    help=help_,
                )


def _no_start(file: File) -> Iterator[Diagnostic]:
    if not any(d.name == "start" for d in file.definitions):
        help_ = "add `start : first_action _next_state`"
        yield Diagnostic("SL100", "there is no state `start`", file.source, Span(0, 1), help=help_)


def options(definition: Definition) -> list[tuple[Item, ...]]:
    """The alternatives of a definition as sequences of items."""
    return [
        alternative.body.items if isinstance(alternative.body, Sequence) else (alternative.body,)
        for alternative in definition.alternatives
    ]


def _is_state_name(name: str) -> bool:
    return name.startswith("_") and name.upper() != name


def _state_form(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        if not definition.is_state:
            continue
        for alternative, items in zip(definition.alternatives, options(definition), strict=True):
            names = [item.name for item in items if isinstance(item, Reference)]
            ok = (
                len(names) == len(items) <= 2
                and not any(name.upper() == name for name in names)
                and (len(names) < 1 or len(names) == 2 or not _is_state_name(names[0]))
                and (len(names) < 2 or _is_state_name(names[1]))
            )
            if not ok:
                message = f"this alternative of the state `{definition.name}` is no transition"
                yield Diagnostic("SL104", message, file.source, alternative.span, help=_STATE_FORM)


def _states_in_payloads(file: File) -> Iterator[Diagnostic]:
    for definition in file.definitions:
        if definition.is_state or definition.is_terminal:
            continue
        for reference in references(definition):
            if _is_state_name(reference.name) or reference.name == "start":
                message = f"the state `{reference.name}` cannot be part of a payload"
                help_ = "names with a leading `_` are states; drop it for a part"
                yield Diagnostic("SL105", message, file.source, reference.span, help=help_)


def _orphans(file: File) -> Iterator[Diagnostic]:
    for block, following in file.comments:
        for comment in block:
            if comment.contract:
                word = comment.text.split(" ")[0]
                if word not in ("ghost", "input", "answer", "limit"):
                    message = f"the clause `{word}` stands above no rule"
                    help_ = "put it directly above the rule it is about, without an empty line"
                    yield Diagnostic("SL107", message, file.source, comment.span, help=help_)
        if following and not any(comment.contract for comment in block):
            message = "this documentation stands above no rule"
            help_ = "put it directly above its rule, or write it with `//`"
            yield Diagnostic(
                "SL107", message, file.source, block[0].span, Severity.WARNING, help=help_
            )


def _nullable(definitions: dict[str, Definition]) -> set[str]:
    nullable: set[str] = set()

    def empty(item: Item) -> bool:
        match item:
            case Sequence(items, _):
                return all(empty(i) for i in items)
            case Choice(alternatives, _):
                return any(empty(i) for i in alternatives)
            case Repeat(inner, low, _, _):
                return low == 0 or empty(inner)
            case Reference(name, _):
                return name in nullable
        return False

    changed = True
    while changed:
        changed = False
        for name, definition in definitions.items():
            if name not in nullable and not definition.is_terminal and empty(definition.body):
                nullable.add(name)
                changed = True
    return nullable


def _left_recursion(file: File) -> Iterator[Diagnostic]:
    definitions = table(file)
    nullable = _nullable(definitions)

    def heads(item: Item) -> tuple[set[str], bool]:
        match item:
            case Sequence(items, _):
                found: set[str] = set()
                for part in items:
                    more, empty = heads(part)
                    found |= more
                    if not empty:
                        return found, False
                return found, True
            case Choice(alternatives, _):
                parts = [heads(a) for a in alternatives]
                return set().union(*(p[0] for p in parts)), any(p[1] for p in parts)
            case Repeat(inner, low, _, _):
                found, empty = heads(inner)
                return found, empty or low == 0
            case Reference(name, _):
                return {name}, name in nullable
        return set(), False

    first = {name: heads(d.body)[0] for name, d in definitions.items() if not d.is_terminal}
    for name in first:
        reached, todo = set(), list(first[name])
        while todo:
            current = todo.pop()
            if current not in reached:
                reached.add(current)
                todo += first.get(current, ())
        if name in reached:
            message = f"`{name}` begins with itself"
            help_ = "write the repetition out: `sum : term (SIGN term)*`"
            yield Diagnostic("SL108", message, file.source, definitions[name].span, help=help_)


def _productive(definitions: dict[str, Definition]) -> set[str]:
    productive = {name for name, d in definitions.items() if d.is_terminal}

    def finishes(item: Item) -> bool:
        match item:
            case Sequence(items, _):
                return all(finishes(i) for i in items)
            case Choice(alternatives, _):
                return any(finishes(i) for i in alternatives)
            case Repeat(inner, low, _, _):
                return low == 0 or finishes(inner)
            case Reference(name, _):
                return name in productive
        return True

    changed = True
    while changed:
        changed = False
        for name, definition in definitions.items():
            if name not in productive and finishes(definition.body):
                productive.add(name)
                changed = True
    return productive


def _never_ends(file: File) -> Iterator[Diagnostic]:
    definitions = table(file)
    productive = _productive(definitions)
    for name, definition in definitions.items():
        if name in productive or (name == "start" and len(definitions) - len(productive) > 1):
            continue
        kind = "state" if definition.is_state else "rule"
        help_ = (
            "give it a transition that leads to the end"
            if definition.is_state
            else "give it an alternative that does not use it again"
        )
        message = f"the {kind} `{name}` never ends"
        yield Diagnostic("SL202", message, file.source, definition.span, help=help_)


def _never_used(file: File) -> Iterator[Diagnostic]:
    definitions = table(file)
    reached, todo = set(), ["start"]
    while todo:
        name = todo.pop()
        if name not in reached and name in definitions:
            reached.add(name)
            todo += [reference.name for reference in references(definitions[name])]
    for name, definition in definitions.items():
        if name not in reached:
            kind, verb = ("state", "entered") if definition.is_state else ("rule", "used")
            if definition.is_terminal:
                kind = "terminal"
            message = f"the {kind} `{name}` is never {verb}"
            yield Diagnostic(
                "SL201",
                message,
                file.source,
                definition.span,
                Severity.WARNING,
                label="nothing reachable from `start` uses it",
                help="remove it, or refer to it",
            )
