"""A model that knows nothing, held to the contracts, writes legal traces and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import outlines
import pytest

from statelang.engine import generate
from statelang.training.model import tiny_llama
from statelang.training.problems import problems
from statelang.training.tokenizer import train_tokenizer
from tests.strategies import OWN, problem_for, space_named

NAMES = ["kwai_star_formal", *OWN]


@cache
def steered(name: str) -> Any:
    """A tiny Llama with random weights and a tokenizer with the texts of the space."""
    texts = [problem["question"] for problem in problems(50, 1)]
    tokenizer = train_tokenizer(texts, space_named(name).literals)
    wrap: Any = outlines.from_transformers
    return wrap(tiny_llama(tokenizer, 0), tokenizer)


def legal(name: str, count: int, seed: int) -> int:
    """How many of so many traces at temperature 1 are complete and legal."""
    asked = [{"question": f"question {i}", **problem_for(name)} for i in range(count)]
    made = generate(space_named(name), steered(name), asked, max_tokens=200, seed=seed)
    return sum(one.verdict.contracts is True for one in made)


@pytest.mark.parametrize("name", ["kwai_star_formal", "calls"])
def test_what_a_random_model_writes_is_legal(name: str) -> None:
    """Every one of a few generations validates."""
    assert legal(name, 4, 1) == 4


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_generations_are_legal(
    name: str, record_count: Callable[[str, int], None]
) -> None:
    """All of 125 generations of each space validate: 1,000 in all."""
    found = legal(name, 125, 7)
    record_count("constrained generations at temperature 1 that validate", found)
    assert found == 125
