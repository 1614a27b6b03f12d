"""In every decoding mode of `transformers` the traces are legal, complete and their problem's own."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from threading import Thread
from typing import Any

import numpy as np
import outlines
import pytest
import torch
from transformers import (
    T5Config,
    T5ForConditionalGeneration,
    TextIteratorStreamer,
    TextStreamer,
    TopKLogitsWarper,
)

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Vocabulary, constrain, validate
from statelang.training.model import tiny_llama
from statelang.training.tokenizer import train_tokenizer
from tests.strategies import PICK
from tests.training.small import small_model

SPACE = statelang.loads(PICK, "pick")
BUDGET = 60
PROBLEMS: list[dict[str, Any]] = [
    {"question": "Q", "options": ["red", "né"]},
    {"question": "a much longer question that fills the row " * 3, "options": ["a", "b", "redder"]},
    {"question": "Which of the two?", "options": ["éa", "éé"]},
]
TEXTS = [problem["question"] for problem in PROBLEMS] + ["look red\nlook né\nchoose red\n"] * 5


@cache
def tokenizer(kind: str) -> Any:
    """One token for each byte, or merges that straddle tags and values as well."""
    return train_tokenizer(TEXTS, [], vocabulary=258 if kind == "bytes" else 340)


@cache
def model(kind: str, seed: int = 0) -> Any:
    """A very small Llama with random weights."""
    return small_model(tokenizer(kind), seed)


@cache
def steered(kind: str) -> Any:
    """The same for Outlines."""
    wrap: Any = outlines.from_transformers
    return wrap(model(kind), tokenizer(kind))


def drawn(**more: Any) -> dict[str, Any]:
    """Settings that sample, without those that `transformers` sets by itself."""
    return {"do_sample": True, "top_k": 0, **more}


SINGLE: dict[str, dict[str, Any]] = {
    "prompt lookup": {"do_sample": False, "prompt_lookup_num_tokens": 3},
    "prompt lookup, sampled": drawn(prompt_lookup_num_tokens=3),
    "assisted": {"do_sample": False, "assistant": True},
    "assisted, sampled": drawn(assistant=True),
}
BATCHED: dict[str, dict[str, Any]] = {
    "greedy": {"do_sample": False},
    "sampled": drawn(),
    "warped": drawn(temperature=0.6, top_k=4, top_p=0.9, min_p=0.01, repetition_penalty=1.5),
    "samples": drawn(num_return_sequences=3),
    "beams": {"do_sample": False, "num_beams": 4},
    "all beams": {"do_sample": False, "num_beams": 3, "num_return_sequences": 3},
    "sampled beams": drawn(num_beams=3, num_return_sequences=2),
    "without cache": drawn(use_cache=False),
}


def settings(kind: str, mode: str) -> dict[str, Any]:
    """What `generate` takes for a mode, beside the number of tokens."""
    found = {**SINGLE, **BATCHED}[mode]
    if "assistant" in found:
        found = {k: v for k, v in found.items() if k != "assistant"}
        found["assistant_model"] = model(kind, 1)
    return found


def check(found: Any, problem: dict[str, Any]) -> int:
    """Every trace of a problem is whole and legal; how many there are."""
    texts = found if isinstance(found, list) else [found]
    for text in texts:
        assert validate(SPACE, text, problem).contracts is True, text
    return len(texts)


@pytest.mark.parametrize("kind", ["bytes", "merges"])
@pytest.mark.parametrize("mode", [*SINGLE, *BATCHED])
def test_one_prompt(mode: str, kind: str) -> None:
    """Whole, legal traces within the budget, and again with the same processor."""
    torch.manual_seed(1)
    processor = constrain(SPACE, steered(kind), PROBLEMS[0], BUDGET)
    generator: Any = outlines.Generator(steered(kind), processor=processor)
    count = settings(kind, mode).get("num_return_sequences", 1)
    for prompt in ("Q", "Quite another prompt"):
        assert count == check(
            generator(prompt, max_new_tokens=BUDGET, **settings(kind, mode)), PROBLEMS[0]
        )


@pytest.mark.parametrize("kind", ["bytes", "merges"])
@pytest.mark.parametrize("mode", BATCHED)
def test_a_batch_of_problems(mode: str, kind: str) -> None:
    """Left-padded prompts of very different lengths: each trace is legal for its own problem."""
    torch.manual_seed(2)
    processor = constrain(SPACE, steered(kind), PROBLEMS, BUDGET)
    generator: Any = outlines.Generator(steered(kind), processor=processor)
    count = settings(kind, mode).get("num_return_sequences", 1)
    for asked in (["question"] * 3, [problem["question"] for problem in PROBLEMS]):
        found = generator.batch(asked, max_new_tokens=BUDGET, **settings(kind, mode))
        assert [count] * 3 == [check(f, p) for f, p in zip(found, PROBLEMS, strict=True)]


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["bytes", "merges"])
@pytest.mark.parametrize("mode", [*SINGLE, *BATCHED])
def test_many_traces(mode: str, kind: str, record_count: Callable[[str, int], None]) -> None:
    """All of them legal and whole, with budgets down to the least, and one processor for two."""
    asked = PROBLEMS[1:2] if mode in SINGLE else PROBLEMS
    least = 24 if kind == "bytes" else 16
    total = 0
    for seed in range(20):
        torch.manual_seed(seed)
        budget = least + 2 * seed
        processor = constrain(SPACE, steered(kind), asked, budget)
        generator: Any = outlines.Generator(steered(kind), processor=processor)
        for prompts in (["Q"] * len(asked), [problem["question"] for problem in asked]):
            more = {"max_new_tokens": budget, **settings(kind, mode)}
            if mode in SINGLE:
                total += check(generator(prompts[0], **more), asked[0])
                continue
            for found, problem in zip(generator.batch(prompts, **more), asked, strict=True):
                total += check(found, problem)
    record_count("traces in the decoding modes of transformers that validate", total)


# ---- a processor of transformers, without Outlines -------------------------------------------


def generated(processor: Any, prompts: list[str], kind: str = "merges", **more: Any) -> list[str]:
    """What `model.generate` writes after some prompts."""
    encoded = tokenizer(kind)(prompts, return_tensors="pt", padding=True)
    found = model(kind).generate(
        **encoded, max_new_tokens=BUDGET, logits_processor=[processor], **more
    )
    texts: list[str] = tokenizer(kind).batch_decode(
        found[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True
    )
    return texts


@pytest.mark.parametrize("mode", [*SINGLE, *BATCHED])
def test_without_outlines_and_without_reset(mode: str) -> None:
    """Made from the tokenizer alone, and used again and again, with other prompts and the same: in
    beams, assisted decoding and without a reset, where the processors of Outlines 1.3.3 break."""
    torch.manual_seed(3)
    asked = PROBLEMS[:1] if mode in SINGLE else PROBLEMS[:2]
    processor = constrain(SPACE, tokenizer("merges"), asked, BUDGET)
    more = settings("merges", mode)
    count = more.get("num_return_sequences", 1)
    for prompts in (["Q1", "A longer one"], ["Q1", "Q2"], ["Q1", "Q2"], ["Q11", "Q22"]):
        texts = generated(processor, prompts[: len(asked)], **more)
        for index, problem in enumerate(asked):
            assert count == check(texts[index * count : (index + 1) * count], problem)


@pytest.mark.parametrize("mode", ["greedy", "sampled beams", "prompt lookup", "assisted"])
def test_a_prompt_that_holds_a_trace_is_a_prompt(mode: str) -> None:
    """What was generated, with its stop token and a new question, is asked anew."""
    torch.manual_seed(4)
    processor = constrain(SPACE, tokenizer("merges"), PROBLEMS[0], BUDGET)
    prompt = "Q: "
    for _ in range(3):
        text = generated(processor, [prompt], **settings("merges", mode))[0]
        assert 1 == check(text, PROBLEMS[0])
        prompt += text + "</s>Q: "


@pytest.mark.parametrize("mode", ["prompt lookup", "assisted"])
def test_drafts_that_are_legal_are_taken(mode: str) -> None:
    """Several tokens with one pass of the model, where the draft is what it would have written."""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[0], BUDGET)
    alike = small_model(tokenizer("bytes"), 0)
    lookup = {"prompt_lookup_num_tokens": 8, "max_matching_ngram_size": 3}
    more = lookup if mode == "prompt lookup" else {"assistant_model": alike}
    passes: list[None] = []
    counting = model("bytes").register_forward_hook(lambda *_: passes.append(None))
    prompt = "look red\nlook né\nchoose red\nchoose né\n"
    text = generated(processor, [prompt], "bytes", do_sample=False, **more)[0]
    counting.remove()
    assert 1 == check(text, PROBLEMS[0])
    assert 2 * len(passes) < len(text.encode())


def test_a_trace_is_streamed() -> None:
    """`transformers` streams where Outlines cannot: `generate` in a thread, pieces as they come."""
    kind = "bytes"
    processor = constrain(SPACE, tokenizer(kind), PROBLEMS[0], BUDGET)
    streamer: Any = TextIteratorStreamer(
        tokenizer(kind), skip_prompt=True, skip_special_tokens=True
    )
    thread = Thread(
        target=generated,
        args=(processor, ["Q"], kind),
        kwargs={"streamer": streamer, "do_sample": False},
    )
    thread.start()
    pieces = [piece for piece in streamer if piece]
    thread.join()
    assert len(pieces) > 1
    assert 1 == check("".join(pieces), PROBLEMS[0])


def test_a_trace_is_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    """With prompt lookup several tokens come at a time."""
    processor = constrain(SPACE, tokenizer("merges"), PROBLEMS[0], BUDGET)
    streamer: Any = TextStreamer(tokenizer("merges"), skip_prompt=True, skip_special_tokens=True)
    torch.manual_seed(5)
    generated(processor, ["Q"], streamer=streamer, **settings("merges", "prompt lookup, sampled"))
    assert 1 == check(capsys.readouterr().out.removesuffix("\n"), PROBLEMS[0])


def test_a_pad_token_that_the_model_lacks() -> None:
    """Added to the tokenizer, without new embeddings."""
    more = deepcopy(tokenizer("bytes"))
    more.add_special_tokens({"pad_token": "<nothing>"})
    processor = constrain(SPACE, more, PROBLEMS[0], BUDGET)
    assert 1 == check(generated(processor, ["Q"], "bytes"), PROBLEMS[0])


def test_a_prompt_of_embeddings() -> None:
    """The rows then hold the trace alone."""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[:2], BUDGET)
    for seed in (7, 8):
        torch.manual_seed(seed)
        found = model("bytes").generate(
            inputs_embeds=torch.randn(4, 5, 16),
            max_new_tokens=BUDGET,
            logits_processor=[processor],
            **drawn(),
        )
        texts = tokenizer("bytes").batch_decode(found, skip_special_tokens=True)
        assert [2, 2] == [check(texts[:2], PROBLEMS[0]), check(texts[2:], PROBLEMS[1])]


def test_an_encoder_and_a_decoder() -> None:
    """The rows begin with the decoder's first token, whatever was asked."""
    stop, pad = tokenizer("bytes").eos_token_id, tokenizer("bytes").pad_token_id
    config = T5Config(
        vocab_size=258, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2,
        pad_token_id=pad, eos_token_id=stop,
    )  # fmt: skip
    config.decoder_start_token_id = pad
    torch.manual_seed(9)
    t5: Any = T5ForConditionalGeneration(config)
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[:2], BUDGET)
    encoded = tokenizer("bytes")(["Q1", "A longer one"], return_tensors="pt", padding=True)
    for mode in ("sampled", "beams"):
        found = t5.generate(
            **encoded, max_new_tokens=BUDGET, logits_processor=[processor], **BATCHED[mode]
        )
        texts = tokenizer("bytes").batch_decode(found, skip_special_tokens=True)
        assert [1, 1] == [check(t, p) for t, p in zip(texts, PROBLEMS[:2], strict=True)]


