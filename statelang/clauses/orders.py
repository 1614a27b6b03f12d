"""Numbers below and above a bound, as regular languages: what a mask enforces of `<` and its kin.

A number is read digit by digit and compared with the bound's: until the point only how many digits
there are and how they compare counts, behind it the remainder of the bound's fraction.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final

from attrs import evolve, frozen

from statelang.clauses.values import MAX_DIGITS, NUMBER_TEXTS, Number, Undefined, spelled
from statelang.regular.automaton import (
    NOTHING,
    Regular,
    both,
    either,
    literal,
    other_than,
    then,
    walked,
)

_DIGITS: Final = tuple(1 << byte for byte in b"0123456789")
_POINT, _COMMA = 1 << ord("."), 1 << ord(",")
_REST: Final = ((1 << 256) - 1) & ~sum(_DIGITS) & ~_POINT & ~_COMMA
_CLASSES: Final = (*_DIGITS, _POINT, _COMMA, _REST)


@frozen
class _Below:
    """Texts without a sign that spell less than a bound above zero."""

    whole: str  # the bound's digits before the point, without leading zeros
    fraction: Fraction  # what is left of the bound behind the point
    read: int = 0  # digits so far, without leading zeros
    order: int = 0  # how they compare with as many of `whole`: -1, 0, 1
    point: bool = False

    @property
    def classes(self) -> tuple[int, ...]:
        return _CLASSES

    @property
    def nullable(self) -> bool:
        order = self._so_far()
        return order < 0 or (order == 0 and self.fraction > 0)

    def step(self, byte: int) -> _Below | None:
        if byte == ord(","):
            return self
        if byte == ord("."):
            return evolve(self, order=self._so_far(), point=True)
        digit = byte - ord("0")
        if not 0 <= digit <= 9:
            return None
        return self._decimal(digit) if self.point else self._digit(digit)

    def _so_far(self) -> int:
        """How the number compares if nothing but decimals follows."""
        if self.point or self.read == len(self.whole):
            return self.order
        return -1 if self.read < len(self.whole) else 1

    def _digit(self, digit: int) -> _Below | None:
        if self.read == 0 and digit == 0:
            return self
        if self.read == len(self.whole):
            return None  # it only grows from here
        order = self.order or _sign(digit - int(self.whole[self.read]))
        return evolve(self, read=self.read + 1, order=order)

    def _decimal(self, digit: int) -> _Below | None:
        if self.order:
            return self if self.order < 0 else None
        due, left = divmod(self.fraction * 10, 1)
        order = _sign(digit - due)
        return None if order > 0 else evolve(self, order=order, fraction=left)


def _sign(difference: int) -> int:
    return (difference > 0) - (difference < 0)


@lru_cache(maxsize=4_096)
def less(bound: Number) -> Regular:
    """Every text that spells a number below a bound. Raises Undefined for a bound too large."""
    if max(bound.numerator.bit_length(), bound.denominator.bit_length()) > 4 * MAX_DIGITS:
        raise Undefined("the number is too large")
    minus = literal(b"-")
    if bound > 0:
        whole, fraction = divmod(Fraction(bound), 1)
        digits = str(whole) if whole else ""
        return either(then(minus, _UNSIGNED), both(_UNSIGNED, walked(_Below(digits, fraction))))
    not_above = either(less(-bound), spelled(-bound)) if bound else spelled(0)
    return then(minus, both(_UNSIGNED, other_than(not_above)))


_UNSIGNED: Final = both(NUMBER_TEXTS, other_than(then(literal(b"-"), other_than(NOTHING))))


def related(relation: str, bound: Number) -> Regular:
    """Every text that spells a number in a relation (`<`, `<=`, `>`, `>=`) to a bound."""
    below = less(bound) if relation in ("<", ">=") else either(less(bound), spelled(bound))
    return below if relation in ("<", "<=") else both(NUMBER_TEXTS, other_than(below))
