"""Plans for the calculations of one GSM8K problem: which operand is an earlier result.

The source does not say where an operand comes from, so this is a reading of it; whatever is
chosen, the plan filled with the earlier results is the calculation.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from attrs import frozen

from statelang.training import prose, sums
from statelang.training.gsm8k_lines import Calculation

_FALLBACK = "A value that is needed."
_FRACTION = re.compile(r"([0-9]+)/([0-9]+)")


# Numbers that a question gives in words: `twice as many`, `a dozen`, minutes for hours.
_IN_WORDS = {
    2: "two half halves twice double doubled couple pair both second",
    3: "three third thirds thrice triple",
    4: "four quarter quarters fourth",
    5: "five fifth fifths",
    6: "six sixth",
    7: "seven week weeks weekly",
    8: "eight eighth",
    9: "nine ninth",
    10: "ten tenth",
    12: "twelve dozen dozens year years month months",
    60: "hour hours minute minutes seconds",
    100: "percent percentage cents hundred",
}
_WORDS = {word: Fraction(value) for value, words in _IN_WORDS.items() for word in words.split()}


@frozen
class Given:
    """What the question gives: values in digits, values in words, fractions as (`3`, `8`)."""

    values: frozenset[Fraction]
    in_words: frozenset[Fraction]
    fractions: frozenset[tuple[str, str]]


def given_in(question: str) -> Given:
    """The numbers of a question."""
    words = re.findall(r"[a-z]+", question.lower().replace("%", " percent "))
    return Given(
        prose.numbers(question),
        frozenset(_WORDS[word] for word in words if word in _WORDS),
        frozenset(_FRACTION.findall(question)),
    )


def plans(found: Sequence[Calculation], given: Given) -> list[tuple[str, ...]]:
    """Each calculation's tokens, earlier results by the id of their subproblem."""
    planned: list[tuple[str, ...]] = []
    results: list[Fraction] = []
    used: set[int] = set()
    for calculation in found:
        planned.append(_linked(sums.tokens(calculation.sum), results, used, given))
        results.append(sums.number(calculation.result))
    return planned


def texts(found: Sequence[Calculation], asked: str, given: Given) -> list[str]:
    """What the plan says of each subproblem: its sub-question, or its line without numbers."""
    results = {sums.number(calculation.result) for calculation in found} - given.values
    said = []
    for calculation in found:
        own = sums.number(calculation.result)
        text = calculation.sub_question or _stripped(calculation.own, results | {own})
        said.append(text if prose.has_words(text) else _FALLBACK)
    if said[-1] == _FALLBACK:
        said[-1] = asked
    return said


def _linked(
    tokens: tuple[str, ...], results: Sequence[Fraction], used: set[int], given: Given
) -> tuple[str, ...]:
    """Tokens with operands that are earlier results named; `used` grows by what was named.

    The most recent results that no plan has used yet come first. Where the question gives the
    number too, used results are not named again as factors, and once at most otherwise: `10+10`
    is `s1+10` where one ten is computed and one is given, `2*2` is `s1*2` where there is a half.
    """
    linked = list(tokens)
    for value, places in _places(tokens, given).items():
        equal = [at for at, result in enumerate(results) if result == value]
        names = [at for at in equal if at not in used][-len(places) :]
        if value not in given.values | given.in_words:
            names += equal[-1:] * (len(places) - len(names))
        elif not names and not any(_is_factor(tokens, place) for place in places):
            names = equal[-1:]
        used.update(names)
        for place, name in zip(places, sorted(names), strict=False):
            linked[place] = f"s{name + 1}"
    return tuple(linked)


def _places(tokens: tuple[str, ...], given: Given) -> dict[Fraction, list[int]]:
    """Where each value stands in a calculation that a name can stand for.

    Left out are the question's own fractions, and numbers not in their shortest spelling: a plan
    is filled with shortest spellings, and the calculation has to be what that gives.
    """
    places: dict[Fraction, list[int]] = defaultdict(list)
    whole = {
        place
        for at in range(len(tokens) - 2)
        if tokens[at + 1] == "/" and (tokens[at], tokens[at + 2]) in given.fractions
        for place in (at, at + 2)
    }
    for at, token in enumerate(tokens):
        if sums.is_number(token) and at not in whole:
            value = sums.number(token)
            if sums.spell(value) == token:
                places[value].append(at)
    return places


def _is_factor(tokens: tuple[str, ...], place: int) -> bool:
    return not {"*", "/"}.isdisjoint(tokens[max(place - 1, 0) : place + 2])


def _stripped(own: tuple[str, str], results: set[Fraction]) -> str:
    """The prose of a calculation's line that gives no result away."""
    before, after = map(prose.cut_stated_arithmetic, own)
    return prose.tidy(prose.cut_numbers(f"{before} {after}", results.__contains__))
