"""Wrong-then-verified pairs from GSM8K: one step leaves its plan; who notices, and who goes on.

Both sides share everything up to and including the wrong step. The rejected side calls it right
and carries the wrong value on to a wrong answer; the chosen side calls it wrong, takes it back,
does it again and answers right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from random import Random

from attrs import evolve, frozen

from statelang.training import prose, sums
from statelang.training.gsm8k import Solution, Subproblem

_MOST_TIMES = 20  # a slip that makes a value larger than this many times is not plausible


@frozen
class WrongThenVerified:
    """Two traces and the span of the wrong step, the same characters in both."""

    chosen: str
    rejected: str
    wrong_step: tuple[int, int]


@frozen
class _Slip:
    """A subproblem worked out wrongly, and all subproblems as they follow from it."""

    at: int
    worked: tuple[Subproblem, ...]
    plausible: bool


def wrong_then_verified(solution: Solution, rng: Random) -> WrongThenVerified | None:
    """A pair with one wrong step, drawn by `rng`; None where no wrong step changes the answer.

    Plausible slips are preferred: whole numbers stay whole, positive ones positive, none explodes.
    """
    if solution.unchecked is not None:  # the answer does not follow from the calculations
        return None
    fallback = None
    for at, calculation in _slips(solution, rng):
        slip = _carried(solution, at, calculation)
        if slip is not None and slip.plausible:
            return _pair(solution, slip)
        fallback = fallback or slip
    return None if fallback is None else _pair(solution, fallback)


def _pair(solution: Solution, slip: _Slip) -> WrongThenVerified:
    right, wrong = solution.subproblems, slip.worked[slip.at]
    before = solution.opening() + "".join(map(_done, right[: slip.at]))
    start = before + wrong.solved()
    repaired = f"<backtrack>{wrong.id}</backtrack>\n" + "".join(map(_done, right[slip.at :]))
    chosen = start + wrong.verified("wrong") + repaired + solution.closing(solution.answer)
    followed = "".join(map(_done, slip.worked[slip.at + 1 :]))
    ending = solution.closing(slip.worked[-1].result)
    rejected = start + wrong.verified("right") + followed + ending
    return WrongThenVerified(chosen, rejected, (len(before), len(start)))


def _done(subproblem: Subproblem) -> str:
    return subproblem.solved() + subproblem.verified("right")


def _slips(solution: Solution, rng: Random) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Wrong calculations, by the subproblem they stand in for, in random order."""
    candidates = [
        (at, calculation)
        for at, subproblem in enumerate(solution.subproblems)
        for calculation in _near(subproblem, _other_numbers(solution, at))
    ]
    rng.shuffle(candidates)
    yield from candidates


def _other_numbers(solution: Solution, at: int) -> list[str]:
    """What a slip may take instead of an operand: the question's numbers, earlier results."""
    given = filter(None, map(sums.spell, sorted(solution.given)))
    return list(dict.fromkeys([*given, *(s.result for s in solution.subproblems[:at])]))


def _near(subproblem: Subproblem, others: list[str]) -> Iterator[tuple[str, ...]]:
    """Calculations one slip away: another operator, two operands swapped, another operand."""
    tokens = sums.tokens(subproblem.sum)
    if not any(map(sums.is_operator, tokens)):
        return  # a bare result: nothing was calculated that could go wrong
    for at, token in enumerate(tokens):
        head, tail = tokens[:at], tokens[at + 1 :]
        if sums.is_operator(token):
            yield from ((*head, other, *tail) for other in "+-*/" if other != token)
            if sums.is_number(head[-1]) and sums.is_number(tail[0]):
                yield (*head[:-1], tail[0], token, head[-1], *tail[1:])
        elif sums.is_number(token):
            yield from ((*head, other, *tail) for other in others if other != token)


def _carried(solution: Solution, at: int, calculation: tuple[str, ...]) -> _Slip | None:
    """Work the rest out from a wrong calculation; None where that does not change the answer.

    None too where a value on the way is no number that a trace can hold.
    """
    results = {s.id: sums.spell(sums.number(s.result)) or s.result for s in solution.subproblems}
    worked = list(solution.subproblems[:at])
    changed: dict[str, str] = {}
    plausible = True
    for place, subproblem in enumerate(solution.subproblems[at:], start=at):
        tokens = calculation if place == at else _filled(subproblem, results, changed)
        if tokens is None:
            worked.append(subproblem)
            continue
        value = sums.value(tokens)
        result = None if value is None else sums.spell(value)
        if value is None or result is None:
            return None
        old = sums.number(subproblem.result)
        if value == old and place == at:
            return None
        plausible &= _plausible(value, old)
        changed[subproblem.id] = result
        worked.append(_reworded(solution, subproblem, tokens, changed))
    if sums.number(worked[-1].result) == sums.number(solution.answer):
        return None
    return _Slip(at, tuple(worked), plausible)


def _filled(
    subproblem: Subproblem, results: Mapping[str, str], changed: Mapping[str, str]
) -> tuple[str, ...] | None:
    """The plan with values for its names; None where it names nothing that has changed."""
    if changed.keys().isdisjoint(subproblem.plan):
        return None
    return tuple(changed.get(token, results.get(token, token)) for token in subproblem.plan)


def _plausible(value: Fraction, old: Fraction) -> bool:
    """Whether a wrong value is of the right one's kind: its sign, its wholeness, its size."""
    return (
        (value > 0 or old <= 0)
        and (value.denominator == 1 or old.denominator > 1)
        and abs(value) <= _MOST_TIMES * max(abs(old), Fraction(1))
    )


def _reworded(
    solution: Solution,
    subproblem: Subproblem,
    calculation: tuple[str, ...],
    changed: Mapping[str, str],
) -> Subproblem:
    """A subproblem with another calculation, its prose in agreement with it.

    Were the stated arithmetic cut instead, its absence would tell a wrong step from a right one.
    """
    new = {
        old: changed[s.id]
        for s in solution.subproblems
        if s.id in changed
        if (old := sums.number(s.result)) not in solution.given or s is subproblem
    }
    return evolve(
        subproblem,
        before=prose.restate_at_end(prose.replace_numbers(subproblem.before, new), calculation),
        sum="".join(calculation),
        result=changed[subproblem.id],
        after=prose.replace_numbers(subproblem.after, new),
    )
