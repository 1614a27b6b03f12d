"""Generate traces from an Outlines model: free, under the grammar, or under its contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import outlines
from attrs import frozen

from statelang.engine.processor import constrain
from statelang.engine.verdict import Verdict, validate
from statelang.space import StateSpace
from statelang.teaching.instructions import question
from statelang.tools import Function

Mask = Literal["free", "grammar", "contracts"]
_TRIES: Final = 6


@frozen
class Generation:
    """One trace: its text, the tokens it took (all tries, stop tokens included), its verdicts."""

    problem: Mapping[str, Any]
    text: str
    tokens: int
    verdict: Verdict
    tries: int = 1


def prompt(space: StateSpace, problem: Mapping[str, Any]) -> str:
    """What the model is asked: the problem's own `prompt`, or its question and visible inputs."""
    found = question(space, problem)
    return found if isinstance(problem.get("prompt"), str) else f"{found}\n"


def generate(
    space: StateSpace,
    model: Any,
    problems: Sequence[Mapping[str, Any]],
    *,
    mask: Mask = "contracts",
    max_tokens: int = 400,
    temperature: float = 1.0,
    seed: int = 0,
    batch: int = 64,
    tools: Mapping[str, Function] | None = None,
) -> Iterator[Generation]:
    """One trace for each problem, in order, judged.

    A space with `checks` is sampled again where one fails, at most 6 times in all: a mask cannot
    see what is judged only when a step is complete.

    Args:
        space: The state space.
        model: An Outlines model (`outlines.from_transformers(...)`).
        problems: Each with a `question`, the space's inputs, and perhaps the gold `answer`, which
            is used for the verdict alone.
        mask: "contracts" holds the model to grammar and contracts, "grammar" to the grammar,
            "free" to nothing.
        max_tokens: Tokens a trace may take, stop token included; under a mask every trace ends,
            complete, within it.
        temperature: 0 takes the likeliest token.
        seed: Makes the sampling repeatable.
        batch: Problems decoded together.
        tools: The functions that `writes` clauses name (`statelang.engine.tools` has some); they
            write during generation, and again for the verdict.

    Raises:
        StatelangError: as `constrain` does.
    """
    tries = _TRIES if mask == "contracts" and _has_checks(space) else 1
    for start in range(0, len(problems), batch):
        chunk = problems[start : start + batch]
        yield from sample_until(
            space, model, chunk, mask, max_tokens, temperature, seed + start, tries, tools
        )


def _has_checks(space: StateSpace) -> bool:
    return any(line.startswith("checks ") for lines in space.contracts.values() for line in lines)


def sample_until(
    space: StateSpace,
    model: Any,
    problems: Sequence[Mapping[str, Any]],
    mask: Mask,
    max_tokens: int,
    temperature: float,
    seed: int,
    tries: int,
    tools: Mapping[str, Function] | None = None,
) -> list[Generation]:
    """One batch, the traces whose grammar or contracts fail sampled again, `tries` in all.

    The gold answer plays no part in what is sampled again.
    """
    found: list[Generation | None] = [None] * len(problems)
    waiting = list(range(len(problems)))
    for attempt in range(tries):
        asked = [problems[i] for i in waiting]
        again = seed + 7919 * attempt
        texts = _sample(space, model, asked, mask, max_tokens, temperature, again, tools)
        for index, text in zip(waiting, texts, strict=True):
            before = found[index]
            tokens = len(model.hf_tokenizer.encode(text, add_special_tokens=False)) + 1
            verdict = validate(space, text, problems[index], tools)
            spent = tokens + (before.tokens if before else 0)
            found[index] = Generation(problems[index], text, spent, verdict, attempt + 1)
        waiting = [i for i in waiting if not (g := found[i]) or g.verdict.contracts is not True]
        if not waiting:
            break
    return [generation for generation in found if generation is not None]


def _sample(
    space: StateSpace,
    model: Any,
    problems: Sequence[Mapping[str, Any]],
    mask: Mask,
    max_tokens: int,
    temperature: float,
    seed: int,
    tools: Mapping[str, Function] | None,
) -> list[str]:
    import torch

    prompts = [prompt(space, problem) for problem in problems]
    if mask == "free":
        generator = outlines.Generator(model)
    else:
        contracts = mask == "contracts"
        processor = constrain(space, model, problems, max_tokens, contracts=contracts, tools=tools)
        generator = outlines.Generator(model, processor=processor)
    drawn: dict[str, Any] = (
        {"do_sample": True, "temperature": temperature, "top_k": 0}
        if temperature > 0
        else {"do_sample": False}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        texts: Any = generator.batch(prompts, max_new_tokens=max_tokens, **drawn)
    return list(texts)
