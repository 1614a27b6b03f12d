"""Regular languages: the algebra, checked against sets of short texts."""

import pickle
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.regular import regex
from statelang.regular.automaton import (
    ALL_BYTES,
    ANYTHING,
    EMPTY,
    NOTHING,
    Regular,
    TooComplex,
    both,
    clamp,
    either,
    literal,
    lowest,
    one_of,
    other_than,
    repeat,
    then,
    words,
)

LONGEST = 4
TEXTS = frozenset(
    "".join(letters) for size in range(LONGEST + 1) for letters in product("ab", repeat=size)
)
Language = tuple[Regular, frozenset[str]]


def _joined(first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
    return frozenset(a + b for a in first for b in second) & TEXTS


def _repeated(language: Language, low: int, more: int | None) -> Language:
    regular, texts = language
    result, power = frozenset[str](), frozenset({""})
    for times in range(LONGEST + 5 if more is None else low + more + 1):
        if times >= low:
            result |= power
        power = _joined(power, texts)
    return repeat(regular, low, None if more is None else low + more), result


_written = st.sets(st.sampled_from(sorted(TEXTS)), max_size=4).map(
    lambda texts: (words(text.encode() for text in texts), frozenset(texts))
)
_simple: st.SearchStrategy[Language] = _written | st.sampled_from(
    [
        (NOTHING, frozenset[str]()),
        (EMPTY, frozenset({""})),
        (ANYTHING, TEXTS),
        (one_of(ALL_BYTES), frozenset({"a", "b"})),
        *((literal(text.encode()), frozenset({text})) for text in ("a", "b", "ab", "ba", "bb")),
    ]
)


def _grown(inner: st.SearchStrategy[Language]) -> st.SearchStrategy[Language]:
    pairs = st.tuples(inner, inner)
    bounds = st.tuples(inner, st.integers(0, 3), st.none() | st.integers(0, 3))
    return st.one_of(
        pairs.map(lambda p: (then(p[0][0], p[1][0]), _joined(p[0][1], p[1][1]))),
        pairs.map(lambda p: (either(p[0][0], p[1][0]), p[0][1] | p[1][1])),
        pairs.map(lambda p: (both(p[0][0], p[1][0]), p[0][1] & p[1][1])),
        inner.map(lambda l: (other_than(l[0]), TEXTS - l[1])),
        bounds.map(lambda b: _repeated(*b)),
    )


languages = st.recursive(_simple, _grown, max_leaves=6)


@given(languages)
def test_operations_mean_what_they_mean_on_sets(language: Language) -> None:
    """Union, intersection, complement, sequence and repetition hold exactly the texts they name."""
    regular, texts = language
    assert {text for text in TEXTS if regular.matches(text.encode())} == texts


@given(languages)
def test_the_shortest_text_is_known(language: Language) -> None:
    """`shortest` is the length of the shortest text, and -1 exactly where there is none."""
    regular, texts = language
    inside = both(regular, repeat(one_of(0b11 << ord("a")), 0, LONGEST))
    assert inside.shortest == min(map(len, texts), default=-1)
    assert inside.live == bool(texts)


@given(languages)
def test_classes_divide_the_bytes_and_step_alike(language: Language) -> None:
    """The classes are disjoint, cover all bytes, and two bytes of one class lead to one state."""
    regular, _ = language
    union = 0
    for byte_set in regular.classes:
        assert byte_set and not union & byte_set
        union |= byte_set
        steps = {regular.step(byte) for byte in range(256) if byte_set >> byte & 1}
        assert len(steps) == 1
    assert union == ALL_BYTES


@given(languages, st.integers(1, LONGEST + 1))
def test_clamping_keeps_every_shorter_text(language: Language, limit: int) -> None:
    """`clamp(state, n)` allows the same prefixes of less than `n` bytes."""
    regular, _ = language
    clamped = clamp(regular, limit)
    for text in TEXTS:
        if len(text) < limit:
            assert clamped.matches(text.encode()) == regular.matches(text.encode())


@given(languages)
def test_pickling_gives_the_same_object(language: Language) -> None:
    """Expressions are hash-consed, also across pickling."""
    regular, _ = language
    assert pickle.loads(pickle.dumps(regular)) is regular


def test_equal_expressions_are_one_object() -> None:
    """What is built alike is the same object, so states can be compared by identity."""
    assert either(literal(b"x"), literal(b"yy")) is either(literal(b"yy"), literal(b"x"))
    assert then(literal(b"ab"), literal(b"c")) is literal(b"abc")
    assert other_than(other_than(literal(b"abc"))) is literal(b"abc")
    assert both(ANYTHING, literal(b"a")) is literal(b"a")
    assert either(ANYTHING, literal(b"a")) is ANYTHING


def test_a_wide_repetition_costs_nothing_until_walked() -> None:
    """A bound is a counter: a hundred thousand times is as cheap as once."""
    many = repeat(one_of(0b11 << ord("a")), 1, 100_000)
    assert many.shortest == 1
    assert many.matches(b"ab" * 50_000)
    assert not many.matches(b"ab" * 50_000 + b"a")


def test_states_that_differ_in_a_far_bound_only_become_one() -> None:
    """Clamped to what a token can reach, the states inside free text are the same state."""
    text = repeat(one_of(0b11 << ord("a")), 1, 800)
    first, second = text.step(ord("a")), text.step(ord("a")).step(ord("b"))
    assert first is not second
    assert clamp(first, 20) is clamp(second, 20)


def test_a_search_that_grows_without_end_is_refused() -> None:
    """A search for a shortest text visits a bounded number of states, then raises."""
    bit = 0b11 << ord("a")
    ends = [
        then(repeat(one_of(bit), 0, None), literal(b"a"), repeat(one_of(bit), n, n))
        for n in (17, 18)
    ]
    hard = both(*(other_than(end) for end in ends), repeat(one_of(bit), 60, 60), literal(b"a" * 60))
    assert hard.shortest == -1
    harder = both(
        other_than(ends[0]),
        other_than(ends[1]),
        repeat(one_of(bit), 1, None),
        then(repeat(one_of(bit), 0, None), literal(b"c")),
    )
    with pytest.raises(TooComplex):
        _ = harder.shortest


@given(st.integers(1, ALL_BYTES))
def test_the_lowest_byte_of_a_set(byte_set: int) -> None:
    """`lowest` names the smallest member."""
    byte = lowest(byte_set)
    assert byte_set >> byte & 1
    assert byte_set & ((1 << byte) - 1) == 0


@given(st.lists(st.binary(max_size=50), max_size=4))
def test_a_text_is_one_expression(pieces: list[bytes]) -> None:
    """However a text is put together it is the same object, also from disk; its steps spell it."""
    text = b"".join(pieces)
    whole = literal(text)
    assert whole is then(*map(literal, pieces)) is then(*(literal(bytes((b,))) for b in text))
    assert whole is pickle.loads(pickle.dumps(whole))
    assert len(text) == whole.shortest
    assert whole.matches(text) and not whole.matches(text + b"x") and whole.is_empty == (not text)
    if text:
        first, rest = text[0], literal(text[1:])
        assert rest is whole.step(first)
        assert NOTHING is whole.step(first ^ 1)
        assert (1 << first, ALL_BYTES & ~(1 << first)) == whole.classes


def test_texts_are_decided_at_once() -> None:
    """Of some texts a field keeps those that its language holds, and each is read to its end."""
    language = regex.parse("[A-Z][a-z]{1,3}")
    kept = both(language, words([b"Ann", b"ann", b"Eva", b"Annabel"]))
    assert words([b"Ann", b"Eva"]) is kept
    assert words([b"nn"]) is kept.step(ord("A"))
    assert (True, False) == (kept.matches(b"Eva"), kept.matches(b"An"))
    assert NOTHING is both(language, words([b"ann"]))
    assert EMPTY is words([b"nn"]).step(ord("n")).step(ord("n"))
    assert 2 == words([b"abc", b"de"]).shortest
    assert kept is pickle.loads(pickle.dumps(kept))
