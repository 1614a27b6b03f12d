"""Text that must come next whatever a model says."""

from __future__ import annotations

from typing import Final

from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.regular.automaton import lowest
from statelang.walking.machine import Configuration, Machine
from statelang.walking.search import Node, Search

_MOST: Final = 4_096  # bytes


def due(machine: Machine, search: Search, configuration: Configuration | None) -> bytes:
    """The text that must come next at a configuration; none where there is a choice.

    Args:
        machine: The machine.
        search: Ways on by every byte, whether a token writes it or not.
        configuration: Where it stands; None after the end.
    """
    text = bytearray()
    while configuration is not None and machine.ends(configuration) is None:
        (thread, _), *others = configuration.alive
        run = b"" if others else search.run(thread)[0]  # all of a tag at once
        if not run:
            kinds = 0
            for thread, env in configuration.alive:
                for kind in search.kinds(Node(thread, env, configuration.text)):
                    kinds |= kind
            if kinds.bit_count() != 1:
                break
            run = bytes((lowest(kinds),))
        configuration = machine.advance(configuration, run)
        if configuration is None or len(text) + len(run) > _MOST:
            break  # None where the space locks
        text += run
    return bytes(text)


def whole(vocabulary: Vocabulary, text: bytes) -> list[int]:
    """The tokens of a text that comes next, as the tokenizer would write it; its end is left out
    where a longer token might hold it."""
    if not text:
        return []
    tokens = vocabulary.encode(text)
    at = 0
    for count, token in enumerate(tokens):
        if vocabulary.trie.goes_on(text[at:]):
            return tokens[:count]
        at += vocabulary.lengths[token]
    return tokens
