"""Traces whose steps are marked in the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.diagnostics import StatelangError
from statelang.inferring.tagged import MAX_STEPS, Step, steps_of


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ("<a>x</a>\n<b>y</b>", [Step("<a>", "x", "</a>", "\n"), Step("<b>", "y", "</b>", "")]),
        ("<a k='v'>1<2</a>\n", [Step("<a k='v'>", "1<2", "</a>", "\n")]),
        ("<give up>\n\n", [Step("<give up>", "", "", "\n\n")]),
        (" <a></a>", [Step(" <a>", "", "</a>", "")]),
        ("<a>x</a> so:\n<b>", [Step("<a>", "x", "</a>", " "), Step("", "so:\n", "", ""), Step("<b>", "", "", "")]),
        ("\nso <a>x</a>", [Step("\n", "so ", "", ""), Step("<a>", "x", "</a>", "")]),
        ("[plan] a\n[done]", [Step("[plan]", " a", "", "\n"), Step("[done]", "", "", "")]),
        ("plan: a\n\nthe end: b\n", [Step("plan:", " a", "", "\n\n"), Step("the end:", " b", "", "\n")]),
        ("look at it\nstop\n", [Step("look", " at it", "", "\n"), Step("stop", "", "", "\n")]),
        ("step 1: a\nstep 2: b\n", [Step("step ", "1: a", "", "\n"), Step("step ", "2: b", "", "\n")]),
        ('<s n="1">a</s><s n="2">b</s>', [Step('<s n="', '1">a', "</s>", ""), Step('<s n="', '2">b', "</s>", "")]),
    ],
)  # fmt: skip
def test_steps(trace: str, expected: list[Step]) -> None:
    """What opens a step, what it says, what closes it, and the white space behind it."""
    assert [expected] == steps_of([trace])[1]


def test_many_attributes_are_said() -> None:
    """Where many tags differ in an attribute only, it is no part of the action's name."""
    trace = "".join(f"<say who='{name}'>hi</say>" for name in ("ann", "bob", "carl", "dan"))
    _, ((first, *_),) = steps_of([trace])
    assert Step("<say", " who='ann'>hi", "</say>", "") == first


@given(st.lists(st.sampled_from(["<a>", "</a>", "<b c>", "x", " ", "\n", "é", "[a]", "a: ", "1"])))
def test_nothing_is_lost(parts: list[str]) -> None:
    """Whatever is read, the steps in a row are the trace; the rest is refused by a paragraph."""
    trace = "".join(parts)
    try:
        _, (steps,) = steps_of([trace])
    except StatelangError as error:
        assert str(error).startswith("trace 1 ")
        return
    assert trace == "".join(s.opening + s.payload + s.closing + s.space for s in steps)


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        ("", "trace 2 is empty"),
        ("<a>x</a> 1 < 2 <b>", "a `<` that opens no tag in line 1"),
        ("  ", "white space alone"),
        ("<a>" * (MAX_STEPS + 1), f"more than {MAX_STEPS} steps"),
    ],
)
def test_unmarked_tags(trace: str, message: str) -> None:
    """The trace, the line and the rule are named."""
    with pytest.raises(StatelangError, match=message):
        steps_of(["<a>x</a>", trace])


def test_unmarked_lines() -> None:
    """A line that begins with no name is refused, with its number."""
    with pytest.raises(
        StatelangError, match="trace 1 has a line that begins with no name in line 2"
    ):
        steps_of(["go on\n(stop)\n"])
