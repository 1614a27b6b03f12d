"""The contract clauses of a grammar file, with their places."""

from __future__ import annotations

from collections.abc import Iterator

from statelang.exports import Dropped
from statelang.language.syntax import Comment, File, parse
from statelang.space import StateSpace

# What these say is about the file; a text in another notation has nothing to enforce in them.
_DECLARATIONS = frozenset({"ghost", "input", "answer", "type", "invariant"})


def comments(file: File) -> Iterator[Comment]:
    """Every contract line of a file, wherever it stands."""
    for block, _ in file.comments:
        yield from (comment for comment in block if comment.contract)
    for definition in file.definitions:
        yield from definition.contracts
        yield from (a.contract for a in definition.alternatives if a.contract)


def enforced(space: StateSpace) -> tuple[Dropped, ...]:
    """Every clause that forbids a text or moves a register, in the order of the file."""
    found = sorted(comments(parse(space.source)), key=lambda comment: comment.line)
    return tuple(
        Dropped(comment.text, comment.line)
        for comment in found
        if comment.word not in _DECLARATIONS
    )
