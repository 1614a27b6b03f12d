"""In every decoding mode of `transformers` the traces are legal, complete and their problem's own."""

from __future__ import annotations

from functools import cache
from typing import Any

import outlines
import pytest
import torch

import statelang
from statelang.engine import constrain, validate
from statelang.training.tokenizer import train_tokenizer
from tests.strategies import PICK
from tests.training.small import small_model

SPACE = statelang.loads(PICK, "pick")
BUDGET = 60
PROBLEMS: list[dict[str, Any]] = [
    {"question": "Q", "options": ["red", "né"]},
    {"question": "a much longer question that fills the row " * 3, "options": ["a", "b", "redder"]},
    {"question": "Which of the two?", "options": ["éa", "éé"]},
]
TEXTS = [problem["question"] for problem in PROBLEMS] + ["look red\nlook né\nchoose red\n"] * 5


@cache
def tokenizer(kind: str) -> Any:
    """One token for each byte, or merges that straddle tags and values as well."""
    return train_tokenizer(TEXTS, [], vocabulary=258 if kind == "bytes" else 340)


@cache
def model(kind: str, seed: int = 0) -> Any:
    """A very small Llama with random weights, in evaluation."""
    return small_model(tokenizer(kind), seed).eval()


@cache
def steered(kind: str) -> Any:
    """The same for Outlines."""
    wrap: Any = outlines.from_transformers
    return wrap(model(kind), tokenizer(kind))


def drawn(**more: Any) -> dict[str, Any]:
    """Settings that sample, without those that `transformers` sets by itself."""
    return {"do_sample": True, "top_k": 0, **more}


SINGLE: dict[str, dict[str, Any]] = {
    "prompt lookup": {"do_sample": False, "prompt_lookup_num_tokens": 3},
    "prompt lookup, sampled": drawn(prompt_lookup_num_tokens=3),
    "assisted": {"do_sample": False, "assistant": True},
    "assisted, sampled": drawn(assistant=True),
}
BATCHED: dict[str, dict[str, Any]] = {
    "greedy": {"do_sample": False},
    "sampled": drawn(),
    "warped": drawn(temperature=0.6, top_k=4, top_p=0.9, min_p=0.01, repetition_penalty=1.5),
    "samples": drawn(num_return_sequences=3),
    "beams": {"do_sample": False, "num_beams": 4},
    "all beams": {"do_sample": False, "num_beams": 3, "num_return_sequences": 3},
    "sampled beams": drawn(num_beams=3, num_return_sequences=2),
    "without cache": drawn(use_cache=False),
}


def settings(kind: str, mode: str) -> dict[str, Any]:
    """What `generate` takes for a mode."""
    found = {**SINGLE, **BATCHED}[mode]
    if "assistant" in found:
        found = {k: v for k, v in found.items() if k != "assistant"}
        found["assistant_model"] = model(kind, 1)
    return {"max_new_tokens": BUDGET, **found}


def check(found: Any, problem: dict[str, Any]) -> int:
    """Every trace of a problem is whole and legal; how many there are."""
    texts = found if isinstance(found, list) else [found]
    for text in texts:
        assert validate(SPACE, text, problem).contracts is True, text
    return len(texts)


@pytest.mark.parametrize("kind", ["bytes", "merges"])
@pytest.mark.parametrize("mode", [*SINGLE, *BATCHED])
def test_one_prompt(mode: str, kind: str) -> None:
    """Whole, legal traces within the budget, and again with the same processor."""
    torch.manual_seed(1)
    processor = constrain(SPACE, steered(kind), PROBLEMS[0], BUDGET)
    generator: Any = outlines.Generator(steered(kind), processor=processor)
    count = settings(kind, mode).get("num_return_sequences", 1)
    for prompt in ("Q", "Quite another prompt"):
        assert count == check(generator(prompt, **settings(kind, mode)), PROBLEMS[0])
