"""Answers about any text at any place: always some, never an error of ours."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from statelang.editor import answers
from statelang.editor.answers import Text
from statelang.editor.places import Places
from tests.editor.client import URI
from tests.editor.test_fuzz import typed
from tests.strategies import OWN, SHIPPED, space_named

HERE = types.TextDocumentIdentifier(URI)


@st.composite
def half_typed(draw: st.DrawFn) -> str:
    """A sound file after a few changes."""
    text = space_named(draw(st.sampled_from([*SHIPPED, *OWN]))).source.text
    chance = Random(draw(st.integers(0, 10**6)))
    for _ in range(draw(st.integers(0, 6))):
        text = typed(text, chance)
    return text


@given(half_typed() | st.text(), st.integers(0, 200), st.integers(0, 80))
def test_every_question_has_an_answer(source: str, line: int, character: int) -> None:
    """Each answer is about the text: its ranges lie in it, and hold what they say."""
    text, place = Text(URI, Places(source)), types.Position(line, character)
    name = text.names.at(text.offset(place))
    said = answers.hovered(text, types.HoverParams(HERE, place))
    assert said is None or (name is not None and held(text, said.range) == name.text)
    context = types.ReferenceContext(include_declaration=True)
    found = answers.referred(text, types.ReferenceParams(context, HERE, place))
    declared = answers.defined(text, types.DefinitionParams(HERE, place))
    assert {name.text for _ in found if name} == {held(text, one.range) for one in found}
    assert all(one in found for one in declared)
    labels = [item.label for item in answers.completed(text, types.CompletionParams(HERE, place))]
    assert all(label.split()[-1].replace("_", "a").isalnum() for label in labels)
    for symbol in answers.outlined(text, None):
        assert symbol.name == held(text, symbol.selection_range)
        assert symbol.name in held(text, symbol.range)
    try:
        edit = answers.renamed(text, types.RenameParams(HERE, place, "fresh"))
    except JsonRpcInvalidParams:
        return
    assert edit.changes is not None and name is not None
    assert [held(text, one.range) for one in edit.changes[URI]] == [name.text] * len(found)


def held(text: Text, found: types.Range | None) -> str:
    """What stands in a range."""
    assert found is not None
    return text.places.text[text.offset(found.start) : text.offset(found.end)]
