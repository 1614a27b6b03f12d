"""Samples have the model's own distribution given legality, compared with all of it, enumerated.

The legal texts are written down by hand and cut into tokens in every way; the model reads each
sequence whole, without a cache. Every sequence is drawn from a fixed seed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import permutations, product
from math import exp
from typing import Any

import numpy as np
import outlines
import pytest
import torch
from attrs import frozen
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import generate, validate
from statelang.engine.conditional.masks import Whole
from statelang.engine.conditional.rejection import reject
from statelang.engine.conditional.rows import Rows
from statelang.engine.conditional.sampler import sample_conditional
from statelang.engine.conditional.scoring import score
from statelang.engine.conditional.smc import steer
from statelang.engine.masks.bits import unpacked
from statelang.engine.processors.processor import model_vocabulary
from statelang.engine.steering.guide import guide
from statelang.space import StateSpace
from statelang.training.model import tiny_llama
from statelang.walking.machine import Machine


@frozen(eq=False)
class Case:
    """A space, all its legal texts, the tokens beside single characters, the budget."""

    space: StateSpace
    texts: tuple[str, ...]
    tokens: tuple[str, ...]
    max_tokens: int
    temperature: float = 1.0


BAG = statelang.loads("""//@ ghost left: set[text] = {"a", "b", "ab"}

start : take _more
_more : take _more
      | stop

//@ requires ID in left
//@ set left = left - {ID}
take : "+" ID

stop : "."
ID : /[ab]{1,2}/
""")
BAGS = tuple(
    "".join(f"+{name}" for name in names) + "."
    for count in (1, 2, 3)
    for names in permutations(("a", "b", "ab"), count)
)
BAG_TOKENS = ("ab", "+a", "+b", "a+", "b.", "+ab", "aa")

SUM = statelang.loads("""start : sum
//@ checks LEFT + RIGHT == TOTAL
sum : LEFT "+" RIGHT "=" TOTAL
//@ type number
LEFT : /[0-3]/
//@ type number
RIGHT : /[0-3]/
//@ type number
TOTAL : /[0-9]/
""")
SUMS = tuple(f"{a}+{b}={a + b}" for a, b in product(range(4), repeat=2))

# A mask looks one step ahead: after "-1-1-1" the trace can no longer come to 5, and it runs empty.
PUZZLE = statelang.loads("""//@ ghost total: number = 0
//@ limit add 3

start : add _more
_more : add _more
      | stop

//@ set total = total + N
add : "-" N

//@ requires total == 5
stop : "!"
//@ type number
N : /[1-3]/
""")
PUZZLES = tuple(
    "".join(f"-{number}" for number in numbers) + "!"
    for count in (1, 2, 3)
    for numbers in product((1, 2, 3), repeat=count)
    if sum(numbers) == 5
)

CASES = {
    "contracts": Case(BAG, BAGS, BAG_TOKENS, 20),
    "contracts, hot": Case(BAG, BAGS, BAG_TOKENS, 20, 2.0),
    "contracts, short": Case(BAG, BAGS, BAG_TOKENS, 5),
    "checks": Case(SUM, SUMS, ("+1", "=3", "2+", "1+1"), 20),
    "dead ends": Case(PUZZLE, PUZZLES, ("-1", "-2", "1-", "3!"), 20),
}
PROBLEM = {"prompt": "ab"}


@cache
def steered(name: str) -> Any:
    """A small Llama with random weights and a tokenizer of a few tokens."""
    case = CASES[name]
    letters = sorted(set("".join((*case.texts, "abc"))))
    words = ["</s>", "<pad>", *letters, *case.tokens]
    backend = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(words)}, merges=[]))
    backend.decoder = decoders.Fuse()
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend, eos_token="</s>", pad_token="<pad>", padding_side="left"
    )
    model: Any = outlines.from_transformers
    return model(tiny_llama(tokenizer, 3, hidden=16, layers=1, heads=2), tokenizer)


def cuts(text: str, words: Mapping[str, int]) -> Iterator[tuple[int, ...]]:
    """A text as tokens, in every way."""
    if not text:
        yield ()
    for word, token in words.items():
        if text.startswith(word):
            yield from ((token, *rest) for rest in cuts(text[len(word) :], words))


@cache
def legal(name: str) -> dict[tuple[int, ...], tuple[str, float]]:
    """Every legal sequence of tokens: its text, the model's log probability."""
    case, model = CASES[name], steered(name)
    words = {w: i for w, i in model.hf_tokenizer.get_vocab().items() if not w.startswith("<")}
    stop = model.hf_tokenizer.eos_token_id
    prompt = model.hf_tokenizer(PROBLEM["prompt"])["input_ids"]
    found = {}
    for text in case.texts:
        for cut in cuts(text, words):
            tokens = (*cut, stop)
            if len(tokens) > case.max_tokens:
                continue
            with torch.inference_mode():
                logits = model.model(torch.tensor([[*prompt, *tokens]])).logits[0].double()
            told = torch.log_softmax(logits[len(prompt) - 1 : -1] / case.temperature, -1)
            found[tokens] = text, float(told[range(len(tokens)), tokens].sum())
    return found


