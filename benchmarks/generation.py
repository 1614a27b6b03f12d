"""Generation: a small model on one thread, free and constrained, beside Outlines with llguidance.

    python -m benchmarks.generation --out generation.json

A Llama of two layers is made here and taught the formal Kwai-STaR traces for a few hundred steps,
so that it writes traces of a usual length. All that is compared runs in this process, in turns, on
one thread; times are of the process's own clock, each figure is the median over rounds, and every
way has problems of its own in every round. The first round, in which engines and kernels warm up,
is not counted. `free` is `model.generate` of transformers, without a mask.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import outlines
import torch
from attrs import frozen

import statelang
from statelang.engine.asking import prompt
from statelang.engine.decoding.loop import decode
from statelang.engine.decoding.sequences import Free, Steered
from statelang.engine.processors.processor import model_vocabulary
from statelang.engine.steering.matcher import Matcher
from statelang.engine.verdicts.verdict import validate
from statelang.training.formal import right_trace
from statelang.training.model import tiny_llama
from statelang.training.problems import problems
from statelang.training.tokenizer import train_tokenizer

_SPACE: Final = statelang.load("kwai_star_formal")
_BUDGET: Final = 240
_TRACES: Final = 32  # a round


@frozen
class Round:
    """What one way of decoding did with the problems of one round, and the seconds it took."""

    tokens: int
    complete: int
    seconds: float


Way = Callable[[Sequence[dict[str, Any]], int], tuple[int, list[str]]]


def taught(steps: int, width: int) -> Any:
    """A model that has seen some traces, as Outlines has it, and its tokenizer."""
    rows = [(f"{p['question']}\n", right_trace(p)) for p in problems(400, seed=1)]
    # Tags are not tokens of their own: llguidance takes added tokens in `<>` for special ones.
    tokenizer = train_tokenizer([text for row in rows for text in row], ())
    model = tiny_llama(tokenizer, 0, hidden=width)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    chance, stop = Random(0), [tokenizer.eos_token_id]
    for _ in range(steps):
        batch = []
        for asked, trace in chance.sample(rows, 16):
            before, after = tokenizer.encode(asked), tokenizer.encode(trace) + stop
            batch.append((before + after, [-100] * len(before) + after))
        size = max(len(ids) for ids, _ in batch)
        ids = torch.tensor([i + stop * (size - len(i)) for i, _ in batch])
        labels = torch.tensor([x + [-100] * (size - len(x)) for _, x in batch])
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    wrap: Any = outlines.from_transformers
    return wrap(model.train(False), tokenizer)


def free(model: Any, batch: int) -> Way:
    """`model.generate` on prompts padded to one length."""
    tokenizer = model.hf_tokenizer

    def way(asked: Sequence[dict[str, Any]], seed: int) -> tuple[int, list[str]]:
        torch.manual_seed(seed)
        traces: list[list[int]] = []
        for start in range(0, len(asked), batch):
            prompts = [prompt(_SPACE, problem) for problem in asked[start : start + batch]]
            given = tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left")
            said = model.model.generate(
                **given, max_new_tokens=_BUDGET, do_sample=True, temperature=1.0, top_k=0
            )
            traces += said[:, given["input_ids"].shape[1] :].tolist()
        stop = tokenizer.eos_token_id
        whole = [ids[: ids.index(stop) + 1] if stop in ids else ids for ids in traces]
        return sum(map(len, whole)), tokenizer.batch_decode(whole, skip_special_tokens=True)

    return way


def llguidance(model: Any, batch: int) -> Way:
    """Outlines with its own processor for grammars, the plain grammar. Its tokens are counted in
    the texts, as it gives no others."""
    generator: Any = outlines.Generator(model, outlines.types.CFG(_SPACE.source.text))
    tokenizer = model.hf_tokenizer

    def way(asked: Sequence[dict[str, Any]], seed: int) -> tuple[int, list[str]]:
        torch.manual_seed(seed)
        texts: list[str] = []
        for start in range(0, len(asked), batch):
            prompts = [prompt(_SPACE, problem) for problem in asked[start : start + batch]]
            texts += generator.batch(prompts, max_new_tokens=_BUDGET, do_sample=True, top_k=0)
        return sum(len(tokenizer.encode(text)) + 1 for text in texts), texts

    return way


def ours(
    model: Any, batch: int, *, contracts: bool, forces: bool, budget: bool, steered: bool = True
) -> Way:
    """The loop of `generate`, with or without contracts, forced text, a budget that is kept."""
    vocabulary, tokenizer = model_vocabulary(model), model.hf_tokenizer

    def row(problem: dict[str, Any], seed: str) -> Free:
        begun = (
            tokenizer.encode(prompt(_SPACE, problem)), vocabulary.stops, _BUDGET, 1.0, Random(seed)
        )  # fmt: skip
        if not steered:
            return Free(*begun)
        matcher = Matcher(
            _SPACE, vocabulary, problem, _BUDGET if budget else None, contracts=contracts
        )
        return Steered(*begun, matcher=matcher, judge=None, forces=forces, has_tools=False)

    def way(asked: Sequence[dict[str, Any]], seed: int) -> tuple[int, list[str]]:
        rows = [row(problem, f"{seed} {number}") for number, problem in enumerate(asked)]
        for start in range(0, len(rows), batch):
            decode(model.model, rows[start : start + batch])
        written = [row.ids[row.begin :] for row in rows]
        stops = vocabulary.stops
        texts = [vocabulary.decode([t for t in ids if t not in stops]) for ids in written]
        return sum(map(len, written)), [text.decode(errors="replace") for text in texts]

    return way


def measure(ways: dict[str, Way], rounds: int) -> dict[str, list[Round]]:
    """Every way in turns, each on problems of its own, else a later one would find the masks that
    an earlier one has made; the first round is left out."""
    found: dict[str, list[Round]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for index, (name, way) in enumerate(ways.items()):
            seed = 100 + number * len(ways) + index
            asked = [{**problem} for problem in problems(_TRACES, seed=seed)]
            start = time.process_time()
            tokens, texts = way(asked, seed)
            took = time.process_time() - start
            complete = sum(validate(_SPACE, text).grammar for text in texts)
            if number:
                found[name].append(Round(tokens, complete, took))
    return found


def table(model: Any, batch: int, rounds: int) -> list[dict[str, Any]]:
    """A row for each way of decoding, with its ratios to `free` and to Outlines."""
    ways = {
        "transformers, free": free(model, batch),
        "statelang, free": ours(
            model, batch, contracts=False, forces=False, budget=False, steered=False
        ),
        "Outlines with llguidance": llguidance(model, batch),
    }
    for contracts in (False, True):
        for budget in (False, True):
            for forces in (False, True):
                name = "contracts" if contracts else "grammar"
                name += ", budget kept" if budget else ""
                name += ", text forced" if forces else ""
                ways[f"statelang, {name}"] = ours(
                    model, batch, contracts=contracts, forces=forces, budget=budget
                )
    found = measure(ways, rounds)
    rows: list[dict[str, Any]] = []
    for name, took in found.items():
        tokens = median(each.tokens / each.seconds for each in took)
        traces = median(each.complete / each.seconds for each in took)
        complete = sum(each.complete for each in took) / (rounds * _TRACES)
        row = {"way": name, "batch": batch, "tokens/s": tokens, "traces/s": traces}
        rows.append(row | {"complete": complete})
    for row in rows:
        row["tokens/s, to free"] = row["tokens/s"] / rows[0]["tokens/s"]
        row["traces/s, to Outlines"] = row["traces/s"] / rows[2]["traces/s"]
    return rows


def shown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table for a terminal."""
    lines = [
        f"{'':<42}{'batch':>6}{'tokens/s':>10}{'to free':>9}{'traces/s':>10}{'to Outl.':>9}"
        f"{'complete':>10}"
    ]
    for row in rows:
        lines.append(
            f"{row['way']:<42}{row['batch']:>6}{row['tokens/s']:>10.0f}"
            f"{row['tokens/s, to free']:>9.2f}{row['traces/s']:>10.2f}"
            f"{row['traces/s, to Outlines']:>9.2f}{row['complete']:>10.0%}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the table as JSON")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--steps", type=int, default=300, help="of training (default: 300)")
    parser.add_argument("--width", type=int, default=96, help="of the model (default: 96)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = taught(options.steps, options.width)
    rows = [row for batch in (1, 16) for row in table(model, batch, options.rounds)]
    print(shown(rows))
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
