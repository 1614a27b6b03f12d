"""What a run costs: tokens of a trace, time and memory of its masks, measured in place."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from statelang.diagnostics import Diagnostic, StatelangError
from statelang.engine.doctor.findings import finding
from statelang.engine.doctor.sample import Sample
from statelang.engine.doctor.subject import CONFIG, GENERATION, Subject
from statelang.engine.guide import Guide
from statelang.engine.matcher import Matcher
from statelang.engine.vocabulary import Vocabulary

_TRACES: Final = 2


@frozen
class Costs:
    """Tokens with the stop token; `first` and `cold` in milliseconds, `warm` in microseconds a
    token, of a mask and a step; `memory` in bytes, of the masks of one trace."""

    fewest: int
    tokens: tuple[int, ...]
    first: float
    cold: float
    warm: float
    memory: int


def costs(sample: Sample, guide: Guide) -> Costs:
    """Measure on the traces of a sample. Raises StatelangError where no trace can be written."""
    words = guide.vocabulary
    written = [[*words.encode(trace.encode()), min(words.stops)] for trace in sample.traces]
    start = guide.start(sample.problem)
    fewest = min([words.fewest(start.way or b"") + 1, *map(len, written)])
    first, cold = _timed(sample, guide, written[:1], 1), _timed(sample, guide, written[:_TRACES])
    tokens = sum(map(len, written[:_TRACES]))
    warm = min(_timed(sample, guide, written[:_TRACES]) for _ in range(3)) / max(tokens, 1)
    return Costs(
        fewest,
        tuple(sorted(map(len, written))),
        1e3 * first,
        1e3 * cold / max(len(written[:_TRACES]), 1),
        1e6 * warm,
        _memory(sample, words, written[:1]),
    )


def findings(subject: Subject, found: Costs) -> Iterator[Diagnostic]:
    """Traces that do not fit the context of the model and the lengths it is set to."""
    typical = found.tokens[len(found.tokens) // 2] if found.tokens else found.fewest
    limits = {"max_position_embeddings": (CONFIG, subject.context)}
    for name in ("max_length", "max_new_tokens"):
        stated = getattr(subject.generation, name, None)
        if f'"{name}"' in subject.files[GENERATION].text:
            limits[name] = (GENERATION, stated)
    for name, (file, limit) in limits.items():
        if limit is not None and limit < found.fewest:
            yield finding(
                "SD604",
                subject.place(file, name),
                f"`{name}` = {limit} tokens, and the shortest trace takes {found.fewest}",
            )
        elif limit is not None and limit < typical:
            yield finding(
                "SD605",
                subject.place(file, name),
                f"`{name}` = {limit} tokens, and half of the sampled traces take {typical} or more",
            )


def fitting(subject: Subject, words: Vocabulary) -> Iterator[Diagnostic]:
    """Whether the logits fit the tokens."""
    used = max((i for i, text in enumerate(words.tokens) if text or i in words.stops), default=-1)
    size = len(words.tokens)
    if subject.width is not None and subject.width <= used:
        yield finding(
            "SD601",
            subject.place(CONFIG, "vocab_size"),
            f"the model gives {subject.width:,} logits, and the tokenizer has {size:,} tokens",
        )
    elif subject.width is not None and subject.width > size:
        yield finding(
            "SD602",
            subject.place(CONFIG, "vocab_size"),
            f"the model gives {subject.width:,} logits for the {size:,} tokens of the tokenizer",
        )


def impossible(sample: Sample, error: StatelangError) -> Diagnostic:
    """The finding that no trace can be written."""
    return finding("SD606", sample.place, f"no trace can be written: {error}")


def _timed(
    sample: Sample, guide: Guide, written: list[list[int]], most: int | None = None
) -> float:
    began = time.process_time()
    for ids in written:
        matcher = Matcher.of(guide, sample.problem)
        for token in ids[:most]:
            matcher.compute_bitmask()
            matcher.consume_token(token)
    return time.process_time() - began


def _memory(sample: Sample, words: Vocabulary, written: list[list[int]]) -> int:
    """Bytes that a guide holds after some traces, beyond the vocabulary and its tables."""
    words.trie  # noqa: B018 - made here, as it belongs to the vocabulary
    tracemalloc.start()
    try:
        guide = Guide(sample.space, words)
        _timed(sample, guide, written)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
