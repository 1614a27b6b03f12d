"""A small model from scratch, and any causal language model from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from statelang.diagnostics import StatelangError

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


def tiny_llama(
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    *,
    hidden: int = 96,
    layers: int = 2,
    heads: int = 4,
    context: int = 1024,
) -> LlamaForCausalLM:
    """A Llama with random weights drawn by `seed`, embeddings tied, for texts of `context` tokens.

    The global random state is left as it was.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=8 * hidden // 3,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=context,
        # The usual 10000 tells texts of many thousand tokens apart; for a few hundred, less
        # learns faster.
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
        tie_word_embeddings=True,
        # The usual 0.02 is made for wide models; at this width the heads that copy a name then form
        # only after thousands of steps.
        initializer_range=hidden**-0.5,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def load_model(folder: str | Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The causal language model in `folder` and its tokenizer, which has a stop and a pad token.

    Nothing is downloaded and no code from the folder is run. Raises StatelangError where the
    folder lacks a part, or a part cannot be read.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = Path(folder)
    _require_parts(folder)
    try:
        with no_bars():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    # The loaders raise whatever their file formats raise; all of it means "not readable".
    except Exception as error:
        raise StatelangError(
            f"model {folder}: not readable as a causal language model ({error}). Save it again "
            "with save_pretrained, or name another folder."
        ) from error
    if tokenizer.eos_token_id is None:
        raise StatelangError(
            f"model {folder}: its tokenizer has no stop token (eos_token), so no trace could end. "
            "Set one in tokenizer_config.json."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return model, tokenizer


@contextmanager
def no_bars() -> Iterator[None]:
    """No progress bars of `transformers` while inside; our progress is plain lines."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _require_parts(folder: Path) -> None:
    if not folder.is_dir():
        raise StatelangError(
            f"model {folder}: there is no such folder. Name one that `train` or "
            "save_pretrained wrote."
        )
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    if not any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        missing.append("weights (model.safetensors)")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        missing.append("a tokenizer (tokenizer.json)")
    if missing:
        raise StatelangError(
            f"model {folder}: the folder lacks {' and '.join(missing)}. A model folder holds all "
            "three parts as save_pretrained writes them; if a training run was stopped, start it "
            "again."
        )
