"""The machine of states and actions, contracts aside but for limits and constant gates."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Final

from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import options
from statelang.language.syntax import Comment, File, Reference
from statelang.snippet import Label
from statelang.space import StateSpace, Transition

_FAR: Final = 1 << 30


def findings(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    """Every warning about ways through the machine."""
    yield from _empty_limits(file)
    yield from _answer_avoided(file, space)


def impossible(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    """Limits that no complete trace keeps: the space would be empty."""
    for comment, action, most in _limits(file):
        least = _least(space, lambda way, name=action: way.action == name)  # type: ignore[misc]
        if least > most:
            times = "at least once" if least == 1 else f"at least {least} times"
            yield Diagnostic(
                "SL210",
                f"no trace is complete within this limit: each has `{action}` {times}",
                file.source,
                comment.span,
                help="raise the limit, or give the machine a way to the end without the action",
            )


def _least(space: StateSpace, cost: Callable[[Transition], int]) -> int:
    """The least cost of a complete trace, _FAR where there is none."""
    best: dict[str | None, int] = {
        s.name: 0 if s.name in space.stops else _FAR for s in space.states
    }
    best[None] = 0
    users: dict[str | None, list[Transition]] = defaultdict(list)
    for way in space.transitions:
        users[way.target].append(way)
        if way.call:
            users[way.call].append(way)
    todo = deque(best)
    while todo:
        for way in users[todo.popleft()]:
            inner = best[way.call] if way.call else 0
            total = min(cost(way) + inner + best[way.target], _FAR)
            if total < best[way.source]:
                best[way.source] = total
                todo.append(way.source)
    return best["start"]


def _clauses(file: File, word: str) -> Iterator[Comment]:
    """The file's own clauses of one kind."""
    for block, _ in file.comments:
        for comment in block:
            if comment.contract and comment.word == word:
                yield comment


def _limits(file: File) -> Iterator[tuple[Comment, str, int]]:
    """Each limit with its action and its number."""
    for comment in _clauses(file, "limit"):
        _, action, number = comment.text.split()
        yield comment, action, int(number)


def _empty_limits(file: File) -> Iterator[Diagnostic]:
    seen: dict[str, Comment] = {}
    for comment, action, most in _limits(file):
        first = seen.setdefault(action, comment)
        if first is not comment:
            yield Diagnostic(
                "SL214", f"`{action}` has two limits", file.source, comment.span, Severity.WARNING,
                help="keep the smaller one", also=(Label(first.span, "the other"),),
            )  # fmt: skip
        if most == 0:
            yield Diagnostic(
                "SL209", f"a limit of 0 forbids `{action}`", file.source, comment.span,
                Severity.WARNING, help="remove the action and its transitions, or raise the limit",
            )  # fmt: skip


def _answer_avoided(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    answer = space.answer
    if answer is None:
        return
    name = space.actions[answer.action].name
    if _least(space, lambda way: _FAR if way.action == name else 0) < _FAR:
        for comment in _clauses(file, "answer"):
            yield Diagnostic(
                "SL211",
                f"a trace can end without `{name}`: then it has no answer",
                file.source,
                comment.span,
                Severity.NOTE,
                help=f"let every way to the end take `{name}`, except those that give up",
                also=tuple(_ends_without(file, name)),
            )


def _ends_without(file: File, name: str) -> Iterator[Label]:
    """Where a trace ends that has not taken an action."""
    states = {definition.name: definition for definition in file.definitions if definition.is_state}
    reached = ["start"]
    for state in reached:
        for alternative, items in zip(
            states[state].alternatives, options(states[state]), strict=True
        ):
            names = [item.name for item in items if isinstance(item, Reference)]
            if name in names:
                continue
            if len(names) < 2:
                yield Label(alternative.span, "a trace can end here")
            reached += [one for one in names if one in states and one not in reached]
