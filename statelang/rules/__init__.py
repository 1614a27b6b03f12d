"""The rules that `check` knows. Each is one page of this folder, `SLxxx.md`, and nothing else.

A page has the code and the title in its first line, then severity and family, why the rule is
there, what to do, and an example. A code never changes its meaning. `pages` reads the pages of
another folder too: those of `doctor` are in the same form, without examples.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from attrs import field, frozen

from statelang.diagnostics import Severity, StatelangError

_PAGE: Final = re.compile(
    r"# (?P<code>S[LD]\d{3}): (?P<title>[^\n]+)\n\n"
    r"An? \*(?P<severity>error|warning|note)\* in the family \*(?P<family>[a-z]+)\*\.\n\n"
    r"(?P<why>.+?)\n\n## What to do\n\n(?P<mend>.+?)\n(?:\n## Example\n|\Z)",
    re.DOTALL,
)


@frozen
class Rule:
    """One rule: what is found, why it matters, how to mend it. `page` is all of it."""

    code: str
    title: str
    severity: Severity
    family: str
    why: str
    mend: str
    page: str = field(repr=False)


@cache
def pages(package: str) -> dict[str, Rule]:
    """Every rule that has its page beside the modules of a package, by its code, in order."""
    found = sorted(p.name for p in files(package).iterdir() if p.name.endswith(".md"))
    return {name[:5]: _read(package, name) for name in found}


def rules() -> dict[str, Rule]:
    """Every rule of `check` by its code, in order."""
    return pages(__name__)


def rule(code: str) -> Rule:
    """The rule of a code, however its letters are written. Raises StatelangError."""
    found = rules().get(code.upper())
    if found is None:
        raise StatelangError(
            f"there is no rule `{code}`; rules are {min(rules())} to {max(rules())}, and "
            "`statelang check` shows the code of each finding"
        )
    return found


def _read(package: str, name: str) -> Rule:
    page = files(package).joinpath(name).read_text(encoding="utf-8")
    found = _PAGE.match(page)
    assert found is not None, f"{name} is no page of a rule"
    why, mend = (" ".join(found[part].split()) for part in ("why", "mend"))
    severity = Severity(found["severity"])
    return Rule(found["code"], found["title"], severity, found["family"], why, mend, page)
