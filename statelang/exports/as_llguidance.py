"""llguidance's dialect of Lark (https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md)."""

from __future__ import annotations

from statelang.exports import Dropped, as_lark
from statelang.space import StateSpace


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The grammar, and the clauses that are not in it."""
    text, dropped = as_lark.write(space)
    return f"%llguidance {{}}\n\n{text}", dropped
