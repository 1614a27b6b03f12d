"""Models from scratch are drawn by their seed; a folder that is no model says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from statelang.diagnostics import StatelangError
from statelang.training.model import load_model
from statelang.training.trainer import fingerprint
from tests.training.small import small_model, small_tokenizer

TOKENIZER = small_tokenizer()


def test_the_seed_decides_the_weights_and_nothing_else_changes() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first = fingerprint(small_model(TOKENIZER, seed=1))
    assert torch.equal(torch.rand(1), expected)
    assert first == fingerprint(small_model(TOKENIZER, seed=1))
    assert first != fingerprint(small_model(TOKENIZER, seed=2))


def test_a_saved_model_is_loaded_as_it_was(tmp_path: Path) -> None:
    model = small_model(TOKENIZER)
    model.save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    loaded, tokenizer = load_model(tmp_path)
    assert fingerprint(loaded) == fingerprint(model)
    assert tokenizer.get_vocab() == TOKENIZER.get_vocab()
    assert loaded.generation_config.eos_token_id == TOKENIZER.eos_token_id


@pytest.mark.parametrize(
    ("removed", "named"),
    [
        ("config.json", "config.json"),
        ("model.safetensors", "weights"),
        ("tokenizer.json", "a tokenizer"),
    ],
)
def test_a_missing_part_is_named(tmp_path: Path, removed: str, named: str) -> None:
    small_model(TOKENIZER).save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    (tmp_path / removed).unlink()
    with pytest.raises(StatelangError, match=f"the folder lacks {named}"):
        load_model(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StatelangError, match="there is no such folder"):
        load_model(tmp_path / "nowhere")


@pytest.mark.parametrize("spoilt", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_unreadable_part_is_an_error_of_ours(tmp_path: Path, spoilt: str) -> None:
    small_model(TOKENIZER).save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    (tmp_path / spoilt).write_text("{")
    with pytest.raises(StatelangError, match="not readable as a causal language model"):
        load_model(tmp_path)


def test_a_tokenizer_without_a_stop_token_is_refused(tmp_path: Path) -> None:
    tokenizer = small_tokenizer()
    tokenizer.eos_token = None
    small_model(TOKENIZER).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(StatelangError, match="no stop token"):
        load_model(tmp_path)


def test_a_tokenizer_without_a_pad_token_pads_with_its_stop_token(tmp_path: Path) -> None:
    tokenizer = small_tokenizer()
    tokenizer.pad_token = None
    small_model(TOKENIZER).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    _, loaded = load_model(tmp_path)
    assert loaded.pad_token_id == loaded.eos_token_id == TOKENIZER.eos_token_id
