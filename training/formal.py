"""Traces of the space `kwai_star_formal`, written from the facts of a problem."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from attrs import evolve, frozen

from statelang.training.problems import CONSTANTS, Fact, Facts, Problem, calculate, values_of

_ATTEMPTS = 50
"""Wrong steps tried before a problem counts as one in which every slip still answers right."""


@frozen
class WrongPair:
    """A trace that notices its wrong step beside one that does not.

    `no_loss` is the characters of that step, `[start, end)`; up to its end both texts are equal,
    so the span holds for both. `step` counts the solved subproblems from 0.
    """

    chosen: str
    rejected: str
    no_loss: tuple[int, int]
    step: int


@frozen
class _Step:
    """One calculation as it is written: the relation, the values fetched for it, the result."""

    name: str
    left: str
    op: str
    right: str | int
    fetched: tuple[int, int]
    result: int

    @property
    def relation(self) -> tuple[str, str, str | int]:
        return self.left, self.op, self.right


def right_trace(problem: Problem) -> str:
    """The trace that solves the problem, every step verified."""
    facts = problem["facts"]
    return _head(facts) + _rest(facts, needed(facts), values_of(facts)) + _tail(facts)


def wrong_pair(problem: Problem, seed: int) -> WrongPair | None:
    """The trace with one wrong step, once noticed and once not; None where no slip matters.

    The wrong step writes another operand, operator or constant than was formalized; its values are
    fetched and its result computed rightly for what it says. The rejected side goes on from the
    wrong value, claims that every step is right, and ends in another answer than gold.
    """
    random = Random(f"{seed}:{problem['id']}:{problem['question']}")
    order = needed(problem["facts"])
    for _ in range(_ATTEMPTS):
        at = random.randrange(len(order))
        pair = _pair_at(problem, at, random)
        if pair is not None:
            return pair
    return None


def needed(facts: Facts) -> list[Fact]:
    """The relations that the goal hangs on, each after what it depends on."""
    wanted = {facts["goal"]}
    found: list[Fact] = []
    for fact in reversed(facts["entities"]):
        if fact["name"] in wanted and "value" not in fact:
            found.append(fact)
            wanted |= {part for part in (fact["left"], fact["right"]) if isinstance(part, str)}
    return found[::-1]


def _pair_at(problem: Problem, at: int, random: Random) -> WrongPair | None:
    facts = problem["facts"]
    order = needed(facts)
    solved = {fact["name"] for fact in order[:at]}
    known = {
        fact["name"]: values_of(facts)[fact["name"]]
        for fact in facts["entities"]
        if "value" in fact or fact["name"] in solved
    }
    choices = list(_slips(order[at], known))
    if not choices:
        return None
    slip = random.choice(choices)
    followed = _follow(facts, order, known, slip, at)
    if followed is None or str(followed[facts["goal"]]) == problem["answer"]:
        return None
    before = _head(facts) + _rest(facts, order[:at], values_of(facts))
    wrong = _solve(slip)
    chosen = (
        before
        + wrong
        + _verify(slip.name, "wrong")
        + f"<backtrack>{slip.name}</backtrack>\n"
        + _rest(facts, order[at:], values_of(facts))
        + _tail(facts)
    )
    rejected = (
        before
        + wrong
        + _verify(slip.name, "right")
        + _rest(facts, order[at + 1 :], followed)
        + _tail(facts, followed)
    )
    return WrongPair(chosen, rejected, (len(before), len(before) + len(wrong)), at)


def _slips(fact: Fact, known: dict[str, int]) -> Iterator[_Step]:
    """Every step that leaves its relation in one place: operand, operator or constant."""
    step = _step(fact, known)
    for left in known:
        yield from _slip(evolve(step, left=left), step, known)
    for op in "+-*":
        yield from _slip(evolve(step, op=op), step, known)
    rights: list[str | int] = list(known) if isinstance(step.right, str) else list(CONSTANTS)
    for right in rights:
        yield from _slip(evolve(step, right=right), step, known)


def _slip(changed: _Step, step: _Step, known: dict[str, int]) -> Iterator[_Step]:
    """The changed step with its own values and result, unless nothing changed or it is negative."""
    fact = Fact(name=changed.name, left=changed.left, op=changed.op, right=changed.right)
    worked = _step(fact, known)
    if changed.relation != step.relation and worked.result >= 0:
        yield worked


def _follow(
    facts: Facts, order: list[Fact], known: dict[str, int], slip: _Step, at: int
) -> dict[str, int] | None:
    """Every value as the trace believes it after the slip; None where one would be negative."""
    values = {**known, slip.name: slip.result}
    for fact in order[at + 1 :]:
        values[fact["name"]] = calculate(fact, values)
    return values if min(values.values()) >= 0 else None


def _step(fact: Fact, values: dict[str, int]) -> _Step:
    left, right = fact["left"], fact["right"]
    fetched = (values[left], right if isinstance(right, int) else values[right])
    return _Step(fact["name"], left, fact["op"], right, fetched, calculate(fact, values))


def _head(facts: Facts) -> str:
    lines = [
        f"{fact['name']} = {fact['value']}" if "value" in fact else _equation(fact)
        for fact in facts["entities"]
    ]
    unknowns = "\n".join(fact["name"] for fact in needed(facts))
    return (
        "<formalize>"
        + "\n".join([*lines, f"find {facts['goal']}"])
        + f"</formalize>\n<decompose>{unknowns}</decompose>\n"
    )


def _equation(fact: Fact) -> str:
    return f"{fact['name']} = {fact['left']} {fact['op']} {fact['right']}"


def _rest(facts: Facts, order: list[Fact], values: dict[str, int]) -> str:
    """The steps in `order`, worked out over `values` and each claimed to be right."""
    return "".join(_solve(_step(fact, values)) + _verify(fact["name"], "right") for fact in order)


def _solve(step: _Step) -> str:
    relation = f"{step.left} {step.op} {step.right}"
    work = f"{step.fetched[0]} {step.op} {step.fetched[1]}"
    return f"<solve>{step.name} = {relation} = {work} = {step.result}</solve>\n"


def _verify(name: str, verdict: str) -> str:
    return f"<verify>{name} {verdict}</verify>\n"


def _tail(facts: Facts, values: dict[str, int] | None = None) -> str:
    goal = facts["goal"]
    value = (values or values_of(facts))[goal]
    return f"<parent>{goal} = {value}</parent>\n<summarize>{value}</summarize>\n"
