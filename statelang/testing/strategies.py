"""Strategies that draw problems, traces and prefixes of a space: legal by construction.

Every choice of a walk is a draw, and the first way is the one nearest to the end, so Hypothesis
shrinks a trace by making it shorter and plainer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from attrs import define, field
from hypothesis import reject
from hypothesis import strategies as st

from statelang.clauses.values import Type
from statelang.diagnostics import StatelangError
from statelang.engine import validate
from statelang.regular.automaton import NOTHING, Regular, lowest
from statelang.space import StateSpace
from statelang.testing.choices import Choices, Goal, Walk, plainest_first
from statelang.walking.machine import Configuration
from statelang.walking.search import Node

Problem = Mapping[str, Any]
Problems = Problem | st.SearchStrategy[Problem] | None
MAX_STEPS: Final = 20
_DEPTH: Final = 60  # draws within draws; Hypothesis allows 100
_TRIES: Final = 5  # walks that get stuck before the example is given up
_PATIENCE: Final = 40  # problems without a legal trace before the drawing of problems gives up

walk_of = lru_cache(maxsize=16)(Walk)


@lru_cache(maxsize=2_000)
def _below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


# ---- problems --------------------------------------------------------------------------------


def problems(space: StateSpace) -> st.SearchStrategy[Problem]:
    """Values for the inputs that a space declares, drawn by their types; texts are texts of its
    terminals. Only problems that some legal trace is known for are drawn.

    The strategy is shared: within one example every strategy of the space sees the same problem.

    Raises:
        StatelangError: (while drawing) hardly any drawn problem has a legal trace.
    """
    inputs = {register.name: _values(register.type, space) for register in space.inputs}
    drawn = st.fixed_dictionaries(inputs).filter(_solvable(space))
    return st.shared(drawn, key=("statelang", space.hash))


def _values(type: Type, space: StateSpace) -> st.SearchStrategy[Any]:
    if type.name == "truth":
        return st.booleans()
    if type.name == "number":
        return st.integers(0, 99)
    if type.name == "text":
        written = [t.language for t in space.terminals if t.type.name == "text"]
        return st.one_of([_text(language) for language in written]) if written else st.text()
    if type.name == "map":
        key, value = (_values(argument, space) for argument in type.arguments)
        return st.dictionaries(key, value, max_size=5)
    items = _values(type.arguments[0], space)
    return st.lists(items, max_size=5, unique=type.name == "set")


@st.composite
def _text(draw: st.DrawFn, language: Regular) -> str:
    """A text of a terminal's language."""
    written = bytearray()
    while True:
        kinds = [k for k in language.classes if language.step(lowest(k)) is not NOTHING]
        if not kinds or (language.nullable and draw(_below(3)) == 0):
            return written.decode()
        kind = plainest_first(kinds[draw(_below(len(kinds)))])
        written.append(kind[draw(_below(len(kind)))])
        language = language.step(written[-1])


def _solvable(space: StateSpace) -> Callable[[Problem], bool]:
    """Whether some legal trace of a problem is known."""
    walk, refused = walk_of(space), 0

    def solvable(problem: Problem) -> bool:
        nonlocal refused
        node = walk.start(problem).node
        found = walk.search.complete(Configuration(((node.thread, node.env),), node.text))
        refused = 0 if found is not None else refused + 1
        if refused > _PATIENCE:
            names = ", ".join(f"`{register.name}`" for register in space.inputs)
            raise StatelangError(
                f"the space `{space.name}` has inputs ({names}), and of {_PATIENCE} problems "
                "drawn by their types none has a known legal trace; pass `problem`, a mapping with "
                "values that fit or a strategy of such mappings"
            )
        return found is not None

    return solvable


def as_strategy(space: StateSpace, problem: Problems) -> st.SearchStrategy[Problem]:
    """The problems to draw from: those given, or drawn ones where the space has inputs."""
    if isinstance(problem, st.SearchStrategy):
        return problem
    if problem is None and space.inputs:
        return problems(space)
    return st.just(problem or {})


# ---- traces ----------------------------------------------------------------------------------


def traces(
    space: StateSpace, problem: Problems = None, *, max_steps: int = MAX_STEPS
) -> st.SearchStrategy[str]:
    """Complete traces that satisfy every contract; they shrink to short and plain ones.

    Args:
        space: The state space.
        problem: The space's inputs, as a mapping or a strategy of mappings; without it they are
            drawn, see `problems`.
        max_steps: No trace has more steps.

    Raises:
        StatelangError: `max_steps` is less than the steps of the shortest trace.
    """
    return trace_of(space, as_strategy(space, problem), max_steps).map(lambda drawn: drawn[1])


def trace_of(
    space: StateSpace,
    problems: st.SearchStrategy[Problem],
    max_steps: int,
    through: tuple[int, ...] = (),
) -> st.SearchStrategy[tuple[Problem, str]]:
    """Problems with traces; those that take one of the actions `through`, where some are given."""
    walk = walk_of(space)
    if max_steps < walk.fewest:
        raise StatelangError(
            f"a trace of `{space.name}` has at least {walk.fewest} steps, `max_steps` is "
            f"{max_steps}; raise it"
        )
    goal = walk.reaching(through) if through else None

    def allowed(node: Node) -> bool:
        return walk.steps(node.thread, node.env) <= max_steps and (goal is None or goal(node))

    return _trace(walk, problems, allowed, walk.search.ended if through else None)


@st.composite
def _trace(
    draw: st.DrawFn,
    walk: Walk,
    problems: st.SearchStrategy[Problem],
    allowed: Goal,
    done: Goal | None,
) -> tuple[Problem, str]:
    problem = draw(problems)
    for _ in range(_TRIES):
        found = chosen(draw, walk.go(walk.start(problem), allowed, done))
        if found is not None:
            return problem, found.decode()
    reject()


@define(repr=False)
class _Walking:
    """A walk under way, and what came of it."""

    choices: Choices
    rest: st.SearchStrategy[None] = field(init=False)
    depth: int = _DEPTH
    found: bytes | None = None


def chosen(draw: st.DrawFn, choices: Choices) -> bytes | None:
    """The result of a walk whose choices are drawn.

    Each text that is left opens a draw within the draw: so the shrinker sees where parts begin, and
    can take out everything between two of them.
    """
    walking = _Walking(choices)
    walking.rest = _rest(walking)
    draw(walking.rest)
    return walking.found


@st.composite
def _rest(draw: st.DrawFn, walking: _Walking) -> None:
    choices = walking.choices
    try:
        count = next(choices)
        while count or not walking.depth:
            count = choices.send(draw(_below(count))) if count else next(choices)
    except StopIteration as end:
        walking.found = end.value
        return
    walking.depth -= 1
    draw(walking.rest)


def prefixes(
    space: StateSpace, problem: Problems = None, *, max_steps: int = MAX_STEPS
) -> st.SearchStrategy[str]:
    """Beginnings of legal traces, cut between two steps or anywhere within one.

    Arguments as for `traces`.
    """

    def cut(drawn: tuple[Problem, str]) -> st.SearchStrategy[str]:
        asked, trace = drawn
        ends = [0, *(step.end for step in validate(space, trace, asked).steps)]
        cuts = st.sampled_from(ends) | st.integers(0, len(trace))
        return cuts.map(lambda end: trace[:end])

    return trace_of(space, as_strategy(space, problem), max_steps).flatmap(cut)
