"""The four laws with contracts, over generated spaces, against a reference that writes out texts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from statelang.engine import Vocabulary
from tests.engine.tokenizers import tekken
from tests.laws.laws import Trial
from tests.laws.spaces import TAGS, Generated, files
from tests.laws.vocabularies import BYTES, learnt

Record = Callable[[str, int], None]
FEW = settings(max_examples=20, suppress_health_check=list(HealthCheck))
TRIES = st.integers(0, 2**32).map(random.Random)


def trial(given: Generated) -> Trial:
    """A generated space that loads and has texts, not too many."""
    found = Trial.of(given)
    assume(found is not None)
    assert found is not None
    return found


def piecewise(space: Trial, chance: random.Random) -> Vocabulary:
    """A tokenizer learnt from the texts of the space; for some its tags are added tokens."""
    added = TAGS if chance.random() < 0.5 else ()
    return learnt((text.decode() for text in space.texts), added)


def record(space: Trial, record_count: Record) -> None:
    """Say what was tried."""
    record_count("laws: generated spaces", 1)
    record_count("laws: of these proved live", space.live)
    record_count("laws: texts written out", len(space.texts))
    for what, count in space.counts.items():
        record_count(f"laws: {what}", count)


@FEW
@given(files(), TRIES)
def test_validate_has_the_texts_of_the_reference(
    record_count: Record, given: Generated, chance: random.Random
) -> None:
    """A text is legal for `validate` where it is for the reference."""
    space = trial(given)
    space.judged(chance, 20)
    record(space, record_count)


@FEW
@given(files(), TRIES)
def test_masks_are_exact(record_count: Record, given: Generated, chance: random.Random) -> None:
    """Complete and exact to the step: whatever the tokens, each mask has every token with which some
    legal text goes on, and in a live space no other."""
    space = trial(given)
    space.exact(BYTES, chance, 3)
    vocabulary = piecewise(space, chance)
    space.exact(vocabulary, chance, 4)
    space.unshared(vocabulary, chance, 2)
    record(space, record_count)


@FEW
@given(files(), TRIES)
def test_what_is_generated_is_legal(
    record_count: Record, given: Generated, chance: random.Random
) -> None:
    """Sound and live: choices at random from the masks make legal texts."""
    space = trial(given)
    vocabulary = piecewise(space, chance)
    for _ in range(3):
        space.sound(vocabulary, chance)
    record(space, record_count)


@FEW
@given(files(), TRIES)
def test_generations_end_within_their_budget(
    record_count: Record, given: Generated, chance: random.Random
) -> None:
    """The least budget is named, and from it on every one is kept, whatever is chosen; each mask has
    every token after which some text fits into what is left."""
    space = trial(given)
    vocabulary = piecewise(space, chance)
    space.ends(vocabulary, chance)
    for more in (0, 1, 3):
        space.fits(vocabulary, chance, more)
    record(space, record_count)


@settings(FEW, max_examples=3, derandomize=True)  # the same ones: some take minutes
@given(files(), TRIES)
def test_the_laws_hold_for_a_real_vocabulary(
    record_count: Record, given: Generated, chance: random.Random
) -> None:
    """The same with 131,072 tokens."""
    space = trial(given)
    space.exact(tekken(), chance, 2)
    space.sound(tekken(), chance)
    space.ends(tekken(), chance)
    record(space, record_count)


SOAKED: Final = 600.0  # seconds of the processor; what is drawn after them is let go
_SPENT: list[float] = []


@pytest.mark.soak
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(files(), TRIES)
def test_the_laws_hold_at_length(
    record_count: Record, given: Generated, chance: random.Random
) -> None:
    """All laws on each of many spaces, for some minutes."""
    if sum(_SPENT) > SOAKED:
        return
    begun = time.process_time()
    space = trial(given)
    space.judged(chance, 40)
    space.exact(BYTES, chance, 10)
    for added in (TAGS, ()):
        vocabulary = learnt((text.decode() for text in space.texts), added)
        space.exact(vocabulary, chance, 10)
        space.unshared(vocabulary, chance, 4)
        for _ in range(5):
            space.sound(vocabulary, chance)
        space.ends(vocabulary, chance)
        for more in range(8):
            space.fits(vocabulary, chance, more)
    record(space, record_count)
    _SPENT.append(time.process_time() - begun)
