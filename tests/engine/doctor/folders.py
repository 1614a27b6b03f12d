"""Folders as save_pretrained writes them, without weights, each wrong in one way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

import statelang
from statelang.engine.doctor.diagnosis import Diagnosis, diagnose
from statelang.space import StateSpace

PEN: Final = r"""
/// Think, then say the number.
start : think _thought
_thought : think _thought
         | tell

/// Think about it.
think : "<think>" WORDS "</think>\n"
/// Say the number.
tell : "<tell>" NUMBER "</tell>\n"

WORDS : /[^<\n]{1,40}/
NUMBER : /[0-9]{1,3}/
"""
SPACE: Final = statelang.loads(PEN)
TAGS: Final = ("<think>", "</think>", "<tell>", "</tell>")
CHATML: Final = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_level(
    tags: Iterable[str] = (), special: Iterable[str] = (), merges: Iterable[str] = ()
) -> Tokenizer:
    """Bytes and what is learnt from `merges`; tags as added tokens, others as special ones."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        special_tokens=["<pad>", "</s>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for text in merges for _ in range(3)], trainer)
    tokenizer.add_tokens([AddedToken(tag, normalized=False) for tag in tags])
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    return tokenizer


def sentencepiece(scheme: str, tags: Iterable[str] = ()) -> Tokenizer:
    """Pieces with `▁` for a space and bytes to fall back on. `scheme` says where a space is put
    before a text: "legacy" (as Llama 2 was converted) and "always" do so behind added tokens too."""
    pieces = ["<unk>", "<s>", "</s>", "<pad>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["▁", "N", "O", "▁N", "NO", "▁NO"]
    merges = [("▁", "N"), ("N", "O"), ("▁N", "O")]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    if scheme == "legacy":
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        )
    else:
        space: dict[str, Any] = {"prepend_scheme": scheme, "split": False}
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(**space)
        tokenizer.decoder = decoders.Sequence(
            [decoders.ByteFallback(), decoders.Metaspace(**space)]
        )
    tokenizer.add_tokens([AddedToken(tag, normalized=False) for tag in tags])
    return tokenizer


def wrapped(tokenizer: Tokenizer, **options: Any) -> Any:
    """A tokenizer of `transformers` with a stop and a pad token."""
    options = {"eos_token": "</s>", "pad_token": "<pad>", **options}
    given = {name: value for name, value in options.items() if value is not None}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **given)  # type: ignore[no-untyped-call]


def folder(
    path: Path,
    tokenizer: Any,
    *,
    template: str = "",
    generation: dict[str, Any] | None = None,
    **config: Any,
) -> str:
    """A model's folder without weights: the tokenizer, a configuration of a Llama changed by
    `config`, and the configuration of generation."""
    if template:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(path)
    settings = {
        "model_type": "llama",
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 2048,
        "eos_token_id": tokenizer.eos_token_id,
        **config,
    }
    (path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    if generation is not None:
        stated = {"eos_token_id": tokenizer.eos_token_id, **generation}
        (path / "generation_config.json").write_text(json.dumps(stated), encoding="utf-8")
    return str(path)


def codes(found: Diagnosis) -> list[str]:
    """The codes of all findings but those of other backends."""
    return [each.code for each in found.findings if each.code != "SD501"]


def message(found: Diagnosis, code: str) -> str:
    """What the one finding of a code says."""
    (said,) = [each.message for each in found.findings if each.code == code]
    return said


def examined(path: Path, tokenizer: Any, space: StateSpace = SPACE, **options: Any) -> Diagnosis:
    """What is found in a folder."""
    return diagnose(space, folder(path, tokenizer, **options))
