"""Tokens: every text has some, they join to it again, and they agree with the real reader."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.diagnostics import GrammarError
from statelang.language.analysis import leaves
from statelang.language.lexing import Kind, clause_tokens, tokens
from statelang.language.syntax import Literal, Reference, Regexp, parse
from statelang.source import Source
from tests.statelang.files import odd_files
from tests.strategies import SHIPPED, space_named


@given(st.text() | st.text('ab_AB0 :|"/\\\n()[]{}~.*+?!%@-,\t\r'))
def test_tokens_join_to_the_text(text: str) -> None:
    """Nothing is lost, and each token stands where it says."""
    for found in (list(tokens(text)), list(clause_tokens(text))):
        assert text == "".join(token.text for token in found)
        assert all(left.end == right.start for left, right in pairwise(found))


@given(odd_files())
def test_tokens_are_those_of_the_reader(text: str) -> None:
    """Every leaf that the parser finds is one token, of the kind that it is there."""
    kinds = {Literal: (Kind.STRING,), Regexp: (Kind.REGEXP, Kind.STRING)}
    kinds |= {Reference: (Kind.NAME, Kind.TERMINAL)}
    starts = {token.start: token for token in tokens(text)}
    try:
        file = parse(Source(text))
    except GrammarError:
        return
    for definition in file.definitions:
        assert definition.name == starts[definition.span.start].text
        for leaf in leaves(definition.body):
            if type(leaf) in kinds:
                assert starts[leaf.span.start].kind in kinds[type(leaf)]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_grammars_have_no_stray_token(name: str) -> None:
    """What loads holds nothing that means nothing."""
    text = space_named(name).source.text
    kinds = {token.kind for token in tokens(text)}
    inner = {
        t.kind for c in tokens(text) if c.kind is Kind.CONTRACT for t in clause_tokens(c.text[3:])
    }
    assert set() == {Kind.OTHER, Kind.UNCLOSED} & (kinds | inner)


def test_a_text_that_is_never_closed_ends_with_its_line() -> None:
    """Half-typed texts and expressions leave the lines below alone."""
    found = [(t.kind, t.text) for t in tokens('a : "x\nb : /y\nC') if t.kind is not Kind.SPACE]
    assert (Kind.UNCLOSED, '"x') in found
    assert (Kind.UNCLOSED, "/y") in found
    assert (Kind.TERMINAL, "C") == found[-1]


@pytest.mark.parametrize("text", ["a : /" + "\\" * 5000, 'a : "' + "\\" * 5000, "/a" * 5000])
def test_time_is_bounded(text: str) -> None:
    """Reading what is never closed takes time in proportion to its length."""
    start = process_time()
    assert text == "".join(token.text for token in tokens(text))
    with pytest.raises(GrammarError):
        parse(Source(text))
    assert process_time() - start < 2