def test_what_the_model_gave_is_kept() -> None:
    """`output_logits` are the model's own, not masked ones."""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[0], BUDGET)
    encoded = tokenizer("bytes")(["Q"], return_tensors="pt")
    found = model("bytes").generate(
        **encoded,
        max_new_tokens=3,
        logits_processor=[processor],
        return_dict_in_generate=True,
        output_logits=True,
        output_scores=True,
    )
    assert all(bool(torch.isfinite(logits).all()) for logits in found.logits)
    assert [1, 1, 1] == [int(torch.isfinite(scores).sum()) for scores in found.scores]


# ---- logits of every kind --------------------------------------------------------------------


def first_step(logits: torch.Tensor, **more: Any) -> torch.Tensor:
    """What becomes of the logits after a prompt."""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[0], **more)
    masked: torch.Tensor = processor(torch.tensor([[7, 7]] * len(logits)), logits)
    return masked


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_logits_of_every_precision(kind: torch.dtype) -> None:
    """Only the first byte of `look` is left, the type is kept, and what came in is as it was."""
    size = len(tokenizer("bytes"))
    logits = torch.ones((2, size), dtype=kind)
    masked = first_step(logits)
    only = tokenizer("bytes").convert_tokens_to_ids("l")
    assert [[0, only], [1, only]] == (masked > -np.inf).nonzero().tolist()
    assert kind == masked.dtype
    assert bool((logits == 1).all())


