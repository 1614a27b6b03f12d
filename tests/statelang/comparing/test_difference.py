"""How two state spaces differ."""

from __future__ import annotations

import json

import pytest

import statelang
from statelang.comparing.difference import Texts, Trace, diff
from statelang.engine import validate
from tests.strategies import PICK, TRAFFIC


@pytest.mark.parametrize("name", statelang.shipped())
def test_a_space_is_the_same_as_itself(name: str) -> None:
    """Nothing differs, and the texts are known to be the same, with recursion too."""
    space = statelang.load(name)
    found = diff(space, statelang.loads(space.source.text, "copy"))
    assert (True, True, ()) == (found.same, found.same_texts, found.changes)
    assert (None, None) == (found.legal_a, found.legal_b)


def test_documentation_alone() -> None:
    """A changed doc is a difference, and none of the texts."""
    found = diff(statelang.loads(TRAFFIC), statelang.loads("/// Cars.\n\n" + TRAFFIC))
    assert (False, True) == (found.same, found.same_texts)
    assert (None, None) == (found.legal_a, found.legal_b)


def test_contracts_alone() -> None:
    """The same texts; a legal trace of each that breaks a contract of the other."""
    first = statelang.loads(TRAFFIC)
    second = statelang.loads(TRAFFIC.replace("== cars", "== 2 * cars"))
    found = diff(first, second)
    assert (False, True) == (found.same, found.same_texts)
    assert found.legal_a is not None and found.legal_b is not None
    assert "requires NUMBER == 2 * cars" == found.legal_a.broken
    assert "requires NUMBER == cars" == found.legal_b.broken
    assert validate(first, found.legal_a.text).contracts is True
    assert validate(second, found.legal_a.text).contracts is False
    assert validate(second, found.legal_b.text).contracts is True
    assert validate(first, found.legal_b.text).contracts is False


def test_texts_and_traces_are_real() -> None:
    """Witnesses are judged by the engine: the one grammar reads them, the other does not."""
    first, second = statelang.load("kwai_star_formal"), statelang.load("kwai_star")
    found = diff(first, second)
    for own, other, texts in ((first, second, found.only_a), (second, first, found.only_b)):
        assert texts.shortest is not None
        assert validate(own, texts.shortest).grammar
        assert not validate(other, texts.shortest).grammar
    assert found.legal_a is not None and "grammar" == found.legal_a.broken
    assert validate(first, found.legal_a.text).contracts is True


def test_the_shortest_text_is_tried_under_contracts() -> None:
    """Where a witness keeps its own contracts, it is a legal trace."""
    space = statelang.loads('start : go\ngo : "a"\n')
    wider = statelang.loads('start : go\ngo : "a" | "b"\n')
    found = diff(space, wider)
    assert (Texts(None, None), Texts("b", None)) == (found.only_a, found.only_b)
    assert (None, Trace("b", "grammar")) == (found.legal_a, found.legal_b)


def test_inputs_are_not_guessed() -> None:
    """Where contracts need a problem's inputs, no trace is tried."""
    found = diff(statelang.loads(PICK), statelang.loads(PICK.replace("look 3", "look 4")))
    assert [("limit", "look", "3", "4")] == [
        (c.kind, c.name, c.before, c.after) for c in found.changes
    ]
    assert (None, None) == (found.legal_a, found.legal_b)


def test_a_space_without_legal_traces() -> None:
    """A space that locks is compared all the same."""
    text = '//@ ghost n: number = 0\n\nstart : a\n//@ requires n == 1\na : "x"\n'
    found = diff(statelang.loads(text), statelang.loads(text.replace("= 0", "= 1")))
    assert (None, Trace("x", "requires n == 1")) == (found.legal_a, found.legal_b)


def test_plain_values() -> None:
    """The difference can be written as JSON, each change with what it is."""
    found = diff(statelang.loads(TRAFFIC), statelang.loads("/// Cars.\n\n" + TRAFFIC)).as_dict()
    found = json.loads(json.dumps(found))
    assert not found["same"]
    assert [
        {"kind": "doc", "name": "the file", "before": None, "after": "Cars.", "what": "added"}
    ] == found["changes"]
