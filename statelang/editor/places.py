"""Offsets in a text, and the lines and characters by which an editor names them.

The protocol counts UTF-16 code units unless both sides agree on others, and ends lines at `\\n`,
`\\r\\n` and `\\r` alone; Python's own splitting into lines knows more ends than these.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from attrs import field, frozen

Units = Callable[[str], int]  # the length of a text as the client counts it


def _utf8(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _utf16(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


UNITS: Final[dict[str, Units]] = {"utf-8": _utf8, "utf-16": _utf16, "utf-32": len}


@frozen
class Places:
    """Translates between the two for one text."""

    text: str = field(repr=False)
    units: Units = _utf16
    _starts: list[int] = field(init=False, repr=False)

    @_starts.default
    def _find_starts(self) -> list[int]:
        return [0, *(end.end() for end in _END.finditer(self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and character of an offset, both counted from 0."""
        line = bisect_right(self._starts, offset) - 1
        return line, self.units(self.text[self._starts[line] : offset])

    def offset(self, line: int, character: int) -> int:
        """The offset of a position; one behind the end of a line, or of the text, is that end."""
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = _END.search(self.text, start)
        written = self.text[start : end.start() if end else None]
        # The longest beginning that fits: inside a pair of units, what stands before the pair.
        fitting = bisect_right(
            range(len(written) + 1), character, key=lambda length: self.units(written[:length])
        )
        return start + max(0, fitting - 1)


_END: Final = re.compile(r"\r\n|\r|\n")
