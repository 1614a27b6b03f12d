"""Places: offsets and positions are each other's reverse, in the units of the protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.editor.places import UNITS, Places

TEXTS = st.text("aé€𝄞\u2028\x0b\n\r")


@given(TEXTS, st.data())
def test_there_and_back(text: str, data: st.DataObject) -> None:
    """Every offset has a position that names it again, whichever units are counted."""
    units = UNITS[data.draw(st.sampled_from(sorted(UNITS)))]
    places = Places(text, units)
    for offset in range(len(text) + 1):
        inside = text[offset - 1 : offset + 1] == "\r\n"
        line, character = places.position(offset)
        assert places.offset(line, character) == (offset - 1 if inside else offset)


@given(TEXTS)
def test_lines_end_where_the_protocol_says(text: str) -> None:
    """Three line ends and no other; the units are those of UTF-16."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2
    assert end == Places(text).position(len(text))


@pytest.mark.parametrize(
    ("expected", "line", "character"),
    [(0, 0, 0), (1, 0, 1), (2, 0, 3), (1, 0, 2), (3, 0, 99), (5, 1, 0), (6, 1, 5), (6, 9, 9)],
)
def test_positions_beyond_are_the_end(expected: int, line: int, character: int) -> None:
    """Behind a line's end is its end, inside a pair of units is before it."""
    assert expected == Places("a𝄞b\r\nc").offset(line, character)
