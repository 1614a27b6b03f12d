"""What each name in a contract clause is, told by its neighbours, however little has been typed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Final

from statelang.language.lexing import WORDS, Kind, Token, clause_tokens

_WORDS: Final = WORDS | {"true", "false"}


class Role(StrEnum):
    """What a name stands for."""

    RULE = "rule"  # a state, an action, a part or a terminal
    REGISTER = "register"
    VALUE = "value"  # a field or a register: the rule that the clause stands on decides
    BEHIND = "behind"  # behind a dot: what the name before the dot has
    CLAUSE = "clause"  # the first word
    FUNCTION = "function"
    TYPE = "type"
    WORD = "word"  # any other word of the language
    MEMBER = "member"  # of a record


def words(text: str, start: int = 0) -> list[Token]:
    """The tokens of a clause without white space."""
    return [t for t in clause_tokens(text, start) if t.kind is not Kind.SPACE]


def roles(clause: Sequence[Token]) -> Iterator[tuple[Token, Role]]:
    """Each name of a clause, given as its `words`, with what it stands for."""
    base = Role.WORD
    seen: set[str] = set()  # the signs and words before the name
    for index, token in enumerate(clause):
        if token.kind is Kind.NAME:
            if index and clause[index - 1].text == ".":
                role = _member(clause, index, base)
            else:
                role = base = _first(clause, index, seen)
            yield token, role
        seen.add(token.text)


def _first(clause: Sequence[Token], index: int, seen: Collection[str]) -> Role:
    """The role of a name that does not stand behind a dot."""
    name = clause[index].text
    if index == 0:
        return Role.CLAUSE
    if name in _WORDS:
        return Role.WORD
    after = clause[index + 1].text if index + 1 < len(clause) else ""
    match clause[0].text:
        case "ghost" | "input" if "=" not in seen:
            if ":" in seen:
                return Role.MEMBER if after == ":" else Role.TYPE
            is_word = name in ("hidden", "kept") and index == 1 and after != ":"
            return Role.WORD if is_word else Role.REGISTER
        case "type":
            return Role.TYPE
        case "answer":
            return Role.WORD if "as" in seen else Role.RULE
        case "limit" if index == 1:
            return Role.RULE
        case "set" if index == 1:
            return Role.REGISTER
    if after == "(":
        return Role.FUNCTION
    before = [token.text for token in clause[max(0, index - 2) : index]]
    match before:
        case [*_, "{" | ","] if after == "=":
            return Role.MEMBER
        case ["count" | "last", "("]:
            return Role.RULE
        case ["old", "("]:
            return Role.REGISTER
    return Role.VALUE


def _member(clause: Sequence[Token], index: int, base: Role) -> Role:
    """The role of a name behind a dot: it belongs to a rule, or to a record."""
    before = [token.text for token in clause[max(0, index - 5) : index]]
    match before:
        case ["last", "(", _, ")", "."]:
            return Role.RULE
        case [*_, ")" | "]" | "}", "."]:
            return Role.MEMBER
    return Role.BEHIND if base is Role.VALUE else base
