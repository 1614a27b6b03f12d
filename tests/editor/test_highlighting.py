"""Colours: nothing lost, nothing shown as an error that is none."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import NullFormatter
from pygments.token import Error, Keyword, Name, String

from statelang.editor.highlighting import StatelangLexer
from tests.strategies import OWN, SHIPPED, space_named

ROOT = Path(__file__).parents[2]


@given(st.text() | st.text('abA_ :|"/@\\\n()[]{}.*+?=<>'))
def test_the_text_is_kept(text: str) -> None:
    """The tokens join to the text, whatever it is."""
    found = list(StatelangLexer().get_tokens_unprocessed(text))
    assert text == "".join(value for _, _, value in found)
    assert all(text.startswith(value, start) for start, _, value in found)


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
def test_a_sound_file_has_no_errors(name: str) -> None:
    """What loads is shown without a mark of an error, and as it is."""
    text = space_named(name).source.text
    found = list(StatelangLexer(stripnl=False).get_tokens(text))
    assert [] == [value for kind, value in found if kind is Error]
    assert text == highlight(text, StatelangLexer(stripnl=False), NullFormatter())


def test_names_are_told_apart() -> None:
    """States, actions, terminals, texts and the words of clauses have kinds of their own."""
    text = '//@ requires size(open) == 0\n_open : solve _open\nsolve : "x" ID\n'
    kinds = dict((value, kind) for _, kind, value in StatelangLexer().get_tokens_unprocessed(text))
    assert (Keyword.Declaration, Name.Builtin, Name.Variable) == (
        kinds["requires"], kinds["size"], kinds["open"]
    )  # fmt: skip
    assert (Name.Class, Name.Function, Name.Constant, String.Double) == (
        kinds["_open"], kinds["solve"], kinds["ID"], kinds['"x"']
    )  # fmt: skip


def test_what_is_never_closed_is_an_error() -> None:
    """A text without its end is marked, the next line is not."""
    found = [k for _, k, v in StatelangLexer().get_tokens_unprocessed('a : "x\nb : c') if v != " "]
    assert 1 == sum(kind is Error for kind in found)


def test_pygments_is_told_of_the_lexer() -> None:
    """The entry point names the class."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (entry,) = settings["project"]["entry-points"]["pygments.lexers"].values()
    module, _, name = entry.partition(":")
    assert StatelangLexer is getattr(import_module(module), name)
