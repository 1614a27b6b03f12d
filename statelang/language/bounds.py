"""How large a grammar file may be: files come from strangers, and reading one must stay cheap.

The limits are far above what a person writes or reads; the shipped spaces have 200 pieces, a
machine of 1,000 states and 1,000 actions 13,000. At the limits a file takes a few seconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from statelang.diagnostics import Diagnostic
from statelang.source import Source, Span

MAX_CHARACTERS: Final = 300_000
MAX_RULES: Final = 4_000
MAX_PIECES: Final = 20_000  # texts, expressions and names
MAX_CLAUSES: Final = 4_000
MAX_CONTRACTS: Final = 150_000  # characters of them all: each may be a word to read
MAX_DEPTH: Final = 50  # of groups, as in `regex`

_TOKEN: Final = re.compile(
    r"""(?P<clause>//@[^\n]*) | (?P<comment>//[^\n]*)
      | (?P<piece>"(?:\\.|[^"\\\n])*" | /(?:\\.|[^/\\\n])+/ | \w+)
      | (?P<open>[(\[]) | (?P<close>[)\]]) | (?P<rule>:)""",
    re.VERBOSE,
)


def excess(source: Source) -> Diagnostic | None:
    """The first limit that a file exceeds, if it does."""
    for what, found, limit, at in _measured(source):
        if found > limit:
            message = f"the file has {found:,} {what}; at most {limit:,} are read"
            if what == "groups in each other":
                message = f"groups are nested deeper than {limit}"
            return Diagnostic(
                "SL002", message, source, Span(at, at + 1),
                help="name inner groups as parts; split the method into several state spaces",
            )  # fmt: skip
    return None


def _measured(source: Source) -> Iterator[tuple[str, int, int, int]]:
    """What is counted: its name, how often it occurs, how often it may, where there is too much."""
    yield "characters", len(source.text), MAX_CHARACTERS, 0
    counts: Counter[str | None] = Counter()
    depth = written = 0
    for match in _TOKEN.finditer(source.text):
        kind = match.lastgroup
        counts[kind] += 1
        written += len(match[0]) if kind == "clause" else 0
        if kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
            if depth > MAX_DEPTH:
                yield "groups in each other", depth, MAX_DEPTH, match.start()
        elif kind == "rule":
            depth = 0
    yield "rules", counts["rule"], MAX_RULES, 0
    yield "texts, expressions and names", counts["piece"], MAX_PIECES, 0
    yield "contract lines", counts["clause"], MAX_CLAUSES, 0
    yield "characters of contract lines", written, MAX_CONTRACTS, 0
