"""Every name of a grammar file, what it stands for and where; of a half-typed file too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

from attrs import field, frozen

from statelang.editor.clauses import Role, roles, words
from statelang.editor.lines import Clause, Definition, Name, read
from statelang.language.bounds import MAX_CHARACTERS

T = TypeVar("T")


@frozen
class Index:
    """What a text declares and uses. Of two definitions with one name, the first counts."""

    text: str = field(repr=False)
    definitions: dict[str, Definition]
    registers: dict[str, Clause]
    clauses: tuple[Clause, ...]
    names: tuple[Name, ...]
    stepped: frozenset[str] = field(repr=False)  # what states refer to

    def at(self, offset: int) -> Name | None:
        """The name at an offset, or that ends there."""
        found = bisect_right(self.names, offset, key=lambda name: name.start)
        name = self.names[found - 1] if found else None
        return name if name is not None and offset <= name.span.end else None

    def clause_at(self, offset: int) -> Clause | None:
        """The contract line at an offset."""
        found = bisect_right(self.clauses, offset, key=lambda clause: clause.start)
        clause = self.clauses[found - 1] if found else None
        return clause if clause and "\n" not in self.text[clause.start : offset] else None

    def same(self, name: Name) -> list[Name]:
        """Every place of what a name stands for."""
        return [n for n in self.names if (n.text, n.role) == (name.text, name.role)]

    def kind(self, name: str) -> str:
        """`state`, `action`, `part` or `terminal`."""
        if name.upper() == name:
            return "terminal"
        if name == "start" or name.startswith("_"):
            return "state"
        return "action" if name in self.stepped else "part"


@lru_cache(maxsize=8)
def index(text: str) -> Index:
    """What a text declares and uses, whatever state it is in.

    A text of more than `MAX_CHARACTERS` characters is not an author's: it has no names.
    """
    text = text if len(text) <= MAX_CHARACTERS else ""
    found, clauses, names = read(text)
    clauses.sort(key=lambda clause: clause.start)
    definitions = _firsts((definition.name, definition) for definition in found)
    registers = _firsts(_registers(clauses))
    names += _names(clauses, definitions, registers)
    names.sort(key=lambda name: name.start)
    stepped = frozenset(use for d in definitions.values() if d.is_state for use in d.uses)
    return Index(text, definitions, registers, tuple(clauses), tuple(names), stepped)


def _firsts(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _registers(clauses: Iterable[Clause]) -> Iterator[tuple[str, Clause]]:
    for clause in clauses:
        if clause.declares:
            found = (t.text for t, role in roles(words(clause.text)) if role is Role.REGISTER)
            yield from ((name, clause) for name in found)


def _names(
    clauses: Iterable[Clause], definitions: dict[str, Definition], registers: dict[str, Clause]
) -> Iterator[Name]:
    fields = {d.name: frozenset(d.uses) for d in definitions.values()}
    for clause in clauses:
        own = fields.get(clause.home, frozenset())
        base = Role.WORD
        for token, told in roles(words(clause.text, clause.start)):
            role = told
            if told is Role.VALUE:
                role = base = _value(token.text, own, definitions, registers)
            elif told is Role.BEHIND:
                role = Role.RULE if base is Role.RULE else Role.MEMBER
            defines = clause.declares and told is Role.REGISTER
            yield Name(token.text, token.start, role, clause.home, defines)


def _value(
    name: str,
    fields: frozenset[str],
    definitions: dict[str, Definition],
    registers: dict[str, Clause],
) -> Role:
    """A value is a field of its rule, or else a register; what is neither, the likelier of both."""
    if name in fields or name.upper() == name:
        return Role.RULE
    return Role.RULE if name in definitions and name not in registers else Role.REGISTER
