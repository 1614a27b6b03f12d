"""What a model is asked, as a text and in tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statelang.space import StateSpace
from statelang.teaching.instructions import question


def prompt(space: StateSpace, problem: Mapping[str, Any]) -> str:
    """The problem's own `prompt`, or its question and visible inputs."""
    found = question(space, problem)
    return found if isinstance(problem.get("prompt"), str) else f"{found}\n"


def prompt_ids(tokenizer: Any, text: str) -> list[int]:
    """A prompt in tokens, the same in training and in generation; a trace goes on from it."""
    ids = list(tokenizer(text)["input_ids"])
    return ids[unframed(tokenizer, ids)]


def unframed(tokenizer: Any, ids: Sequence[int]) -> slice:
    """The tokens of a text that goes on: without the stop token that some tokenizers put behind
    every text, and beginning once where a chat template has written the beginning already."""
    begin = tokenizer.bos_token_id
    twice = begin is not None and list(ids[:2]) == [begin, begin]
    ended = bool(ids) and ids[-1] == tokenizer.eos_token_id
    return slice(int(twice), len(ids) - ended)
