"""Tokenizers of three kinds: single bytes; a BPE learnt from the texts of a space, whose pieces lie
across tags, ids and numbers; and a real one of 131,072 tokens."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from statelang.engine.vocabulary import Vocabulary

BYTES: Final = Vocabulary((b"", *(bytes((byte,)) for byte in range(256))), frozenset({0}))


def learnt(texts: Iterable[str], added: Iterable[str] = (), size: int = 340) -> Vocabulary:
    """A byte-level BPE learnt from texts that are never split, so that its pieces lie anywhere.

    Args:
        texts: What it is learnt from.
        added: Added tokens that are text, as tags are for some models.
        size: How many tokens it has before those.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=["<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in added])
    wrapper: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>"
    )
    return Vocabulary.from_tokenizer(wrapper)


@cache
def tekken() -> Vocabulary:
    """131,072 byte-level tokens, of the package mistral-common."""
    package = pytest.importorskip(
        "mistral_common", reason="its vocabulary is that of mistral-common"
    )
    from transformers.integrations.mistral import convert_tekken_tokenizer  # type: ignore[attr-defined]

    file = Path(package.__file__ or "").parent / "data" / "tekken_240911.json"
    return Vocabulary.from_tokenizer(convert_tekken_tokenizer(str(file)))
