"""A decoding loop of one's own over `Matcher`: masks, text that is determined, a second attempt.

Any function from tokens to logits will do; here it is a small model of random weights, so that the
script needs nothing else. Two readings of one problem are sampled from the same beginning.

    python examples/decoding_loop.py
"""

import random
from collections.abc import Callable

import numpy as np
import torch

import statelang
from statelang.engine import Matcher, Vocabulary, validate
from statelang.training.model import tiny_llama
from statelang.training.tokenizer import train_tokenizer

SPACE = statelang.load("kwai_star_formal")
QUESTION = "Tom has 5 pens. Ann has 3 more pens than Tom. How many pens does Ann have?"
Logits = Callable[[list[int]], np.ndarray]


def sample(matcher: Matcher, logits: Logits, prompt: list[int], chance: random.Random) -> int:
    """Go on to the end of the trace; how often the model was asked."""
    asked = 0
    while not matcher.is_stopped():
        if matcher.consume_tested(matcher.forced_tokens()):
            continue
        scores = logits([*prompt, *matcher.tokens])[None]
        matcher.mask_logits(scores)
        asked += 1
        weights = np.exp(scores[0] - scores[0].max())
        matcher.consume_token(chance.choices(range(len(weights)), weights)[0])
    return asked


def main() -> None:
    """One beginning, two ends."""
    tokenizer = train_tokenizer([QUESTION], SPACE.literals)
    model = tiny_llama(tokenizer, seed=0).eval()
    prompt = tokenizer.encode(QUESTION + "\n")

    def logits(tokens: list[int]) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.tensor([tokens])).logits[0, -1].numpy().copy()

    start = Matcher(SPACE, Vocabulary.from_tokenizer(tokenizer), max_tokens=200)
    start.try_consume_tokens(tokenizer.encode("<formalize>Tom = 5\n"))
    for seed in range(2):
        matcher = start.copy()
        asked = sample(matcher, logits, prompt, random.Random(seed))
        print(matcher.trace)
        print(f"{len(matcher.tokens)} tokens, the model was asked for {asked} of them\n")
        assert validate(SPACE, matcher.trace).contracts


if __name__ == "__main__":
    main()
