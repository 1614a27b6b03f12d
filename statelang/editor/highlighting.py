"""Grammar files in colour, for Pygments: documentation pages, notebooks, terminals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from pygments import token as pygments
from pygments.lexer import Lexer

from statelang.editor.clauses import Role, roles, words
from statelang.language.lexing import Kind, Token, clause_tokens, tokens

_KINDS: Final = {
    Kind.NEWLINE: pygments.Whitespace,
    Kind.SPACE: pygments.Whitespace,
    Kind.DOC: pygments.String.Doc,
    Kind.COMMENT: pygments.Comment.Single,
    Kind.STATEMENT: pygments.Keyword.Namespace,
    Kind.STRING: pygments.String.Double,
    Kind.REGEXP: pygments.String.Regex,
    Kind.UNCLOSED: pygments.Error,
    Kind.NAME: pygments.Name.Function,
    Kind.TERMINAL: pygments.Name.Constant,
    Kind.NUMBER: pygments.Number,
    Kind.MODIFIER: pygments.Operator,
    Kind.SIGN: pygments.Operator,
    Kind.OTHER: pygments.Error,
}
_ROLES: Final = {
    Role.CLAUSE: pygments.Keyword.Declaration,
    Role.FUNCTION: pygments.Name.Builtin,
    Role.TYPE: pygments.Keyword.Type,
    Role.WORD: pygments.Keyword,
}


class StatelangLexer(Lexer):
    """Reads any text; what cannot be read is marked as an error, and nothing is lost."""

    name = "statelang"
    aliases: ClassVar[list[str]] = ["statelang"]
    filenames: ClassVar[list[str]] = ["*.lark"]
    mimetypes: ClassVar[list[str]] = ["text/x-statelang"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """Offset, kind and text of each token."""
        for token in tokens(text):
            if token.kind is Kind.CONTRACT:
                yield token.start, pygments.Comment.Special, "//@"
                yield from _clause(token.text[3:], token.start + 3)
            elif token.kind is Kind.NAME and token.text.startswith("_"):
                yield token.start, pygments.Name.Class, token.text
            else:
                yield token.start, _KINDS[token.kind], token.text


def _clause(text: str, start: int) -> Iterator[tuple[int, Any, str]]:
    known = {token.start: role for token, role in roles(words(text, start))}
    for token in clause_tokens(text, start):
        yield token.start, _ROLES.get(known.get(token.start, Role.VALUE), _plain(token)), token.text


def _plain(token: Token) -> Any:
    is_terminal = token.kind is Kind.NAME and token.text.upper() == token.text
    if token.kind is Kind.NAME and not is_terminal:
        return pygments.Name.Variable
    return _KINDS[Kind.TERMINAL if is_terminal else token.kind]
