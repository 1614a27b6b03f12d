"""Masks as packed bits, in the layout of llguidance and xgrammar."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_LINE: Final = 64  # bytes of a line of the cache; rows that begin one are copied faster

Row = npt.NDArray[np.int32]


def packed(free: npt.NDArray[np.bool_]) -> Row:
    """A mask as bits: token `i` is bit `i % 32` of word `i // 32` (llguidance's layout)."""
    words = -(-len(free) // 32)
    bits = np.packbits(free, bitorder="little")
    room = np.zeros(words * 4 + _LINE, np.uint8)
    row = room[-room.ctypes.data % _LINE :][: words * 4]
    row[: len(bits)] = bits
    result = row.view(np.int32)
    result.setflags(write=False)
    return result


def holds(row: Row, token: int) -> bool:
    """Whether a token is in a mask."""
    return 0 <= token < 32 * len(row) and bool(row[token >> 5] >> (token & 31) & 1)


def unpacked(row: Row, size: int) -> npt.NDArray[np.bool_]:
    """The mask of a row of bits."""
    return np.unpackbits(row.view(np.uint8), count=size, bitorder="little").view(np.bool_)
