"""Texts that go on: whether one does, and bounds too far away to matter for one token.

Bounds that are far are made equal, not taken away: a text without any is another text, whose
bytes nobody counts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from statelang.regular.automaton import Regular, either, repeat, then
from statelang.walking.machine import Configuration

FAR: Final = 1 << 40


@lru_cache(maxsize=100_000)
def opened(state: Regular, limit: int) -> tuple[Regular, int]:
    """The same language for every continuation of at most `limit` bytes, far bounds made equal; and
    how many bytes may be read before this stops to be so, FAR where no bound is far."""
    match state.kind, state.parts:
        case "then", (Regular() as first, Regular() as second):
            (head, room), (tail, other) = opened(first, limit), opened(second, limit)
            return then(head, tail), min(room, other)
        case "either", parts:
            found = [opened(part, limit) for part in parts if isinstance(part, Regular)]
            return either(*(part for part, _ in found)), min(room for _, room in found)
        case "repeat", (Regular() as item, int() as low, high):
            assert high is None or isinstance(high, int)
            bounds = [bound for bound in (low, high) if bound is not None and bound > limit]
            most = limit + 2 if high in bounds else high  # far again after each byte
            room = min(bounds) - limit - 1 if bounds else FAR
            return repeat(item, min(low, limit + 1), most), room
    return state, FAR


def is_within(before: Configuration, text: bytes, after: Configuration) -> bool:
    """Whether one text went on from the first configuration to the second."""
    if len(before.alive) != 1 or len(after.alive) != 1:
        return False
    first, second = before.alive[0][0], after.alive[0][0]
    left = first.left
    for byte in text:
        left = left.step(byte) if left is not None else None
    same = (first.place, first.stack) == (second.place, second.stack)
    return same and left is not None and left is second.left
