"""The TextMate grammar, read by an engine for them: its scopes are what the tokens are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textmate_grammar.parsers.base import LanguageParser

from statelang.editor.clauses import Role, roles, words
from statelang.editor.hovering import LANGUAGE
from statelang.language.lexing import Kind, tokens
from tests.strategies import OWN, SHIPPED, space_named

FOLDER = Path(__file__).parents[2] / "editors" / "vscode"
GRAMMAR = json.loads((FOLDER / "syntaxes" / "statelang.tmLanguage.json").read_text("utf-8"))

# How the most particular scope of a token begins.
KINDS = {
    Kind.DOC: "comment.line.documentation",
    Kind.CONTRACT: "comment.line.contract",
    Kind.COMMENT: "comment.line.double-slash",
    Kind.STATEMENT: "keyword.control.directive",
    Kind.STRING: "string.quoted.double",
    Kind.REGEXP: "string.regexp",
    Kind.NUMBER: "constant.numeric",
    Kind.MODIFIER: "storage.modifier",
}
ROLES = {
    Role.CLAUSE: ("keyword.declaration",),
    Role.FUNCTION: ("support.function",),
    Role.TYPE: ("support.type",),
    Role.WORD: ("keyword.control", "constant.language", "storage.modifier", "variable.other"),
    Role.MEMBER: ("variable.other",),
}
NAMES = ("variable.other", "constant.other.terminal")
ODD = r"""
//@ ghost kept hidden: map[text, number] = {"a\"": 1, "b": -2.5}
//@ input hidden parts: list[{name: text, n: number}]
?start.2 : a _b | "x//y"i /[a"]\// B~1..2  //@ requires not true or "\"" == f(x)
         | c? -> d // "foo
%ignore "x"
B : "x".."y"
"""


def scopes(text: str) -> dict[int, str]:
    """The most particular scope of each character that is not white space, by its offset."""
    starts, at = [], 0
    for line in text.split("\n"):
        starts.append(at)
        at += len(line) + 1
    found: dict[int, str] = {}
    parsed: Any = LanguageParser(GRAMMAR).parse_string(text)
    for (line, column), piece, scope in parsed.flatten():
        for index in range(len(piece)):
            found[starts[line] + column + index] = scope[-1]
    return {at: scope for at, scope in found.items() if not text[at].isspace()}


@pytest.mark.parametrize("name", [*SHIPPED, *OWN, "odd"])
def test_scopes_are_what_the_tokens_are(name: str) -> None:
    """Every token of a file has the scope of its kind, every name in a clause that of its role."""
    text = ODD if name == "odd" else space_named(name).source.text
    found = scopes(text)
    expected: dict[int, tuple[str, ...]] = {}
    for token in tokens(text):
        if token.kind in KINDS:
            expected[token.start] = (KINDS[token.kind],)
        elif token.kind is Kind.TERMINAL:
            expected[token.start] = ("constant.other.terminal", "entity.name.constant")
        elif token.kind is Kind.NAME:
            rule = ("variable.other.rule", "entity.name.function")
            is_state = token.text == "start" or token.text.startswith("_")
            expected[token.start] = ("entity.name.type.state",) if is_state else rule
        if token.kind is Kind.CONTRACT:
            for inner, role in roles(words(token.text[3:], token.start + 3)):
                expected[inner.start] = ROLES.get(role, NAMES)
    wrong = {
        text[at : at + 12]: found.get(at)
        for at, wanted in expected.items()
        if not found.get(at, "").startswith(wanted)
    }
    assert {} == wrong
    assert set(found) == {at for at, char in enumerate(text) if not char.isspace()}
    assert not [at for at, scope in found.items() if scope.startswith(("source", "meta"))]


def test_the_extension_names_files_that_are_there() -> None:
    """What the manifest points at exists, and both sides call the language by one name."""
    manifest = json.loads((FOLDER / "package.json").read_text("utf-8"))
    contributes = manifest["contributes"]
    (language,), (grammar,) = contributes["languages"], contributes["grammars"]
    for path in (manifest["main"], language["configuration"], grammar["path"]):
        assert (FOLDER / path).is_file()
    json.loads((FOLDER / language["configuration"]).read_text("utf-8"))
    assert LANGUAGE == language["id"] == grammar["language"]
    assert GRAMMAR["scopeName"] == grammar["scopeName"]
    server = contributes["configuration"]["properties"]["statelang.server"]
    # A workspace may come from a stranger: it must not choose the command that is run.
    assert (["statelang", "lsp"], "machine") == (server["default"], server["scope"])
