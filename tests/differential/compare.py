"""Compares all readers on one generated grammar; `python -m tests.differential.compare 0 2000`."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Iterator
from itertools import count

from attrs import frozen
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.extra.lark import from_lark
from lark import Lark

import statelang
from statelang.diagnostics import Severity
from statelang.testing.choices import Walk
from tests.differential.generated import grammar, near_misses
from tests.differential.readers import READERS

MAX_STEPS = 40
TRACES = 6
MISSES = 5  # of each trace
DRAWS = 3


@frozen
class Disagreement:
    """A text that some readers read and others do not."""

    seed: int
    grammar: str
    text: str
    reads: dict[str, bool]
    origin: str


@frozen
class Compared:
    """What came of one grammar: how many texts were read alike, and where readers disagree."""

    texts: int
    legal: int
    disagreements: tuple[Disagreement, ...]


def in_profile(text: str) -> bool:
    """Whether `check` finds no error."""
    return not any(found.severity is Severity.ERROR for found in statelang.check(text))


def seeds(first: int) -> Iterator[tuple[int, str]]:
    """Seeds from `first` on whose grammars are in the profile, with the grammars."""
    for number in count(first):
        text = grammar(number)
        if in_profile(text):
            yield number, text


def walked(walk: Walk, chance: random.Random) -> str:
    """A random trace of bounded length: calls may multiply faster than they end."""
    choices = walk.go(walk.start(None), lambda node: walk.steps(node.thread, node.env) <= MAX_STEPS)
    try:
        ways = next(choices)
        while True:
            ways = choices.send(chance.randrange(ways) if ways else 0)
    except StopIteration as end:
        found: bytes = end.value
        return found.decode()


def drawn(text: str, number: int) -> list[str]:
    """What Hypothesis draws from a grammar."""
    found: list[str] = []

    @seed(number)
    @settings(
        max_examples=DRAWS,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(from_lark(Lark(text, parser="lalr")))
    def draw(trace: str) -> None:
        found.append(trace)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        draw()
    return found


def compare(number: int, text: str) -> Compared:
    """All readers on the grammar of a seed: traces, near misses, and what Hypothesis draws."""
    chance, walk = random.Random(number), Walk(statelang.loads(text))
    readers = {name: reader(text) for name, reader in READERS.items()}
    texts: dict[str, str] = {}
    for _ in range(TRACES):
        trace = walked(walk, chance)
        texts.setdefault(trace, "a walk")
        for miss in near_misses(trace, chance, MISSES):
            texts.setdefault(miss, "a near miss")
    texts |= {trace: "Hypothesis" for trace in drawn(text, number)}
    found, legal = [], 0
    for trace, origin in texts.items():
        reads = {name: reader(trace) for name, reader in readers.items()}
        legal += reads["statelang"]
        due = {True} if origin != "a near miss" else {reads["statelang"]}
        if set(reads.values()) != due:
            found.append(Disagreement(number, text, trace, reads, origin))
    return Compared(len(texts), legal, tuple(found))


def main(first: int, wanted: int) -> None:
    """Compare `wanted` grammars from a seed on, and print what came of it."""
    texts = legal = bad = 0
    number = first
    for done, (number, text) in enumerate(seeds(first), 1):
        result = compare(number, text)
        texts, legal = texts + result.texts, legal + result.legal
        for found in result.disagreements[:1]:
            bad += 1
            print(found.seed, found.origin, repr(found.text), found.reads, found.grammar, sep="\n")
        if done % 50 == 0 or done == wanted:
            print(f"{done} grammars, seeds {first}-{number}: {texts} texts, {legal} legal, "
                  f"{bad} disagreements", flush=True)  # fmt: skip
        if done == wanted:
            return


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
