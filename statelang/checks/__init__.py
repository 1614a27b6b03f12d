"""What can be wrong with a grammar file: one module for each family, one function for each defect.

Each function takes what is known of the file and yields its findings; nothing stops at the first.
The rules themselves, with the reason for each, are in `statelang.rules`.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from attrs import evolve

from statelang.checks import (
    advice,
    clauses,
    conflicts,
    control,
    endings,
    masking,
    names,
    portable,
    profile,
    shape,
)
from statelang.diagnostics import Diagnostic, Severity
from statelang.language.analysis import table
from statelang.language.syntax import File
from statelang.space import StateSpace


def before(file: File) -> list[Diagnostic]:
    """What is wrong before any contract is read: names, the profile, the shape of the machine.

    A file with errors in its names is not asked where it ends: those would be follow-on findings.
    """
    found = [*profile.findings(file), *names.findings(file), *shape.findings(file)]
    if any(finding.severity is Severity.ERROR for finding in found):
        return found
    return [*found, *names.unused(file), *endings.findings(file)]


def compiled(file: File, registers: Container[str], found: list[Diagnostic]) -> list[Diagnostic]:
    """What the compiler has against a file: each with a next step, and none that only follows."""
    return [
        evolve(
            finding, help=finding.help or f"`statelang check --explain {finding.code}` says more"
        )
        for finding in clauses.direct(file, registers, found)
    ]


def against(file: File, space: StateSpace) -> list[Diagnostic]:
    """Errors of a file that makes a space: what readers take differently, what cannot end."""
    found = conflicts.findings(file, space) or list(portable.findings(file, space))
    return [*found, *control.impossible(file, space)]


def about(file: File, space: StateSpace) -> list[Diagnostic]:
    """Warnings about a file that makes a space; none of what walking it shows that only follows."""
    found = [
        *control.findings(file, space),
        *clauses.findings(file, space),
        *masking.findings(file, space),
        *advice.findings(file, space),
    ]
    if len(space.program.edges) > _MAX_WALKED:
        return found
    from statelang.liveness.findings import explored  # `load` asks for no warnings

    known = {finding.span for finding in found}
    dead = any(finding.code in _DEAD for finding in found)
    return found + [
        finding
        for finding in explored(space, table(file))
        if finding.span not in known and not (dead and finding.code in _CONSTANT)
    ]


_MAX_WALKED: Final = 4_000  # positions that are explored within a second; the shipped have 200
_DEAD: Final = ("SL209", "SL215", "SL422", "SL424")  # these make conditions constant
_CONSTANT: Final = ("SL502", "SL503", "SL504")
