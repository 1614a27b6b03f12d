"""Findings: how they are printed, coloured and given as plain values."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.diagnostics import Diagnostic, GrammarError, Severity, render
from statelang.snippet import WIDTH, Label, visible
from statelang.source import Source, Span

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def place(source: Source, words: str) -> Span:
    """Where some words first stand in a source."""
    start = source.text.index(words)
    return Span(start, start + len(words))


def rendered(text: str, words: str, *also: tuple[str, str]) -> str:
    """A finding at some words, labelled `here`, with other labelled words; without its head."""
    source = Source(text, "f.lark")
    labels = tuple(Label(place(source, at), said) for at, said in also)
    finding = Diagnostic("SL001", "bad", source, place(source, words), label="here", also=labels)
    head, *rest = finding.render().split("\n")
    assert "error[SL001]: bad" == head
    return "\n".join(rest)


def test_one_place() -> None:
    """A finding shows its place, its line, and a mark under the words."""
    assert " --> f.lark:2:3\n  |\n2 | a b c\n  |   ^ here" == rendered("x\na b c\ny\n", "b")


def test_note_and_help_stand_below() -> None:
    """A note and a help follow the lines, in this order."""
    source = Source("a b", "f")
    finding = Diagnostic("SL1", "m", source, Span(2, 3), Severity.WARNING, help="do", note="so")
    assert (
        "warning[SL1]: m\n --> f:1:3\n  |\n1 | a b\n  |   ^\n  = note: so\n  = help: do"
        == finding.render()
    )


def test_places_on_one_line() -> None:
    """The last text of a line stands beside its mark, the others below theirs."""
    assert (
        " --> f.lark:1:5\n"
        "  |\n"
        "1 | one two three\n"
        "  | --- ^^^ ----- third\n"
        "  | |   |\n"
        "  | |   here\n"
        "  | first"
    ) == rendered("one two three", "two", ("one", "first"), ("three", "third"))


def test_places_on_several_lines() -> None:
    """Lines come in their order; one line between two is shown, more become dots."""
    assert (
        "  --> f.lark:3:1\n"
        "   |\n"
        " 1 | one\n"
        "   | --- first\n"
        " 2 | two\n"
        " 3 | three\n"
        "   | ^^^^^ here\n"
        "...\n"
        "10 | ten\n"
        "   | --- last"
    ) == rendered("one\ntwo\nthree\n\n\n\n\n\n\nten", "three", ("one", "first"), ("ten", "last"))


@pytest.mark.parametrize(
    ("text", "shown", "marks"),
    [
        ("\tx", "    x", "    ^ here"),
        ("日本x", "日本x", "    ^ here"),
        ("e\u0301x", "e\u0301x", " ^ here"),
        ("a\x1b[31mx", "a\ufffd[31mx", "      ^ here"),
        ("\u202eax", "\ufffdax", "  ^ here"),
    ],
)
def test_marks_stand_under_the_words(text: str, shown: str, marks: str) -> None:
    """Tabs are four cells, wide characters two, marks of accents none; controls are replaced."""
    assert f" --> f.lark:1:{len(text)}\n  |\n1 | {shown}\n  | {marks}" == rendered(text, "x")


@pytest.mark.parametrize("before", [0, 10, 69, 70, 71, 500, 5000])
def test_long_lines_are_cut_around_the_place(before: int) -> None:
    """Of a long line a window around the words is shown, and the mark stands under them."""
    line, marks = rendered("z" * before + "words" + "z" * 500, "words").split("\n")[-2:]
    assert len(line) <= WIDTH + len("1 | " + 2 * "...")
    assert "words" == line[marks.index("^") : marks.index("^") + 5]


def test_places_far_apart_on_one_line() -> None:
    """Where one window does not hold both places, the line is shown twice."""
    text = "left" + "z" * 300 + "right"
    lines = rendered(text, "right", ("left", "first")).split("\n")
    assert ["1", "1"] == [line.split(" |")[0] for line in lines if line[0] == "1"]
    assert "  | ---- first" in lines and "^^^^^ here" in lines[-1]


def test_a_place_over_several_lines() -> None:
    """The first line of a place is marked to its end."""
    source = Source("one two\nthree")
    finding = Diagnostic("SL1", "m", source, Span(4, 13))
    assert "1 | one two\n  |     ^^^" in finding.render()
    assert (1, 5, 2, 6) == tuple(
        finding.as_dict()[key] for key in ("line", "column", "end_line", "end_column")
    )


def test_values_for_programs() -> None:
    """`as_dict` has every attribute as plain values, other places included."""
    source = Source("one\ntwo", "f.lark")
    also = (Label(Span(0, 3), "first"),)
    finding = Diagnostic(
        "SL1", "m", source, Span(4, 7), Severity.WARNING, "l", "h", note="n", also=also
    )
    assert finding.as_dict() == {
        "file": "f.lark", "line": 2, "column": 1, "end_line": 2, "end_column": 4,
        "code": "SL1", "severity": "warning", "message": "m", "label": "l", "note": "n",
        "help": "h",
        "also": [{"line": 1, "column": 1, "end_line": 1, "end_column": 4, "label": "first"}],
    }  # fmt: skip


def test_colour_adds_nothing_but_colour() -> None:
    """Coloured text without its colours is the plain text, which has none."""
    source = Source("one two", "f.lark")
    also = (Label(Span(0, 3), "first"),)
    finding = Diagnostic("SL1", "m", source, Span(4, 7), help="h", also=also)
    plain, coloured = render([finding]), render([finding], colour=True)
    assert "\x1b" not in plain
    assert plain != coloured and plain == COLOUR.sub("", coloured)


def test_an_error_carries_its_findings() -> None:
    """A GrammarError has the findings as values, and shows them all."""
    found = [Diagnostic(f"SL{n}", "m", Source("a"), Span(0, 1)) for n in (1, 2)]
    error = GrammarError(iter(found))
    assert tuple(found) == error.diagnostics
    assert render(found) == str(error)


@given(
    st.text(st.characters(codec=None) | st.sampled_from("\n\t日\x1b\u202e"), max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=5),
)
def test_any_text_can_be_shown(text: str, places: list[tuple[int, int]]) -> None:
    """Whatever the source and the places, nothing that acts on a terminal is printed, and every
    text of a label is."""
    source = Source(text, "f")
    spans = [Span(min(a, len(text)), min(a + b, len(text))) for a, b in places]
    also = tuple(Label(span, f"label {n}") for n, span in enumerate(spans[1:]))
    shown = Diagnostic("SL1", text[:20], source, spans[0], label="here", also=also).render()
    assert all(line == visible(line) for line in shown.split("\n"))
    for label in ("here", *(other.text for other in also)):
        assert label in shown
