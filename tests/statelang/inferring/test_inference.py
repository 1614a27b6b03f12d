"""Grammars inferred from traces."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.inferring import inference
from statelang.inferring.inference import infer
from statelang.inferring.tagged import steps_of
from statelang.walking.machine import Machine
from tests.strategies import problem_for, space_named, walked

NAMES = ("kwai_star_formal", "kwai_star", "traffic", "pick", "share", "prefix")


def accepts(machine: Machine, text: str) -> bool:
    """Whether a machine reads the whole of a text."""
    after = machine.advance(machine.start(), text.encode())
    return after is not None and machine.ends(after) is not None


@pytest.mark.parametrize("name", NAMES)
def test_walks_of_a_space(name: str) -> None:
    """From 40 walks: all of them are accepted, most others too, and `check` finds nothing."""
    found = infer([walked(name, seed) for seed in range(40)])
    machine = Machine(statelang.loads(found.grammar))
    assert all(accepts(machine, walked(name, seed)) for seed in range(40))
    assert 9 <= sum(accepts(machine, walked(name, seed)) for seed in range(40, 50))
    assert [] == statelang.check(found.grammar)
    assert found.states <= len(space_named(name).states) + 2
    assert found.traces == 40


@pytest.mark.parametrize("name", ["kwai_star_formal", "kwai_star", "traffic"])
def test_near_misses(name: str) -> None:
    """Of traces with a step left out, moved or written twice, the wrong ones are refused."""
    machine = Machine(statelang.loads(infer([walked(name, seed) for seed in range(40)]).grammar))
    truth = Machine(space_named(name), contracts=False)
    chance = random.Random(0)
    _, rows = steps_of([walked(name, seed) for seed in range(40, 50)])
    wrong = []
    for row in rows:
        texts = [s.opening + s.payload + s.closing + s.space for s in row]
        for _ in range(12):
            at = chance.randrange(len(texts))
            moved = [*texts[:at], *texts[at + 1 :]]
            wrong += ["".join(moved), "".join([*texts[:at], texts[at], *texts[at:]])]
            moved.insert(chance.randrange(len(texts)), texts[at])
            wrong.append("".join(moved))
    wrong = [text for text in wrong if not accepts(truth, text)]
    assert 100 < len(wrong)
    assert 0.95 * len(wrong) <= sum(not accepts(machine, text) for text in wrong)


TAGS = st.sampled_from(["<a>", "<b c>", '<s n="1">', '<s n="2">'])
SAID = st.sampled_from(["", "1", "x = 2", "<<1+2=3>>", "a\nb", 'é: "q" \\ /', "no", "a, b"])


@given(
    st.lists(
        st.lists(st.tuples(TAGS, SAID, st.sampled_from(["", "\n", " "])), min_size=1, max_size=6),
        min_size=1,
        max_size=8,
    )
)
def test_every_trace_is_accepted(rows: list[list[tuple[str, str, str]]]) -> None:
    """Whatever is said between tags, the grammar is sound and reads every trace."""
    texts = ["".join(f"{tag}{said}</{tag[1]}>{gap}" for tag, said, gap in row) for row in rows]
    machine = Machine(statelang.loads(infer(texts).grammar))
    assert all(accepts(machine, text) for text in texts)


LAMP = """\
/// Inferred from 2 traces.
/// Say here what the method is, and where it comes from.

/// The beginning of a trace.
start : on _after_on
/// After `on`.
_after_on : on _after_on
          | off

/// Seen 3 times, at the beginning and after `on`.
on : "on\\n"

/// Seen 2 times, after `on`.
off : "off: " NUMBER "\\n"

//@ type number
NUMBER : /[0-9]{1,16}/
"""


def test_the_whole_of_a_grammar() -> None:
    """The grammar is written in the normal form, its documentation says what was seen."""
    found = infer(["on\noff: 1\n", "on\non\noff: 2\n"])
    assert LAMP == found.grammar == statelang.fmt(found.grammar)
    assert (2, 2, 2, ()) == (found.traces, found.states, found.actions, found.general)


def test_general_payloads_are_named() -> None:
    """Actions whose payload is any text are told."""
    found = infer(["<a>Who is it?</a><b>1</b>", "<a>No, 3.</a><b>2</b>"])
    assert ("a",) == found.general


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        ("MAX_CHARACTERS", "16 characters"),
        ("MAX_STEPS", "2 steps"),
        ("MAX_BEGINNINGS", "2 different beginnings"),
        ("MAX_ACTIONS", "2 kinds of steps"),
        ("MAX_TRANSITIONS", "2 transitions"),
    ],
)
def test_bounds(monkeypatch: pytest.MonkeyPatch, bound: str, message: str) -> None:
    """What is read has a bound."""
    monkeypatch.setattr(inference, bound, 1)
    with pytest.raises(StatelangError, match=f"the traces have {message}"):
        infer(["<a>x</a><b>y</b>"])


def test_nothing_to_infer_from() -> None:
    """No trace is refused."""
    with pytest.raises(StatelangError, match="no trace"):
        infer([])


def test_half_a_character() -> None:
    """JSON can hold what is no text."""
    with pytest.raises(StatelangError, match="trace 2 holds half a character"):
        infer(["<a>x</a>", "<a>\ud83d</a>"])


def test_what_readers_would_cut_differently() -> None:
    """A closing tag of another kind inside a payload is refused, with the way out."""
    with pytest.raises(StatelangError, match="mark the steps by tags"):
        infer(["<a>x <i>y</i></a>"])


def test_spaces_with_inputs_are_problems_of_the_author() -> None:
    """Contracts are not inferred: what depends on a problem is any text or a word."""
    assert problem_for("pick") is not None
    assert "requires" not in infer([walked("pick", seed) for seed in range(20)]).grammar
