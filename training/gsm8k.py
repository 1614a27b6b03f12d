"""One GSM8K problem -> a right trace of the state space `kwai_star`, or a refusal.

Reads the plain form and the socratic form (`sub-question ** answer line`). Knows neither files
nor the engine: whoever calls it validates the trace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve, field, frozen

from statelang.training import prose, sums
from statelang.training.gsm8k_lines import ANNOTATION, Body, Refusal, Refused, append, read_body
from statelang.training.gsm8k_plan import given_in, plans, texts

_ANSWER = re.compile(r"-?[0-9][0-9,]*(?:\.[0-9]+)?|-?\.[0-9]+")
_LONGEST_LINE = 800  # characters, as LINE of kwai_star has it
_MOST_SUBPROBLEMS = 99  # as ID of kwai_star has it


@frozen
class Subproblem:
    """One annotated calculation, as planned and as carried out.

    `plan` holds tokens, earlier subproblems by id; `sum` and `result` are the source's spelling;
    `before` and `after` are the prose around the calculation, on one line.
    """

    id: str
    plan: tuple[str, ...]
    text: str
    before: str
    sum: str
    result: str
    after: str

    def planned(self) -> str:
        """The subproblem as the plan has it."""
        return f"{self.id} = {''.join(self.plan)}: {self.text}"

    def solved(self) -> str:
        """The step that carries the calculation out."""
        said = f"{self.before}<<{self.sum}={self.result}>>{self.after}"
        return f"<solve>{self.id}: {said}</solve>\n"

    def verified(self, verdict: str) -> str:
        """The step that judges the solution `right` or `wrong`."""
        return f"<verify>{self.id}: {verdict}</verify>\n"


@frozen
class Solution:
    """A GSM8K solution taken apart.

    `answer` is the gold answer without commas. `unchecked` is the prose that answers where no
    annotated calculation does, else None. `given` are the values that the question writes.
    """

    asked: str
    subproblems: tuple[Subproblem, ...]
    answer: str
    unchecked: str | None
    given: frozenset[Fraction] = field(repr=False)

    def opening(self) -> str:
        """The steps before the first solution: what is asked, and the plan."""
        items = "\n".join(subproblem.planned() for subproblem in self.subproblems)
        return f"<formalize>{self.asked}</formalize>\n<decompose>{items}</decompose>\n"

    def closing(self, answer: str) -> str:
        """The steps after the last solution, with this answer."""
        if self.unchecked is None:
            parent = f"<parent>{self.subproblems[-1].id} = {answer}</parent>\n"
        else:
            parent = f"<parent unchecked>{answer}: {self.unchecked}</parent>\n"
        return f"{parent}<summarize>{answer}</summarize>\n"

    def trace(self) -> str:
        """The whole right trace."""
        steps = (s.solved() + s.verified("right") for s in self.subproblems)
        return self.opening() + "".join(steps) + self.closing(self.answer)


def read(source: Mapping[str, object]) -> Solution | Refusal:
    """Take a source object's `question` and `answer` apart."""
    try:
        return _read(_text(source, "question"), _text(source, "answer"))
    except Refused as refused:
        return refused.refusal


def _text(source: Mapping[str, object], name: str) -> str:
    text = source.get(name)
    if not isinstance(text, str) or not text.strip():
        raise Refused(f"no {name}", f"the field `{name}` is missing, empty or not text")
    return text


def _read(question: str, answer: str) -> Solution:
    lines, _, final = answer.rpartition("####")
    final = final.strip()
    gold = final.replace(",", "")
    if not _ANSWER.fullmatch(final) or not sums.is_number(gold):
        raise Refused("no final answer", "the last line is not `#### number`")
    if not ANNOTATION.search(lines):
        raise Refused("no annotated calculation", "no `<<expression=result>>` in the answer")
    if "<" in question or "<" in ANNOTATION.sub("", lines):
        raise Refused("'<' in the text", "it would be read as the beginning of a tag")
    solution = _solution(question, read_body(lines), gold)
    _refuse_too_big(solution)
    return solution


def _solution(question: str, body: Body, answer: str) -> Solution:
    asked, given = prose.what_is_asked(question), given_in(question)
    found = body.calculations
    planned = zip(found, plans(found, given), texts(found, asked, given), strict=True)
    subproblems = [
        Subproblem(f"s{at}", plan, text, c.before, c.sum, c.result, c.after)
        for at, (c, plan, text) in enumerate(planned, start=1)
    ]
    last = subproblems[-1]
    if sums.number(last.result) == sums.number(answer):
        unchecked = None
        subproblems[-1] = evolve(last, after=append(last.after, body.rest))
    else:
        unchecked, subproblems[-1] = _unchecked(last, body.rest, answer)
    return Solution(asked, tuple(subproblems), answer, unchecked, given.values)


def _unchecked(last: Subproblem, rest: str, answer: str) -> tuple[str, Subproblem]:
    """The prose that answers, and the last subproblem without what moved there."""
    if rest:
        return rest, last
    stays, tail = prose.split_clause(last.after)
    if sums.number(answer) in prose.numbers(tail):
        return tail.strip(), evolve(last, after=stays)
    return f"The answer is {answer}.", last


def _refuse_too_big(solution: Solution) -> None:
    count = len(solution.subproblems)
    if count > _MOST_SUBPROBLEMS:
        raise Refused("too many calculations", f"{count}, of {_MOST_SUBPROBLEMS} at most")
    lines = [solution.asked, solution.unchecked or ""]
    for subproblem in solution.subproblems:
        lines += [subproblem.text, subproblem.before, subproblem.after]
    longest = max(map(len, lines))
    if longest > _LONGEST_LINE:
        raise Refused("text too long", f"{longest} characters on a line, of {_LONGEST_LINE}")
