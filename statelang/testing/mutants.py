"""Near misses: traces one edit away from a legal one, each with the rule that it breaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen
from hypothesis import reject
from hypothesis import strategies as st

from statelang.clauses.resolve import near as nearest
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.language.analysis import references, table
from statelang.language.syntax import parse
from statelang.space import StateSpace
from statelang.testing.strategies import (
    MAX_STEPS,
    Problem,
    Problems,
    as_strategy,
    trace_of,
)
from statelang.walking.course import Step

_VALUE: Final = re.compile(r"[0-9]+|[A-Za-z_][A-Za-z0-9_]*")
_TRIED: Final = 100  # edits of one kind before another trace is drawn
_OF_THE_TEXT: Final = ("grammar", "incomplete", "end")


@frozen
class Edit:
    """What was done to a trace, at which step (from 1), and the text that comes of it."""

    step: int
    what: str
    text: str


@frozen
class Mutant:
    """An illegal trace, one edit away from a legal one.

    `rule` is the contract line that it breaks, or `grammar`, `incomplete` or `end`, as in the error
    of a verdict; `step` is the step that breaks it, from 1; `edit` says what was done.
    """

    text: str
    rule: str
    edit: str
    step: int


def mutants(
    space: StateSpace,
    rule: str | None = None,
    problem: Problems = None,
    *,
    max_steps: int = MAX_STEPS,
) -> st.SearchStrategy[Mutant]:
    """Traces one edit away from a legal one that break a rule; no mutant is legal.

    Edits leave a step out, repeat one, exchange two, leave the end out or write on behind it, and
    put another character, number or name in the place of one.

    Args:
        space: The state space.
        rule: Only mutants that break this: a contract line as it is written in the file, the name
            of an action, or `grammar`, `incomplete`, `end`.
        problem: As for `traces`.
        max_steps: As for `traces`.

    Raises:
        StatelangError: the space has no such rule.
    """
    through = actions_under(space, rule) if rule is not None else ()
    near = {space.actions[index].name for index in through}

    def edits(problem: Problem, trace: str) -> tuple[list[Edit], list[Edit]]:
        steps = validate(space, trace, problem).steps
        kinds = list(_of_steps(trace, steps)), list(_of_values(trace, steps))
        for kind in kinds:
            kind.sort(key=lambda edit: steps[edit.step - 1].action not in near)
        return kinds

    def judge(problem: Problem, edit: Edit) -> Mutant | None:
        verdict = validate(space, edit.text, problem)
        error = verdict.error
        if error is None:
            return None
        names = [error.rule, *(s.action for s in verdict.steps[error.step - 1 : error.step])]
        broken = rule is None or rule in names
        return Mutant(edit.text, error.rule, edit.what, error.step) if broken else None

    return _mutant(trace_of(space, as_strategy(space, problem), max_steps, through), edits, judge)


@st.composite
def _mutant(
    draw: st.DrawFn,
    drawn: st.SearchStrategy[tuple[Problem, str]],
    edits: Callable[[Problem, str], tuple[list[Edit], list[Edit]]],
    judge: Callable[[Problem, Edit], Mutant | None],
) -> Mutant:
    problem, trace = draw(drawn)
    kinds = edits(problem, trace)
    first, second = kinds if draw(st.booleans()) else kinds[::-1]
    at = draw(st.integers(0, min(len(first), _TRIED) - 1))
    for edit in (*first[at:_TRIED], *first[:at], *second[:_TRIED]):
        found = judge(problem, edit)
        if found is not None:
            return found
    reject()


def actions_under(space: StateSpace, rule: str) -> tuple[int, ...]:
    """The actions whose steps may break a rule; none where any may.

    Raises:
        StatelangError: the space has no such rule.
    """
    if rule in _OF_THE_TEXT:
        return ()
    names = [action.name for action in space.actions]
    if rule in names:
        return (names.index(rule),)
    definitions = table(parse(space.source))
    lines = {name: space.contracts.get(name, ()) for name in definitions}
    found = []
    for index, action in enumerate(names):
        parts, todo = set[str](), [action]
        while todo:
            part = todo.pop()
            if part not in parts:
                parts.add(part)
                todo += [r.name for r in references(definitions[part]) if not r.is_terminal]
        if any(rule in lines[part] for part in parts):
            found.append(index)
    limits = tuple(
        comment.text
        for block, _ in parse(space.source).comments
        for comment in block
        if comment.contract and comment.text.startswith("limit ")
    )
    gates = {gate for transition in space.transitions for gate in transition.gates}
    if not found and rule not in (*limits, *gates):
        known = [*(line for each in lines.values() for line in each), *limits, *gates, *names]
        suggestion = nearest(rule, known) or f"its actions are {', '.join(names)}"
        raise StatelangError(
            f"the space `{space.name}` has no rule `{rule}`; {suggestion}: a rule is a contract "
            f"line as the file has it, an action, or one of {', '.join(_OF_THE_TEXT)}"
        )
    return tuple(found)


def _of_steps(trace: str, steps: tuple[Step, ...]) -> Iterator[Edit]:
    """What can be done to the steps of a trace, the last first."""
    pieces = [trace[step.start : step.end] for step in steps]
    last, name = len(pieces), steps[-1].action
    yield Edit(last, f"leave out the end, step {last}, `{name}`", "".join(pieces[:-1]))
    yield Edit(last, f"write `{name}` again behind the end", trace + pieces[-1])
    for at in reversed(range(len(pieces))):
        before, piece, after = "".join(pieces[:at]), pieces[at], "".join(pieces[at + 1 :])
        where = f"step {at + 1}, `{steps[at].action}`"
        yield Edit(at + 1, f"leave out {where}", before + after)
        yield Edit(at + 1, f"repeat {where}", before + piece + piece + after)
        if at:
            exchanged = "".join(pieces[: at - 1]) + piece + pieces[at - 1] + after
            yield Edit(at + 1, f"exchange {where}, with the one before it", exchanged)


def _of_values(trace: str, steps: tuple[Step, ...]) -> Iterator[Edit]:
    """Other characters, numbers and names in the steps of a trace, the last first."""
    for number, step in reversed([*enumerate(steps, 1)]):
        before, piece, after = trace[: step.start], trace[step.start : step.end], trace[step.end :]
        where = f"step {number}, `{step.action}`"
        for start, end, other in _values(piece, trace):
            what = f"write `{other}` for `{piece[start:end]}` in {where}"
            yield Edit(number, what, before + piece[:start] + other + piece[end:] + after)
        for start in sorted({0, len(piece) // 2, len(piece) - 1}) if piece else ():
            what = f"leave out the character `{piece[start]}` in {where}".replace("\n", "\\n")
            yield Edit(number, what, before + piece[:start] + piece[start + 1 :] + after)


def _values(piece: str, trace: str) -> Iterator[tuple[int, int, str]]:
    """The numbers and names of a step, each with others in its place."""
    words = sorted({*_VALUE.findall(trace)})
    for match in reversed(list(_VALUE.finditer(piece))):
        found, (start, end) = match[0], match.span()
        if found.isdigit():
            yield start, end, str(int(found) + 1)
            yield start, end, str(int(found) * 10 + 1)
        else:
            same = [word for word in words if word != found and not word.isdigit()]
            yield from ((start, end, word) for word in same[:6])
            last = "a" if found[-1] != "a" else "b"
            yield start, end, found[:-1] + last
