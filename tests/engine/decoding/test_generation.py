"""Whatever is generated under the mask ends, complete, within its budget, and validates."""

import random
import re
from typing import Any

import outlines
import pytest
import torch

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Vocabulary, constrain, generate, validate
from statelang.engine.steering.guide import Guide
from statelang.training.model import tiny_llama
from statelang.training.problems import problems
from statelang.training.tokenizer import train_tokenizer
from statelang.walk import walk

FORMAL = statelang.load("kwai_star_formal")
PROSE = statelang.load("kwai_star")
SPACES = {"kwai_star_formal": FORMAL, "kwai_star": PROSE}

# Merges that straddle tags, names, ids and numbers.
MERGES = [
    b"<formalize>", b"</formalize>\n", b"><", b">\n<", b" = ", b" + ", b"Tom", b"find ", b"12",
    b"= 1", b"</", b"s1", b"s2: ", b" the", b">s1", b"\n<verify>", b"1</", b"24>>", b"=2", b"0.5",
]  # fmt: skip
TOKENS = (*(bytes((byte,)) for byte in range(256)), *MERGES, b"")
VOCABULARY = Vocabulary(TOKENS, frozenset({len(TOKENS) - 1}))
GUIDES = {name: Guide(space, VOCABULARY) for name, space in SPACES.items()}


@pytest.mark.parametrize("budget", [None, 150])
@pytest.mark.parametrize("name", SPACES)
def test_a_random_walk_under_the_mask_validates(name: str, budget: int | None) -> None:
    """Sound and live: random tokens under the mask make a whole, legal trace within the budget."""
    chance, guide = random.Random(5), GUIDES[name]
    for _ in range(3):
        position, ids = guide.start(None, budget), []
        while not position.ended:
            allowed = guide.allowed(position)
            weights = [6.0 if len(TOKENS[i]) > 1 else 1.0 for i in allowed]
            token = int(chance.choices(list(allowed), weights)[0])
            following = guide.advance(position, token)
            assert following is not None
            position = following
            ids.append(token)
            assert budget is None or len(ids) <= budget
        assert validate(SPACES[name], VOCABULARY.decode(ids).decode()).contracts is True


@pytest.mark.parametrize("name", SPACES)
def test_every_token_of_a_legal_text_is_allowed_at_its_turn(name: str) -> None:
    """Complete: any tokenisation of a legal text passes the mask."""
    chance, guide = random.Random(1), GUIDES[name]
    for seed in range(6):
        left, position = walk(SPACES[name], seed).encode(), guide.start()
        while left:
            fitting = [i for i, token in enumerate(TOKENS) if token and left.startswith(token)]
            token = chance.choice(fitting)
            assert token in guide.allowed(position), (left[:30], TOKENS[token])
            following = guide.advance(position, token)
            assert following is not None
            position, left = following, left[len(TOKENS[token]) :]
        assert len(TOKENS) - 1 in guide.allowed(position)


@pytest.mark.parametrize("name", SPACES)
def test_a_budget_below_the_minimum_is_refused_and_the_minimum_works(name: str) -> None:
    """The least known number of tokens is named, and a trace ends within it."""
    guide = GUIDES[name]
    with pytest.raises(StatelangError, match="too small") as caught:
        guide.start(None, 5)
    found = re.search(r"at least (\d+)", str(caught.value))
    assert found is not None
    position, count = guide.start(None, int(found[1])), 0
    while not position.ended:
        following = guide.advance(position, int(guide.allowed(position)[-1]))
        assert following is not None
        position, count = following, count + 1
    assert count <= int(found[1])


@pytest.fixture(scope="module")
def model() -> Any:
    """A tiny Llama with random weights, steered by Outlines."""
    tokenizer = train_tokenizer([p["question"] for p in problems(50, 1)], FORMAL.literals)
    steered: Any = outlines.from_transformers
    return steered(tiny_llama(tokenizer, 0), tokenizer)


MODES: dict[str, dict[str, Any]] = {
    "greedy": {"do_sample": False},
    "sampled": {"do_sample": True},
    "several samples": {"do_sample": True, "num_return_sequences": 2},
    "beams": {"num_beams": 3, "do_sample": False},
    "assisted": {"prompt_lookup_num_tokens": 3, "do_sample": False},
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_outlines_stays_legal(model: Any, mode: str) -> None:
    """Sequences are keyed by what they hold: beams, assisted decoding and samples all validate."""
    torch.manual_seed(3)
    processor = constrain(FORMAL, model, max_tokens=120)
    generator: Any = outlines.Generator(model, processor=processor)
    for _ in range(2):  # the same processor again
        found = generator("Tom has 5 pens.\n", max_new_tokens=120, **MODES[mode])
        for text in found if isinstance(found, list) else [found]:
            assert validate(FORMAL, text).contracts is True


def test_a_batch_takes_problems_in_prompt_order(model: Any) -> None:
    """Prompts of different lengths, left-padded; each row has its own inputs; gold is not used."""
    space = statelang.loads(
        "//@ input choices: set[text]\n//@ answer pick.WORD as choice\n\n"
        'start : pick\n//@ requires WORD in choices\npick : "<pick>" WORD "</pick>\\n"\n'
        "WORD : /[a-z]+/\n"
    )
    asked = [
        {"question": "a", "choices": ["red", "blue"], "answer": "green"},
        {"question": "a longer question", "choices": ["one"], "answer": "two"},
    ]
    texts = [g.text for g in generate(space, model, asked, max_tokens=40, seed=1)]
    assert texts[0] in ("<pick>red</pick>\n", "<pick>blue</pick>\n")
    assert texts[1] == "<pick>one</pick>\n"


def test_a_missing_input_is_named(model: Any) -> None:
    """An input that the space declares and the problem lacks is an error with its name."""
    space = statelang.loads(
        "//@ input limit: number\n\nstart : a\n//@ requires N == limit\na : N\n"
        "//@ type number\nN : /[0-9]/\n"
    )
    with pytest.raises(StatelangError, match="`limit`"):
        constrain(space, model, {"question": "?"})
