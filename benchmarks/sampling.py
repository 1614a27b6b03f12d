"""How far sampled traces are from the model's distribution given legality: a table.

    python -m benchmarks.sampling

A small space whose legal sequences of tokens can all be written out, and a small Llama with random
weights. The distance (total variation over sequences of tokens) is that of what one trace of a run
is drawn from, if it is drawn by the weights; it is estimated from many runs, and the last row says
how far from itself the distribution is in 4,000 draws. SMC with one particle
is plain masking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from math import exp
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

import statelang
from statelang.engine.conditional.masks import Whole
from statelang.engine.conditional.rejection import reject
from statelang.engine.conditional.rows import Draw, Rows
from statelang.engine.conditional.smc import steer
from statelang.engine.masks.states import States
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.training.model import tiny_llama
from statelang.walking.machine import Machine

SPACE = """//@ ghost left: set[text] = {"a", "b", "ab"}

start : take _more
_more : take _more
      | stop

//@ requires ID in left
//@ set left = left - {ID}
take : "+" ID

stop : "."
ID : /[ab]{1,2}/
"""
WORDS = ("</s>", "<pad>", *"+ab.c", "ab", "+a", "+b", "a+", "b.", "+ab", "aa")


def prefixes(masks: type[States], seed: int = 3) -> Rows:
    """The space over a model with random weights."""
    backend = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(WORDS)}, merges=[]))
    backend.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # has no types
        tokenizer_object=backend, eos_token="</s>", pad_token="<pad>"
    )
    model = tiny_llama(tokenizer, seed, hidden=16, layers=1, heads=2)
    machine = Machine(statelang.loads(SPACE))
    states = masks(machine, Vocabulary.from_tokenizer(tokenizer))
    return Rows(model, tokenizer("ab")["input_ids"], states, machine.start({}), 20, 1.0)


def legal(rows: Rows) -> Iterator[Draw]:
    """All legal sequences, with what the model gives them."""
    rows.begin()
    going = [Draw((), 0.0)]
    while going:
        onward, taken = [], []
        for row, (draw, following) in enumerate(zip(going, rows.next, strict=True)):
            for token, score in zip(following.tokens, following.scores, strict=True):
                longer = draw.followed(int(token), float(score))
                if token in rows.stops:
                    yield longer
                else:
                    onward.append(longer)
                    taken.append((row, int(token)))
        if taken:
            rows.step(taken)
        going = onward


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rows = prefixes(Whole)
    due = {draw.tokens: exp(draw.log_probability) for draw in legal(rows)}
    mass = sum(due.values())
    print(f"{len(due)} legal sequences of tokens; the model's mass of them is {mass:.2g}\n")
    print("| one run | distance | effective traces | passes | tokens read |")
    print("| --- | --- | --- | --- | --- |")

    def distance(told: Mapping[tuple[int, ...], float]) -> float:
        whole = sum(told.values())
        return sum(abs(told.get(t, 0) / whole - p / mass) for t, p in due.items()) / 2

    def measured(name: str, rows: Rows, sample: Callable[..., Any], count: int, runs: int) -> None:
        told: defaultdict[tuple[int, ...], float] = defaultdict(float)
        rows.calls = rows.tokens_read = 0
        effective = 0.0
        for seed in range(runs):
            found, share = sample(rows, count, np.random.default_rng(seed))
            effective += count if sample is reject else share * count
            weights = np.exp([weight for _, weight in found])
            for (draw, _), weight in zip(found, weights / weights.sum(), strict=True):
                told[draw.tokens] += weight
        costs = [f"{total / runs:.1f}" for total in (effective, rows.calls, rows.tokens_read)]
        print(f"| {name} | {distance(told):.3f} | {' | '.join(costs)} |", flush=True)

    measured("plain mask", prefixes(States), steer, 1, 4_000)
    measured("SMC, 8 particles", rows, steer, 8, 1_000)
    measured("SMC, 64 particles", rows, steer, 64, 500)
    measured("rejection, 8 traces", rows, reject, 8, 500)
    measured("rejection, 64 traces", rows, reject, 64, 63)
    shares = np.array(list(due.values())) / mass
    drawn = np.random.default_rng(0).multinomial(4_000, shares)
    itself = distance(dict(zip(due, drawn.tolist(), strict=True)))
    print(f"| 4,000 draws of the distribution itself | {itself:.3f} | | | |")


if __name__ == "__main__":
    main()
