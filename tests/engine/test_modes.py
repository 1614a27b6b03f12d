"""In every decoding mode of `transformers` the traces are legal, complete and their problem's own."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from threading import Thread
from typing import Any

import outlines
import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration, TextIteratorStreamer, TextStreamer

from statelang.engine import constrain
from tests.engine.modes import (
    BATCHED,
    BUDGET,
    PROBLEMS,
    SINGLE,
    SPACE,
    check,
    drawn,
    generated,
    model,
    settings,
    steered,
    tokenizer,
)
from tests.training.small import small_model


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


@pytest.mark.parametrize("mode", [*SINGLE, *BATCHED])
def test_without_outlines_and_without_reset(mode: str) -> None:
    """Made from the tokenizer alone, and used again and again, with other prompts and the same: in
    beams, assisted decoding and without a reset, where the processors of Outlines 1.3.3 break."""
    torch.manual_seed(3)
    asked = PROBLEMS[:1] if mode in SINGLE else PROBLEMS[:2]
    processor = constrain(SPACE, tokenizer("merges"), asked, BUDGET)
    more = settings("merges", mode)
    count = more.get("num_return_sequences", 1)
    for prompts in (["Q1", "A longer one"], ["Q1", "A longer one"], ["Q11", "A longer one1"]):
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
