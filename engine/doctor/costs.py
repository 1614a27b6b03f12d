"""What a run costs: tokens of a trace, time and memory of its masks, measured in place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from statelang.diagnostics import Diagnostic, StatelangError
from statelang.engine.doctor.findings import finding
from statelang.engine.doctor.sample import Sample
from statelang.engine.doctor.subject import CONFIG, GENERATION, Subject
from statelang.engine.steering.guide import Guide
from statelang.engine.steering.matcher import Matcher
from statelang.engine.vocabularies.vocabulary import Vocabulary

_SECONDS: Final = 2.0  # of the processor, for which masks are made anew
_AGAIN: Final = 3  # times that known masks are looked up; the fastest counts


@frozen
class Costs:
    """What a trace takes.

    `fewest` and `tokens` (of each trace drawn, ascending) count the stop token. `first` is the
    milliseconds to the first mask. Then a trace is followed for `steps` tokens: `cold` is the mean
    of a mask and a step that were not known, in milliseconds; `warm` the same once they are known,
    in microseconds; `memory` the bytes that the process grew by.
    """

    fewest: int
    tokens: tuple[int, ...]
    first: float
    steps: int
    cold: float
    warm: float
    memory: int


def costs(sample: Sample, guide: Guide) -> Costs:
    """Measure on the first trace of a sample. Raises StatelangError where none can be written."""
    words = guide.vocabulary
    written = [[*words.encode(trace.encode()), min(words.stops)] for trace in sample.traces]
    start = guide.start(sample.problem)
    assert start.configuration is not None
    least = guide.least(start.configuration)
    ids = written[0] if written else []
    began = time.process_time()
    Matcher.of(guide, sample.problem).compute_bitmask()
    first = time.process_time() - began
    before = _resident()
    cold, count = _replayed(sample, guide, ids, _SECONDS)
    memory = max(_resident() - before, 0)
    warm = min(_replayed(sample, guide, ids[:count], _SECONDS)[0] for _ in range(_AGAIN))
    return Costs(
        fewest=min([least, *map(len, written)]),
        tokens=tuple(sorted(map(len, written))),
        first=1e3 * first,
        steps=count,
        cold=1e3 * cold / max(count, 1),
        warm=1e6 * warm / max(count, 1),
        memory=memory,
    )


def findings(subject: Subject, found: Costs) -> Iterator[Diagnostic]:
    """Traces that do not fit the context of the model and the lengths it is set to."""
    typical = found.tokens[len(found.tokens) // 2] if found.tokens else found.fewest
    limits = {"max_position_embeddings": (CONFIG, subject.context)}
    for name in ("max_length", "max_new_tokens"):
        if f'"{name}"' in subject.files[GENERATION].text:
            limits[name] = (GENERATION, getattr(subject.generation, name, None))
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


def _replayed(sample: Sample, guide: Guide, ids: list[int], seconds: float) -> tuple[float, int]:
    """Seconds of the processor for masks and steps along a trace, and how many there were."""
    matcher = Matcher.of(guide, sample.problem)
    began, count = time.process_time(), 0
    for count, token in enumerate(ids, 1):
        matcher.compute_bitmask()
        matcher.consume_token(token)
        if count % 8 == 0 and time.process_time() - began > seconds:
            break
    return time.process_time() - began, count


def _resident() -> int:
    """Bytes of memory of this process; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
