"""The two real vocabularies, each with the tokenizer that writes its texts.

Both come with the package mistral-common: tekken (131,072 tokens, byte-level) and the SentencePiece
model of Mistral 7B v0.3 (32,768 pieces, with bytes to fall back on).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from statelang.engine.vocabularies.vocabulary import Vocabulary


def _data() -> Path:
    import mistral_common

    return Path(mistral_common.__file__ or "").parent / "data"


def tekken() -> Vocabulary:
    """131,072 byte-level tokens."""
    from transformers.integrations.mistral import convert_tekken_tokenizer  # type: ignore[attr-defined]

    return Vocabulary.from_tokenizer(convert_tekken_tokenizer(str(_data() / "tekken_240911.json")))


class _Pieces:
    """A SentencePiece model as a tokenizer that writes text as it stands, wherever it begins."""

    def __init__(self, file: Path) -> None:
        import sentencepiece

        self.model = sentencepiece.SentencePieceProcessor(model_file=str(file))

    def encode(self, text: str, **_: Any) -> list[int]:
        # A new line is a byte of its own, so what follows it is written as inside a text.
        found: list[int] = self.model.encode("\n" + text)[2:]
        return found

    def token(self, index: int) -> bytes:
        if self.model.is_control(index) or self.model.is_unknown(index):
            return b""
        piece = self.model.id_to_piece(index)
        byte = re.fullmatch("<0x(..)>", piece)
        return bytes((int(byte[1], 16),)) if byte else piece.replace("▁", " ").encode()


def sentencepiece32k() -> Vocabulary:
    """32,768 pieces."""
    pieces = _Pieces(_data() / "mistral_instruct_tokenizer_240323.model.v3")
    tokens = tuple(map(pieces.token, range(pieces.model.vocab_size())))
    return Vocabulary(tokens, frozenset({pieces.model.eos_id()}), pieces)


VOCABULARIES = {"131k": tekken, "32k": sentencepiece32k}
