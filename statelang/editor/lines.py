"""A grammar file line by line: what each line declares, and what stands directly above it.

Works on any text: a line that is nothing yet belongs to no definition and hides no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from attrs import frozen

from statelang.editor.clauses import Role
from statelang.language.lexing import Kind, Token, tokens
from statelang.source import Span


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

    @property
    def word(self) -> str:
        """The first word, which says what kind of clause it is."""
        return next(iter(self.text.split(maxsplit=1)), "")

    @property
    def declares(self) -> bool:
        """Whether it declares a register or an input."""
        return self.word in ("ghost", "input")


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


def read(text: str) -> tuple[list[Definition], list[Clause], list[Name]]:
    """The definitions, the contract lines, and the names outside contracts."""
    reader = _Reader()
    for is_end, line in groupby(tokens(text), lambda token: token.kind is Kind.NEWLINE):
        if is_end:
            reader.newlines(sum(1 for _ in line))
        else:
            reader.line([token for token in line if token.kind is not Kind.SPACE])
    reader.close()
    reader.leave()
    return reader.definitions, reader.clauses, reader.names


class _Reader:
    """Goes through a file line by line and keeps what stands directly above the next one."""

    def __init__(self) -> None:
        self.definitions: list[Definition] = []
        self.clauses: list[Clause] = []
        self.names: list[Name] = []
        self.above: list[Token] = []
        self.head: Token | None = None  # the definition that may still go on
        self.parts: list[Token] = []
        self.own: tuple[str, tuple[Clause, ...]] = "", ()

    def newlines(self, count: int) -> None:
        if count > 1:
            self.leave()

    def line(self, line: Sequence[Token]) -> None:
        colon = _colon(line)
        if colon is not None:
            self.begin(line[:colon])
        elif not line:
            self.leave()
        elif line[0].text != "|":
            self.close()
            if line[0].kind not in (Kind.DOC, Kind.CONTRACT):
                self.leave()
        for token in line if colon is None else line[colon + 1 :]:
            self.part(token)

    def begin(self, head: Sequence[Token]) -> None:
        """A definition; what stands above it is its own."""
        self.close()
        self.head = name = head[1] if head[0].kind is Kind.MODIFIER else head[0]
        doc = " ".join(t.text[3:].strip() for t in self.above if t.kind is Kind.DOC)
        self.own = doc, self.take(name.text)
        self.names.append(Name(name.text, name.start, Role.RULE, name.text, defines=True))

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

    def take(self, home: str) -> tuple[Clause, ...]:
        """The contract lines that stand above, each with the documentation above it."""
        found: list[Clause] = []
        docs: list[str] = []
        for token in self.above:
            if token.kind is Kind.DOC:
                docs.append(token.text[3:].strip())
            else:
                found.append(_clause(token, home, " ".join(docs)))
                docs.clear()
        self.clauses += found
        self.above.clear()
        return tuple(found)

    def leave(self) -> None:
        """What stands above belongs to no definition."""
        self.take("")

    def close(self) -> None:
        """No more of the definition follows."""
        if self.head:
            end = self.parts[-1].end if self.parts else self.head.end
            uses = (t.text for t in self.parts if t.kind in (Kind.NAME, Kind.TERMINAL))
            span = Span(self.head.start, end)
            self.definitions.append(Definition(self.head.text, span, *self.own, tuple(uses)))
        self.head, self.parts = None, []


def _colon(line: Sequence[Token]) -> int | None:
    """Where the colon of a definition's head stands; None in any other line."""
    at = 1 if line and line[0].kind is Kind.MODIFIER else 0
    if at >= len(line) or line[at].kind not in (Kind.NAME, Kind.TERMINAL):
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
