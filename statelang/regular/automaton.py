"""Regular languages over bytes, as hash-consed expressions and their derivatives.

A state of the automaton is the expression for what may still follow; the step on a byte is
Brzozowski's derivative (J. ACM 11(4), 1964), taken lazily and remembered on the state. A bounded
repetition is a counter in its expression, so `{1,800}` costs nothing until it is walked, and a text
of up to 64 bytes is one expression, whose parts are made when they are asked for.
Intersection and complement are expressions too: a contract narrows a terminal by `both`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import count
from typing import Final, Protocol
from weakref import WeakValueDictionary

ALL_BYTES: Final = (1 << 256) - 1
_SEARCH_LIMIT: Final = 20_000
_ONE: Final = 64  # bytes of a text that is one expression; each step copies what is left of it


class TooComplex(Exception):
    """An expression has more states than a bounded search may visit."""


class Regular:
    """A regular language. Equal expressions are the same object; make them with the functions
    of this module, never with the class."""

    __slots__ = (
        "__weakref__", "_classes", "_next", "_parts", "_shortest", "kind", "nullable", "order",
        "pure", "text",
    )  # fmt: skip

    kind: str
    nullable: bool
    pure: bool
    text: bytes | None

    def __init__(
        self,
        kind: str,
        parts: tuple[object, ...] | None,
        nullable: bool,
        pure: bool,
        text: bytes | None = None,
    ) -> None:
        self.kind = kind
        self.nullable = nullable
        self.pure = pure  # without intersection or complement: never empty unless it is NOTHING
        self.text = text  # the only one, where it is short
        self._parts = parts
        self.order = next(_order)  # of making: sorts the parts of a union the same way in every run
        self._next: dict[int, Regular] = {}
        self._classes: tuple[int, ...] | None = None
        self._shortest: int | None = None

    def __reduce__(self) -> tuple[object, ...] | str:
        if self.text:
            return literal, (self.text,)
        return (_MAKERS[self.kind], self.parts) if self.parts else self.kind.upper()

    @property
    def parts(self) -> tuple[object, ...]:
        """What the expression is made of."""
        if self._parts is None:
            assert self.text is not None
            self._parts = one_of(1 << self.text[0]), literal(self.text[1:])
        return self._parts

    def step(self, byte: int) -> Regular:
        """What may follow after `byte`; `NOTHING` where the byte is not allowed."""
        after = self._next.get(byte)
        if after is None:
            after = self._next[byte] = _derive(self, byte)
        return after

    @property
    def classes(self) -> tuple[int, ...]:
        """A partition of the bytes (as 256-bit sets): bytes of one class step alike."""
        if self._classes is None:
            self._classes = _classes(self)
        return self._classes

    @property
    def shortest(self) -> int:
        """Bytes of the shortest text, -1 for the empty language. Raises TooComplex."""
        if self._shortest is None:
            self._shortest = _shortest(self)
        return self._shortest

    @property
    def live(self) -> bool:
        """Whether the language holds any text. Raises TooComplex."""
        return (self.pure and self is not NOTHING) or self.shortest >= 0

    @property
    def is_empty(self) -> bool:
        """Whether it is the language of the empty text alone."""
        return self is EMPTY

    def matches(self, text: bytes) -> bool:
        """Whether the whole of `text` is in the language."""
        state = self
        for byte in text:
            state = state.step(byte)
            if state is NOTHING:
                return False
        return state.nullable


_order = count()
_table: WeakValueDictionary[tuple[object, ...], Regular] = WeakValueDictionary()


def _make(
    kind: str, parts: tuple[object, ...], nullable: bool, pure: bool, text: bytes | None = None
) -> Regular:
    key = (kind, *parts)
    found = _table.get(key)
    if found is None:
        found = _table[key] = Regular(kind, parts, nullable, pure, text)
    return found


def _by_order(item: Regular) -> int:
    return item.order


NOTHING: Final = _make("nothing", (), False, True)
EMPTY: Final = _make("empty", (), True, True, b"")


def one_of(byte_set: int) -> Regular:
    """One byte out of a 256-bit set."""
    if byte_set & (byte_set - 1):
        return _make("bytes", (byte_set,), False, True)
    if not byte_set:
        return NOTHING
    return _make("bytes", (byte_set,), False, True, bytes((byte_set.bit_length() - 1,)))


def then(*items: Regular) -> Regular:
    """One after the other."""
    result = EMPTY
    for item in reversed(items):
        result = _then(item, result)
    return result


def _then(first: Regular, second: Regular) -> Regular:
    if first is NOTHING or second is NOTHING:
        return NOTHING
    if first is EMPTY:
        return second
    if second is EMPTY:
        return first
    if first.text and second.text and len(first.text) + len(second.text) <= _ONE:
        return literal(first.text + second.text)
    if first.kind == "then":  # right-nested, so that the front is at hand
        head, tail = first.parts
        assert isinstance(head, Regular) and isinstance(tail, Regular)
        return _then(head, _then(tail, second))
    return _make(
        "then", (first, second), first.nullable and second.nullable, first.pure and second.pure
    )


def either(*items: Regular) -> Regular:
    """Any of the given languages."""
    flat: dict[Regular, None] = {}
    byte_set = 0
    for item in items:
        for part in item.parts if item.kind == "either" else (item,):
            assert isinstance(part, Regular)
            if part.kind == "bytes":
                byte_set |= part.parts[0]  # type: ignore[operator]
            elif part is not NOTHING:
                flat[part] = None
    if byte_set:
        flat[one_of(byte_set)] = None
    if ANYTHING in flat:
        return ANYTHING
    if not flat:
        return NOTHING
    if len(flat) == 1:
        return next(iter(flat))
    parts = tuple(sorted(flat, key=_by_order))
    return _make("either", parts, any(p.nullable for p in parts), all(p.pure for p in parts))


def both(*items: Regular) -> Regular:
    """What is in each of the given languages."""
    flat: dict[Regular, None] = {}
    for item in items:
        for part in item.parts if item.kind == "both" else (item,):
            assert isinstance(part, Regular)
            if part is not ANYTHING:
                flat[part] = None
    if NOTHING in flat:
        return NOTHING
    if not flat:
        return ANYTHING
    if len(flat) == 1:
        return next(iter(flat))
    parts = tuple(sorted(flat, key=_by_order))
    if EMPTY in flat:
        return EMPTY if all(p.nullable for p in parts) else NOTHING
    few = next((part for part in parts if part.kind == "words"), None)
    if few is not None:  # decided at once, each text by itself
        texts = few.parts[0]
        assert isinstance(texts, frozenset)
        others = [part for part in parts if part is not few]
        return words(t for t in texts if all(other.matches(t) for other in others))
    return _make("both", parts, all(p.nullable for p in parts), False)


def other_than(item: Regular) -> Regular:
    """Every text that is not in the language."""
    if item.kind == "not":
        inner = item.parts[0]
        assert isinstance(inner, Regular)
        return inner
    return _make("not", (item,), not item.nullable, False)


def repeat(item: Regular, low: int, high: int | None) -> Regular:
    """`low` to `high` times in a row; `None` is without bound."""
    if high == 0 or item is EMPTY:
        return EMPTY
    if item is NOTHING:
        return EMPTY if low == 0 else NOTHING
    if item.nullable:
        low = 0
    if (low, high) == (1, 1):
        return item
    return _make("repeat", (item, low, high), low == 0, item.pure)


def literal(text: bytes) -> Regular:
    """Exactly this text."""
    if len(text) < 2:
        return one_of(1 << text[0]) if text else EMPTY
    if len(text) > _ONE:
        return then(*(one_of(1 << byte) for byte in text[:-_ONE]), literal(text[-_ONE:]))
    found = _table.get((text,))
    if found is None:
        found = _table[text,] = Regular("then", None, False, True, text)
    return found


def words(texts: Iterable[bytes]) -> Regular:
    """One of some texts."""
    found = frozenset(texts)
    if not found:
        return NOTHING
    return EMPTY if found == {b""} else _make("words", (found,), b"" in found, False)


class Automaton(Protocol):
    """A deterministic automaton by its current state; equal states have equal hashes."""

    @property
    def nullable(self) -> bool:
        """Whether the text may end here."""
        ...

    @property
    def classes(self) -> tuple[int, ...]:
        """A partition of the bytes: bytes of one class step alike."""
        ...

    def step(self, byte: int) -> Automaton | None:
        """The state after a byte; None where no text goes on with it."""
        ...


def walked(automaton: Automaton) -> Regular:
    """The language of an automaton that is not written as an expression."""
    return _make("walked", (automaton,), automaton.nullable, False)


ANYTHING: Final = other_than(NOTHING)


# How the expression of each kind is made of its parts, for unpickling.
_MAKERS: Final[dict[str, Callable[..., Regular]]] = {
    "bytes": one_of, "then": then, "either": either, "both": both, "repeat": repeat,
    "not": other_than, "walked": walked, "words": words,
}  # fmt: skip


def _derive(state: Regular, byte: int) -> Regular:
    if state.text:
        return literal(state.text[1:]) if state.text[0] == byte else NOTHING
    match state.kind, state.parts:
        case "bytes", (int() as byte_set,):
            return EMPTY if byte_set >> byte & 1 else NOTHING
        case "then", (Regular() as first, Regular() as second):
            after = _then(first.step(byte), second)
            return either(after, second.step(byte)) if first.nullable else after
        case "either", parts:
            return either(*(p.step(byte) for p in parts if isinstance(p, Regular)))
        case "both", parts:
            return both(*(p.step(byte) for p in parts if isinstance(p, Regular)))
        case "not", (Regular() as inner,):
            return other_than(inner.step(byte))
        case "repeat", (Regular() as item, int() as low, high):
            assert high is None or isinstance(high, int)
            rest = repeat(item, max(low - 1, 0), None if high is None else high - 1)
            return _then(item.step(byte), rest)
        case "words", (frozenset() as texts,):
            return words(text[1:] for text in texts if text and text[0] == byte)
        case "walked", (automaton,):
            after = automaton.step(byte)  # type: ignore[attr-defined]
            return NOTHING if after is None else walked(after)
    return NOTHING


def _refine(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    if first == second:
        return first
    return tuple(a & b for a in first for b in second if a & b)


def _classes(state: Regular) -> tuple[int, ...]:
    if state.text:
        return 1 << state.text[0], ALL_BYTES & ~(1 << state.text[0])
    match state.kind, state.parts:
        case "bytes", (int() as byte_set,):
            rest = ALL_BYTES & ~byte_set
            return (byte_set, rest) if rest else (byte_set,)
        case "then", (Regular() as first, Regular() as second):
            return _refine(first.classes, second.classes) if first.nullable else first.classes
        case (("either" | "both"), parts):
            result: tuple[int, ...] = (ALL_BYTES,)
            for part in parts:
                assert isinstance(part, Regular)
                result = _refine(result, part.classes)
            return result
        case (("not" | "repeat"), (Regular() as inner, *_)):
            return inner.classes
        case "words", (frozenset() as texts,):
            begun = [1 << byte for byte in sorted({text[0] for text in texts if text})]
            others = ALL_BYTES & ~sum(begun)
            return (*begun, others) if others else tuple(begun)
        case "walked", (automaton,):
            return automaton.classes  # type: ignore[attr-defined, no-any-return]
    return (ALL_BYTES,)


def lowest(byte_set: int) -> int:
    """The smallest byte of a set."""
    return (byte_set & -byte_set).bit_length() - 1


def _shortest(state: Regular) -> int:
    if state.text is not None:
        return len(state.text)
    match state.kind, state.parts:
        case "nothing", _:
            return -1
        case "bytes", _:
            return 1
        case "words", (frozenset() as texts,):
            return min(map(len, texts))
        case "repeat", (Regular() as item, int() as low, _) if state.pure:
            return low * item.shortest
        case "then", (Regular() as first, Regular() as second) if state.pure:
            return first.shortest + second.shortest
        case "either", parts if state.pure:
            return min(p.shortest for p in parts if isinstance(p, Regular))
    return _search(state)


def lives(state: Regular, most: int) -> bool:
    """Whether a language holds any text, after at most so many states. Raises TooComplex."""
    return (state.pure and state is not NOTHING) or _search(state, most) >= 0


def _search(start: Regular, most: int = _SEARCH_LIMIT) -> int:
    """Breadth first, no further than to states whose shortest text is known; those on the way found
    know theirs from then on. That a state holds no text is not made use of: whether a search ends
    within its bound must not depend on those before it."""
    came: dict[Regular, Regular | None] = {start: None}
    queue = deque([(start, 0)])
    best, end = -1, start
    while queue:
        state, length = queue.popleft()
        if 0 <= best <= length:
            break
        known = 0 if state.nullable else state._shortest
        if known is not None and known >= 0:
            if best < 0 or length + known < best:
                best, end = length + known, state
            continue
        for byte_set in state.classes:
            after = state.step(lowest(byte_set))
            if after is not NOTHING and after not in came:
                came[after] = state
                if len(came) > most:
                    raise TooComplex
                queue.append((after, length + 1))
    if best >= 0:
        rest, at = (0 if end.nullable else end._shortest or 0), came[end]
        while at is not None:
            rest += 1
            at._shortest = rest
            at = came[at]
    return best


@lru_cache(maxsize=100_000)
def clamp(state: Regular, limit: int) -> Regular:
    """The same language for every continuation of less than `limit` bytes: counters beyond it are
    cut to it, so that states which differ only in a far bound become one."""
    if state.text is not None:
        return state
    match state.kind, state.parts:
        case "then", (Regular() as first, Regular() as second):
            return _then(clamp(first, limit), second)
        case "repeat", (Regular() as item, int() as low, high):
            assert high is None or isinstance(high, int)
            cut = None if high is None else min(high, max(limit, 1))
            return repeat(item, min(low, limit), cut)
    return state
