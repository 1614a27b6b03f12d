"""The names that may stand where the author types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from statelang.editor import vocabulary
from statelang.editor.clauses import words
from statelang.editor.indexing import Index
from statelang.language.lexing import WORDS, Kind, Token, tokens

# What ends with its line or its own sign: no name begins inside.
_CLOSED: Final = (Kind.DOC, Kind.COMMENT, Kind.STATEMENT, Kind.UNCLOSED)


@frozen
class Proposal:
    """A name, what kind of name it is, and one line about it."""

    name: str
    kind: str
    about: str = ""


def complete(index: Index, offset: int) -> list[Proposal]:
    """What may be written at an offset, whatever of it is there already."""
    text = index.text[index.text.rfind("\n", 0, offset) + 1 : offset]
    line = [token for token in tokens(text) if token.kind is not Kind.SPACE]
    if line and line[-1].kind is Kind.CONTRACT:
        clause = index.clause_at(offset)
        typed = _complete_words(words(line[-1].text[3:]), text)
        return list(_in_clause(index, clause.home if clause else "", typed))
    if not line or line[-1].kind in _CLOSED:
        return []
    typed = _complete_words(line, text)
    bars = [i for i, token in enumerate(typed) if token.text in (":", "|")]
    return list(_in_body(index, offset, len(typed) - 1 - bars[-1])) if bars else []


def _complete_words(typed: Sequence[Token], text: str) -> list[Token]:
    """The tokens without the name that is being typed."""
    is_open = bool(typed) and typed[-1].kind in (Kind.NAME, Kind.TERMINAL) and text.rstrip() == text
    return list(typed[:-1] if is_open else typed)


def _in_body(index: Index, offset: int, position: int) -> Iterator[Proposal]:
    """The names for an item of an alternative; `position` items stand before it."""
    above = [d for d in index.definitions.values() if d.span.start <= offset]
    home = max(above, key=lambda definition: definition.span.start, default=None)
    for name, definition in index.definitions.items():
        if home is not None and home.is_state:
            fits = not definition.is_terminal if position == 0 else definition.is_state
        else:
            fits = not definition.is_state
        if fits and name != "start":
            yield Proposal(name, index.kind(name), definition.doc)


def _in_clause(index: Index, home: str, typed: Sequence[Token]) -> Iterator[Proposal]:
    before = [token.text for token in typed]
    match before:
        case []:
            yield from _clause_words(index, home)
        case [*_, "last", "(", action, ")", "."]:
            yield from _fields(index, action)
        case [*_, name, "."]:
            yield from _fields(index, name)
        case [*_, "count" | "last", "("] | ["limit"] | ["answer"]:
            yield from _actions(index)
        case ["set"] | [*_, "old", "("]:
            yield from _registers(index)
        case ["answer", *_, "as"]:
            yield from _told(vocabulary.COMPARISONS, "word")
        case ["type"]:
            yield from _told({n: vocabulary.TYPES[n] for n in ("number", "text")}, "type")
        case ["ghost"]:
            yield from _told({"kept": vocabulary.EXTRA["kept"]}, "word")
        case ["input"]:
            yield from _told({"hidden": vocabulary.EXTRA["hidden"]}, "word")
        case ["ghost" | "input", *_] if "=" not in before:
            if before[-1] in (":", "[", ","):
                yield from _told(vocabulary.TYPES, "type")
        case ["answer", *_]:
            yield from _told({"as": vocabulary.EXTRA["as"]}, "word")
        case ["set" | "limit" | "type", _]:
            return
        case ["mark" | "restore" | "writes"]:
            yield from _fields(index, home)
        case _ if len(typed) > 1 and _ends_value(typed[-1]):
            yield from _told(vocabulary.CONNECTIVES, "word")
        case _:
            yield from _fields(index, home)
            yield from _registers(index)
            for name, word in vocabulary.functions().items():
                yield Proposal(name, "function", word.meaning)
            yield from _told(vocabulary.VALUES, "word")


def _ends_value(token: Token) -> bool:
    if token.kind is Kind.SIGN:
        return token.text in (")", "]", "}")
    return token.text not in WORDS


def _clause_words(index: Index, home: str) -> Iterator[Proposal]:
    """The clauses of what the line stands on; of nothing yet, all."""
    found = vocabulary.clauses_on(index.kind(home)) if home else vocabulary.clauses()
    return (Proposal(name, "clause", word.meaning) for name, word in found.items())


def _fields(index: Index, rule: str) -> Iterator[Proposal]:
    definition = index.definitions.get(rule)
    for name in dict.fromkeys(definition.uses if definition else ()):
        of = index.definitions.get(name)
        yield Proposal(name, "field", of.doc if of else "")


def _actions(index: Index) -> Iterable[Proposal]:
    for name, definition in index.definitions.items():
        if index.kind(name) == "action":
            yield Proposal(name, "action", definition.doc)


def _registers(index: Index) -> Iterator[Proposal]:
    for name, clause in index.registers.items():
        yield Proposal(name, "register", clause.doc or clause.text)


def _told(meanings: Mapping[str, str], kind: str) -> Iterator[Proposal]:
    return (Proposal(name, kind, meaning) for name, meaning in meanings.items())