@cache
def mass(name: str) -> float:
    """The model's mass of all legal sequences."""
    return sum(exp(told) for _, told in legal(name).values())


@cache
def conditional(name: str) -> dict[str, float]:
    """The model's distribution over texts, given legality."""
    result: dict[str, float] = defaultdict(float)
    for text, told in legal(name).values():
        result[text] += exp(told) / mass(name)
    return dict(result)


def distance(told: Mapping[str, float], name: str) -> float:
    """Total variation between a distribution over texts and the conditional one."""
    due = conditional(name)
    return sum(abs(told.get(text, 0) - due.get(text, 0)) for text in {*told, *due}) / 2


def surprise(texts: list[str], name: str) -> float:
    """How often as many texts, drawn from the conditional distribution itself, are as far from it:
    an exact test; 10,000 such samples are drawn."""
    due = np.array(list(conditional(name).values()))
    size = len(texts)
    counted = Counter(texts)
    drawn = np.random.default_rng(0).multinomial(size, due, 10_000) / size
    far = np.abs(drawn - due).sum(1) / 2
    seen = distance({text: count / size for text, count in counted.items()}, name)
    return float((1 + (far >= seen - 1e-12).sum()) / 10_001)


def sampled(name: str, method: str, count: int, seed: int = 0) -> Any:
    """A sample of a case."""
    case = CASES[name]
    return sample_conditional(
        case.space,
        steered(name),
        PROBLEM,
        method=method,  # type: ignore[arg-type]
        count=count,
        max_tokens=case.max_tokens,
        temperature=case.temperature,
        seed=seed,
    )


@cache
def rows(name: str) -> Rows:
    """Prefixes of a case; each use begins anew."""
    case, model = CASES[name], steered(name)
    masks = guide(case.space, model_vocabulary(model), True)
    prompt = model.hf_tokenizer(PROBLEM["prompt"])["input_ids"]
    start = masks.machine.start(PROBLEM)
    whole = Whole(masks.machine, masks.vocabulary)
    return Rows(model.model, prompt, whole, start, case.max_tokens, case.temperature)


def chance(seed: int) -> np.random.Generator:
    """Random numbers from a seed."""
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", CASES)
def test_the_texts_written_down_are_the_legal_ones(name: str) -> None:
    """The reference is right: each text validates, and rejection finds no other."""
    assert all(validate(CASES[name].space, text).contracts for text in CASES[name].texts)
    assert {t.text for t in sampled(name, "rejection", 200).traces} <= set(CASES[name].texts)


@pytest.mark.parametrize(
    ("name", "looks_far"), [("contracts", False), ("checks", False), ("dead ends", True)]
)
def test_masks_lose_no_legal_token(name: str, looks_far: bool) -> None:
    """After each legal prefix every token that some legal sequence goes on with is there, and no
    other, unless a dead end is more than one step away."""
    case, model = CASES[name], steered(name)
    whole = Whole(Machine(case.space), model_vocabulary(model))
    due: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for tokens in legal(name):
        for at, token in enumerate(tokens):
            due[tokens[:at]].add(token)
    for prefix, onward in due.items():
        text = whole.vocabulary.decode(prefix)
        here = whole.machine.advance(whole.machine.start(PROBLEM), text)
        assert here is not None
        row = unpacked(whole.row(whole.state(here)[0]), whole.size)
        found = set(np.flatnonzero(row).tolist())
        assert onward <= found if looks_far else onward == found, text


@pytest.mark.parametrize("name", CASES)
def test_rejection_draws_from_the_conditional_distribution(name: str) -> None:
    """Of samples from the very distribution one in a thousand would be further from it."""
    found = sampled(name, "rejection", 2_000)
    assert surprise([trace.text for trace in found.traces], name) > 1e-3


@pytest.mark.parametrize("name", ["contracts", "checks", "dead ends"])
def test_rejection_is_exact_while_it_learns(name: str) -> None:
    """So are the first traces kept, when little of the illegal mass is known."""
    texts = [
        draw.tokens for seed in range(60) for draw, _ in reject(rows(name), 2, chance(seed))[0]
    ]
    assert len(texts) == 120
    assert surprise([legal(name)[tokens][0] for tokens in texts], name) > 1e-3


