"""What a grammar's tree says uncompiled: who uses whom, what can be empty, what ends."""

from __future__ import annotations

from collections.abc import Iterator

from statelang.syntax import (
    Choice,
    Definition,
    File,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
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


def options(definition: Definition) -> list[tuple[Item, ...]]:
    """The alternatives of a definition as sequences of items."""
    return [
        alternative.body.items if isinstance(alternative.body, Sequence) else (alternative.body,)
        for alternative in definition.alternatives
    ]


def shape(item: Item) -> object:
    """An item without its places: equal for items that are written alike."""
    match item:
        case Sequence(items, _) | Choice(items, _):
            return type(item), tuple(map(shape, items))
        case Repeat(inner, low, high, _):
            return Repeat, shape(inner), low, high
        case Literal(value, ignore_case, _):
            return Literal, value, ignore_case
        case Regexp(pattern, flags, _):
            return Regexp, pattern, flags
        case Reference(name, _):
            return Reference, name
    return item


def nullable(definitions: dict[str, Definition]) -> set[str]:
    """The rules that can read nothing."""
    found: set[str] = set()

    def empty(item: Item) -> bool:
        match item:
            case Sequence(items, _):
                return all(empty(i) for i in items)
            case Choice(alternatives, _):
                return any(empty(i) for i in alternatives)
            case Repeat(inner, low, _, _):
                return low == 0 or empty(inner)
            case Reference(name, _):
                return name in found
        return False

    changed = True
    while changed:
        changed = False
        for name, definition in reversed(definitions.items()):  # rules mostly use later ones
            if name not in found and not definition.is_terminal and empty(definition.body):
                found.add(name)
                changed = True
    return found


def productive(definitions: dict[str, Definition]) -> set[str]:
    """The rules and terminals that some finite text matches."""
    found = {name for name, d in definitions.items() if d.is_terminal}

    def finishes(item: Item) -> bool:
        match item:
            case Sequence(items, _):
                return all(finishes(i) for i in items)
            case Choice(alternatives, _):
                return any(finishes(i) for i in alternatives)
            case Repeat(inner, low, _, _):
                return low == 0 or finishes(inner)
            case Reference(name, _):
                return name in found
        return True

    changed = True
    while changed:
        changed = False
        for name, definition in reversed(definitions.items()):  # rules mostly use later ones
            if name not in found and finishes(definition.body):
                found.add(name)
                changed = True
    return found
