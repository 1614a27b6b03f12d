"""A grammar file as tokens, in whatever state it is: for the formatter, the editor, highlighting.

Nothing is refused here, unlike in `syntax`: what cannot be read is a token too, so the tokens of
any text join to that text again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from attrs import frozen

# The words of clauses that stand between values and are no names.
WORDS: Final = frozenset({"if", "then", "else", "and", "or", "not", "in", "as"})


class Kind(StrEnum):
    """What a token is."""

    NEWLINE = "newline"
    SPACE = "space"
    DOC = "doc"  # `///` and the rest of the line
    CONTRACT = "contract"  # `//@` and the rest of the line
    COMMENT = "comment"  # `//` and the rest of the line
    STATEMENT = "statement"  # `%` and the rest of the line
    STRING = "string"
    REGEXP = "regexp"
    UNCLOSED = "unclosed"  # a text or an expression without its end, to the end of the line
    NAME = "name"  # of a rule; in a clause, any name
    TERMINAL = "terminal"
    NUMBER = "number"
    MODIFIER = "modifier"  # Lark's `?` and `!` before a rule
    SIGN = "sign"
    OTHER = "other"  # a character that means nothing here


@frozen
class Token:
    """A piece of text and where it stands: characters `start` up to, not including, `end`."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """The first offset behind the token."""
        return self.start + len(self.text)


# The kinds of tokens as `syntax.lark` and `contracts.lark` define them, and what is left over.
_FILE: Final = re.compile(
    r"""(?P<newline>\n)
      | (?P<space>[ \t\r]+)
      | (?P<doc>///[^\n]*)
      | (?P<contract>//@[^\n]*)
      | (?P<comment>//[^\n]*)
      | (?P<statement>%[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"i?)
      | (?P<regexp>/(?:\\.|[^/\\\n])+/[imslux]*)
      | (?P<unclosed>["/][^\n]*)
      | (?P<terminal>_?[A-Z][_A-Z0-9]*)
      | (?P<name>_?[a-z][_a-z0-9]*)
      | (?P<number>[0-9]+)
      | (?P<modifier>[?!]+(?=[_a-z]))
      | (?P<sign>->|\.\.|[?!]+|[][(){}|:*+~.,])
      | (?P<other>.)""",
    re.VERBOSE,
)
_CLAUSE: Final = re.compile(
    r"""(?P<space>[ \t\r]+)
      | (?P<string>"(?:\\.|[^"\\])*")
      | (?P<unclosed>".*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<name>_?[A-Za-z][A-Za-z0-9_]*)
      | (?P<sign>==|!=|<=|>=|[][(){}<>=~+\-*/|&:,.])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a grammar file, in order."""
    return _scan(_FILE, text, 0)


def clause_tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of a contract clause; `start` is added to their places."""
    return _scan(_CLAUSE, text, start)


def _scan(pattern: re.Pattern[str], text: str, start: int) -> Iterator[Token]:
    for match in pattern.finditer(text):
        yield Token(Kind(match.lastgroup or "other"), match.group(), start + match.start())
