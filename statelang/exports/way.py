"""One alternative of a rule with a parameter, while it is put together."""

from __future__ import annotations

import json

from attrs import evolve, frozen

from statelang.exports.parameter import WHOLE, Condition, Move, all_of
from statelang.exports.reading import Key

Place = tuple[int, tuple[int, ...]]  # a position, and the positions to come back at


class Cramped(Exception):
    """The parameter would have to move where nothing is written; `keys` are what moves there."""

    def __init__(self, keys: frozenset[Key]) -> None:
        super().__init__()
        self.keys = keys


@frozen
class Way:
    """One alternative under way: what is written, when it is open, what is known of the fields of
    the step, and how the parameter moves at its end."""

    at: Place | None
    symbols: tuple[str, ...] = ()
    condition: Condition = True
    fixed: frozenset[tuple[Key, str | None]] = frozenset()
    keep: int = WHOLE
    put: int = 0
    counted: tuple[str, ...] = ()
    moved: frozenset[Key] = frozenset()
    began: Place | None = None

    def move(self, move: Move, keys: frozenset[Key]) -> Way:
        """The same after one more move."""
        return evolve(
            self,
            condition=all_of(self.condition, move.condition),
            keep=self.keep & move.keep,
            put=(self.put & move.keep) | move.put,
            counted=(*self.counted, *move.steps),
            moved=self.moved | keys,
        )

    @property
    def functions(self) -> tuple[str, ...]:
        """The moves, each in llguidance's notation."""
        return (*Move(True, self.keep, self.put).functions, *self.counted)


def texts(symbols: tuple[str, ...], wanted: int) -> list[str]:
    """The symbols, quoted texts cut in two until there are as many as wanted."""
    found = list(symbols)
    for at in range(len(found) - 1, -1, -1):
        while len(found) < wanted and found[at].startswith('"') and found[at].endswith('"'):
            text = json.loads(found[at])
            if len(text) < 2:
                break
            found[at : at + 1] = [
                json.dumps(part, ensure_ascii=False) for part in (text[:-1], text[-1])
            ]
    return found
