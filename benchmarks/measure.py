"""What a step costs: loops over traces, batches, logits, long traces, agreement of the masks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from benchmarks import languages
from benchmarks.engines import Begin, Engine, Session, Statelang
from statelang.engine import Vocabulary
from statelang.engine.masks.bits import packed, unpacked

_CLOCK: Final = time.thread_time_ns
_BATCH: Final = 64
_LINE: Final = 64
_EVICTED: Final = 48 << 20  # bytes touched between two steps, as a forward pass does


def prepare(vocabulary: Vocabulary) -> None:
    """Make the tables of a vocabulary that any grammar needs; the peers' are made before, too."""
    vocabulary.trie.child(0, 0)
    assert vocabulary.longest
    assert vocabulary.alphabet


def bitmask(vocabulary: Vocabulary, rows: int = 1) -> Any:
    """Rows of packed bits that begin a line of the cache, as torch places them: elsewhere, which
    numpy leaves to chance, a copy takes every engine up to half as long again."""
    words = -(-len(vocabulary.tokens) // 32)
    room = np.zeros(rows * words + _LINE // 4, np.int32)
    start = -room.ctypes.data % _LINE // 4
    return room[start : start + rows * words].reshape(rows, words)


def replay(session: Session, tokens: Sequence[int]) -> float:
    """Microseconds of the thread for the mask and the step of every token of a trace."""
    fill, consume = session
    start = _CLOCK()
    for token in tokens:
        fill()
        consume(token)
    return (_CLOCK() - start) / 1e3


def steps(
    engines: dict[str, Engine], vocabulary: Vocabulary, ids: dict[str, list[list[int]]], passes: int
) -> dict[str, float]:
    """Mean microseconds a token, warm: the median over passes, engines taking turns.

    Args:
        engines: By name.
        vocabulary: The tokens.
        ids: The traces that each engine replays.
        passes: How often, after a first time that warms the tables.
    """
    row = bitmask(vocabulary)
    found: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(passes + 1):
        for name, engine in engines.items():
            total = sum(replay(engine.session(row), tokens) for tokens in ids[name])
            if turn:
                found[name].append(total / sum(map(len, ids[name])))
    return {name: median(values) for name, values in found.items()}


def batched(engine: Engine, vocabulary: Vocabulary, ids: list[list[int]], rounds: int) -> float:
    """Microseconds for one step of a batch of 64 sequences, each at another place of its trace:
    the median over rounds. The traces have more tokens than there are rounds."""
    rows = bitmask(vocabulary, _BATCH)
    sessions = [engine.session(rows, index) for index in range(_BATCH)]
    queues = [ids[i % len(ids)] for i in range(_BATCH)]
    places = min(40, min(map(len, queues)) - rounds)
    offsets = [i * 3 % places for i in range(_BATCH)]
    for (_, consume), queue, offset in zip(sessions, queues, offsets, strict=True):
        for token in queue[:offset]:
            consume(token)
    times = []
    for step in range(rounds):
        start = _CLOCK()
        for index, (fill, consume) in enumerate(sessions):
            fill()
            consume(queues[index][offsets[index] + step])
        times.append((_CLOCK() - start) / 1e3)
    return median(times)


def _timed(
    session: Session, tokens: Sequence[int], clock: Callable[[], int] = time.perf_counter_ns
) -> list[float]:
    """Microseconds of each step of a trace; the clock on the wall costs least to read."""
    fill, consume = session
    times = []
    for token in tokens:
        start = clock()
        fill()
        consume(token)
        times.append((clock() - start) / 1e3)
    return times


def spread(engine: Engine, vocabulary: Vocabulary, ids: list[list[int]]) -> tuple[float, float]:
    """Median and 99th percentile over positions of the least of three warm visits, microseconds."""
    row = bitmask(vocabulary)
    least: list[float] = []
    for tokens in ids:
        visits = [_timed(engine.session(row), tokens) for _ in range(3)]
        least += [min(times) for times in zip(*visits, strict=True)]
    return float(np.median(least)), float(np.percentile(least, 99))


def agreement(
    engine: Engine, ours: Engine, vocabulary: Vocabulary, ids: list[list[int]]
) -> dict[str, float]:
    """Positions where an engine's mask is another than ours, by what explains it.

    The engine may allow the one token alone in which its tokenizer would write text that is
    forced, or tokens beside ours that are not whole characters (it reads them as U+FFFD).
    """
    row, other = bitmask(vocabulary), bitmask(vocabulary)
    size = len(vocabulary.tokens)
    real = packed(np.ones(size, np.bool_))
    broken = packed(np.array([not _is_text(token) for token in vocabulary.tokens]))
    found = {"positions": 0, "equal": 0, "one forced token of ours": 0}
    found |= {"and tokens that are no whole characters": 0, "not explained": 0}
    for tokens in ids:
        first, second = ours.session(row), engine.session(other)
        for token in tokens:
            first.fill()
            second.fill()
            other &= real
            found["positions"] += 1
            more, fewer = other & ~row, row & ~other
            if not more.any() and not fewer.any():
                found["equal"] += 1
            elif not more.any() and int(unpacked(other[0], size).sum()) == 1:
                found["one forced token of ours"] += 1
            elif not fewer.any() and not (more & ~broken).any():
                found["and tokens that are no whole characters"] += 1
            else:
                found["not explained"] += 1
            first.consume(token)
            second.consume(token)
    return dict(found)


def _is_text(token: bytes) -> bool:
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True


def applied(begin: Begin, vocabulary: Vocabulary, tokens: Sequence[int]) -> float:
    """Mean microseconds a token for mask, logits and step, the trace seen once before, with the
    caches evicted in between.

    Args:
        begin: Of an engine: how a sequence begins whose masks are applied to logits.
        vocabulary: The tokens.
        tokens: The trace.
    """
    import torch

    waste = np.zeros(_EVICTED // 8)
    logits = torch.zeros(1, len(vocabulary.tokens))
    for _ in range(2):
        step, consume = begin(bitmask(vocabulary), logits)
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
    """Milliseconds for traces never seen before, each mask made when it is needed."""
    row = bitmask(vocabulary)
    return sum(replay(engine.session(row), tokens) for tokens in ids) / 1e3


def lengths(engine: Engine, vocabulary: Vocabulary, most: int) -> dict[int, float]:
    """Microseconds a token over traces of 10, 100, ... tokens, warm: the median of several."""
    row, text = bitmask(vocabulary), languages.long(8 * most)
    tokens = vocabulary.encode(text.encode())[:most]
    replay(engine.session(row), tokens)
    found, length = {}, 10
    while length <= most:
        times = [replay(engine.session(row), tokens[:length]) for _ in range(9)]
        found[length] = median(times) / length
        length *= 10
    return found


def _kinds(vocabulary: Vocabulary, tokens: Sequence[int]) -> list[str]:
    """What a contract has to do with each position of a trace."""
    text = vocabulary.decode(tokens)
    kinds = ["no contract near"] * (len(text) + 1)
    for kind, pattern in languages.POSITIONS.items():
        for match in pattern.finditer(text):
            start, end = match.span(1)
            kinds[start : end + 1] = [kind] * (end + 1 - start)
    ends = np.cumsum([0, *(vocabulary.lengths[token] for token in tokens)])
    return [kinds[end] for end in ends[:-1]]


def by_kind(
    engine: Statelang, vocabulary: Vocabulary, ids: list[list[int]]
) -> dict[str, tuple[float, float]]:
    """Microseconds of mask and step by kind of position: of the first visit to each trace, and of
    the least of three warm ones; the means, a timer around each."""
    row = bitmask(vocabulary)
    found: dict[str, list[tuple[float, float]]] = {}
    for tokens in ids:
        visits = [_timed(engine.session(row), tokens, _CLOCK)]
        visits += [_timed(engine.session(row), tokens) for _ in range(3)]
        for kind, first, *warm in zip(_kinds(vocabulary, tokens), *visits, strict=True):
            found.setdefault(kind, []).append((first, min(warm)))
    return dict(_means(found))


def _means(
    found: dict[str, list[tuple[float, float]]],
) -> Iterator[tuple[str, tuple[float, float]]]:
    for kind in sorted(found):
        first, warm = zip(*found[kind], strict=True)
        yield kind, (float(np.mean(first)), float(np.mean(warm)))


def cold(make: Callable[[], Engine], vocabulary: Vocabulary) -> float:
    """Milliseconds of all threads from a grammar to the first mask: the median of three."""
    row, found = bitmask(vocabulary), []
    for _ in range(3):
        start = time.process_time()
        make().session(row).fill()
        found.append((time.process_time() - start) * 1e3)
    return median(found)
