"""Stop tokens: those that are missing, that no one stops at, and that stop too early."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import outlines
import pytest
import torch
from tokenizers import processors
from transformers import DataCollatorForLanguageModeling

from statelang.diagnostics import StatelangError
from statelang.engine import constrain, validate
from statelang.training.model import tiny_llama
from tests.engine.doctor.folders import SPACE, TAGS, byte_level, codes, examined, message, wrapped


def ended() -> Any:
    """A tokenizer that ends every text with its stop token."""
    tokenizer = byte_level()
    stop = ("</s>", tokenizer.token_to_id("</s>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[stop]
    )
    return wrapped(tokenizer)


@pytest.mark.parametrize(
    ("expected", "tokenizer", "generation"),
    [
        ([], wrapped(byte_level()), {}),
        (["SD301"], wrapped(byte_level(), eos_token=None), {}),
        (["SD302"], wrapped(byte_level()), {"eos_token_id": [1, 999]}),
        (["SD303"], wrapped(byte_level(), pad_token="</s>"), {}),
        (["SD303"], wrapped(byte_level(), pad_token=None), {}),
        (["SD102", "SD304"], wrapped(byte_level(special=TAGS), eos_token="</tell>"), {}),
        (["SD305"], wrapped(byte_level(special=["<|turn|>"])), {"eos_token_id": [258]}),
        ([], wrapped(byte_level(special=["<|turn|>"])), {"eos_token_id": [1, 258]}),
        (["SD306"], ended(), {}),
    ],
)
def test_a_stop_token_has_its_finding(
    expected: list[str], tokenizer: Any, generation: dict[str, Any], tmp_path: Path
) -> None:
    """Each tokenizer is wrong in one way, and that is what is found."""
    assert expected == codes(examined(tmp_path, tokenizer, generation=generation))


def test_a_pad_token_that_is_the_stop_token_is_never_learnt() -> None:
    """The collator of `transformers` gives the stop token of a row no loss."""
    for pad, learnt in (("</s>", False), ("<pad>", True)):
        tokenizer = wrapped(byte_level(), pad_token=pad)
        collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
        labels = collator([{"input_ids": [5, tokenizer.eos_token_id]}])["labels"]
        assert learnt == (labels[0, -1] == tokenizer.eos_token_id)


@pytest.mark.parametrize("knows", ["the model", "the tokenizer"])
def test_generation_goes_on_after_a_stop_token_that_is_not_configured(
    knows: str, tmp_path: Path
) -> None:
    """A mask that knows the model ends a trace by the configured token; one that knows the
    tokenizer alone ends it by the tokenizer's, and `generate` goes on behind it."""
    tokenizer = wrapped(byte_level(special=["<|turn|>"]))
    own, turn = tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|turn|>")
    llama: Any = tiny_llama(tokenizer, 0, hidden=16, layers=1, heads=2)
    llama.generation_config.eos_token_id = [turn]
    model: Any = outlines.from_transformers(llama, tokenizer)

    def ends(ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        logits[:, own] += 1000  # whenever it is legal
        return logits

    processor = constrain(SPACE, model if knows == "the model" else tokenizer, max_tokens=100)
    asked = tokenizer("?", return_tensors="pt", return_token_type_ids=False)
    ids = llama.generate(
        **asked, max_new_tokens=120, do_sample=False, logits_processor=[processor, ends]
    )[0].tolist()
    written = ids[asked["input_ids"].shape[1] :]
    if knows == "the model":
        assert turn == written[-1] and own not in written
        assert validate(SPACE, tokenizer.decode(written[:-1])).contracts
    else:
        assert own in written[:-1]
    config = {"eos_token_id": llama.generation_config.eos_token_id}
    said = message(examined(tmp_path, tokenizer, generation=config), "SD305")
    assert "does not stop at the tokenizer's stop token `</s>` (1), but at `<|turn|>` (258)" in said


def test_stop_tokens_that_are_not_there_are_refused() -> None:
    """With none of the configured ones in the tokenizer no trace could end."""
    tokenizer = wrapped(byte_level())
    llama: Any = tiny_llama(tokenizer, 0, hidden=16, layers=1, heads=2)
    llama.generation_config.eos_token_id = [5_000]
    model: Any = outlines.from_transformers(llama, tokenizer)
    with pytest.raises(StatelangError, match=r"generation stops at the tokens \[5000\] alone"):
        constrain(SPACE, model)
