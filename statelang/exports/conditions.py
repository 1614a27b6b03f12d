"""Contract expressions as conditions on llguidance's parameter, and `set` clauses as its moves.

Fields and registers of single values are numbered and looked at value by value; a set is one bit
for each element, and what is asked of it is asked of its bits. Undefined satisfies nothing, as in
the expressions themselves: a condition is a pair, when it is true and when it is false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Final

from statelang.clauses import expression as ex
from statelang.clauses.values import Undefined, Value
from statelang.compiling.env import Clause
from statelang.exports.finite import MAX_COMBINATIONS
from statelang.exports.parameter import Bits, Condition, Move, Unsaid, all_of, any_of, held, no
from statelang.exports.reading import Key, View, compared_counts, reads

Layout = Mapping[Key, Bits]
Values = Mapping[Key, Value | None]

_COUNTS: Final = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Terms:
    """Expressions of the rules of one action, under a layout; `fixed` are fields just read."""

    def __init__(self, layout: Layout, action: int, fixed: Values | None = None) -> None:
        self.layout = layout
        self.action = action
        self.fixed = fixed or {}

    def condition(self, clauses: Iterable[Clause], *, waiting: bool = False) -> Condition:
        """When all clauses hold; of those that waited for a field, where their rule is complete,
        when that field has been read or they hold. Raises Unsaid."""
        return all_of(
            *(self.holds(clause.expression, clause.last if waiting else None) for clause in clauses)
        )

    def is_judged(self, clause: Clause) -> bool:
        """Whether a clause that may wait for a field was judged when that was just read."""
        last = clause.last
        return last is not None and self.fixed.get(("slot", self.action, last)) is not None

    def holds(self, expression: ex.Expression, last: int | None = None) -> Condition:
        """When a condition is true, or the field `last` has been read. Raises Unsaid."""
        return any_of(
            *(
                where
                if last is not None and values["slot", self.action, last] is not None
                else all_of(where, self.split(expression, values)[0])
                for where, values in self.cases((expression,))
            )
        )

    def cases(
        self, expressions: Iterable[ex.Expression]
    ) -> Iterator[tuple[Condition, dict[Key, Value | None]]]:
        """Every choice of values for what the expressions read, sets aside, and when it is so."""
        keys: dict[Key, None] = {}
        for expression in expressions:
            read = reads(expression, self.action)
            if read is None or not all(key in self.layout or key in self.fixed for key in read):
                raise Unsaid
            if None in compared_counts(expression).values():
                raise Unsaid  # counts stop where comparisons with numbers stop caring
            keys |= dict.fromkeys(sorted(read))
        free = [key for key in keys if key not in self.fixed and not self.layout[key].is_set]
        total = 1
        for key in free:
            total *= len(self.layout[key].values)
        if total > MAX_COMBINATIONS:
            raise Unsaid
        for chosen in product(*(self.layout[key].values for key in free)):
            values = dict(zip(free, chosen, strict=True))
            where = all_of(*(self.equal(key, value) for key, value in values.items()))
            yield where, {**values, **self.fixed}

    def equal(self, key: Key, value: Value | None) -> Condition:
        bits = self.layout[key]
        return held(bits, frozenset((bits.index(value),)))

    def is_symbolic(self, expression: ex.Expression) -> bool:
        """Whether an expression reads a set."""
        read = reads(expression, self.action) or frozenset()
        return any(key in self.layout and self.layout[key].is_set for key in read)

    def evaluate(self, expression: ex.Expression, values: Values) -> Any:
        """The value of an expression that reads no set. Raises Undefined."""
        if self.is_symbolic(expression):
            raise Unsaid
        return expression.evaluate(View(values, self.action))  # type: ignore[arg-type]

    def split(self, node: ex.Expression, values: Values) -> tuple[Condition, Condition]:
        """When a condition is true, and when it is false."""
        if not self.is_symbolic(node):
            try:
                holds = bool(self.evaluate(node, values))
            except Undefined:
                return False, False
            return holds, not holds
        match node:
            case ex.Not(inner=inner):
                yes, otherwise = self.split(inner, values)
                return otherwise, yes
            case ex.And(left=left, right=right):
                yes, otherwise = self.split(left, values)
                right_yes, right_no = self.split(right, values)
                return all_of(yes, right_yes), any_of(otherwise, all_of(yes, right_no))
            case ex.Or(left=left, right=right):
                yes, otherwise = self.split(left, values)
                right_yes, right_no = self.split(right, values)
                return any_of(yes, all_of(otherwise, right_yes)), all_of(otherwise, right_no)
            case ex.If(condition=test, yes=first, no=second):
                yes, otherwise = self.split(test, values)
                one, two = self.split(first, values), self.split(second, values)
                return (
                    any_of(all_of(yes, one[0]), all_of(otherwise, two[0])),
                    any_of(all_of(yes, one[1]), all_of(otherwise, two[1])),
                )
            case ex.Excludes(inner=contains):
                yes, otherwise = self.split(contains, values)
                return otherwise, yes
            case ex.Contains(item=item, container=container):
                try:
                    found = self.member(self.evaluate(item, values), container, values)
                except Undefined:
                    return False, False
                return found, no(found)
            case ex.Compare():
                try:
                    found = self.compare(node, values)
                except Undefined:
                    return False, False
                return found, no(found)
        raise Unsaid

    def member(self, element: Value, container: ex.Expression, values: Values) -> Condition:
        """When an element is in a set."""
        match container:
            case ex.Register(index=index):
                bits = self.layout["register", 0, index]
                if element not in bits.values:
                    return False
                return f"bit_set({bits.low + bits.index(element)})"
            case ex.Apply(name=("|" | "&" | "-") as sign, arguments=(left, right)):
                one, other = self.member(element, left, values), self.member(element, right, values)
                if sign == "|":
                    return any_of(one, other)
                return all_of(one, other if sign == "&" else no(other))
        return element in self.evaluate(container, values)

    def compare(self, node: ex.Compare, values: Values) -> Condition:
        left, right, sign = node.left, node.right, node.relation
        for one, other, way in ((left, right, sign), (right, left, _MIRRORED.get(sign, sign))):
            if isinstance(one, ex.Apply) and one.name == "size" and not self.is_symbolic(other):
                (inner,) = one.arguments
                if not isinstance(inner, ex.Register):
                    break
                bits, number = self.layout["register", 0, inner.index], self.evaluate(other, values)
                if not isinstance(number, int) or not 0 <= number <= 64:
                    raise Unsaid
                return f"bit_count_{_COUNTS[way]}({bits.range}, {number})"
        if left.type.name not in ("set", "empty") or right.type.name not in ("set", "empty"):
            raise Unsaid
        elements = self.elements(left, values) | self.elements(right, values)
        pairs = [
            (self.member(e, left, values), self.member(e, right, values))
            for e in sorted(elements, key=repr)
        ]
        within = all_of(*(any_of(no(one), other) for one, other in pairs))
        around = all_of(*(any_of(no(other), one) for one, other in pairs))
        relations: dict[str, Condition] = {
            "<=": within,
            ">=": around,
            "==": all_of(within, around),
            "!=": no(all_of(within, around)),
            "<": all_of(within, no(around)),
            ">": all_of(around, no(within)),
        }
        return relations[sign]

    def elements(self, node: ex.Expression, values: Values) -> set[Value]:
        """Everything that a set may hold."""
        match node:
            case ex.Register(index=index):
                return {v for v in self.layout["register", 0, index].values if v is not None}
            case ex.Apply(name="|" | "&" | "-", arguments=(left, right)):
                return self.elements(left, values) | self.elements(right, values)
        return set(self.evaluate(node, values))

    # -- moves

    def moves(self, sets: Iterable[tuple[int, Clause]]) -> list[Move]:
        """What the `set` clauses of a rule, all at once, make of the parameter. Raises Unsaid."""
        sets = tuple(sets)
        found = []
        for where, values in self.cases(clause.expression for _, clause in sets):
            moves = [Move(where)]
            for index, clause in sets:
                bits = self.layout["register", 0, index]
                changes = self.change(index, bits, clause.expression, values)
                moves = [move.and_(change) for move in moves for change in changes]
            found += [move for move in moves if move.condition is not False]
        return found

    def change(self, index: int, bits: Bits, node: ex.Expression, values: Values) -> list[Move]:
        """The new value of one register, case by case."""
        if not self.is_symbolic(node):
            try:
                value = self.evaluate(node, values)
            except Undefined:
                return []
            if not bits.is_set and value not in bits.values:
                return []  # the gates in force never let it come to this
            key = ("register", 0, index)
            if key in values and not bits.is_set:
                return [Move().change(bits, bits.index(values[key]), bits.index(value))]
            return [Move().clear(bits.mask).set(bits.number(value))]
        match node:
            case ex.Register(index=same) if same == index:
                return [Move()]
            case ex.If(condition=test, yes=first, no=second):
                yes, otherwise = self.split(test, values)
                cases = ((yes, first), (otherwise, second))
                return [
                    move.where(where)
                    for where, branch in cases
                    for move in self.change(index, bits, branch, values)
                ]
            case ex.Apply(name=("|" | "-") as sign, arguments=(left, right)) if bits.is_set:
                try:
                    number = bits.number(frozenset(self.evaluate(right, values)))
                except Undefined:
                    return []
                moves = self.change(index, bits, left, values)
                return [m.set(number) if sign == "|" else m.clear(number) for m in moves]
        if node.type.name == "truth":
            yes, otherwise = self.split(node, values)
            cleared = Move().clear(bits.mask)
            return [
                cleared.where(yes).set(bits.number(True)),
                cleared.where(otherwise).set(bits.number(False)),
            ]
        raise Unsaid
