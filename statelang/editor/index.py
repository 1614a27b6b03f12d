"""Every name of a grammar file, what it stands for and where; of a half-typed file too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final, TypeVar

from attrs import field, frozen

from statelang.editor.clauses import Role, roles, words
from statelang.lexing import Kind, Token, tokens
from statelang.source import Span

MOST: Final = 200_000
T = TypeVar("T")


@frozen
class Name:
    """A name in its place. `home` is the definition that it stands in, or in a clause of."""

    text: str
    start: int
    role: Role
    home: str = ""
    defines: bool = False

    @property
    def span(self) -> Span:
        """Where the name stands."""
        return Span(self.start, self.start + len(self.text))


@frozen
class Clause:
    """A contract line: its text without the marker, and where that text stands."""

    text: str
    start: int
    home: str = ""
    doc: str = ""


@frozen
class Definition:
    """A rule or a terminal: its name, its text, the lines above it, and the names in its body."""

    name: str
    span: Span
    doc: str
    clauses: tuple[Clause, ...]
    uses: tuple[str, ...]

    @property
    def is_state(self) -> bool:
        """States begin with an underscore; `start` is one too."""
        return not self.is_terminal and (self.name == "start" or self.name.startswith("_"))

    @property
    def is_terminal(self) -> bool:
        """Terminals are written in capitals."""
        return self.name.upper() == self.name


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

    A text of more than `MOST` characters is not an author's: it has no names.
    """
    reader = _Reader()
    text = text if len(text) <= MOST else ""
    for is_end, line in groupby(tokens(text), lambda token: token.kind is Kind.NEWLINE):
        if is_end:
            reader.newlines(sum(1 for _ in line))
        else:
            reader.line([token for token in line if token.kind is not Kind.SPACE])
    reader.close()
    definitions = _firsts((d.name, d) for d in reader.definitions)
    clauses = tuple(sorted(reader.clauses, key=lambda clause: clause.start))
    registers = _firsts(_registers(clauses))
    names = [*reader.names, *_names(clauses, definitions, registers)]
    names.sort(key=lambda name: name.start)
    stepped = frozenset(use for d in definitions.values() if d.is_state for use in d.uses)
    return Index(text, definitions, registers, clauses, tuple(names), stepped)


def _firsts(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


class _Reader:
    """Goes through a file line by line and keeps what stands directly above the next one."""

    def __init__(self) -> None:
        self.definitions: list[Definition] = []
        self.clauses: list[Clause] = []
        self.names: list[Name] = []
        self.above: list[Token] = []
        self.head: Token | None = None  # the definition that may still go on
        self.parts: list[Token] = []
        self.own: tuple[str, list[Clause]] = "", []

    def newlines(self, count: int) -> None:
        if count > 1:
            self.leave()

    def line(self, line: Sequence[Token]) -> None:
        if not line:
            return self.leave()
        colon = _colon(line)
        if colon is not None:
            self.begin(line[:colon])
        elif line[0].text != "|":
            self.close(keep=line[0].kind in (Kind.DOC, Kind.CONTRACT))
        for token in line if colon is None else line[colon + 1 :]:
            self.part(token)
        return None

    def begin(self, head: Sequence[Token]) -> None:
        self.close(keep=True)
        (self.head,) = (t for t in head[:2] if t.kind in (Kind.NAME, Kind.TERMINAL))
        doc = " ".join(t.text[3:].strip() for t in self.above if t.kind is Kind.DOC)
        self.own = doc, list(self.take(self.head.text))
        self.names.append(Name(self.head.text, self.head.start, Role.RULE, self.head.text, True))

    def part(self, token: Token) -> None:
        """A token of a definition's body, or of a line that is nothing yet."""
        home = self.head.text if self.head else ""
        if token.kind in (Kind.NAME, Kind.TERMINAL):
            self.names.append(Name(token.text, token.start, Role.RULE, home))
        if token.kind is Kind.DOC or (token.kind is Kind.CONTRACT and not self.head):
            self.above.append(token)
        elif token.kind is Kind.CONTRACT:
            self.clauses.append(_clause(token, home))
        elif self.head:
            self.parts.append(token)

    def take(self, home: str) -> Iterator[Clause]:
        """The contract lines that stand above, each with the documentation above it."""
        docs: list[str] = []
        for token in self.above:
            if token.kind is Kind.DOC:
                docs.append(token.text[3:].strip())
                continue
            clause = _clause(token, home, " ".join(docs))
            docs.clear()
            self.clauses.append(clause)
            yield clause
        self.above.clear()

    def leave(self) -> None:
        """What stands above belongs to no definition."""
        for _ in self.take(""):
            pass

    def close(self, *, keep: bool = False) -> None:
        """The definition is complete; without `keep`, what stands above belongs to none."""
        if self.head:
            end = self.parts[-1].end if self.parts else self.head.end
            uses = (t.text for t in self.parts if t.kind in (Kind.NAME, Kind.TERMINAL))
            doc, clauses = self.own
            span = Span(self.head.start, end)
            self.definitions.append(
                Definition(self.head.text, span, doc, tuple(clauses), tuple(uses))
            )
        self.head, self.parts = None, []
        if not keep:
            self.leave()


def _colon(line: Sequence[Token]) -> int | None:
    """Where the colon of a definition's head stands; None in any other line."""
    at = 1 if line[0].kind is Kind.MODIFIER else 0
    if at == len(line) or line[at].kind not in (Kind.NAME, Kind.TERMINAL):
        return None
    for index, token in enumerate(line[at + 1 :], at + 1):
        if token.text == ":":
            return index
        if token.text not in ("{", ",", "}", ".") and token.kind not in (Kind.NAME, Kind.NUMBER):
            return None
        if token.kind is Kind.NAME and line[index - 1].text not in ("{", ","):
            return None
    return None


def _clause(token: Token, home: str, doc: str = "") -> Clause:
    text = token.text[3:]
    return Clause(text.strip(), token.start + 3 + len(text) - len(text.lstrip()), home, doc)


def _registers(clauses: Iterable[Clause]) -> Iterator[tuple[str, Clause]]:
    for clause in clauses:
        found = list(roles(words(clause.text)))
        if found and found[0][0].text in ("ghost", "input"):
            yield from ((t.text, clause) for t, role in found[1:] if role is Role.REGISTER)


def _names(
    clauses: Iterable[Clause], definitions: dict[str, Definition], registers: dict[str, Clause]
) -> Iterator[Name]:
    fields = {d.name: frozenset(d.uses) for d in definitions.values()}
    for clause in clauses:
        declares = clause.text.startswith(("ghost", "input"))
        own = fields.get(clause.home, frozenset())
        base = Role.WORD
        for token, role in roles(words(clause.text, clause.start)):
            if role is Role.VALUE:
                role = base = _value(token.text, own, definitions, registers)
            elif role is Role.BEHIND:
                role = Role.RULE if base is Role.RULE else Role.MEMBER
            defines = declares and role is Role.REGISTER
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
