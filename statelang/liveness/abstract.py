"""What an expression may be, where registers are known only roughly.

A value is rough: of a set, a map or a list only whether it has no, one or several members; of
numbers and texts those that are small, or known at the time. An outcome is the set of rough values
that an expression may have, `UNDEFINED` among them where it may have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, Final

from attrs import frozen

from statelang.clauses import expression as ex
from statelang.clauses.values import Type, Undefined


class _Mark:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


UNDEFINED: Final = _Mark("undefined")
UNKNOWN: Final = _Mark("unknown")  # any number, text or record
SEVERAL: Final = 2  # the size of what has two members or more
LARGEST: Final = 8  # numbers from here on are told apart no more


@frozen
class AtLeast:
    """A whole number that is this large or larger."""

    least: int


Rough = Any  # bool, a size 0..2, a number, a text, AtLeast, UNKNOWN or UNDEFINED
Outcome = frozenset[Rough]

_TRUTHS: Final[Outcome] = frozenset({True, False})
_SIZES: Final[Outcome] = frozenset({0, 1, SEVERAL})
SIZED: Final = ("set", "map", "list", "empty")


def anything(type: Type) -> Outcome:
    """Every value of a type."""
    if type.name == "truth":
        return _TRUTHS
    return _SIZES if type.name in SIZED else frozenset({UNKNOWN})


def rough(value: Any, type: Type) -> Rough:
    """The rough value of an exact one."""
    if type.name in SIZED:
        return min(len(value), SEVERAL)
    if type.name == "number":
        if value.denominator != 1 or value < 0:
            return UNKNOWN
        return value if value < LARGEST else AtLeast(LARGEST)
    return value if type.name in ("truth", "text") else UNKNOWN


@frozen(cache_hash=True)
class Abstract:
    """Where a walk with rough registers stands. A register that is not followed is None.

    `members` are the fields known to be in a register, `read` the fields that are written, `held`
    the clauses that were judged and hold: they are those of the step under way.
    """

    registers: tuple[Rough | None, ...]
    counts: tuple[int | AtLeast | None, ...]
    members: frozenset[tuple[int, int]] = frozenset()
    read: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()


def outcome(expression: ex.Expression, at: Abstract) -> Outcome:
    """What an expression may be."""
    match expression:
        case ex.Constant(value=value, type=type):
            return frozenset({rough(value, type)})
        case ex.Field(slot=slot, type=type):
            return anything(type) if slot in at.read else frozenset({UNDEFINED})
        case ex.Register(index=index, type=type):
            known = at.registers[index] if index < len(at.registers) else None
            return anything(type) if known is None else frozenset({known})
        case ex.Count(action=action):
            return frozenset({UNKNOWN if at.counts[action] is None else at.counts[action]})
        case ex.Last(action=action, type=type):
            count = at.counts[action]
            if count == 0:
                return frozenset({UNDEFINED})
            return anything(type) | {UNDEFINED} if count is None else anything(type)
        case ex.Not(inner=inner):
            return _each(lambda value: {not value}, outcome(inner, at))
        case ex.And(left=left, right=right):
            return _short(left, right, at, decides=False)
        case ex.Or(left=left, right=right):
            return _short(left, right, at, decides=True)
        case ex.If(condition=condition, yes=yes, no=no):
            found: set[Rough] = set()
            for value in outcome(condition, at):
                found |= {UNDEFINED} if value is UNDEFINED else outcome(yes if value else no, at)
            return frozenset(found)
        case ex.Compare(relation=relation, left=left, right=right):
            compare = _compare_sizes if left.type.name in SIZED else _compare
            return _each(
                lambda a, b: compare(relation, a, b), outcome(left, at), outcome(right, at)
            )
        case ex.Contains():
            return _contains(expression, at)
        case ex.Excludes(inner=inner_contains):
            return _each(lambda value: {not value}, _contains(inner_contains, at))
        case ex.SetOf(items=items):
            return _each(lambda *_: range(1, min(len(items), 2) + 1), *_all(items, at))
        case ex.MapOf(pairs=pairs):
            parts = [part for pair in pairs for part in pair]
            return _each(lambda *_: range(1, min(len(pairs), 2) + 1), *_all(parts, at))
        case ex.Apply():
            return _apply(expression, at)
        case ex.Rounded(left=left, right=right):
            return _each(lambda *_: _TRUTHS, outcome(left, at), outcome(right, at))
        case ex.Written():
            return _TRUTHS
    return anything(expression.type) | {UNDEFINED}


def _each(function: Callable[..., Iterable[Rough]], *outcomes: Outcome) -> Outcome:
    found: set[Rough] = set()
    for values in product(*outcomes):
        found.update({UNDEFINED} if UNDEFINED in values else function(*values))
    return frozenset(found)


def _all(items: Iterable[ex.Expression], at: Abstract) -> list[Outcome]:
    """Outcomes of several members; of a known one only whether it is there counts."""
    return [
        frozenset({UNKNOWN if value is not UNDEFINED else value for value in outcome(item, at)})
        for item in items
    ]


def _short(left: ex.Expression, right: ex.Expression, at: Abstract, *, decides: bool) -> Outcome:
    found: set[Rough] = set()
    for value in outcome(left, at):
        found |= {value} if value is UNDEFINED or value is decides else outcome(right, at)
    return frozenset(found)


def _compare(relation: str, left: Rough, right: Rough) -> Iterable[Rough]:
    if UNKNOWN in (left, right):
        return _TRUTHS
    if isinstance(left, AtLeast) and isinstance(right, AtLeast):
        return _TRUTHS
    if isinstance(left, AtLeast):
        large: Rough = right + 1 if right >= left.least else left.least
        if right >= left.least:
            return _TRUTHS
        return {ex.RELATIONS[relation](large, right)}
    if isinstance(right, AtLeast):
        if left >= right.least:
            return _TRUTHS
        return {ex.RELATIONS[relation](left, right.least)}
    return {ex.RELATIONS[relation](left, right)}


def _compare_sizes(relation: str, left: Rough, right: Rough) -> Iterable[Rough]:
    if left == right == 0:
        return {relation in ("==", "<=", ">=")}
    if relation in (">", ">="):
        relation, left, right = {">": "<", ">=": "<="}[relation], right, left
    apart = left != right  # two that have several members may still differ
    if relation in ("==", "!="):
        return {relation == "!="} if apart else _TRUTHS
    if left > right:
        return {False}
    if left == 0:
        return {True}
    if relation == "<" and left == right == 1:
        return {False}
    return _TRUTHS


def _contains(expression: ex.Contains, at: Abstract) -> Outcome:
    item, container = expression.item, expression.container
    found: set[Rough] = set()
    if UNDEFINED in outcome(item, at):
        found.add(UNDEFINED)
    for size in outcome(container, at):
        if size is UNDEFINED:
            found.add(size)
        elif size == 0:
            found.add(False)
        else:
            found |= {True} if known_member(item, container, at) else _TRUTHS
    return frozenset(found)


def known_member(item: ex.Expression, container: ex.Expression, at: Abstract) -> bool:
    """Whether a field of this step was judged to be in a register."""
    register = register_of(container)
    return isinstance(item, ex.Field) and (item.slot, register) in at.members


def register_of(container: ex.Expression) -> int | None:
    """The register that membership in an expression asks about."""
    if isinstance(container, ex.Apply) and container.name == "keys":
        container = container.arguments[0]
    return container.index if isinstance(container, ex.Register) else None


def _apply(expression: ex.Apply, at: Abstract) -> Outcome:
    name, arguments, type = expression.name, expression.arguments, expression.type
    outcomes = [outcome(argument, at) for argument in arguments]
    first = arguments[0].type.name if arguments else ""
    if name in ("size", "keys", "sorted") and first in SIZED:
        if name != "size":
            return outcomes[0]
        return _each(lambda n: {AtLeast(n) if n == SEVERAL else n}, outcomes[0])
    if name == "values":
        return _each(lambda n: range(min(n, 1), n + 1), outcomes[0])
    if name == "|" or (name == "+" and type.name == "list"):
        return _each(lambda a, b: _union(a, b, exact=name == "+"), *outcomes)
    if name == "&":
        return _each(lambda a, b: range(min(a, b) + 1), *outcomes)
    if name == "-" and type.name in SIZED:
        return _without(expression, at, *outcomes)
    if name in ("+", "-") and len(arguments) == 2:
        return _each(lambda a, b: _sum(name, a, b), *outcomes)
    if name == "[...]":
        return _each(lambda *_: {min(len(arguments), SEVERAL)}, *_all(arguments, at))
    if name in ("*", "{...}", "names") or name.startswith("."):
        return _each(lambda *_: anything(type), *_all(arguments, at))
    found = anything(type)
    if name == "[]" and first == "map" and known_member(arguments[1], arguments[0], at):
        return found
    return found | {UNDEFINED}  # a missing key, a division by zero, a text that is no sum


def _union(left: int, right: int, *, exact: bool) -> Iterable[int]:
    most = min(left + right, SEVERAL)
    return {most} if exact else range(max(left, right), most + 1)


def _without(expression: ex.Apply, at: Abstract, left: Outcome, right: Outcome) -> Outcome:
    """Sizes of a difference; one known member less is one less."""
    whole, taken = expression.arguments
    one = isinstance(taken, ex.SetOf) and len(taken.items) == 1
    known = one and known_member(taken.items[0], whole, at)  # type: ignore[attr-defined]

    def sizes(a: int, b: int) -> Iterable[int]:
        if b == 0 or a == 0:
            return {a}
        least = 0 if a == 1 or not one else 1
        return range(least, a if known and a == 1 else a + 1)

    return _each(sizes, left, right)


def _sum(sign: str, left: Rough, right: Rough) -> Iterable[Rough]:
    if UNKNOWN in (left, right) or (sign == "-" and isinstance(right, AtLeast)):
        return {UNKNOWN}
    if isinstance(left, AtLeast) or isinstance(right, AtLeast):
        low = sum(v.least if isinstance(v, AtLeast) else v for v in (left, right))
        if sign == "+":
            return {AtLeast(min(low, LARGEST))}
        least = max(left.least - right, 0) if right >= 0 else left.least
        return {*range(least, LARGEST), AtLeast(LARGEST)}
    try:
        value = ex.arithmetic(sign, left, right)
    except Undefined:
        return {UNDEFINED}
    return {rough(value, Type("number"))}
