"""The body of a GSM8K answer -> its annotated calculations, each with the prose around it.

Knows nothing of plans and traces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from attrs import frozen

from statelang.training import prose, sums

ANNOTATION = re.compile(r"<<([^<>]*)>>")
_REPEATED = re.compile(r"-?(?:[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?|\.[0-9]+)")
_STOPS = ".!?:;,"


@frozen
class Refusal:
    """Why a source gives no row: a short stable reason, and what it was here."""

    reason: str
    detail: str = ""


class Refused(Exception):
    """Stops reading a source; carries the refusal."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.refusal = Refusal(reason, detail)
        super().__init__(f"{reason}: {detail}")


@frozen
class Calculation:
    """One annotated calculation, not planned yet.

    `sum` and `result` are the source's spelling without spaces. `before` and `after` are the
    prose around it on one line, `before` with the prose-only lines that led to it; `own` is the
    prose of its own line alone. `sub_question` is empty in the plain form.
    """

    sum: str
    result: str
    before: str
    after: str
    own: tuple[str, str]
    sub_question: str


@frozen
class Body:
    """The calculations in order, and the prose after the last one's line."""

    calculations: tuple[Calculation, ...]
    rest: str


def read_body(body: str) -> Body:
    """Take the lines of an answer apart.

    Raises:
        Refused: an annotation has another form, or its arithmetic is wrong.
    """
    found: list[Calculation] = []
    waiting: list[str] = []
    questions: list[str] = []
    for line in body.split("\n"):
        question, line = _socratic(line)
        questions += [question] if question else []
        pieces = _pieces(line)
        for before, left, right, after in pieces:
            opening = _opening(waiting, before)
            asked = prose.join(questions)
            found.append(Calculation(left, right, opening, after, (before, after), asked))
            waiting, questions = [], []
        if not pieces:
            waiting.append(line)
    return Body(tuple(found), prose.join([*questions, *waiting]))


def append(after: str, rest: str) -> str:
    """Prose after a calculation, with the prose of the lines that follow."""
    if not rest:
        return after
    after = after.rstrip()
    return f"{after} {rest}" if after and after[-1] in _STOPS else f"{after}. {rest}"


def _socratic(line: str) -> tuple[str, str]:
    """A line's sub-question, empty in the plain form, and its answer."""
    question, marker, answer = line.partition(" ** ")
    if not marker or "<<" in question:
        return "", line
    return prose.one_line(question), answer


def _pieces(line: str) -> list[tuple[str, str, str, str]]:
    """A line's calculations as (prose before, expression, result, prose after).

    What stands between two calculations is divided at its last comma or full stop.
    """
    pieces: list[tuple[str, str, str, str]] = []
    matches = list(ANNOTATION.finditer(line))
    before = line[: matches[0].start()] if matches else ""
    for at, match in enumerate(matches, start=1):
        left, right = _checked(match[1])
        last = at == len(matches)
        following = line[match.end() :] if last else line[match.end() : matches[at].start()]
        following = following[_repeated(following, right) :]
        after, next_before = (following, "") if last else prose.split_clause(following)
        pieces.append((_spaces(before), left, right, _spaces(after).rstrip()))
        before = next_before.lstrip() if after else next_before
    return pieces


def _spaces(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _checked(annotation: str) -> tuple[str, str]:
    """The two sides of `expression=result`, without spaces."""
    left, _, right = re.sub(r"\s", "", annotation).partition("=")
    try:
        value = sums.value(sums.tokens(left))
        right_one = value is not None and sums.written_as(value, right)
    except ValueError as error:
        raise Refused("unreadable calculation", f"<<{annotation}>>") from error
    if not right_one:
        raise Refused("wrong calculation", f"<<{annotation}>>")
    return left, right


def _repeated(text: str, result: str) -> int:
    """How many characters at the beginning of the text repeat the result."""
    match = _REPEATED.match(text)
    same = match is not None and Fraction(match[0].replace(",", "")) == Fraction(result)
    return match.end() if match is not None and same else 0


def _opening(waiting: Sequence[str], before: str) -> str:
    """The prose before a calculation with the prose-only lines above; its last space stays."""
    text = prose.join([*waiting, before])
    if not before.strip() and text and text[-1].isalnum():
        text += "."
    return f"{text} " if text and (before[-1:].isspace() or not before) else text
