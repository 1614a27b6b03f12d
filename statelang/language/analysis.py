"""What a grammar's tree says uncompiled: who uses whom, what can be empty, what ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from statelang.language.syntax import (
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

    return _grown(definitions, lambda d: not d.is_terminal and empty(d.body), found)


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

    return _grown(definitions, lambda d: finishes(d.body), found)


def _grown(
    definitions: dict[str, Definition], holds: Callable[[Definition], bool], found: set[str]
) -> set[str]:
    """Add every definition that holds, given those that are `found`, until there is no other."""
    uses = {name: [r.name for r in references(d)] for name, d in definitions.items()}
    order = [definitions[name] for name in _used_first(uses)]
    size = -1
    while size < len(found):
        size = len(found)
        for definition in order:
            if definition.name not in found and holds(definition):
                found.add(definition.name)
    return found


def circular(uses: Mapping[str, Collection[str]]) -> set[str]:
    """The names that use themselves, directly or through others (Sharir, Computers & Mathematics
    with Applications 7(1), 1981)."""
    found = {name for name, used in uses.items() if name in used}
    users: dict[str, list[str]] = defaultdict(list)
    for name, used in uses.items():
        for other in used:
            users[other].append(name)
    seen: set[str] = set()
    for first in reversed(_used_first(uses)):
        together, todo = [], [first]
        while todo:
            name = todo.pop()
            if name not in seen and name in uses:
                seen.add(name)
                together.append(name)
                todo += users[name]
        if len(together) > 1:
            found.update(together)
    return found


def _used_first(uses: Mapping[str, Collection[str]]) -> list[str]:
    """Every name, after those that it uses but for those that use it in turn."""
    order, seen = [], set()
    for first in uses:
        todo = [(first, False)]
        while todo:
            name, is_done = todo.pop()
            if is_done:
                order.append(name)
            elif name not in seen and name in uses:
                seen.add(name)
                todo.append((name, True))
                todo += [(other, False) for other in uses[name]]
    return order