def test_a_padded_vocabulary_is_never_left() -> None:
    """A model may have more logits than its tokenizer has tokens."""
    padded: Any = tiny_llama(tokenizer("bytes"), 0, hidden=16, layers=1, heads=2)
    padded.resize_token_embeddings(320, mean_resizing=False)
    wrap: Any = outlines.from_transformers
    steered = wrap(padded, tokenizer("bytes"))
    torch.manual_seed(6)
    generator: Any = outlines.Generator(
        steered, processor=constrain(SPACE, steered, PROBLEMS[0], BUDGET)
    )
    found = generator("Q", max_new_tokens=BUDGET, **BATCHED["samples"])
    assert 3 == check(found, PROBLEMS[0])


def test_too_few_logits_are_refused() -> None:
    """The tokenizer of another model is named as such."""
    with pytest.raises(StatelangError, match="its tokenizer has 258 tokens"):
        first_step(torch.zeros((1, 200)))


def test_rows_that_are_no_multiple_of_the_problems_are_refused() -> None:
    """Two problems and three prompts: which is whose?"""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[:2])
    with pytest.raises(StatelangError, match="3 sequences cannot be shared out among 2 problems"):
        processor(torch.zeros((3, 4), dtype=torch.long), torch.zeros((3, 258)))


@pytest.mark.parametrize("mode", ["suppressed", "top k"])
def test_what_forbids_every_legal_token_is_an_error(mode: str) -> None:
    """Rather than an illegal token: where what comes before the mask leaves nothing to it."""
    processor = constrain(SPACE, tokenizer("bytes"), PROBLEMS[0], BUDGET)
    only = tokenizer("bytes").convert_tokens_to_ids("l")
    more: dict[str, Any] = {"suppress_tokens": [only]} if mode == "suppressed" else {}
    before = [TopKLogitsWarper(1)] if mode == "top k" else []
    encoded = tokenizer("bytes")(["Q"], return_tensors="pt")
    with pytest.raises(StatelangError, match="impossible before the mask"):
        model("bytes").generate(
            **encoded, max_new_tokens=5, logits_processor=[*before, processor], **more
        )


# ---- what steers, and what cannot ------------------------------------------------------------


def test_a_vocabulary_steers() -> None:
    """Where stop tokens are known that the tokenizer does not name."""
    other = tokenizer("bytes").pad_token_id
    vocabulary = Vocabulary.from_tokenizer(tokenizer("bytes"), [other])
    processor = constrain(SPACE, vocabulary, PROBLEMS[0])
    rows = torch.tensor([[7, *tokenizer("bytes").encode("look red\nchoose red\n")]])
    processor(rows[:, :1], torch.zeros((1, 258)))
    for length in range(2, rows.shape[1] + 1):
        masked = processor(rows[:, :length], torch.zeros((1, 258)))
    assert sorted({other, tokenizer("bytes").eos_token_id}) == [
        i for i in range(258) if masked[0, i] == 0
    ]


@pytest.mark.parametrize("model", ["a name", object(), None])
def test_what_cannot_be_steered_is_named(model: Any) -> None:
    """With what to give instead."""
    with pytest.raises(StatelangError, match=f"`{type(model).__name__}` cannot be steered"):
        constrain(SPACE, model)
