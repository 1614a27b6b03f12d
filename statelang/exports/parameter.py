"""llguidance's 64-bit parameter: where values lie in it, conditions on it, and what moves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve, frozen

from statelang.clauses.values import Value

WHOLE: Final = (1 << 64) - 1


class Unsaid(Exception):
    """A condition or a move that the parameter cannot say."""


@frozen
class Bits:
    """Where a register, a count or a field lies in the parameter: bits `low` to `high` - 1. Of a
    set, `values` are the elements, a bit each; else the values by their numbers, 0 the first."""

    low: int
    high: int
    values: tuple[Value | None, ...]
    is_set: bool = False

    @property
    def mask(self) -> int:
        """The bits, as they lie in the parameter."""
        return (1 << self.high) - (1 << self.low)

    @property
    def range(self) -> str:
        """The bits in llguidance's notation."""
        return f"[{self.low}:{self.high}]"

    def number(self, value: Value | None) -> int:
        """The parameter that holds this value and nothing else. Raises Unsaid."""
        if not self.is_set:
            return self.index(value) << self.low
        assert isinstance(value, frozenset)
        return sum(1 << self.low + self.index(element) for element in value)

    def index(self, value: Value | None) -> int:
        """The number of a value or an element. Raises Unsaid."""
        if value not in self.values:
            raise Unsaid
        return self.values.index(value)


# ---- conditions ------------------------------------------------------------------------------


@frozen
class Within:
    """Bits hold one of these numbers."""

    bits: Bits
    numbers: frozenset[int]

    def __str__(self) -> str:
        one, *more = sorted(self.numbers)
        last, size = max(self.numbers), len(self.bits.values)
        if not more:
            return f"eq({self.bits.range}, {one})"
        if last - one == len(more):  # no gap
            low = f"ge({self.bits.range}, {one})" if one else ""
            high = f"lt({self.bits.range}, {last + 1})" if last < size - 1 else ""
            return f"and({low}, {high})" if low and high else low or high
        return _folded("or", [f"eq({self.bits.range}, {number})" for number in (one, *more)])


@frozen
class Both:
    """All of several conditions (`and`), or any of them (`or`)."""

    word: str
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return _folded(self.word, [str(part) for part in self.parts])


Condition = bool | str | Within | Both


def all_of(*conditions: Condition) -> Condition:
    """Every one of the conditions."""
    return _joined("and", conditions)


def any_of(*conditions: Condition) -> Condition:
    """At least one of the conditions."""
    return _joined("or", conditions)


def _joined(word: str, conditions: tuple[Condition, ...]) -> Condition:
    neutral = word == "and"
    within: dict[Bits, Within] = {}
    rest: dict[Condition, None] = {}
    for part in _flat(word, conditions):
        if isinstance(part, bool):
            if part is not neutral:
                return part
        elif isinstance(part, Within):
            known = within.get(part.bits)
            numbers = part.numbers
            if known is not None:
                numbers = known.numbers & numbers if neutral else known.numbers | numbers
            within[part.bits] = Within(part.bits, numbers)
        else:
            rest[part] = None
    for found in within.values():
        whole = held(found.bits, found.numbers)
        if isinstance(whole, bool):
            if whole is not neutral:
                return whole
        else:
            rest[whole] = None
    if not rest:
        return neutral
    return next(iter(rest)) if len(rest) == 1 else Both(word, tuple(rest))


def _flat(word: str, conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    for part in conditions:
        if isinstance(part, Both) and part.word == word:
            yield from part.parts
        else:
            yield part


def held(bits: Bits, numbers: frozenset[int]) -> Condition:
    """Whether bits hold one of some numbers."""
    return bool(numbers) if len(numbers) in (0, len(bits.values)) else Within(bits, numbers)


def no(condition: Condition) -> Condition:
    """The opposite."""
    match condition:
        case bool():
            return not condition
        case Within(bits, numbers):
            return held(bits, frozenset(range(len(bits.values))) - numbers)
        case str() if condition.startswith("bit_set("):
            return condition.replace("bit_set(", "bit_clear(", 1)
    return f"not({condition})"


def _folded(word: str, texts: list[str]) -> str:
    while len(texts) > 1:  # pairwise, so that the nesting stays flat
        pairs = [texts[at : at + 2] for at in range(0, len(texts), 2)]
        texts = [f"{word}({', '.join(pair)})" if len(pair) == 2 else pair[0] for pair in pairs]
    return texts[0]


# ---- moves -----------------------------------------------------------------------------------


@frozen
class Move:
    """What becomes of the parameter: `(p & keep) | put`, then `steps`, where `condition` holds."""

    condition: Condition = True
    keep: int = WHOLE
    put: int = 0
    steps: tuple[str, ...] = ()  # functions that count up or down

    def where(self, condition: Condition) -> Move:
        """The same, where one more condition holds."""
        return evolve(self, condition=all_of(self.condition, condition))

    def and_(self, other: Move) -> Move:
        """Both at once; they concern different bits."""
        condition = all_of(self.condition, other.condition)
        keep, put = self.keep & other.keep, self.put | other.put
        return Move(condition, keep, put, self.steps + other.steps)

    def clear(self, mask: int) -> Move:
        """Some bits cleared."""
        return evolve(self, keep=self.keep & ~mask, put=self.put & ~mask)

    def set(self, mask: int) -> Move:
        """Some bits set."""
        return evolve(self, put=self.put | mask)

    def change(self, bits: Bits, before: int, after: int) -> Move:
        """Bits that hold the number `before` made to hold `after`, in one function if it can be."""
        if before & ~after and after & ~before and abs(after - before) == 1:
            step = "incr" if after > before else "decr"
            return evolve(self, steps=(*self.steps, f"{step}({bits.range})"))
        return self.clear((before & ~after) << bits.low).set((after & ~before) << bits.low)

    @property
    def functions(self) -> tuple[str, ...]:
        """The move in llguidance's notation, one function after the other."""
        found = () if self.keep == WHOLE else (f"bit_and({self.keep:#x})",)
        return (*found, *((f"bit_or({self.put:#x})",) if self.put else ()), *self.steps)
