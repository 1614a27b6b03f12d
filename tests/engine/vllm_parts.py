"""What both of vLLM's model runners have in common: a served model, requests, what came of them."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import torch
from attrs import define, field

import statelang
from statelang.engine import Vocabulary, validate
from statelang.training.problems import problems
from statelang.training.tokenizer import train_tokenizer

FORMAL: Final = statelang.load("kwai_star_formal")
PICK: Final = (
    "//@ input choices: set[text]\n//@ ghost left: set[text] = choices\n\n"
    "start : pick _more\n_more : pick _more\n      | done\n"
    '//@ requires WORD in left\n//@ set left = left - {WORD}\npick : "<pick>" WORD "</pick>\\n"\n'
    'done : "<done>"\nWORD : /[a-z]+/\n'
)
KINDS: Final[list[tuple[str | None, Any, int]]] = [
    ("kwai_star_formal", None, 120),
    (PICK, {"choices": ["red", "green", "blue"]}, 60),
    (PICK, '{"choices": ["one", "two"]}', 60),
    (None, None, 20),
]


def config(folder: Path) -> Any:
    """The part of `VllmConfig` that the processors look at, for a tiny tokenizer."""
    questions = [p["question"] for p in problems(50, 1)]
    train_tokenizer(questions, FORMAL.literals).save_pretrained(folder)
    model = SimpleNamespace(
        tokenizer=str(folder),
        tokenizer_revision=None,
        trust_remote_code=False,
        max_model_len=2_000,
        try_get_generation_config=lambda: {"eos_token_id": [0]},
    )
    return SimpleNamespace(model_config=model, speculative_config=None)


def params(space: str | None, problem: Any = None, max_tokens: int = 150) -> Any:
    """The part of `SamplingParams` that the processors look at."""
    extra: dict[str, Any] | None = None if space is None else {"statelang": space}
    if extra is not None and problem is not None:
        extra["statelang_problem"] = problem
    return SimpleNamespace(extra_args=extra, max_tokens=max_tokens)


@define(eq=False)
class Asked:
    """A request: its parameters, its prompt, the tokens it has, whether it has ended."""

    params: Any
    prompt: list[int]
    output: list[int] = field(factory=list)
    ended: bool = False

    def take(self, token: int, stops: frozenset[int]) -> None:
        """One more token."""
        self.output.append(token)
        self.ended = token in stops or len(self.output) >= self.params.max_tokens


def draw(chance: random.Random, each: int) -> list[Asked]:
    """Requests of every kind, in any order."""
    found = [Asked(params(*kind), [1] * chance.randint(1, 9)) for kind in KINDS * each]
    chance.shuffle(found)
    return found


def sampled(processor: Any, rows: int, apply: Any) -> list[int]:
    """A token for each row, from random logits of a model with a padded vocabulary."""
    logits = apply(torch.randn(rows, len(processor.vocabulary.tokens) + 7))
    return [token for (token,) in torch.multinomial(logits.softmax(-1), 1).tolist()]


def judge(requests: list[Asked], vocabulary: Vocabulary) -> None:
    """Each of ours has ended within its budget with a legal trace."""
    for one in requests:
        assert one.ended and len(one.output) <= one.params.max_tokens
        extra = one.params.extra_args
        if extra is None:
            continue
        text = vocabulary.decode(one.output).decode()
        source, given = extra["statelang"], extra.get("statelang_problem")
        space = FORMAL if source == "kwai_star_formal" else statelang.loads(source, "pick")
        problem = given if isinstance(given, dict) else {"choices": ["one", "two"]}
        assert validate(space, text, problem).contracts is True, text
