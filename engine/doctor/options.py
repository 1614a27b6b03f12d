"""What the options of a generation configuration do to the mask.

`transformers` applies them to the logits before a logits processor of the caller's, and sampling
(`temperature`, `top_k`, `top_p` and their like) after it: those never see a masked token. What an
option makes impossible stays so under the mask; where that is all that was legal, nothing is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from statelang.diagnostics import Diagnostic
from statelang.engine.doctor.findings import finding
from statelang.engine.doctor.sample import Sample
from statelang.engine.doctor.spelling import quoted
from statelang.engine.doctor.subject import Subject
from statelang.engine.masks.bits import unpacked
from statelang.engine.steering.guide import Guide
from statelang.engine.steering.matcher import Matcher

_STEPS: Final = 200  # tokens for which an option is tried on one trace
_TRACES: Final = 3
_PROMPT: Final = 1  # tokens of the prompt that is tried

# Each with the value at which it does nothing.
_WEIGHTS: Final[dict[str, Any]] = {
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "sequence_bias": None,
    "exponential_decay_length_penalty": None,
    "guidance_scale": 1.0,
    "watermarking_config": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
}


def findings(subject: Subject, sample: Sample, guide: Guide) -> Iterator[Diagnostic]:
    """Options that ban legal tokens, tried on the traces, and those that weigh them anew."""
    for name, made in _bans(subject).items():
        value = getattr(subject.generation, name, None)
        if not value:
            continue
        said = f"`{name}` = {_short(value)}"
        try:
            written, banned = _tried(made(value), sample, guide)
        except (TypeError, ValueError) as error:
            yield finding("SD404", subject.option(name), f"{said} cannot be used: {error}")
            continue
        if written is not None:
            after = f"after {quoted(written[-40:])}" if written else "at the beginning"
            yield finding("SD401", subject.option(name), f"{said} leaves no legal token {after}")
        elif banned is not None:
            what = f"bans a token of a legal trace, {quoted(banned)}"
            yield finding("SD402", subject.option(name), f"{said} {what}")
    for name, neutral in _WEIGHTS.items():
        value = getattr(subject.generation, name, None)
        if value not in (None, neutral):
            yield finding(
                "SD403",
                subject.option(name),
                f"`{name}` = {_short(value)} weighs tokens by what stands before "
                "them or where they stand, whether legal or not",
            )


def _short(value: Any) -> str:
    return str(value) if len(str(value)) <= 40 else f"{str(value)[:40]}..."


def _bans(subject: Subject) -> dict[str, Callable[[Any], Any]]:
    """The options that make tokens impossible, with what `generate` makes of their values."""
    from transformers.generation import logits_process as made

    stops = sorted(subject.stops)
    return {
        "no_repeat_ngram_size": made.NoRepeatNGramLogitsProcessor,
        "bad_words_ids": lambda ids: made.NoBadWordsLogitsProcessor(ids, stops),
        "suppress_tokens": made.SuppressTokensLogitsProcessor,
        "begin_suppress_tokens": lambda ids: made.SuppressTokensAtBeginLogitsProcessor(
            ids, _PROMPT
        ),
        "min_length": lambda length: made.MinLengthLogitsProcessor(length, stops),
        "min_new_tokens": lambda length: made.MinNewTokensLengthLogitsProcessor(
            _PROMPT, length, stops
        ),
    }


def _tried(processor: Any, sample: Sample, guide: Guide) -> tuple[str | None, str | None]:
    """What had been written when no legal token was left, and a token of a trace that was banned.

    A trace is followed as far as the option lets it be; then legal tokens are drawn.
    """
    import torch

    banned = None
    width = guide.states.size
    for seed, trace in enumerate(sample.traces[:_TRACES]):
        chance = random.Random(seed)
        matcher = Matcher.of(guide, sample.problem)
        wanted = [*guide.vocabulary.encode(trace.encode()), min(guide.vocabulary.stops)]
        ids = [0] * _PROMPT
        for step in range(_STEPS):
            scores = processor(torch.tensor([ids]), torch.zeros(1, width))[0]
            legal = unpacked(matcher.compute_bitmask(), width)
            left = np.flatnonzero(legal & np.isfinite(scores.numpy()))
            if not left.size:
                return matcher.trace, banned
            token = wanted[step] if wanted else int(chance.choice(left.tolist()))
            if token not in left:
                banned = guide.vocabulary.decode([token]).decode(errors="replace")
                wanted, token = [], int(chance.choice(left.tolist()))
            matcher.consume_token(token)
            if matcher.is_stopped():
                break
            ids.append(token)
    return None, banned
