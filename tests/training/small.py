"""A few rows and pairs of the formal space, a tokenizer for them and a very small model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import statelang
from statelang.training.formal import right_trace, wrong_pair
from statelang.training.model import tiny_llama
from statelang.training.problems import problems
from statelang.training.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

SPACE = statelang.load("kwai_star_formal")
GRAMMAR = {"grammar": SPACE.name, "grammar_hash": SPACE.hash}


def sft_rows(count: int) -> list[dict[str, Any]]:
    """Right traces; every second one corrects a wrong step, which carries no loss."""
    rows: list[dict[str, Any]] = []
    for number, problem in enumerate(problems(count, seed=5)):
        row: dict[str, Any] = {"prompt": problem["question"] + "\n", **GRAMMAR}
        row["completion"] = right_trace(problem)
        pair = wrong_pair(problem, seed=5)
        if number % 2 and pair:
            row |= {"completion": pair.chosen, "no_loss": [pair.no_loss]}
        rows.append(row)
    return rows


def dpo_rows(count: int) -> list[dict[str, Any]]:
    """Pairs that share their wrong step."""
    rows = []
    for problem in problems(count, seed=6):
        pair = wrong_pair(problem, seed=6)
        assert pair is not None
        spans = {"chosen": [pair.no_loss], "rejected": [pair.no_loss]}
        sides = {"chosen": pair.chosen, "rejected": pair.rejected}
        rows.append({"prompt": problem["question"] + "\n", **sides, "no_loss": spans, **GRAMMAR})
    return rows


def small_tokenizer() -> PreTrainedTokenizerFast:
    """Learnt from 50 rows, with the space's tags."""
    texts = [row[part] for row in sft_rows(50) for part in ("prompt", "completion")]
    return train_tokenizer(texts, SPACE.literals)


def small_model(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> LlamaForCausalLM:
    """One layer of width 16."""
    return tiny_llama(tokenizer, seed, hidden=16, layers=1, heads=2, context=256)
