"""Small tools for the prose around a calculation: sentences, numbers, stated arithmetic.

Knows nothing of traces; every function takes and gives plain text on one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_MONEY = r"[$€£¢]"
_OPERATORS = frozenset("+-*/")
_OPERATOR = (
    r"\s*(?:[-+*/×·÷–−]|x(?![A-Za-z])|times\b|plus\b|minus\b|multiplied by\b|divided by\b)\s*"  # noqa: RUF001 (as written)
)
# Words between a number and the next operator: `8 hours/day * 5 days/week`.
_UNIT = r"(?:\s?(?!(?:x|times|plus|minus|equals|is)\b)[A-Za-z'’]+(?:/[A-Za-z]+)*){0,3}"  # noqa: RUF001 (as written)
_TERM = rf"[(\[]*-?{_MONEY}?{_NUMBER}%?[)\]]*(?:/[A-Za-z]+)*{_UNIT}[)\]]*"
_STATED = re.compile(
    rf"(?<![\w./]){_MONEY}?{_TERM}(?:{_OPERATOR}{_TERM})+\s*(?:=|equals\b)\s*(?:{_NUMBER}(?![0-9/]))?"
)
_TOLD = re.compile(rf"[^0-9]*?({_MONEY}?[0-9].*=)\s*(?={_MONEY}?\s*\Z)")
_MENTION = re.compile(rf"(?<![\w.,/])({_MONEY}?)({_NUMBER})(%?)(?![\w/]|[.,][0-9])")
_SENTENCE_END = re.compile(r"[.!?]+[\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9$])")  # noqa: RUF001 (as written)
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|Mt|[A-Z])|\b[ap]\.m)\.\s+\Z")
_DANGLING = re.compile(
    r"(?:\s|\b(?:because|is|are|was|(?:will|would|to) be|be|of|by|equals?|equal to|so|that|which"
    r"|and|or|at|to|for|a total of|there are|the)|[=,:;$€£(+*/-])+(?=[.!?]*\Z)",
    re.IGNORECASE,
)


def one_line(text: str) -> str:
    """The text with every run of white space, line ends among them, as one space."""
    return " ".join(text.split())


def join(lines: Collection[str]) -> str:
    """Lines as one line; a line without a full stop gets one where another follows."""
    parts = [line for line in map(one_line, lines) if line]
    closed = [part if part[-1] in ".!?:;," else part + "." for part in parts[:-1]]
    return " ".join([*closed, *parts[-1:]])


def sentences(text: str) -> list[str]:
    """The sentences of a text, each on one line."""
    text = one_line(text)
    found, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        if not _ABBREVIATION.search(text[: end.end()]):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]


def what_is_asked(question: str) -> str:
    """The last sentence that asks, or the last one; empty where the question is blank."""
    every = sentences(question)
    asking = [sentence for sentence in every if sentence.rstrip("\"'”’)").endswith("?")]  # noqa: RUF001 (as written)
    return (asking or every or [""])[-1]


def numbers(text: str) -> frozenset[Fraction]:
    """The values written in digits in a text."""
    return frozenset(_value(match) for match in re.findall(_NUMBER, text))


def cut_stated_arithmetic(text: str) -> str:
    """The text without the calculations it carries out: `Ann has 2 x 3 = $` gives `Ann has $`."""
    return re.sub(r"\s{2,}", " ", _STATED.sub("", text))


def restate_at_end(text: str, calculation: Sequence[str]) -> str:
    """The text with other tokens for the calculation it ends with, spaced and signed alike.

    `Ann has 2 x 3 = $` gives `Ann has 2 x 4 = $`. Where the calculation is told in words (`Tom's
    2 pens + Ann's 3 pens =`), the new one stands in for all from the sentence's first number. A
    text that ends with no calculation stays as it is.
    """
    place = _calculation_at_end(text)
    if place is None:
        return text
    start, end = place
    old = re.fullmatch(r"(.*?)(\s*(?:=|equals)?\s*)", text[start:end])
    assert old is not None  # both groups may be empty
    times = "x" if re.search(r"[0-9] ?x\b", old[1]) else "*"
    space = " " if re.search(r"[0-9%)a-z] [-+*/x×·÷–−]", old[1]) else ""  # noqa: RUF001 (as written)
    new = "".join(
        f"{space}{times if token == '*' else token}{space}" if token in _OPERATORS else token
        for token in calculation
    )
    return text[:start] + new + old[2] + text[end:]


def _calculation_at_end(text: str) -> tuple[int, int] | None:
    """Where the calculation stands that a text ends with, signs of money after it left out."""
    last = len(text.rstrip(" $€£"))
    for stated in _STATED.finditer(text):
        if stated.end() >= last:
            return stated.span()
    told = _TOLD.match(text, text.rfind(". ") + 1)
    return told.span(1) if told else None


def replace_numbers(text: str, new: Mapping[Fraction, str]) -> str:
    """The text with every number that `new` names written anew; signs of money stay."""

    def spelled(match: re.Match[str]) -> str:
        written = new.get(_value(match[2]))
        return match[0] if written is None else match[1] + written + match[3]

    return _MENTION.sub(spelled, text)


def cut_numbers(text: str, unwanted: Callable[[Fraction], bool]) -> str:
    """The text without the numbers that are unwanted, their signs of money and percent too."""
    return _MENTION.sub(lambda match: "" if unwanted(_value(match[2])) else match[0], text)


def tidy(text: str) -> str:
    """The text after cutting: no doubled spaces, no space before a stop, no loose last words."""
    text = re.sub(r"[$€£]\s*(?![\s0-9.])", "", text)
    text = re.sub(r"[$€£]\s", " ", text)
    text = re.sub(r"\(\s*\)", "", one_line(text))
    text = re.sub(r"\s+([.,;:!?%])", r"\1", text)
    return _DANGLING.sub("", text).strip()


def split_clause(text: str) -> tuple[str, str]:
    """The text up to its last comma, semicolon or full stop before the end, and what follows."""
    end = max((match.end() for match in re.finditer(r"[,;.](?=\s+\S)", text)), default=0)
    return text[:end], text[end:]


def has_words(text: str) -> bool:
    """Whether the text says something: at least one word of three letters."""
    return re.search(r"[^\W\d_]{3,}", text) is not None


def _value(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))
