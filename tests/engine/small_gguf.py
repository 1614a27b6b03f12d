"""Very small models for llama.cpp, with random weights, written as GGUF files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

_WIDTH: Final = 32
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # as GGUF counts kinds of tokens

Token = tuple[str, int]
SPECIAL: Final[list[Token]] = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
BYTES: Final[list[Token]] = [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]


def sentencepiece(file: Path, more: list[Token]) -> Path:
    """A model whose tokens are the specials, all bytes, and some pieces (`▁` is a space)."""
    writer = _writer(file, "llama")
    tokens = [*SPECIAL, *BYTES, *more]
    writer.add_token_list([text.encode() for text, _ in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    return _written(writer, file, len(tokens))


def byte_level(file: Path, tokenizer: Any) -> Path:
    """A model with the tokens and merges of a byte-level tokenizer of `transformers`."""
    import json

    state = json.loads(tokenizer.backend_tokenizer.to_str())
    added = {token["content"]: token["special"] for token in state["added_tokens"]}
    tokens = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    writer = _writer(file, "gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [CONTROL if added.get(t) else USER if t in added else NORMAL for t in tokens]
    )
    writer.add_token_merges([" ".join(merge) for merge in state["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    return _written(writer, file, len(tokens))


def _writer(file: Path, tokenizer: str) -> Any:
    gguf = pytest.importorskip("gguf", reason="gguf is not installed")
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_WIDTH)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // 2)
    writer.add_tokenizer_model(tokenizer)
    return writer


def _written(writer: Any, file: Path, tokens: int) -> Path:
    chance = np.random.default_rng(0)
    shapes = {"token_embd": (tokens, _WIDTH), "output": (tokens, _WIDTH)}
    parts = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes |= {f"blk.0.{part}": (_WIDTH, _WIDTH) for part in parts}
    for name, shape in shapes.items():
        weights = chance.normal(0, _WIDTH**-0.5, shape).astype(np.float32)
        writer.add_tensor(f"{name}.weight", weights)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(_WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
