"""What a step costs: loops over traces, batches, logits, cold starts, agreement of the masks."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from benchmarks.peers import Engine, Session, Statelang
from statelang.engine import Vocabulary
from statelang.engine.bits import packed

_CLOCK: Final = time.thread_time_ns
_BATCH: Final = 64
_EVICTED: Final = 48 << 20  # bytes touched between two steps, as a forward pass does


def replay(session: Session, tokens: Sequence[int]) -> float:
    """Microseconds of the thread for the mask and the step of every token of a trace."""
    fill, consume = session
    start = _CLOCK()
    for token in tokens:
        fill()
        consume(token)
    return (_CLOCK() - start) / 1e3


def bitmask(vocabulary: Vocabulary, rows: int = 1) -> Any:
    """Rows of packed bits."""
    return np.zeros((rows, -(-len(vocabulary.tokens) // 32)), np.int32)


def steps(
    engines: dict[str, Engine],
    slow: set[str],
    vocabulary: Vocabulary,
    ids: list[list[int]],
    passes: int,
) -> dict[str, float]:
    """Mean microseconds a token, warm: the median over passes, engines taking turns."""
    row = bitmask(vocabulary)
    found: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(passes + 1):
        for name, engine in engines.items():
            if name in slow and turn > 1:
                continue
            chosen = ids[:2] if name in slow else ids
            total = sum(replay(engine.session(row), tokens) for tokens in chosen)
            if turn:  # the first pass warms the tables
                found[name].append(total / sum(map(len, chosen)))
    return {name: median(values) for name, values in found.items()}


def batched(engine: Engine, vocabulary: Vocabulary, ids: list[list[int]], rounds: int) -> float:
    """Microseconds for one step of a batch of 64 sequences, each at another place of its trace."""
    rows = bitmask(vocabulary, _BATCH)
    sessions = [engine.session(rows, index) for index in range(_BATCH)]
    queues = [ids[i % len(ids)] for i in range(_BATCH)]
    offsets = [i * 3 % 40 for i in range(_BATCH)]
    for (_, consume), queue, offset in zip(sessions, queues, offsets, strict=True):
        for token in queue[:offset]:
            consume(token)
    times = []
    for step in range(min(rounds, min(map(len, queues)) - 41)):
        start = _CLOCK()
        for index, (fill, consume) in enumerate(sessions):
            fill()
            consume(queues[index][offsets[index] + step])
        times.append((_CLOCK() - start) / 1e3)
    return median(times)


def spread(engine: Engine, vocabulary: Vocabulary, ids: list[list[int]]) -> tuple[float, float]:
    """Median and 99th percentile over positions of the least of three warm visits, microseconds."""
    row = bitmask(vocabulary)
    least: list[float] = []
    for tokens in ids:
        visits = []
        for _ in range(3):
            fill, consume = engine.session(row)
            times = []
            for token in tokens:
                start = time.perf_counter_ns()
                fill()
                consume(token)
                times.append((time.perf_counter_ns() - start) / 1e3)
            visits.append(times)
        least += [min(times) for times in zip(*visits, strict=True)]
    return float(np.median(least)), float(np.percentile(least, 99))


def agreement(
    engine: Engine, ours: Engine, vocabulary: Vocabulary, ids: list[list[int]]
) -> dict[str, float]:
    """Positions where an engine's mask is another than ours, and how many of these allow a token
    that ours does not."""
    row, other = bitmask(vocabulary), bitmask(vocabulary)
    tokens_only = packed(np.ones(len(vocabulary.tokens), np.bool_))
    found: dict[str, float] = {
        "positions": 0,
        "differing": 0,
        "with more tokens": 0,
        "with one token": 0,
    }
    for tokens in ids:
        first, second = ours.session(row), engine.session(other)
        for token in tokens:
            first.fill()
            second.fill()
            other &= tokens_only
            found["positions"] += 1
            if (row != other).any():
                found["differing"] += 1
                found["with more tokens"] += bool((other & ~row).any())
                found["with one token"] += int(np.bitwise_count(other.view(np.uint32)).sum()) == 1
            first.consume(token)
            second.consume(token)
    return found


def applied(engine: Engine, vocabulary: Vocabulary, tokens: Sequence[int]) -> float:
    """Microseconds a token for mask, logits and step, with the caches evicted in between."""
    import torch

    waste = np.zeros(_EVICTED // 8)
    logits = torch.zeros(1, len(vocabulary.tokens))
    row = bitmask(vocabulary)
    step, consume = engine.masked(row, logits)
    times = []
    for token in tokens:
        logits.zero_()
        waste += 1
        start = _CLOCK()
        step()
        consume(token)
        times.append((_CLOCK() - start) / 1e3)
    return float(np.mean(times))


def first_pass(engine: Engine, vocabulary: Vocabulary, ids: list[list[int]]) -> float:
    """Mean milliseconds a token over traces never seen before, each mask made when it is needed."""
    row = bitmask(vocabulary)
    total = sum(replay(engine.session(row), tokens) for tokens in ids)
    return total / 1e3 / sum(map(len, ids))


def cold(make: Callable[[], Engine], vocabulary: Vocabulary, times: int) -> float:
    """Milliseconds from a grammar to the first mask: the median."""
    found = []
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        make().session(bitmask(vocabulary)).fill()
        found.append((time.perf_counter() - start) * 1e3)
    return median(found)


KINDS: Final = (
    "no contract near",
    "a field that a contract narrows",
    "a step or field opens or ends",
)


def kind(engine: Statelang, state: Any) -> str:
    """What a contract has to do with the position at which a mask is asked for."""
    table = state.table
    if not table.alike and not len(table.single):
        return KINDS[0]
    narrowed = any(
        thread.guards or (thread.left is not None and not thread.left.pure)
        for thread in table.control
    )
    return KINDS[1] if narrowed else KINDS[2]


def by_kind(
    engine: Statelang, vocabulary: Vocabulary, ids: list[list[int]]
) -> tuple[dict[str, float], dict[str, float]]:
    """Mean microseconds of mask and step by kind of position: of the first visit to each trace,
    and of the least of three warm ones."""
    row = bitmask(vocabulary)
    first: dict[str, list[float]] = {}
    warm: dict[str, list[float]] = {}
    for tokens in ids:
        visits: list[list[float]] = []
        kinds: list[str] = []
        for _ in range(4):
            matcher = engine.first.copy()
            times = []
            kinds.clear()
            for token in tokens:
                start = _CLOCK()
                matcher.fill_next_token_bitmask(row, 0)
                state = matcher.state
                matcher.consume_token(token)
                times.append((_CLOCK() - start) / 1e3)
                kinds.append(kind(engine, state))
            visits.append(times)
        for name, cost, others in zip(kinds, visits[0], zip(*visits[1:], strict=True), strict=True):
            first.setdefault(name, []).append(cost)
            warm.setdefault(name, []).append(min(others))
    return {k: float(np.mean(v)) for k, v in first.items()}, {
        k: float(np.mean(v)) for k, v in warm.items()
    }
