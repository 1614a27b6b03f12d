"""Rows of tokens find the sequence they go on from, whatever a decoder does between two steps."""

from __future__ import annotations

import gc
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Matcher, Vocabulary
from statelang.engine.processors.rows import Rows
from tests.strategies import PICK, PREFIX

SPACE = statelang.loads(PREFIX, "prefix")
VOCABULARY = Vocabulary((*(bytes((byte,)) for byte in range(256)), b""), frozenset({256}))
STOP, PROMPT = 256, [0, 7, 7]


def rows(problems: int = 1) -> Rows:
    """Of a space without inputs."""
    return Rows(lambda: [Matcher(SPACE, VOCABULARY) for _ in range(problems)], problems)


def traces(matchers: list[Matcher | None]) -> list[str | None]:
    """What each row has written; None for one that is not legal."""
    return [None if matcher is None else matcher.trace for matcher in matchers]


def shown(*texts: str, prompt: list[int] = PROMPT, stop: bool = False) -> Any:
    """Rows of a prompt and what was written after it."""
    return np.array([[*prompt, *text.encode(), *([STOP] if stop else [])] for text in texts])


def after(known: Rows, *steps: Any) -> list[str | None]:
    """The traces after some steps."""
    for step in steps[:-1]:
        known.follow(step)
    return traces(known.follow(steps[-1]))


def grown(*texts: str) -> list[Any]:
    """The steps of sampling, a byte at a time."""
    return [shown(*(text[:end] for text in texts)) for end in range(len(texts[0]) + 1)]


@pytest.mark.parametrize(
    ("found", "steps"),
    [
        (["go "], grown("go ")),
        (["go u", "go h"], grown("go u", "go h")),
        # beams: two of one parent, then the other way round
        (["go h", "go u"], [*grown("go ", "go "), shown("go u", "go h"), shown("go h", "go u")]),
        (["go up", None], [*grown("go u", "go h"), shown("go up", "go uq")]),
        # a draft of three tokens is seen through, then dropped but for one
        (["go hi"], [*grown("go up\n"), shown("go h"), shown("go hi")]),
        (["go up"], [*grown("go up\ngo h"), shown("go up")]),
        # the same step twice
        (["go u"], [*grown("go u"), shown("go u"), shown("go u")]),
        # more rows and fewer
        (["g", "g", "g"], [*grown("", ""), shown("g", "g", "g")]),
        (["go"], [*grown("g", "g"), shown("go")]),
    ],
)
def test_a_row_goes_on_from_what_it_holds(found: list[str | None], steps: list[Any]) -> None:
    """Whatever place it had, and however far the decoder went before."""
    assert found == after(rows(), *steps)


HOME = "go up\ngo home\n"


def test_a_trace_that_has_ended_stays_so() -> None:
    """Whatever pads its row while others go on: stop tokens, or another."""
    known, other = rows(), "go up\ngo down\ngo up"
    after(known, *grown(HOME, other[: len(HOME)]))
    for pads in ([STOP], [STOP, 0], [STOP, 0, 0], [STOP, 0]):
        [ended], [going] = shown(HOME), shown(other[: len(HOME) + len(pads)])
        step = np.array([[*ended, *pads], going])
        first, second = known.follow(step)
        assert first is not None and second is not None
        assert (HOME, True) == (first.trace, first.is_stopped())
        assert not second.is_stopped()


@pytest.mark.parametrize(
    "prompt",
    [
        PROMPT,  # the same again
        [9, 9, 9],  # another of the same length
        [9],
        [*PROMPT, 9],  # one token more
        [*PROMPT, *HOME.encode(), STOP, 9, 9],  # a conversation that goes on
        [*PROMPT, *b"go u", 9],  # what was written, cut short
    ],
)
def test_a_new_prompt_is_known_without_a_reset(prompt: list[int]) -> None:
    """After a whole trace: the mask begins again."""
    known = rows()
    after(known, *grown(HOME), shown(HOME, stop=True))
    assert [""] == after(known, shown("", prompt=prompt))
    assert ["g"] == after(known, shown("g", prompt=prompt))


def test_after_a_reset_all_is_prompt() -> None:
    """Even what a trace could go on with."""
    known = rows()
    known.follow(shown(""))
    known.forget()
    assert [""] == after(known, shown("g"))


def test_rows_in_between_leave_a_sequence_as_it_is() -> None:
    """Those of an assistant that has other tokens, at every step."""
    known, text = rows(), "go up\n"
    for end in range(len(text) + 1):
        assert [text[:end]] == after(known, shown(text[:end]))
        known.follow(np.array([[5] * (3 + 2 * end)]))
        known.follow(np.array([[5] * (4 + 2 * end)]))


def test_the_rows_of_a_problem_stand_together() -> None:
    """Of two problems with one prompt each row has its own, though the rows hold the same."""
    space = statelang.loads(PICK, "pick")
    asked = [{"options": ["ab"]}, {"options": ["ac"]}]
    known = Rows(lambda: [Matcher(space, VOCABULARY, problem) for problem in asked], 2)
    text = "look a"
    for end in range(len(text) + 1):
        found = known.follow(shown(*[text[:end]] * 4))
    legal = [[i for i in b"abc" if m is not None and _allows(m, i)] for m in found]
    assert [[98], [98], [99], [99]] == legal


def _allows(matcher: Matcher, token: int) -> bool:
    return bool(matcher.compute_bitmask()[token >> 5] >> (token & 31) & 1)


def test_rows_that_cannot_be_shared_out_are_refused() -> None:
    """Three sequences of two problems, or one."""
    for count in (1, 3):
        with pytest.raises(StatelangError, match=f"{count} sequences .* 2 problems"):
            rows(2).follow(shown(*[""] * count))


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_no_decoder_confuses_it(seed: int, problems: int, each: int, does_reset: bool) -> None:
    """Rows grow, take each other's places within a problem, go back and begin again: each has the
    matcher that its own tokens lead to."""
    chance, known = random.Random(seed), rows(problems)
    for _ in range(3):
        if does_reset:
            known.forget()
        prompt = [chance.randrange(5) for _ in range(chance.randint(1, 4))]
        texts = [""] * (problems * each)
        for _ in range(chance.randint(2, 40)):
            found = known.follow(shown(*texts, prompt=[250, *prompt]))
            assert texts == traces(found)
            if len(texts[0]) > 1 and chance.random() < 0.1:
                end = chance.randrange(1, len(texts[0]))
                texts = [text[:end] for text in texts]
                continue
            allowed = [[i for i in range(256) if m and _allows(m, i)] for m in found]
            if not all(allowed):
                break
            parents = [i // each * each + chance.randrange(each) for i in range(len(texts))]
            texts = [texts[parent] + chr(chance.choice(allowed[parent])) for parent in parents]


def test_what_is_remembered_is_bounded() -> None:
    """However many prompts there were, and however long their traces."""
    gc.freeze()  # what other tests left is not looked through
    try:
        known = rows()
        for number in range(50):
            after(known, *(shown(text, text, prompt=[number]) for text in ("", "g", "go", "go ")))
        gc.collect()
        assert 10 >= sum(type(thing) is Matcher for thing in gc.get_objects()) > 0
    finally:
        gc.unfreeze()
