"""What the laws say of one space, one problem and one vocabulary; asserted against the reference."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from functools import cached_property
from typing import Final

import numpy as np
import pytest
from attrs import field, frozen

import statelang
from statelang.diagnostics import GrammarError, StatelangError
from statelang.engine import Matcher, Vocabulary, validate
from statelang.engine.masks.bits import unpacked
from statelang.engine.steering.guide import Guide
from statelang.liveness import liveness
from statelang.space import StateSpace
from statelang.walking.machine import Machine
from statelang.walking.search import Search
from tests.laws.language import Language, TooMany
from tests.laws.reference import accepts, texts
from tests.laws.spaces import Generated
from tests.strategies import cut

_LENGTHS: Final = (10, 14, 20, 28)  # of the texts that are written out, as far as they are few
_MOST_TEXTS: Final = 1_000


@frozen(eq=False, slots=False)
class Trial:
    """A generated space beside the reference's texts: all up to `longest` characters."""

    given: Generated
    space: StateSpace
    language: Language
    texts: frozenset[bytes]
    counts: Counter[str] = field(factory=Counter)
    _fewest: dict[tuple[int, bytes], list[int]] = field(factory=dict)

    @classmethod
    def of(cls, given: Generated) -> Trial | None:
        """The trial of a generated file; None where it does not load, or has no short text."""
        try:
            space = statelang.loads(given.grammar)
        except GrammarError:
            return None
        language = Language(given.grammar, given.problem)
        found: set[str] = set()
        with suppress(TooMany):
            for longest in _LENGTHS:
                found = texts(language, longest)
                if len(found) > _MOST_TEXTS:
                    break
        if not found:
            return None
        return cls(given, space, language, frozenset(text.encode() for text in found))

    @cached_property
    def live(self) -> bool:
        """Whether `check` proves that every trace can be ended."""
        return liveness(self.space).proved

    @cached_property
    def _search(self) -> Search:
        """Of a machine of its own."""
        return Search(Machine(self.space))

    @cached_property
    def _continuations(self) -> dict[bytes, set[bytes]]:
        return {}

    def continuations(self, written: bytes) -> set[bytes]:
        """What may follow, as far as it was written out."""
        found = self._continuations.get(written)
        if found is None:
            size = len(written)
            found = {text[size:] for text in self.texts if text.startswith(written)}
            self._continuations[written] = found
        return found

    def is_legal(self, text: bytes) -> bool:
        """Whether the reference has a text."""
        return text in self.texts or accepts(self.language, text.decode())

    def matcher(self, vocabulary: Vocabulary, max_tokens: int | None = None) -> Matcher:
        return Matcher(self.space, vocabulary, self.given.problem, max_tokens)

    def chosen(self, chance: random.Random, most: int) -> list[bytes]:
        """Some of the texts."""
        return chance.sample(sorted(self.texts), min(most, len(self.texts)))

    # -- the laws

    def exact(self, vocabulary: Vocabulary, chance: random.Random, most: int) -> None:
        """Along texts in random tokens every mask is the set of tokens that some text goes on with:
        none is missing, and where the space is proved live each can be completed."""
        for text in self.chosen(chance, most):
            matcher, written = self.matcher(vocabulary), b""
            for token in (*cut(vocabulary, text, chance), min(vocabulary.stops)):
                self._mask_is_exact(matcher, vocabulary, written, chance)
                assert matcher.consume_token(token), (written, vocabulary.tokens[token])
                written += vocabulary.tokens[token]
            assert matcher.is_stopped()
            self.counts["tokenisations"] += 1

    def _mask_is_exact(
        self, matcher: Matcher, vocabulary: Vocabulary, written: bytes, chance: random.Random
    ) -> None:
        found = allowed(matcher)
        due = self._due(vocabulary, written)
        self.counts["masks"] += 1
        self.counts["tokens compared"] += len(vocabulary.tokens)
        missing = due - found
        assert not missing, (written, [vocabulary.tokens[t] for t in sorted(missing)][:9])
        more = sorted(found - due)
        if not self.live:
            return
        for token in chance.sample(more, min(4, len(more))):
            assert token not in vocabulary.stops, written
            self._can_end(written + vocabulary.tokens[token])

    def unshared(self, vocabulary: Vocabulary, chance: random.Random, most: int) -> None:
        """Each mask has the tokens that are legal one by one where nothing has been met before."""
        size = len(vocabulary.tokens)
        for text in self.chosen(chance, most):
            matcher = self.matcher(vocabulary)
            alone = Matcher.of(Guide(self.space, vocabulary), self.given.problem)
            for token in (*cut(vocabulary, text, chance), min(vocabulary.stops)):
                found = allowed(matcher)
                tried = {*chance.sample(sorted(found), min(8, len(found)))}
                tried |= {*chance.sample(range(size), 8)}
                for one in sorted(tried):
                    assert alone.allows(one) == (one in found), (alone.trace, one)
                assert matcher.consume_token(token) and alone.consume_token(token), alone.trace
                self.counts["tokens tried alone"] += len(tried)

    def _due(self, vocabulary: Vocabulary, written: bytes) -> set[int]:
        """The tokens that the texts written out go on with."""
        starts: set[bytes] = set()
        for text in self.continuations(written):
            for end in range(1, min(len(text), vocabulary.longest) + 1):
                starts.add(text[:end])
        found = set(vocabulary.stops) if written in self.texts else set()
        return found.union(*(spelling(vocabulary).get(start, ()) for start in starts))

    def _can_end(self, written: bytes) -> None:
        """A text goes on to an end that the reference has too."""
        machine = self._search.machine
        at = machine.advance(machine.start(self.given.problem), written)
        assert at is not None, written
        rest = self._search.complete(at)
        assert rest is not None, f"no end is known after {written!r}"
        assert self.is_legal(written + rest), (written, rest)
        self.counts["longer texts judged"] += 1

    def sound(self, vocabulary: Vocabulary, chance: random.Random, tokens: int = 40) -> None:
        """What is generated under the mask is legal; in a live space the mask is never empty."""
        matcher = self.matcher(vocabulary)
        for _ in range(tokens):
            choices = sorted(allowed(matcher))
            if not choices:
                assert not self.live, matcher.trace
                return
            assert matcher.consume_token(chance.choice(choices))
            if matcher.is_stopped():
                self._is_right(matcher.trace)
                return

    def _is_right(self, text: str) -> None:
        assert self.is_legal(text.encode()), text
        assert validate(self.space, text, self.given.problem).contracts, text
        self.counts["generations"] += 1

    def judged(self, chance: random.Random, most: int) -> None:
        """`validate` takes every text of the reference, and of texts one edit away only those that
        the reference has."""
        for text in self.chosen(chance, most):
            whole = text.decode()
            assert validate(self.space, whole, self.given.problem).contracts, whole
            at, other = chance.randrange(len(whole)), chance.choice(sorted(self.texts)).decode()
            new = chance.choice(whole + other)
            for edited in (
                whole[:at] + whole[at + 1 :],
                whole[:at] + new + whole[at + 1 :],
                whole[:at] + new + whole[at:],
            ):
                ours = validate(self.space, edited, self.given.problem).contracts
                assert bool(ours) == self.is_legal(edited.encode()), edited
            self.counts["texts judged"] += 4

    def ends(self, vocabulary: Vocabulary, chance: random.Random) -> None:
        """A budget below the minimum is refused with the minimum named, which is that of the texts
        written out, if not of a longer one; within any other one a generation ends, complete."""
        named = self._named(vocabulary)
        least = min(map(vocabulary.fewest, self.texts)) + 1
        self.counts["minima named"] += 1
        self.counts["minima named: below those of texts written out"] += named < least
        assert named <= least, [t for t in self.texts if vocabulary.fewest(t) + 1 == least]
        for budget in (named, named + chance.randint(1, 3), named + chance.randint(4, 12)):
            matcher = self.matcher(vocabulary, budget)
            for _ in range(budget):
                legal = allowed(matcher)  # the end last, so that the budget runs out
                choices = sorted(legal - vocabulary.stops) or sorted(legal)
                assert choices, f"locked after {matcher.trace!r}, {budget} tokens given"
                assert matcher.consume_token(chance.choice(choices))
                if matcher.is_stopped():
                    break
            assert matcher.is_stopped(), (matcher.trace, budget)
            self._is_right(matcher.trace)

    def fits(self, vocabulary: Vocabulary, chance: random.Random, more: int) -> None:
        """Along a generation within a budget a token is allowed where some text goes on with it
        that fits into what is left; others lead to a complete end within the budget too."""
        left = self._named(vocabulary) + more
        matcher, written = self.matcher(vocabulary, left), b""
        while not matcher.is_stopped():
            found, due = allowed(matcher), self._fitting(vocabulary, written, left)
            assert found, (written, left)
            self.counts["masks under a budget"] += 1
            missing = due - found
            assert not missing, (written, left, [vocabulary.tokens[t] for t in sorted(missing)][:9])
            for token in chance.sample(sorted(found - due), min(2, len(found - due))):
                self._ends_within(matcher, token, left, chance)
            token = chance.choice(sorted(found))
            assert matcher.consume_token(token)
            written, left = written + vocabulary.tokens[token], left - 1
        self._is_right(matcher.trace)

    def _ends_within(self, matcher: Matcher, token: int, left: int, chance: random.Random) -> None:
        """A token that no text written out goes on with leads to an end as well."""
        matcher = matcher.copy()
        assert matcher.consume_token(token)
        for _ in range(left - 1):
            if not matcher.is_stopped():
                assert matcher.consume_token(chance.choice(sorted(allowed(matcher))))
        assert matcher.is_stopped()
        self._is_right(matcher.trace)
        self.counts["longer texts within a budget"] += 1

    def _fitting(self, vocabulary: Vocabulary, written: bytes, left: int) -> set[int]:
        """The tokens after which a text that was written out fits into `left` tokens, with them and
        the stop token."""
        spelt, size = spelling(vocabulary), len(written)
        found = set(vocabulary.stops) if written in self.texts and left > 0 else set()
        for rest in self.continuations(written):
            tokens = self._tokens(vocabulary, written + rest)
            for end in range(1, min(len(rest), vocabulary.longest) + 1):
                if tokens[size + end] + 2 <= left:
                    found.update(spelt.get(rest[:end], ()))
        return found

    def _tokens(self, vocabulary: Vocabulary, text: bytes) -> list[int]:
        """From each byte of a text on, the fewest tokens that write the rest."""
        key = id(vocabulary), text
        if key not in self._fewest:
            spelt, size = spelling(vocabulary), len(text)
            fewest = [*([size + 1] * size), 0]
            for start in reversed(range(size)):
                for end in range(start + 1, min(size, start + vocabulary.longest) + 1):
                    if fewest[end] + 1 < fewest[start] and text[start:end] in spelt:
                        fewest[start] = fewest[end] + 1
            self._fewest[key] = fewest
        return self._fewest[key]

    def _named(self, vocabulary: Vocabulary) -> int:
        """The minimum that the refusal of a smaller budget names; no smaller one is taken."""
        with pytest.raises(StatelangError, match="give at least") as refused:
            self.matcher(vocabulary, 0)
        named = int(str(refused.value).split()[-1])
        for budget in range(1, named):
            with pytest.raises(StatelangError, match=f"give at least {named}$"):
                self.matcher(vocabulary, budget)
        return named


def allowed(matcher: Matcher) -> set[int]:
    """The tokens of a mask."""
    row = matcher.compute_bitmask()
    return set(np.flatnonzero(unpacked(row, len(matcher.guide.vocabulary.tokens))).tolist())


_SPELLINGS: dict[int, tuple[Vocabulary, dict[bytes, list[int]]]] = {}


def spelling(vocabulary: Vocabulary) -> dict[bytes, list[int]]:
    """The tokens by what they write."""
    known = _SPELLINGS.get(id(vocabulary))
    if known is None or known[0] is not vocabulary:
        found: dict[bytes, list[int]] = {}
        for index, token in enumerate(vocabulary.tokens):
            if token:
                found.setdefault(token, []).append(index)
        known = _SPELLINGS[id(vocabulary)] = vocabulary, found
    return known[1]
