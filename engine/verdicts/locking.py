"""A trace that nothing legal can follow: what says so, and which clause closes the way on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from statelang.diagnostics import StatelangError
from statelang.engine.verdicts.first_error import TraceError
from statelang.engine.verdicts.verdict import Verdict, validate
from statelang.space import StateSpace
from statelang.tools import Function
from statelang.walking.machine import Machine
from statelang.walking.search import Search

_SHOWN: Final = 120  # characters of the trace


def locked(space: StateSpace, text: str) -> StatelangError:
    """The error of a space in which no token is legal after a text."""
    return StatelangError(
        f"the space `{space.name}` locks: no token is legal after {text[-_SHOWN:]!r}; run "
        "`statelang check` on it and give the state a way out that no contract closes"
    )


def locked_verdict(
    space: StateSpace,
    text: str,
    problem: Mapping[str, Any] | None = None,
    tools: Mapping[str, Function] | None = None,
) -> Verdict:
    """The verdict on a trace that locked: its error names the clause that closes a way on:
    one that is legal but for the tools, or else one of the grammar alone.

    Args:
        space, text, problem, tools: As for `validate`.

    Raises:
        StatelangError: as `validate`.
    """
    verdict = validate(space, text, problem, tools)
    for contracts in (True, False):  # without tools, and without contracts
        machine = Machine(space, contracts=contracts)
        at = machine.advance(machine.start(problem), text.encode())
        rest = Search(machine).complete(at) if at is not None else None
        if rest is not None and verdict.error is not None:
            whole = text + rest.decode(errors="replace")
            broken = validate(space, whole, problem, tools).error
            if broken is not None:
                return evolve(verdict, error=_explained(verdict.error, broken))
    return verdict


def _explained(error: TraceError, broken: TraceError) -> TraceError:
    """The error of a trace that is not complete, with the clause that does not let it go on."""
    cure = "run `statelang check` and give the state a way out that no contract closes"
    if broken.rule.startswith("writes "):
        cure = "let the field hold all that the function may give, `error: ...` too"
    message = f"the trace locks, nothing legal may follow: {broken.message}; {cure}"
    return evolve(error, rule=broken.rule, message=message)
