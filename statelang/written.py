"""A grammar file in its own words: rules and file clauses as they are written, with their docs."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from statelang.language.syntax import Definition, File, parse
from statelang.space import StateSpace

_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|/(?:\\.|[^/\\\n])+/|(\s+)')


@frozen
class Rule:
    """A rule or a terminal: its text in the file, documentation and the contract lines above it.

    Contracts at the ends of alternatives are a part of the text.
    """

    name: str
    text: str
    doc: str
    contracts: tuple[str, ...]
    is_state: bool
    is_terminal: bool

    @property
    def body(self) -> str:
        """What stands right of the colon, in one line, so that layout makes no difference."""
        after = self.text.partition(":")[2]
        return _TOKEN.sub(lambda found: " " if found[1] else found[0], after).strip()


@frozen
class Clause:
    """A contract line that belongs to the file: its first word, the rest, and its docs."""

    word: str
    text: str
    doc: str


def rules(space: StateSpace) -> tuple[Rule, ...]:
    """Every rule and terminal, in the order of the file."""
    file = parse(space.source)
    return tuple(
        Rule(
            definition.name,
            _text(file, definition),
            definition.doc,
            tuple(comment.text for comment in definition.contracts),
            definition.is_state,
            definition.is_terminal,
        )
        for definition in file.definitions
    )


def clauses(space: StateSpace) -> tuple[Clause, ...]:
    """Every clause of the file: registers, inputs, limits, the answer and so on, in its order."""
    found = []
    for block, _ in parse(space.source).comments:
        docs: list[str] = []
        for comment in block:
            if comment.contract:
                word, _, rest = comment.text.partition(" ")
                found.append(Clause(word, rest.strip(), " ".join(docs)))
                docs.clear()
            else:
                docs.append(comment.text)
    return tuple(found)


def _text(file: File, definition: Definition) -> str:
    last = definition.alternatives[-1]
    end = max(alternative.span.end for alternative in definition.alternatives)
    if last.contract:
        end = last.contract.span.end
    text = file.source.text[definition.span.start : end].rstrip()
    is_empty = last.span.start < definition.span.start  # an empty alternative has no place
    return f"{text} |" if is_empty and len(definition.alternatives) > 1 else text
