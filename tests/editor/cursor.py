"""A text with a place in it, marked by `^`."""

from __future__ import annotations

from statelang.editor.indexing import Index, index


def at(text: str) -> tuple[Index, int]:
    """The names of a text without its mark, and where the mark stood."""
    before, mark, after = text.partition("^")
    assert mark
    return index(before + after), len(before)
