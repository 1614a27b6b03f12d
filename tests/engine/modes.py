"""Very small models, and the decoding modes of `transformers` to run them in."""

from __future__ import annotations

from functools import cache
from typing import Any

import outlines

import statelang
from statelang.engine import validate
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
    """A very small Llama with random weights."""
    return small_model(tokenizer(kind), seed)


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
    """What `generate` takes for a mode, beside the number of tokens."""
    found = {**SINGLE, **BATCHED}[mode]
    if "assistant" in found:
        found = {k: v for k, v in found.items() if k != "assistant"}
        found["assistant_model"] = model(kind, 1)
    return found


def check(found: Any, problem: dict[str, Any]) -> int:
    """Every trace of a problem is whole and legal; how many there are."""
    texts = found if isinstance(found, list) else [found]
    for text in texts:
        assert validate(SPACE, text, problem).contracts is True, text
    return len(texts)


def generated(processor: Any, prompts: list[str], kind: str = "merges", **more: Any) -> list[str]:
    """What `model.generate` writes after some prompts."""
    encoded = tokenizer(kind)(prompts, return_tensors="pt", padding=True)
    found = model(kind).generate(
        **encoded, max_new_tokens=BUDGET, logits_processor=[processor], **more
    )
    texts: list[str] = tokenizer(kind).batch_decode(
        found[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True
    )
    return texts
