"""The calculations that GSM8K writes, `(48+2)*.5`, as tokens and exact values.

The arithmetic is that of the contracts (`statelang.clauses.arithmetic`), so rows and verdicts
cannot disagree. Knows nothing of traces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from statelang.clauses import arithmetic, values

_NUMBER = re.compile(r"-?(?:[0-9]{1,12}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})")  # as kwai_star has it
_OPERATORS = frozenset("+-*/")


def is_operator(token: str) -> bool:
    """Whether a token is one of the four operators."""
    return token in _OPERATORS


def is_number(token: str) -> bool:
    """Whether a token is a number as the state space `kwai_star` spells it."""
    return _NUMBER.fullmatch(token) is not None


def number(text: str) -> Fraction:
    """The value of a number's text; leading-dot decimals are read.

    Raises:
        ValueError: the text is no number of this spelling.
    """
    if not is_number(text):
        raise ValueError(f"{text!r} is not a number")
    return Fraction(values.read_number(text))


def spell(value: Fraction) -> str | None:
    """The shortest spelling of a value, or None where no number of a trace can be it."""
    try:
        text = values.spell(value)
    except values.Undefined:
        return None
    return text if is_number(text) else None


def written_as(value: Fraction, text: str) -> bool:
    """Whether `text` is `value`, rounded half up to the places that `text` has."""
    return values.rounded(value, values.places_of(text)) == number(text)


def tokens(text: str) -> tuple[str, ...]:
    """Numbers (with their unary minus), operators and parentheses of a calculation.

    Raises:
        ValueError: something else stands in the text, or it is no calculation.
    """
    found: list[str] = []
    at, depth, operand = 0, 0, True
    while at < len(text):
        if operand and text[at] == "(":
            token, depth = "(", depth + 1
        elif operand and (match := _NUMBER.match(text, at)):
            token, operand = match[0], False
        elif not operand and text[at] == ")" and depth:
            token, depth = ")", depth - 1
        elif not operand and text[at] in _OPERATORS:
            token, operand = text[at], True
        else:
            raise ValueError(f"{text!r} is not a calculation")
        found.append(token)
        at += len(token)
    if operand or depth:
        raise ValueError(f"{text!r} is not a calculation")
    return tuple(found)


def value(calculation: Sequence[str]) -> Fraction | None:
    """The exact value of a calculation's tokens, or None where it has none (division by zero)."""
    try:
        return Fraction(arithmetic.value("".join(calculation), {}))
    except values.Undefined:
        return None
