"""Rename actions and states in the text of a grammar, and the tags that bear an action's name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from statelang.diagnostics import GrammarError, StatelangError
from statelang.language.analysis import leaves
from statelang.language.syntax import Comment, Definition, Literal, Reference, parse
from statelang.loader import loads
from statelang.source import Source
from statelang.space import StateSpace

_QUOTED: Final = r'"(?:\\.|[^"\\])*"'


def renamed(space: StateSpace, renames: Mapping[str, str]) -> StateSpace:
    """The space with other names for some actions and states.

    Names change in rules and in contracts. In the payload of a renamed action tags of its name,
    as `<old>` and `</old>`, change too. Documentation stays as it is.

    Raises:
        StatelangError: a name is neither an action nor a state, or is taken, or the grammar with
            the new names breaks a rule of the language.
    """
    own = {*(one.name for one in space.actions), *(one.name for one in space.states)}
    for old, new in renames.items():
        if old not in own:
            raise StatelangError(
                f"`{old}` is neither an action nor a state of {space.source.name}; see the names "
                f"with `statelang show {space.source.name}`"
            )
        for name in (old, new):
            if any(register.name == name for register in space.registers):
                raise StatelangError(
                    f"`{name}` is also a register of {space.source.name}; give the register "
                    "another name first"
                )
    text, at, parts = space.source.text, 0, list[str]()
    for start, end, new in sorted(_edits(space.source, renames)):
        parts += [text[at:start], new]
        at = end
    name = space.source.name
    try:
        return loads("".join(parts) + text[at:], name)
    except GrammarError as error:
        first = error.diagnostics[0]
        raise StatelangError(
            f"{name} with these renames would break a rule of the language: {first.message}; "
            "choose other names"
        ) from None


def _edits(source: Source, renames: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """Places of the text, and what is to stand there."""
    file = parse(source)
    for block, _ in file.comments:
        for comment in block:
            yield from _in_comment(source, comment, renames)
    for definition in file.definitions:
        if definition.name in renames:
            yield definition.span.start, definition.span.end, renames[definition.name]
        for comment in definition.contracts:
            yield from _in_comment(source, comment, renames)
        yield from _in_body(source, definition, renames)


def _in_body(
    source: Source, definition: Definition, renames: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    for alternative in definition.alternatives:
        if alternative.contract is not None:
            yield from _in_comment(source, alternative.contract, renames)
        for leaf in leaves(alternative.body):
            if isinstance(leaf, Reference) and leaf.name in renames:
                yield leaf.span.start, leaf.span.end, renames[leaf.name]
            elif isinstance(leaf, Literal) and definition.name in renames:
                written = source.text[leaf.span.start : leaf.span.end]
                tag = rf"(</?){re.escape(definition.name)}(?![\w-])"
                new = re.sub(tag, rf"\g<1>{renames[definition.name]}", written)
                yield leaf.span.start, leaf.span.end, new


def _in_comment(
    source: Source, comment: Comment, renames: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    """Names in a contract, but not in its quoted texts, and not fields behind a dot."""
    if not comment.contract:
        return
    names = "|".join(map(re.escape, renames))
    start, end = comment.span.start, comment.span.end
    for match in re.finditer(rf"{_QUOTED}|(?<![\w.])({names})(?!\w)", source.text[start:end]):
        if match[1]:
            yield start + match.start(), start + match.end(), renames[match[1]]
