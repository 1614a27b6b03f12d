"""Masks as packed bits, in the layout of llguidance and xgrammar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

_LINE: Final = 16  # words of a line of the cache
_BLOCK: Final = 256  # rows; of a large vocabulary as many bytes as the system gives large pages for
_MAX_ROWS: Final = 5_000

Row = npt.NDArray[np.int32]


def packed(free: npt.NDArray[np.bool_]) -> Row:
    """A mask as bits: token `i` is bit `i % 32` of word `i // 32` (llguidance's layout)."""
    words = -(-len(free) // 32)
    row = np.zeros(words * 4, np.uint8)
    bits = np.packbits(free, bitorder="little")
    row[: len(bits)] = bits
    result = row.view(np.int32)
    result.setflags(write=False)
    return result


class Rows:
    """Masks over one vocabulary, each kept once: few of them stay in the processor's cache. They
    lie beside one another and begin lines of the cache, from where they are copied fastest."""

    def __init__(self) -> None:
        self._known: dict[bytes, Row] = {}
        self._free: Iterator[Row] = iter(())

    def kept(self, row: Row) -> Row:
        """The one row that is kept of those equal to a row."""
        if len(self._known) > _MAX_ROWS:
            self._known.clear()
        bits = row.tobytes()
        found = self._known.get(bits)
        if found is None:
            found = next(self._free, None)
            if found is None:
                self._free = iter(_block(len(row)))
                found = next(self._free)
            found[:] = row
            found.setflags(write=False)
            self._known[bits] = found
        return found


def _block(words: int) -> npt.NDArray[np.int32]:
    """Room for rows, each at the beginning of a line of the cache."""
    step = -(-words // _LINE) * _LINE
    room = np.empty((_BLOCK + 1) * step, np.int32)
    first = -room.__array_interface__["data"][0] // 4 % _LINE
    return room[first : first + _BLOCK * step].reshape(_BLOCK, step)[:, :words]


def holds(row: Row, token: int) -> bool:
    """Whether a token is in a mask."""
    return 0 <= token < 32 * len(row) and bool(row[token >> 5] >> (token & 31) & 1)


def unpacked(row: Row, size: int) -> npt.NDArray[np.bool_]:
    """The mask of a row of bits."""
    return np.unpackbits(row.view(np.uint8), count=size, bitorder="little").view(np.bool_)
