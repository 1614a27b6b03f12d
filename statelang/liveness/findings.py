"""What the walks through a space say that its author should know."""

from __future__ import annotations

from collections.abc import Iterator

from statelang.compiling.env import Clause
from statelang.diagnostics import Diagnostic, Severity
from statelang.language.syntax import Definition
from statelang.liveness.stuck import Exploration
from statelang.liveness.verdict import Liveness, liveness
from statelang.snippet import Label
from statelang.source import Source, Span
from statelang.space import StateSpace

_MAX_SHOWN = 300  # characters of a trace


def explored(space: StateSpace, definitions: dict[str, Definition]) -> list[Diagnostic]:
    """Findings about what happens when a space is walked: SL501 to SL506, all warnings."""
    known = liveness(space)
    source = space.source
    start = definitions["start"].span
    if known.endless:
        return [_no_end(source, start)]
    found = [*_stuck(known.exploration, source, definitions)]
    for name in known.never:
        message = f"the action `{name}` can never be taken"
        help_ = "its conditions, or those on the way to it, never hold; loosen one or remove it"
        found.append(_warning("SL502", message, source, definitions[name].span, help_))
    found += _constant(known, source)
    return found


def _warning(
    code: str,
    message: str,
    source: Source,
    span: Span,
    help: str,
    note: str = "",
    also: tuple[Label, ...] = (),
) -> Diagnostic:
    return Diagnostic(code, message, source, span, Severity.WARNING, "", help, note, also)


def _no_end(source: Source, start: Span) -> Diagnostic:
    help_ = "some condition or limit closes every way to the end; loosen one"
    return _warning("SL505", "no trace can ever end", source, start, help_)


def _stuck(
    walk: Exploration | None, source: Source, definitions: dict[str, Definition]
) -> Iterator[Diagnostic]:
    if walk is None:
        return
    given = f" for the problem {dict(walk.problem)}" if walk.problem else ""
    if walk.broken is not None:
        clause, trace = walk.broken
        message = "the invariant does not hold"
        help_ = "correct it, or the steps that break it"
        note = f"after {_shown(trace)}{given}"
        yield _warning("SL506", message, source, clause.span, help_, note)
    if walk.stuck is not None:
        state = definitions.get(walk.state) or definitions["start"]
        message = "nothing is legal after this trace, and it may not end there"
        note = f"the shortest such trace{given} is {_shown(walk.stuck)}"
        help_ = (
            f"give `{state.name}` a transition that no contract closes, such as one to `give_up`"
        )
        yield _warning("SL501", message, source, state.span, help_, note)


def _shown(trace: bytes) -> str:
    text = trace.decode(errors="replace")
    if len(text) > _MAX_SHOWN:
        text = f"...{text[-_MAX_SHOWN:]}"
    return f"`{text}`".replace("\n", "\\n") if text else "the empty one"


def _constant(known: Liveness, source: Source) -> Iterator[Diagnostic]:
    """A condition that decides nothing; where one action is never taken, that is said already."""
    never: dict[Span, Clause] = {} if known.never else {c.span: c for c in known.impossible}
    for span, clause in never.items():
        help_ = "what it asks for never comes; correct it"
        yield _warning("SL503", f"`{clause.text}` can never hold", source, span, help_)
    for clause in known.idle:
        if clause.span not in never:
            never[clause.span] = clause
            help_ = "it forbids nothing; remove it, or ask for what was meant"
            message = f"`{clause.text}` always holds"
            yield _warning("SL504", message, source, clause.span, help_)
