"""Contract expressions, resolved and typed: what they mean on a configuration.

An expression is evaluated on a `View` (the fields read so far, registers, counts). Evaluation is
total but for `Undefined`. `guard` turns a condition on one field into the regular language of the
texts that satisfy it, where that can be done exactly: this is what a mask enforces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from typing import Final, Protocol

from attrs import field, frozen

from statelang.clauses.orders import related
from statelang.clauses.values import (
    MAX_DIGITS,
    NUMBER,
    NUMBER_TEXTS,
    TRUTH,
    Number,
    Type,
    Undefined,
    Value,
    any_of,
    places_of,
    read_number,
    rounded,
    simplest,
    spelled,
    spelled_rounded,
)
from statelang.regular.automaton import (
    ANYTHING,
    NOTHING,
    Regular,
    both,
    either,
    literal,
    other_than,
)


class View(Protocol):
    """What an expression may look at."""

    @property
    def slots(self) -> tuple[Value | None, ...]:
        """The fields read so far."""
        ...

    @property
    def registers(self) -> tuple[Value, ...]:
        """Ghost registers and inputs."""
        ...

    @property
    def counts(self) -> tuple[int, ...]:
        """Complete steps of each action."""
        ...

    def last(self, action: int) -> tuple[Value | None, ...]:
        """The fields of the last such action. Raises Undefined before the first."""
        ...


Split = tuple[Regular, Regular]


class Inexact(Exception):
    """A condition on a field that is not a regular language this module can write down."""


@frozen
class Expression:
    """A typed expression; `slots` are the fields it reads."""

    type: Type
    slots: frozenset[int]

    def evaluate(self, view: View) -> Value:
        """The value on `view`. Raises Undefined."""
        raise NotImplementedError

    def guard(self, slot: int, view: View) -> Regular:
        """Texts of field `slot` for which this condition holds. Raises Inexact."""
        return self.split(slot, view)[0]

    def split(self, slot: int, view: View) -> Split:
        """Texts of field `slot` for which this condition is true, and for which it is false; for
        all others it is undefined. Raises Inexact."""
        if slot in self.slots:
            return self.split_field(slot, view)
        try:
            return (ANYTHING, NOTHING) if self.evaluate(view) else (NOTHING, ANYTHING)
        except Undefined:
            return NOTHING, NOTHING

    def split_field(self, slot: int, view: View) -> Split:
        """The same where the condition reads the field."""
        raise Inexact


@frozen
class Constant(Expression):
    """A literal value."""

    value: Value = field(eq=False)

    def evaluate(self, view: View) -> Value:
        return self.value


@frozen
class Field(Expression):
    """A field of the step; numbers are read from its text."""

    slot: int
    name: str

    def evaluate(self, view: View) -> Value:
        return _read(view.slots[self.slot], self.type, self.name)


def _read(raw: Value | None, type: Type, name: str) -> Value:
    if raw is None:
        raise Undefined(f"`{name}` is not written")
    if type.name == "list" and isinstance(raw, tuple):
        return tuple(_read(item, type.arguments[0], name) for item in raw)
    return read_number(raw) if type == NUMBER and isinstance(raw, str) else raw


@frozen
class Register(Expression):
    """A ghost register or an input."""

    index: int

    def evaluate(self, view: View) -> Value:
        return view.registers[self.index]


@frozen
class Old(Expression):
    """A register as it was when the rule opened, kept in a slot of the rule."""

    slot: int
    index: int

    def evaluate(self, view: View) -> Value:
        kept = view.slots[self.slot]
        assert isinstance(kept, tuple)
        return kept[self.index]


@frozen
class Count(Expression):
    """How many steps of an action are complete."""

    action: int

    def evaluate(self, view: View) -> Value:
        return view.counts[self.action]


@frozen
class Last(Expression):
    """A field of the last complete step of an action."""

    action: int
    slot: int
    name: str

    def evaluate(self, view: View) -> Value:
        return _read(view.last(self.action)[self.slot], self.type, self.name)


@frozen
class Not(Expression):
    """Negation."""

    inner: Expression

    def evaluate(self, view: View) -> Value:
        return not self.inner.evaluate(view)

    def split_field(self, slot: int, view: View) -> Split:
        yes, no = self.inner.split(slot, view)
        return no, yes


@frozen
class And(Expression):
    """Both, the left one first."""

    left: Expression
    right: Expression

    def evaluate(self, view: View) -> Value:
        return self.left.evaluate(view) and self.right.evaluate(view)

    def split_field(self, slot: int, view: View) -> Split:
        yes, no = self.left.split(slot, view)
        if yes is NOTHING:
            return yes, no
        right_yes, right_no = self.right.split(slot, view)
        return both(yes, right_yes), either(no, both(yes, right_no))


@frozen
class Or(Expression):
    """Either, the left one first."""

    left: Expression
    right: Expression

    def evaluate(self, view: View) -> Value:
        return self.left.evaluate(view) or self.right.evaluate(view)

    def split_field(self, slot: int, view: View) -> Split:
        yes, no = self.left.split(slot, view)
        if no is NOTHING:
            return yes, no
        right_yes, right_no = self.right.split(slot, view)
        return either(yes, both(no, right_yes)), both(no, right_no)


@frozen
class If(Expression):
    """One of two, by a condition."""

    condition: Expression
    yes: Expression
    no: Expression

    def evaluate(self, view: View) -> Value:
        return (self.yes if self.condition.evaluate(view) else self.no).evaluate(view)

    def split_field(self, slot: int, view: View) -> Split:
        if slot in self.condition.slots:
            raise Inexact
        try:
            chosen = self.yes if self.condition.evaluate(view) else self.no
        except Undefined:
            return NOTHING, NOTHING
        return chosen.split(slot, view)


def _below(left: Value, right: Value) -> bool:
    return left < right  # type: ignore[operator]


def _at_most(left: Value, right: Value) -> bool:
    return left <= right  # type: ignore[operator]


RELATIONS: Final[Mapping[str, Callable[[Value, Value], bool]]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": _below,
    "<=": _at_most,
    ">": lambda left, right: _below(right, left),
    ">=": lambda left, right: _at_most(right, left),
}


@frozen
class Compare(Expression):
    """A relation between two values; `<=` between sets is inclusion."""

    relation: str
    left: Expression
    right: Expression

    def evaluate(self, view: View) -> Value:
        return RELATIONS[self.relation](self.left.evaluate(view), self.right.evaluate(view))

    def split_field(self, slot: int, view: View) -> Split:
        own, relation, other = self._about(slot)
        if relation in ("==", "!="):
            yes, no = _split(own, partial(_spelled, other, view))
            return (yes, no) if relation == "==" else (no, yes)
        if own.type == NUMBER:
            return _split(own, partial(_ordered, relation, other, view))
        raise Inexact

    def pinned(self, slot: int, view: View) -> Number | None:
        """The one number that an equality leaves to field `slot`. Raises Inexact, Undefined."""
        own, relation, other = self._about(slot)
        if relation != "==" or own.type != NUMBER:
            return None
        return _number(other.evaluate(view))

    def judged(self, slot: int, number: Number, view: View) -> Regular | None:
        """All texts or none, as an order holds for the one number that field `slot` may be; None
        for what is no order. Raises Inexact, Undefined."""
        own, relation, other = self._about(slot)
        if relation not in _MIRRORED or own.type != NUMBER:
            return None
        holds = RELATIONS[relation](number, _number(other.evaluate(view)))
        return ANYTHING if holds else NOTHING

    def _about(self, slot: int) -> tuple[Field, str, Expression]:
        """The condition with field `slot` on the left. Raises Inexact where it cannot be put so."""
        for own, other in ((self.left, self.right), (self.right, self.left)):
            if isinstance(own, Field) and own.slot == slot and slot not in other.slots:
                mirrored = _MIRRORED.get(self.relation, self.relation)
                return own, self.relation if own is self.left else mirrored, other
        raise Inexact


_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _spelled(expression: Expression, view: View) -> Regular:
    return spelled(expression.evaluate(view))


def _ordered(relation: str, expression: Expression, view: View) -> Regular:
    return related(relation, _number(expression.evaluate(view)))


def _split(own: Field, language: Callable[[], Regular]) -> Split:
    """A language of texts of a field, and the other texts that it can read."""
    try:
        yes = language()
    except Undefined:
        return NOTHING, NOTHING
    no = other_than(yes)
    return yes, both(NUMBER_TEXTS, no) if own.type == NUMBER else no


def _number(value: Value) -> Number:
    assert isinstance(value, (int, Fraction))
    return value


def guards(conditions: Sequence[tuple[int, Expression]], view: View) -> list[Regular]:
    """What each condition leaves of its field, one that no automaton expresses left out.

    Where an equality pins a number, the orders of the same field are judged on it: no automaton of
    numbers below a bound is made to be met with one spelling.
    """
    pins: dict[int, Number] = {}
    for slot, condition in conditions:
        if isinstance(condition, Compare) and len(conditions) > 1:
            with suppress(Inexact, Undefined):
                number = condition.pinned(slot, view)
                if number is not None:
                    pins[slot] = number
    result = []
    for slot, condition in conditions:
        try:
            found = None
            if slot in pins and isinstance(condition, Compare):
                found = condition.judged(slot, pins[slot], view)
            result.append(condition.guard(slot, view) if found is None else found)
        except Undefined:
            return [NOTHING]
        except Inexact:
            continue
    return result


@frozen
class Rounded(Expression):
    """`F ~ e`: the number F is e rounded half up to the places F is written with."""

    left: Field
    right: Expression

    def evaluate(self, view: View) -> Value:
        raw = view.slots[self.left.slot]
        exact = _number(self.right.evaluate(view))
        return self.left.evaluate(view) == rounded(exact, places_of(str(raw)))

    def split_field(self, slot: int, view: View) -> Split:
        if slot != self.left.slot or slot in self.right.slots:
            raise Inexact
        return _split(self.left, lambda: spelled_rounded(_number(self.right.evaluate(view))))


@frozen
class Contains(Expression):
    """Membership in a set, a list, or the keys of a map."""

    item: Expression
    container: Expression

    def evaluate(self, view: View) -> Value:
        return self.item.evaluate(view) in self.container.evaluate(view)  # type: ignore[operator]

    def split_field(self, slot: int, view: View) -> Split:
        if not isinstance(self.item, Field) or slot in self.container.slots:
            raise Inexact

        def members() -> Regular:
            return any_of(self.container.evaluate(view))  # type: ignore[arg-type]

        return _split(self.item, members)


@frozen
class Excludes(Expression):
    """`x not in s`."""

    inner: Contains

    def evaluate(self, view: View) -> Value:
        return not self.inner.evaluate(view)

    def split_field(self, slot: int, view: View) -> Split:
        yes, no = self.inner.split(slot, view)
        return no, yes


@frozen
class Written(Expression):
    """A field is what the environment writes there: a function of the caller's, by its name.

    The register `tools` holds the functions; without them (empty) every text may stand there. An
    optional field that is left out is the empty text.
    """

    target: Field
    tools: int
    function: str
    arguments: tuple[Expression, ...]

    def evaluate(self, view: View) -> Value:
        due = self.due(view)
        return due is None or (view.slots[self.target.slot] or "") == due

    def due(self, view: View) -> str | None:
        """What the environment writes; None without one. Raises Undefined."""
        tools = view.registers[self.tools]
        if not tools:
            return None
        values = (argument.evaluate(view) for argument in self.arguments)
        written: str = tools(self.function, *values)  # type: ignore[operator]
        return written

    def split_field(self, slot: int, view: View) -> Split:
        if slot != self.target.slot:
            raise Inexact
        try:
            due = self.due(view)
        except Undefined:
            return NOTHING, NOTHING
        if due is None:
            return ANYTHING, NOTHING
        yes = literal(due.encode())
        return yes, other_than(yes)


@frozen
class Apply(Expression):
    """A total function of the language applied to values."""

    name: str
    function: Callable[..., Value] = field(eq=False)
    arguments: tuple[Expression, ...]

    def evaluate(self, view: View) -> Value:
        return self.function(*(argument.evaluate(view) for argument in self.arguments))


@frozen
class SetOf(Expression):
    """A set written out."""

    items: tuple[Expression, ...]

    def evaluate(self, view: View) -> Value:
        return frozenset(item.evaluate(view) for item in self.items)


@frozen
class MapOf(Expression):
    """A map written out."""

    pairs: tuple[tuple[Expression, Expression], ...]

    def evaluate(self, view: View) -> Value:
        return {key.evaluate(view): value.evaluate(view) for key, value in self.pairs}


def arithmetic(sign: str, left: Number, right: Number) -> Number:
    """`+ - * /` on numbers. Raises Undefined for a division by zero and for a number too large."""
    if max(map(_bits, (left, right))) > 4 * MAX_DIGITS:
        raise Undefined("the number is too large")
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return simplest(left * right)
    if right == 0:
        raise Undefined("division by zero")
    return simplest(Fraction(left) / right)


def enforceable(condition: Expression, slot: int) -> bool:
    """Whether `guard` gives the exact language of a field, whatever the configuration."""
    match condition:
        case _ if slot not in condition.slots:
            return True
        case Not(inner=inner):
            return enforceable(inner, slot)
        case And(left=left, right=right) | Or(left=left, right=right):
            return enforceable(left, slot) and enforceable(right, slot)
        case If(condition=test, yes=yes, no=no):
            return slot not in test.slots and enforceable(yes, slot) and enforceable(no, slot)
        case Compare(relation=relation, left=left, right=right):
            sides = ((left, right), (right, left))
            return any(
                isinstance(own, Field)
                and own.slot == slot
                and slot not in other.slots
                and (relation in ("==", "!=") or own.type == NUMBER)
                for own, other in sides
            )
        case Written(target=own):
            return own.slot == slot
        case Rounded(left=left, right=right):
            return left.slot == slot and slot not in right.slots
        case Contains(item=item, container=container):
            return isinstance(item, Field) and slot not in container.slots
        case Excludes(inner=inner_contains):
            return enforceable(inner_contains, slot)
    return False


def excludes(condition: Expression) -> bool:
    """Whether a condition on one field only rules out some of its texts."""
    match condition:
        case Compare(relation="!="):
            return True
        case Excludes():
            return True
    return False


def _bits(number: Number) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def parts(expressions: Iterable[Expression]) -> Iterator[Expression]:
    """The expressions and all that they are made of, the outer before the inner."""
    todo = [*expressions]
    todo.reverse()
    while todo:
        item = todo.pop()
        yield item
        todo += children(item)[::-1]


def children(expression: Expression) -> list[Expression]:
    """The expressions that an expression is made of, from left to right."""
    found: list[Expression] = []
    names = (n for kind in type(expression).__mro__ for n in getattr(kind, "__slots__", ()))
    todo = [getattr(expression, name) for name in names if name not in ("type", "__weakref__")]
    todo.reverse()
    while todo:
        item = todo.pop()
        if isinstance(item, tuple):
            todo += item[::-1]
        elif isinstance(item, Expression):
            found.append(item)
    return found


def conjuncts(expression: Expression) -> list[Expression]:
    """The parts of a top-level `and`: each is decided as soon as its own fields are read."""
    if isinstance(expression, And):
        return conjuncts(expression.left) + conjuncts(expression.right)
    return [expression]


__all__ = [
    "TRUTH",
    "Expression",
    "Inexact",
    "View",
    "children",
    "conjuncts",
    "enforceable",
    "excludes",
    "parts",
]
