"""The two real vocabularies of mistral-common, against the tokenizers that they come with."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.engine.vocabularies.vocabulary import Vocabulary
from tests.engine.tokenizers import TEXTS, mistral_data, pieces32k, tekken


@cache
def _tekkenizer() -> Any:
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    return Tekkenizer.from_file(mistral_data("tekken_240911.json"))


def test_every_token_of_tekken_is_what_mistral_common_says() -> None:
    """131,072 tokens; the control tokens write nothing."""
    theirs, ours = _tekkenizer(), tekken()
    special = range(theirs.num_special_tokens)
    assert theirs.n_words == len(ours.tokens) == 131_072
    assert [b""] * len(special) == [ours.tokens[i] for i in special]
    after = range(len(special), theirs.n_words)
    assert [theirs.id_to_byte_piece(i) for i in after] == [ours.tokens[i] for i in after]
    assert {theirs.eos_id} == ours.stops
    assert (1 << 256) - 1 == ours.alphabet


@given(st.lists(st.integers(1_000, 131_071), max_size=12))
def test_tekken_decodes_to_our_bytes(ids: list[int]) -> None:
    """Joined, whatever they are; mistral-common writes a replacement for what is no text."""
    assert _tekkenizer().decode(ids) == tekken().decode(ids).decode(errors="replace")


@pytest.mark.parametrize("text", TEXTS)
def test_texts_in_tekken(text: str) -> None:
    """The tokens of a text write it, and no fewer could."""
    vocabulary = tekken()
    ids = vocabulary.encode(text.encode())
    assert vocabulary.decode(ids) == text.encode()
    assert _tekkenizer().encode(text, bos=False, eos=False) == ids
    assert vocabulary.fewest(text.encode()) <= len(ids)


@given(st.lists(st.integers(0, 32_767), max_size=12))
def test_pieces_decode_to_our_bytes(ids: list[int]) -> None:
    """Mistral's 32,768 pieces: after another piece, what the library SentencePiece writes."""
    vocabulary = pieces32k()
    model = vocabulary.tokenizer.model
    ids = [i for i in ids if vocabulary.tokens[i]]
    try:
        due = vocabulary.decode(ids).decode()
    except UnicodeDecodeError:
        return  # SentencePiece has its own way with bytes that are no text
    first = model.piece_to_id("▁the")
    assert model.decode([first, *ids]) == "the" + due


@pytest.mark.parametrize("text", [*TEXTS, " two  spaces", "Tom = 5\n", ""])
def test_texts_in_pieces(text: str) -> None:
    """Spaces, bytes and control tokens are told apart; a text is read as inside another."""
    vocabulary = pieces32k()
    ids = vocabulary.encode(text.encode())
    assert vocabulary.decode(ids) == text.encode()
    assert ids == vocabulary.tokenizer.encode("\n" + text)[2:]


def test_a_vocabulary_is_made_from_bytes_alone() -> None:
    """Tokenizers of no known kind: the bytes of each token, the stop tokens, and that is all."""
    plain = Vocabulary(tekken().tokens, tekken().stops)
    assert plain.hash == tekken().hash
    assert b"<solve>3</solve>" == plain.decode(plain.encode(b"<solve>3</solve>"))
