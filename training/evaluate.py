"""Measure one model, decoded in four ways on the same prompts, temperature and budget.

- free: the model alone.
- grammar: only what the grammar allows.
- contracts: grammar and contracts; what a contract determines cannot be got wrong.
- retry: free, sampled again until grammar and contracts hold, at most 6 times. The gold answer is
  never asked: a verifier that knew it would only count how often a guess is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import sqrt
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from statelang.space import StateSpace
from statelang.tools import Function
from statelang.training.trainer import say

if TYPE_CHECKING:
    from statelang.engine.decoding.generation import Generation

DECODINGS: Final = ("free", "grammar", "contracts", "retry")
_BATCH: Final = 64
_TRIES: Final = 6


@frozen
class Evaluation:
    """`results` has a row per decoding, `samples` every trace with its verdicts."""

    results: list[dict[str, Any]] = field(factory=list)
    samples: list[dict[str, Any]] = field(factory=list)


def outlines_model(folder: str | Path) -> Any:
    """The model of a folder, as Outlines steers it. Raises StatelangError."""
    import outlines

    from statelang.training.model import load_model

    model, tokenizer = load_model(folder)
    model.train(False)
    steered: Any = outlines.from_transformers
    return steered(model, tokenizer)


def sample(
    space: StateSpace,
    model: str | Path,
    problems: Sequence[Mapping[str, Any]],
    *,
    decoding: str,
    max_tokens: int,
    temperature: float,
    seed: int,
    first: int = 0,
    tools: Mapping[str, Function] | None = None,
) -> Iterator[dict[str, Any]]:
    """A trace for each problem, with its verdicts, tokens and their authors, as JSON-able values.

    `first` is the number of the first problem, where a run goes on that was broken off; `tools` are
    the functions that `writes` clauses name. Raises StatelangError.
    """
    steered = outlines_model(model)
    drawn = _traces(space, steered, problems, decoding, max_tokens, temperature, seed, first, tools)
    for generation in drawn:
        yield {
            **_record(generation),
            "finish_reason": generation.finish_reason,
            "ids": generation.ids,
            "authors": [[name, len(list(run))] for name, run in groupby(generation.authors)],
        }


def evaluate(
    space: StateSpace,
    model: str | Path,
    problems: Sequence[Mapping[str, Any]],
    *,
    stage: str,
    max_tokens: int,
    temperature: float,
    seed: int,
    tools: Mapping[str, Function] | None = None,
) -> Evaluation:
    """All four decodings of the model in a folder, with the functions that `writes` clauses name.

    A row of `results` holds `accuracy` and its standard error, the shares `legal` (the grammar
    holds; a trace that the budget cut is not legal) and `steps_right` (the contracts hold), and
    `tokens` a problem, all tries counted. Raises StatelangError.
    """
    steered = outlines_model(model)
    found = Evaluation()
    for decoding in DECODINGS:
        started = perf_counter()
        drawn = _traces(
            space, steered, problems, decoding, max_tokens, temperature, seed, tools=tools
        )
        traces = [_record(generation) for generation in drawn]
        found.samples.extend({"stage": stage, "decoding": decoding, **t} for t in traces)
        row = _row(stage, decoding, traces)
        found.results.append(row)
        say(
            f"{stage} {decoding}: {row['accuracy']:.1%} right of {row['n']}, "
            f"{perf_counter() - started:.0f} s"
        )
    return found


def _traces(
    space: StateSpace,
    model: Any,
    problems: Sequence[Mapping[str, Any]],
    decoding: str,
    max_tokens: int,
    temperature: float,
    seed: int,
    first: int = 0,
    tools: Mapping[str, Function] | None = None,
) -> Iterator[Generation]:
    from statelang.engine.decoding.generation import sample_until

    mask, tries = ("free", _TRIES) if decoding == "retry" else (decoding, 1)
    for start in range(0, len(problems), _BATCH):
        yield from sample_until(
            space,
            model,
            problems[start : start + _BATCH],
            mask,  # type: ignore[arg-type]  # one of its names, as the decodings are
            max_tokens,
            temperature,
            seed,
            tries,
            tools,
            first + start,
        )


def _record(generation: Generation) -> dict[str, Any]:
    return {
        "problem": {key: value for key, value in generation.problem.items() if key != "prompt"},
        "text": generation.text,
        "tokens": generation.tokens,
        "verdict": generation.verdict.as_dict(),
    }


def _row(stage: str, decoding: str, traces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    count = len(traces)

    def share(name: str) -> float:
        return sum(trace["verdict"][name] is True for trace in traces) / count

    accuracy = share("answer")
    return {
        "stage": stage,
        "decoding": decoding,
        "accuracy": accuracy,
        "stderr": sqrt(accuracy * (1 - accuracy) / count),
        "legal": share("grammar"),
        "steps_right": share("contracts"),
        "tokens": sum(trace["tokens"] for trace in traces) / count,
        "n": count,
    }


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a table for a terminal."""
    lines = [
        f"{'stage':<8}{'decoding':<11}{'accuracy':>16}{'legal':>8}{'steps right':>13}{'tokens':>8}"
    ]
    for row in results:
        accuracy = f"{row['accuracy']:.1%} ± {row['stderr']:.1%}"
        lines.append(
            f"{row['stage']:<8}{row['decoding']:<11}{accuracy:>16}{row['legal']:>8.1%}"
            f"{row['steps_right']:>13.1%}{row['tokens']:>8.0f}"
        )
    count = results[0]["n"] if results else 0
    return "\n".join([*lines, f"{count} problems a row; ± is one standard error"])
