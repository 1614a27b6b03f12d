"""Tokenizers of every kind that the models in use have, made here; and mistral-common's two."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.trainers import BpeTrainer, UnigramTrainer
from transformers import PreTrainedTokenizerFast

from statelang.engine.vocabularies.vocabulary import Vocabulary
from tests.strategies import WORKED

TEXTS: Final = [*WORKED.values(), "Zoë kauft 3 Bücher für 2,50 €.\n" * 4, "日本 💡 \t tabs\r\n"]


def wrapped(tokenizer: Tokenizer, **special: Any) -> Any:
    """A tokenizer of `transformers` with a stop token."""
    special.setdefault("eos_token", "</s>")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)  # type: ignore[no-untyped-call]


def byte_level(
    texts: Iterable[str] = TEXTS, size: int = 420, *, split: str = "", whole: bool = False
) -> Tokenizer:
    """A byte-level BPE learnt from texts, as GPT-2's.

    Args:
        texts: What it is learnt from.
        size: How many tokens it has.
        split: An expression for the pieces into which a text is split first; GPT-2's if empty.
        whole: Texts are never split, so that its tokens lie anywhere.
    """
    tokenizer = Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not (split or whole))
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), level])
        if split
        else level
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=["<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def metaspace(*, replaced: bool = False) -> Tokenizer:
    """A SentencePiece-like BPE: `▁` for a space, and `<0x..>` for what has no piece."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["▁", "T", "o", "m", "=", "▁T", "om", "▁=", "▁▁", "ë", "5", "\n", "▁Tom"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    merges = [("▁", "T"), ("o", "m"), ("▁", "="), ("▁", "▁"), ("▁T", "om")]
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    if replaced:  # as Llama 2 is converted
        tokenizer.normalizer = normalizers.Replace(" ", "▁")
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
        tokenizer.decoder = decoders.Sequence(
            [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="never", split=False)]
        )
    return tokenizer


def unigram(*, byte_fallback: bool = False) -> Tokenizer:
    """A SentencePiece-like Unigram learnt from a few texts, as T5's and Albert's."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else []
    trainer = UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if byte_fallback:
        pieces = [
            *((token, -5.0) for token in ("<unk>", "</s>")),
            *((token, -20.0) for token in bytes_),
            *((token, -8.0) for token in tokenizer.get_vocab() if len(token) > 1),
        ]
        tokenizer.model = models.Unigram(pieces, 0, True)
        tokenizer.decoder = decoders.Sequence(
            [decoders.Metaspace(), decoders.ByteFallback(), decoders.Fuse()]
        )
    return tokenizer


def llama2() -> Tokenizer:
    """As Llama 2 and Phi 3: a space before the text, which its decoder takes away again."""
    tokenizer = metaspace(replaced=True)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def mistral() -> Tokenizer:
    """As Mistral's newer ones: `Metaspace` puts a space before the first word alone."""
    tokenizer = metaspace()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def spaced() -> Tokenizer:
    """Byte-level, with a space before each text."""
    tokenizer = byte_level()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return tokenizer


def words() -> Tokenizer:
    """Whole words, and nothing between them."""
    ids = {"</s>": 0, "<unk>": 1, "Tom": 2, "=": 3, " ": 4, "ë": 9}
    tokenizer = Tokenizer(models.WordLevel(ids, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


KINDS: Final[dict[str, Callable[[], Tokenizer]]] = {
    "byte-level": byte_level,
    "byte-level, digits apart": lambda: byte_level(split=r"\p{N}| ?\p{L}+|\s|[^\s\p{L}\p{N}]+"),
    "byte-level, space first": spaced,
    "metaspace": metaspace,
    "metaspace, replaced": lambda: metaspace(replaced=True),
    "llama 2": llama2,
    "mistral": mistral,
    "unigram": unigram,
    "unigram with bytes": lambda: unigram(byte_fallback=True),
    "words": words,
}


@cache
def of_kind(kind: str) -> tuple[Any, Vocabulary]:
    """A tokenizer of a kind, with added tokens that are text, and its vocabulary."""
    backend = KINDS[kind]()
    backend.add_tokens(
        [
            AddedToken("<solve>", normalized=False),
            AddedToken("</solve>", normalized=True, lstrip=True, rstrip=True),
            AddedToken("→ é", normalized=False),
            AddedToken("12", single_word=True),
        ]
    )
    backend.add_special_tokens([AddedToken("<|turn|>", special=True)])
    tokenizer = wrapped(backend)
    return tokenizer, Vocabulary.from_tokenizer(tokenizer)


def mistral_data(name: str) -> Path:
    """A vocabulary that comes with the package mistral-common."""
    package = pytest.importorskip("mistral_common", reason="its vocabularies are mistral-common's")
    file = Path(package.__file__ or "").parent / "data" / name
    if not file.is_file():
        pytest.skip(f"this version of mistral-common ships no {name}")
    return file


@cache
def tekken() -> Vocabulary:
    """131,072 byte-level tokens, of Mistral Nemo."""
    from transformers.integrations.mistral import convert_tekken_tokenizer  # type: ignore[attr-defined]

    file = mistral_data("tekken_240911.json")
    return Vocabulary.from_tokenizer(convert_tekken_tokenizer(str(file)))


class _Pieces:
    """A SentencePiece model in the shape that `Vocabulary` asks of a tokenizer."""

    def __init__(self, file: Path) -> None:
        sentencepiece = pytest.importorskip("sentencepiece", reason="reads Mistral's pieces")
        self.model = sentencepiece.SentencePieceProcessor(model_file=str(file))

    def encode(self, text: str, **_: Any) -> list[int]:
        """Its tokens; the model puts a space before the text."""
        found: list[int] = self.model.encode(text)
        return found

    def token(self, index: int) -> bytes:
        """What a piece writes inside a text."""
        if self.model.is_control(index) or self.model.is_unknown(index):
            return b""
        if self.model.is_byte(index):
            return bytes((int(self.model.id_to_piece(index)[3:5], 16),))
        piece: str = self.model.id_to_piece(index)
        return piece.replace("▁", " ").encode()


@cache
def pieces32k() -> Vocabulary:
    """32,768 pieces with bytes to fall back on, of Mistral 7B v0.3."""
    pieces = _Pieces(mistral_data("mistral_instruct_tokenizer_240323.model.v3"))
    tokens = tuple(map(pieces.token, range(pieces.model.vocab_size())))
    return Vocabulary(tokens, frozenset({pieces.model.eos_id()}), pieces)
