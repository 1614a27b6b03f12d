"""Tokenizers for the laws: single bytes, and a BPE learnt from the texts of a space, whose pieces lie
across tags, ids and numbers; beside them stands the real one of `tests.engine.tokenizers`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tokenizers import AddedToken

from statelang.engine.vocabularies.vocabulary import Vocabulary
from tests.engine.tokenizers import byte_level, wrapped

BYTES: Final = Vocabulary((b"", *(bytes((byte,)) for byte in range(256))), frozenset({0}))


def learnt(texts: Iterable[str], added: Iterable[str] = (), size: int = 340) -> Vocabulary:
    """A byte-level BPE learnt from texts that are never split, so that its pieces lie anywhere.

    Args:
        texts: What it is learnt from.
        added: Added tokens that are text, as tags are for some models.
        size: How many tokens it has before those.
    """
    tokenizer = byte_level(texts, size, whole=True)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in added])
    return Vocabulary.from_tokenizer(wrapped(tokenizer, pad_token="<pad>"))
