"""Logits of every kind, what a processor refuses, and what it can be made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import outlines
import pytest
import torch
from transformers import TopKLogitsWarper

from statelang.diagnostics import StatelangError
from statelang.engine import Vocabulary, constrain
from statelang.training.model import tiny_llama
from tests.engine.modes import (
    BATCHED,
    BUDGET,
    PROBLEMS,
    SPACE,
    check,
    model,
    tokenizer,
)


def first_step(logits: torch.Tensor, **more: Any) -> torch.Tensor:
    """What becomes of the logits after a prompt."""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[0], **more)
    masked: torch.Tensor = processor(torch.tensor([[7, 7]] * len(logits)), logits)
    return masked


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_logits_of_every_precision(kind: torch.dtype) -> None:
    """Only the first byte of `look` is left, the type is kept, and what came in is as it was."""
    size = len(tokenizer("bytes"))
    logits = torch.ones((2, size), dtype=kind)
    masked = first_step(logits)
    only = tokenizer("bytes").convert_tokens_to_ids("l")
    assert [[0, only], [1, only]] == (masked > -np.inf).nonzero().tolist()
    assert kind == masked.dtype
    assert bool((logits == 1).all())


def test_a_padded_vocabulary_is_never_left() -> None:
    """A model may have more logits than its tokenizer has tokens."""
    padded: Any = tiny_llama(tokenizer("bytes"), 0, hidden=16, layers=1, heads=2)
    padded.resize_token_embeddings(320, mean_resizing=False)
    wrap: Any = outlines.from_transformers
    steered = wrap(padded, tokenizer("bytes"))
    torch.manual_seed(6)
    generator: Any = outlines.Generator(
        steered, processor=constrain(SPACE, steered, PROBLEMS[0], BUDGET)
    )
    found = generator("Q", max_new_tokens=BUDGET, **BATCHED["samples"])
    assert 3 == check(found, PROBLEMS[0])


def test_too_few_logits_are_refused() -> None:
    """The tokenizer of another model is named as such."""
    with pytest.raises(StatelangError, match="its tokenizer has 258 tokens"):
        first_step(torch.zeros((1, 200)))


def test_rows_that_are_no_multiple_of_the_problems_are_refused() -> None:
    """Two problems and three prompts: which is whose?"""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[:2])
    with pytest.raises(StatelangError, match="3 sequences cannot be shared out among 2 problems"):
        processor(torch.zeros((3, 4), dtype=torch.long), torch.zeros((3, 258)))


@pytest.mark.parametrize("mode", ["suppressed", "top k"])
def test_what_forbids_every_legal_token_is_an_error(mode: str) -> None:
    """Rather than an illegal token: where what comes before the mask leaves nothing to it."""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[0], BUDGET)
    only = tokenizer("bytes").convert_tokens_to_ids("l")
    more: dict[str, Any] = {"suppress_tokens": [only]} if mode == "suppressed" else {}
    before = [TopKLogitsWarper(1)] if mode == "top k" else []
    encoded = tokenizer("bytes")(["Q"], return_tensors="pt")
    with pytest.raises(StatelangError, match="impossible before the mask"):
        model("bytes").generate(
            **encoded, max_new_tokens=5, logits_processor=[*before, processor], **more
        )


# ---- what steers, and what cannot ------------------------------------------------------------


def test_a_vocabulary_steers() -> None:
    """Where stop tokens are known that the tokenizer does not name."""
    other = tokenizer("bytes").pad_token_id
    vocabulary = Vocabulary.from_tokenizer(tokenizer("bytes"), [other])
    processor = constrain(SPACE, vocabulary, PROBLEMS[0])
    rows = torch.tensor([[7, *tokenizer("bytes").encode("look red\nchoose red\n")]])
    processor(rows[:, :1], torch.zeros((1, 258)))
    for length in range(2, rows.shape[1] + 1):
        masked = processor(rows[:, :length], torch.zeros((1, 258)))
    assert sorted({other, tokenizer("bytes").eos_token_id}) == [
        i for i in range(258) if masked[0, i] == 0
    ]


@pytest.mark.parametrize("model", ["a name", object(), None])
def test_what_cannot_be_steered_is_named(model: Any) -> None:
    """With what to give instead."""
    with pytest.raises(StatelangError, match=f"`{type(model).__name__}` cannot be steered"):
        constrain(SPACE, model)
