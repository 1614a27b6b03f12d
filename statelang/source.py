"""A grammar file as text, and places in it. Knows nothing of what the text means."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from hashlib import sha256

from attrs import field, frozen


@frozen
class Span:
    """Characters `start` up to, not including, `end` of a source."""

    start: int
    end: int


@frozen(slots=False)
class Source:
    """The text of a grammar file and the name it is reported under."""

    text: str = field(repr=False)
    name: str = "<text>"

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text, in hexadecimal: the identity of a grammar in rows and runs."""
        return sha256(self.text.encode()).hexdigest()

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both counted from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of one line, counted from 1, without its end."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else None].rstrip("\r")
