"""Near misses: a trace of any space with one step spoilt, so that grammar or contracts reject it.

What the space means is not known here; every candidate is put before the engine, which names the
rule that it breaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from attrs import frozen

from statelang import StateSpace
from statelang.engine import Verdict, validate

_NUMBER = re.compile(r"[0-9]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLOSING = re.compile(r"</[^<>]*>|\S(?=\s*\Z)")
_MOST_TRIES = 24  # candidates put before the engine; nearly always one of the first three is it


@frozen
class NearMiss:
    """A rejected text one edit from an accepted one.

    `edit` names the edit, `step` the step it spoilt (from 1), `rule` the rule it breaks.
    """

    text: str
    edit: str
    step: int
    rule: str
    verdict: Verdict


def near_miss(
    space: StateSpace, text: str, rng: Random, problem: Mapping[str, Any] | None = None
) -> NearMiss | None:
    """Spoil one step of an accepted trace; None where no edit tried makes it illegal.

    Half of the draws hold out for an edit that only a contract rejects: most edits break the
    grammar already, and those are the easier ones to tell.
    """
    bounds = [(step.start, step.end) for step in validate(space, text, problem).steps]
    steps = [text[start:end] for start, end in bounds]
    candidates = [(edit, at) for edit in _EDITS for at in range(len(steps))]
    rng.shuffle(candidates)
    holds_out = bool(space.contracts) and rng.random() < 0.5
    first = None
    for edit, at in candidates[:_MOST_TRIES]:
        spoilt = "".join(_EDITS[edit](steps, at, rng))
        if spoilt == text:
            continue
        verdict = validate(space, spoilt, problem)
        if verdict.error is None:
            continue
        miss = NearMiss(spoilt, edit, at + 1, verdict.error.rule, verdict)
        if verdict.grammar or not holds_out:
            return miss
        first = first or miss
    return first


def _delete(steps: list[str], at: int, rng: Random) -> list[str]:
    return steps[:at] + steps[at + 1 :]


def _repeat(steps: list[str], at: int, rng: Random) -> list[str]:
    return [*steps[: at + 1], *steps[at:]]


def _swap(steps: list[str], at: int, rng: Random) -> list[str]:
    return [*steps[:at], *reversed(steps[at : at + 2]), *steps[at + 2 :]]


def _unclose(steps: list[str], at: int, rng: Random) -> list[str]:
    """Drop a step's last closing tag, or its last character where it has none."""
    closings = list(_CLOSING.finditer(steps[at]))
    tags = [closing for closing in closings if len(closing[0]) > 1]
    return _replaced(steps, at, (tags or closings)[-1:], "")


def _change_number(steps: list[str], at: int, rng: Random) -> list[str]:
    """Write another number for one of a step's numbers: one off, or another of the trace."""
    found = list(_NUMBER.finditer(steps[at]))
    if not found:
        return steps
    match = rng.choice(found)
    others = {str(int(match[0]) + 1), *_NUMBER.findall("".join(steps))} - {match[0]}
    return _replaced(steps, at, [match], rng.choice(sorted(others)))


def _change_name(steps: list[str], at: int, rng: Random) -> list[str]:
    """Write another word of the trace for one of a step's words, an id for an id."""
    found = list(_NAME.finditer(steps[at]))
    if not found:
        return steps
    match = rng.choice(found)
    others = {
        name
        for name in _NAME.findall("".join(steps))
        if name != match[0] and name[-1].isdigit() == match[0][-1].isdigit()
    }
    return _replaced(steps, at, [match], rng.choice(sorted(others))) if others else steps


def _replaced(steps: list[str], at: int, places: list[re.Match[str]], new: str) -> list[str]:
    step = steps[at]
    for place in places:
        step = step[: place.start()] + new + step[place.end() :]
    return [*steps[:at], step, *steps[at + 1 :]]


_EDITS: dict[str, Callable[[list[str], int, Random], list[str]]] = {
    "delete": _delete,
    "repeat": _repeat,
    "swap": _swap,
    "unclose": _unclose,
    "change number": _change_number,
    "change name": _change_name,
}
