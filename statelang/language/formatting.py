"""One way to write a grammar file: spacing, alignment and blank lines, never anything else.

Works on the tokens of a text that `syntax` can read, so what it does not know it leaves in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from attrs import frozen

from statelang.clauses import parsing
from statelang.language.lexing import WORDS, Kind, Token, clause_tokens, tokens
from statelang.language.syntax import parse
from statelang.source import Source

WIDTH: Final = 100  # a terminal with several alternatives stays on one line up to here
_COMMENTS: Final = (Kind.DOC, Kind.CONTRACT, Kind.COMMENT)

# Signs of Lark's notation that touch what stands on their left, and on their right.
_LEFT: Final = frozenset({")", "]", "}", "{", ",", "*", "+", "?", "~", ".", ".."})
_RIGHT: Final = frozenset({"(", "[", "{", "~", ".", ".."})
# The same in clauses, where a bracket also touches the value that it belongs to.
_CLAUSE_LEFT: Final = frozenset({")", "]", "}", ",", ".", ":"})
_CLAUSE_RIGHT: Final = frozenset({"(", "[", "{", "."})


def fmt(text: str, name: str = "<text>") -> str:
    """The text of a grammar file in its normal form; the same program, every comment kept.

    Line ends become `\\n`, and a text that is not empty ends in one. `name` is for findings.
    Formatting twice changes nothing more.

    Raises:
        GrammarError: the text is not Lark notation, so there is no telling what it means.
    """
    text = text.replace("\r\n", "\n")
    parse(Source(text, name))
    lines: list[str] = []
    for block in _blocks(text):
        if block.apart and lines:
            lines.append("")
        lines += _written(block.tokens)
    return "".join(f"{line}\n" for line in lines)


@frozen
class _Block:
    """A comment line, a statement or a definition; `apart` where an empty line stands before it."""

    tokens: Sequence[Token]
    apart: bool


def _blocks(text: str) -> Iterator[_Block]:
    block: list[Token] = []
    newlines, apart = 0, False
    for token in tokens(text):
        if token.kind is Kind.NEWLINE:
            newlines += 1
        elif token.kind is not Kind.SPACE:
            # Lark lets a modifier and a statement begin in the middle of a line, too.
            begins = token.kind in (Kind.MODIFIER, Kind.STATEMENT)
            if block and (begins or (newlines and token.text != "|")):
                yield _Block(block, apart)
                block = []
            if not block:
                apart = newlines > 1
            block.append(token)
            newlines = 0
    if block:
        yield _Block(block, apart)


def _written(block: Sequence[Token]) -> list[str]:
    if block[0].kind is Kind.STATEMENT or block[0].kind in _COMMENTS:
        return [_line(block[0])]
    colon = next(i for i, token in enumerate(block) if token.text == ":")
    head, body = _spaced(block[:colon]), block[colon + 1 :]
    bar = " " * len(head) + " | "
    if block[0].kind is Kind.TERMINAL and not any(t.kind in _COMMENTS for t in body[:-1]):
        on_one_line = f"{head} : {_alternative(body, 0)}"
        if len(on_one_line) <= WIDTH:
            return [on_one_line.rstrip()]
    alternatives = [_alternative(part, len(bar)) for part in _alternatives(body)]
    written = f"{head} : " + f"\n{bar}".join(alternatives)
    return [line.rstrip() for line in written.split("\n")]


def _alternatives(body: Sequence[Token]) -> Iterator[list[Token]]:
    """The body of a definition, cut at each `|` that stands in no group."""
    part: list[Token] = []
    depth = 0
    for token in body:
        if token.kind is Kind.SIGN:
            depth += (token.text in "([{") - (token.text in ")]}")
        if depth == 0 and token.text == "|":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _alternative(part: Sequence[Token], column: int) -> str:
    """One alternative; a comment inside a group ends its line, which goes on at `column`."""
    written = ""
    rest: list[Token] = []
    for token in part:
        if token.kind in _COMMENTS:
            before = f"{_spaced(rest)}  " if rest else " "
            written += f"{before}{_line(token)}\n{' ' * column}"
            rest = []
        else:
            rest.append(token)
    return (written + _spaced(rest)).rstrip()


def _spaced(items: Sequence[Token]) -> str:
    """Items of Lark's notation, one space between two that do not touch."""
    written = "".join(token.text for token in items[:1])
    for left, right in pairwise(items):
        touch = left.kind is Kind.MODIFIER or left.text in _RIGHT or right.text in _LEFT
        written += right.text if touch else f" {right.text}"
    return written


def _line(token: Token) -> str:
    """A comment or a statement."""
    if token.kind is Kind.CONTRACT:
        return f"//@ {clause(token.text[3:].strip())}".rstrip()
    if token.kind is Kind.DOC and token.text[3:4].strip() not in ("", "/"):
        return f"/// {token.text[3:].rstrip()}"
    return token.text.rstrip()


def clause(text: str) -> str:
    """A contract clause in its normal form; one that cannot be read stays as it is."""
    try:
        parsing.parse(text)
    except parsing.ContractError:
        return text
    words = [token for token in clause_tokens(text) if token.kind is not Kind.SPACE]
    written = words[0].text
    is_sign = False  # whether the minus on the left belongs to what is on the right
    for left, right in pairwise(words):
        written += right.text if is_sign or _touch(left, right) else f" {right.text}"
        is_sign = right.text == "-" and not _ends_operand(left)
    return written


def _touch(left: Token, right: Token) -> bool:
    if left.text in _CLAUSE_RIGHT or right.text in _CLAUSE_LEFT:
        return True
    return right.text in ("(", "[") and _ends_operand(left)


def _ends_operand(token: Token) -> bool:
    """Whether a bracket behind the token belongs to it, and a minus is a difference."""
    if token.start == 0 or token.text in WORDS:
        return False
    return token.kind is not Kind.SIGN or token.text in (")", "]", "}")
