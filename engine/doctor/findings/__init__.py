"""What `doctor` can find. Each is one page of this folder, `SDxxx.md`, in the form of the rules."""

from __future__ import annotations

from collections.abc import Iterable

from statelang.diagnostics import Diagnostic, StatelangError
from statelang.rules import Rule, pages
from statelang.snippet import Label
from statelang.source import Source, Span

Place = tuple[Source, Span]


def kinds() -> dict[str, Rule]:
    """Every kind of finding by its code, in order."""
    return pages(__name__)


def kind(code: str) -> Rule:
    """The kind of finding of a code, however its letters are written. Raises StatelangError."""
    found = kinds().get(code.upper())
    if found is None:
        raise StatelangError(
            f"there is no finding `{code}` of doctor; its findings are {min(kinds())} to "
            f"{max(kinds())}, and `statelang doctor` shows the code of each"
        )
    return found


def finding(
    code: str,
    place: Place,
    message: str,
    *,
    label: str = "",
    note: str = "",
    also: Iterable[Place] = (),
) -> Diagnostic:
    """A finding at a place, and at others of the same source, with the severity of its kind and
    the next step of its page."""
    source, span = place
    known = kind(code)
    others = tuple(Label(other) for _, other in also)
    return Diagnostic(code, message, source, span, known.severity, label, known.mend, note, others)
