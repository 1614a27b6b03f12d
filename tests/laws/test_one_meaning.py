"""One meaning, token by token: without contracts our masks are those of llguidance and xgrammar."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice
from typing import Any

import llguidance
import numpy as np
import pytest
import xgrammar
from llguidance import LLMatcher, LLTokenizer

import statelang
from statelang.engine import Matcher, Vocabulary
from statelang.testing.choices import Walk
from tests.differential.compare import seeds, walked
from tests.laws.laws import allowed
from tests.laws.vocabularies import learnt
from tests.strategies import cut

Record = Callable[[str, int], None]
FIRST = 8_000_000  # the seeds from here on


class _Tokenizer:
    """A vocabulary in the shape that llguidance wants."""

    bos_token_id = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.eos_token_id = min(vocabulary.stops)
        self.special_token_ids = [i for i, token in enumerate(vocabulary.tokens) if not token]
        self.tokens = [token or b"<%d>" % i for i, token in enumerate(vocabulary.tokens)]
        self.vocabulary = vocabulary

    def __call__(self, text: str | bytes) -> list[int]:
        return self.vocabulary.encode(text.encode() if isinstance(text, str) else text)


class _Guidance:
    """llguidance's masks."""

    def __init__(self, grammar: str, vocabulary: Vocabulary) -> None:
        tokenizer = LLTokenizer(llguidance.TokenizerWrapper(_Tokenizer(vocabulary)))
        # Else a text that must come is allowed in its canonical tokens alone.
        free = '%llguidance {"no_forcing": true}\n' + grammar
        self.matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(free))
        assert not self.matcher.is_error(), self.matcher.get_error()

    def takes(self, token: int) -> bool:
        return False  # but what its mask has

    def mask(self) -> set[int]:
        bits = np.frombuffer(self.matcher.compute_bitmask(), np.uint8)
        return set(np.flatnonzero(np.unpackbits(bits, bitorder="little")).tolist())

    def consume(self, token: int) -> None:
        assert self.matcher.consume_token(token)


class _XGrammar:
    """xgrammar's masks. xgrammar 0.2.8 leaves some tokens that reach from one rule into others out
    of them, and takes them none the less."""

    def __init__(self, grammar: str, vocabulary: Vocabulary) -> None:
        info = xgrammar.TokenizerInfo(
            list(vocabulary.tokens), xgrammar.VocabType.RAW, stop_token_ids=sorted(vocabulary.stops)
        )
        compiler = xgrammar.GrammarCompiler(info, cache_enabled=False)
        self.matcher = xgrammar.GrammarMatcher(compiler.compile_lark(grammar))
        self.size = len(vocabulary.tokens)

    def takes(self, token: int) -> bool:
        taken: bool = self.matcher.accept_token(token)
        if taken:
            self.matcher.rollback(1)
        return taken

    def mask(self) -> set[int]:
        row = xgrammar.allocate_token_bitmask(1, self.size)
        self.matcher.fill_next_token_bitmask(row)
        bits = np.unpackbits(row.numpy().view(np.uint8), bitorder="little")[: self.size]
        return set(np.flatnonzero(bits).tolist())

    def consume(self, token: int) -> None:
        assert self.matcher.accept_token(token)


def compared(number: int, grammar: str, record_count: Record) -> None:
    """Masks along walks of one grammar, in random tokens."""
    chance, space = random.Random(number), statelang.loads(grammar)
    walk = Walk(space)
    traces = [walked(walk, chance) for _ in range(6)]
    vocabulary = learnt(traces, size=360)
    for trace in traces[:2]:
        ours = Matcher(space, vocabulary, contracts=False)
        peers: list[Any] = [_Guidance(grammar, vocabulary), _XGrammar(grammar, vocabulary)]
        written = b""
        for token in cut(vocabulary, trace.encode(), chance)[:60]:
            found = allowed(ours)
            for peer in peers:
                mask = peer.mask()
                left_out = {token for token in found - mask if not peer.takes(token)}
                differing = left_out | (mask - found)
                assert not differing, (
                    number,
                    type(peer).__name__,
                    written,
                    [(vocabulary.tokens[i], i in found) for i in sorted(differing)][:8],
                )
                peer.consume(token)
            assert ours.consume_token(token)
            written += vocabulary.tokens[token]
            record_count("masks compared with llguidance's and xgrammar's", 1)
    record_count("plain grammars whose masks are compared", 1)


def test_masks_are_those_of_other_engines(record_count: Record) -> None:
    """A few generated grammars."""
    for number, grammar in islice(seeds(FIRST), 8):
        compared(number, grammar, record_count)


@pytest.mark.soak
@pytest.mark.parametrize("piece", range(10))
def test_masks_are_those_of_other_engines_in_many_grammars(
    piece: int, record_count: Record
) -> None:
    """The same over fifty grammars for each piece."""
    for number, grammar in islice(seeds(FIRST + 100_000 * (piece + 1)), 50):
        compared(number, grammar, record_count)