@pytest.mark.parametrize("name", CASES)
def test_plain_masking_does_not(name: str) -> None:
    """The same test tells the difference: no sample in ten thousand is so far away."""
    case = CASES[name]
    problems = [PROBLEM] * 150
    texts = [
        g.text
        for g in generate(
            case.space, steered(name), problems, max_tokens=20, temperature=case.temperature
        )
    ]
    assert surprise(texts, name) < 2e-4


@pytest.mark.parametrize("name", CASES)
def test_smc_estimates_without_bias(name: str) -> None:
    """With 8 particles, the mean of 150 estimates of the legal mass is the mass, and of the mass of
    each likely text that text's, up to four standard errors, which are below 0.15 of the mass."""
    estimates = []
    for seed in range(150):
        told = dict.fromkeys(conditional(name), 0.0)
        for draw, weight in steer(rows(name), 8, chance(seed))[0]:
            told[legal(name)[draw.tokens][0]] += exp(weight) / mass(name)
        estimates.append(list(told.values()))
    found, due = np.array(estimates), np.array(list(conditional(name).values()))
    likely = due > 0.1
    for seen, true in [(found.sum(1), 1.0), *zip(found.T[likely], due[likely], strict=True)]:
        error = seen.std() / len(seen) ** 0.5
        assert error < 0.15
        assert abs(seen.mean() - true) < 4 * error


@pytest.mark.parametrize("name", CASES)
def test_smc_comes_closer_with_more_particles(name: str) -> None:
    """With 2,000 particles the weighted texts are within 0.1 of the conditional distribution, in
    total variation, and the mass within a tenth."""
    found = sampled(name, "smc", 2_000)
    assert distance(found.distribution, name) < 0.1
    assert exp(found.log_mass) == pytest.approx(mass(name), rel=0.1)


@pytest.mark.parametrize("method", ["rejection", "smc"])
@pytest.mark.parametrize("name", CASES)
def test_what_is_told_of_a_trace_is_true(name: str, method: str) -> None:
    """Tokens, text and log probability are the reference's; weights sum to one; seeds repeat."""
    found = sampled(name, method, 20, seed=5)
    for trace in found.traces:
        text, told = legal(name)[trace.tokens]
        assert (trace.text, trace.log_probability) == (text, pytest.approx(told, abs=1e-4))
    assert sum(trace.weight for trace in found.traces) == pytest.approx(1)
    assert found == sampled(name, method, 20, seed=5)


def test_rejection_estimates_the_mass() -> None:
    """With 2,000 traces it is within a tenth."""
    found = sampled("contracts", "rejection", 2_000)
    assert exp(found.log_mass) == pytest.approx(mass("contracts"), rel=0.1)


def test_what_is_known_to_be_illegal_is_not_drawn_again() -> None:
    """Plain rejection keeps a share as large as the legal mass; with the trie most draws are kept."""
    assert mass("contracts") < 0.01
    assert sampled("contracts", "rejection", 2_000).efficiency > 0.5


def test_a_given_trace_is_scored() -> None:
    """The model's log probability is the reference's. Under the mask, what no step of the trace
    leaves a choice in costs nothing, and what is not legal has none."""
    model = steered("contracts")
    found = score(BAG, model, PROBLEM, "+b+a+ab.")
    assert found.model == pytest.approx(legal("contracts")[found.tokens][1], abs=1e-4)
    assert found.model < found.masked < 0
    assert score(BAG, model, PROBLEM, "+b+b.").masked == -np.inf
    only = statelang.loads('start : a\na : "c"\n')
    assert score(only, model, PROBLEM, "c").masked == pytest.approx(0)


def test_where_nothing_is_found_the_sample_is_empty() -> None:
    """Legal traces that the model all but never writes: rejection gives up, and says so."""
    model, space = steered("contracts"), CASES["contracts"].space
    cold: dict[str, Any] = {"max_tokens": 5, "temperature": 0.01}
    found = sample_conditional(space, model, PROBLEM, method="rejection", count=1, **cold)
    assert (found.traces, found.log_mass, found.efficiency) == ((), -np.inf, 0)


def test_an_empty_prompt_is_refused() -> None:
    """A model needs something to go on from."""
    with pytest.raises(StatelangError, match="prompt is empty"):
        sample_conditional(BAG, steered("contracts"), {"prompt": ""})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"count": 0}, "count=0"),
        ({"temperature": 0.0}, "temperature above 0"),
        ({"max_tokens": 2}, "max_tokens=2 is too small"),
        ({"method": "gibbs"}, 'method="gibbs"'),
    ],
)
def test_bad_options_are_refused(options: Any, told: str) -> None:
    """No sample of nothing, no distribution at temperature 0, no budget in which nothing ends."""
    with pytest.raises(StatelangError, match=told):
        sample_conditional(BAG, steered("contracts"), PROBLEM, **options)
