"""When a free text repeats without an exit, and which tokens then lead out of it.

The rule: once the last 48 tokens, all inside one text, repeat a piece of at most 12 tokens, only
tokens that leave the text are allowed, where there are any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from statelang.engine.masks.sweep import Automaton
from statelang.engine.vocabularies.trie import Ints, Trie
from statelang.regular.automaton import EMPTY, NOTHING, Regular, lowest

WINDOW: Final = 48
PIECE: Final = 12


def repeats(tokens: Sequence[int]) -> bool:
    """Whether the last tokens are one short piece, again and again.

    >>> repeats([7] * 48), repeats([7, 8] * 24), repeats(range(48)), repeats([7] * 47)
    (True, True, False, False)
    """
    tail = list(tokens[-WINDOW:])
    return len(tail) == WINDOW and any(
        tail[-1] == tail[-1 - size] and tail[size:] == tail[:-size] for size in range(1, PIECE + 1)
    )


@lru_cache(maxsize=64)
def staying(trie: Trie, left: Regular) -> Ints:
    """The tokens after which a text still goes on, ascending.

    Args:
        trie: The vocabulary.
        left: What is left of the text.
    """
    ids, states = (automaton := Automaton(_derivatives)).tokens(trie, left)
    ended = [state for state in set(states.tolist()) if automaton.key(state) is EMPTY]
    return np.sort(ids[~np.isin(states, ended)])


def _derivatives(left: Regular) -> Iterator[tuple[int, Regular]]:
    for byte_set in left.classes:
        after = left.step(lowest(byte_set))
        if after is not NOTHING:
            yield byte_set, after
