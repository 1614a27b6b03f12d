"""A trace that runs ahead of its budget ends within it, as one that asks it for every token."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import statelang
from statelang.engine import Matcher, Vocabulary, validate
from statelang.engine.decoding import leading
from statelang.engine.decoding.judging import Judge, has_checks, unchecked
from statelang.engine.decoding.sequences import Steered
from statelang.engine.steering.guide import Guide
from statelang.liveness.verdict import liveness

BYTES = (*(bytes((byte,)) for byte in range(128)), b"")
VOCABULARY = Vocabulary(BYTES, frozenset({len(BYTES) - 1}))

# One letter more of the word is forty tokens more: no margin for a token is as wide.
ECHOES = (
    "start : name _e1\n"
    + "".join(f"_e{number} : echo _e{number + 1}\n" for number in range(1, 40))
    + """_e40 : echo

name : "<" ID ">"
//@ requires ID == last(name).ID
echo : ID "."
ID : /[a-c]{1,6}/
"""
)
EACH_ONCE = """
//@ ghost due: set[text] = {}

start : plan _go
_go : work _go
    | done
plan : item~1..6 ";"
//@ set due = due | {ID}
item : ID " "
//@ requires ID in due
//@ set due = due - {ID}
work : ID "."
//@ requires size(due) == 0
done : "!"
ID : /[a-e]{1,8}/
"""
CHECKED = """
start : note _more
_more : note _more
      | done
//@ checks size(WORD) == 2
note : WORD " "
done : "."
WORD : /[a-c]{1,3}/
"""
SPACES = {
    name: statelang.loads(text)
    for name, text in {"echoes": ECHOES, "each once": EACH_ONCE, "checked": CHECKED}.items()
}


def least(name: str) -> int:
    """The least budget."""
    guide = Guide(SPACES[name], VOCABULARY)
    return guide.least(guide.machine.start())


def written(name: str, budget: int, seed: int) -> Steered:
    """A trace by scores that depend on its text alone, as a model's do."""
    space = SPACES[name]
    judge = Judge.of(space, None) if has_checks(space) else None
    row = Steered(
        [0], VOCABULARY.stops, budget, 1.0, Random(seed),
        matcher=Matcher(unchecked(space), VOCABULARY, max_tokens=budget),
        judge=judge, forces=True, has_tools=False,
    )  # fmt: skip
    while row.finish is None:
        scores = np.random.default_rng([seed, *row.ids]).normal(size=len(BYTES))
        row.take(scores.astype(np.float32))
    return row


def test_a_field_that_is_due_again_many_times_fits_the_budget() -> None:
    """A space proved live ends complete within any budget at or above the least, also where one
    token of a field is the work of forty."""
    assert liveness(SPACES["echoes"]).proved
    went_back = 0
    for more in (0, 25, 39, 45, 90, 130):
        row = written("echoes", least("echoes") + more, seed=more)
        assert row.finish in ("stop", "budget") and len(row.authors) <= least("echoes") + more
        text = VOCABULARY.decode(row.ids[1:-1]).decode()
        assert validate(SPACES["echoes"], text).contracts
        went_back += row.spent > len(row.authors)
    assert went_back


@pytest.mark.parametrize("more", [0, 4, 20, 60, 150])
@pytest.mark.parametrize("name", ["each once", "checked"])
def test_what_is_asked_now_and_then_is_what_is_asked_always(
    monkeypatch: pytest.MonkeyPatch, name: str, more: int
) -> None:
    """Tokens, finish and authors are those of a trace that asks its budget for every token."""
    budget = least(name) + more
    led = [written(name, budget, seed) for seed in range(4)]
    monkeypatch.setattr(leading, "_LEAST", budget)
    for seed, row in enumerate(led):
        asked = written(name, budget, seed)
        assert (asked.ids, asked.authors, asked.finish) == (row.ids, row.authors, row.finish)
        assert len(row.ids) - 1 <= budget
