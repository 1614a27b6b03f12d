"""One trace under way: what a model's scores are turned into, and what needs no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final, Literal
from weakref import WeakKeyDictionary

import numpy as np
from attrs import define, field

from statelang.engine.decoding.authors import GRAMMAR, MODEL, TOOL, author
from statelang.engine.decoding.judging import Judge
from statelang.engine.decoding.lazily import draw_legal, structural
from statelang.engine.decoding.leading import Lead
from statelang.engine.decoding.sampling import Scores, draw
from statelang.engine.decoding.stalling import WINDOW, repeats, staying
from statelang.engine.masks.bounds import is_within
from statelang.engine.masks.masking import Sparse
from statelang.engine.masks.states import State
from statelang.engine.steering.matcher import Matcher

Finish = Literal["stop", "budget", "length", "locked"]
Stretch = tuple[tuple[int, str], ...]  # tokens, each with its author
STEP_TRIES: Final = 8  # times a step is written before its `checks` are given up


@define(eq=False)
class Free:
    """A trace that nothing holds to its space.

    `ids` are the tokens of prompt and trace, `seen` how many the model has read, `begin` those of
    the prompt. `authors` has an entry for each token of the trace; `spent` counts those that were
    taken back as well.
    """

    ids: list[int]
    stops: frozenset[int]
    max_tokens: int
    temperature: float
    chance: Random
    begin: int = field(init=False)
    seen: int = 0
    authors: list[str] = field(factory=list)
    spent: int = 0
    finish: Finish | None = None

    def __attrs_post_init__(self) -> None:
        self.begin = len(self.ids)

    def take(self, scores: Scores) -> None:
        """Go on by a token drawn from the model's scores, shape (tokens,)."""
        token = draw(scores, None, self.temperature, self.chance)
        self._write(token, MODEL)

    def _write(self, token: int, author: str) -> None:
        self.ids.append(token)
        self.authors.append(author)
        self.spent += 1
        if token in self.stops:
            self.finish = "stop"
        elif len(self.authors) >= self.max_tokens:
            self.finish = "length"


@define(eq=False)
class Steered(Free):
    """A trace that a matcher holds to its space; `judge` sees to its `checks`."""

    matcher: Matcher = field(kw_only=True)
    judge: Judge | None = field(kw_only=True)
    forces: bool = field(kw_only=True)  # whether determined text is appended unasked
    has_tools: bool = field(kw_only=True)  # whether tools write some of it
    _tries: Counter[int] = field(factory=Counter, init=False)  # by the tokens before the step
    _bound: int | None = field(default=None, init=False)  # where the budget first closed a token
    _lead: Lead | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.matcher.is_limited:
            self._run_ahead(self.matcher)
        self._force()
        self._ask_budget()

    def take(self, scores: Scores) -> None:
        """Go on by a legal token drawn from the model's scores, and by all that it determines."""
        temperature = self.temperature
        if not temperature and self.judge is not None and self._tries[self.judge.opening()]:
            temperature = 1.0  # the likeliest step would be the same one again
        token = self._drawn(scores, temperature)
        if token is None:
            self.finish = "locked"
        else:
            self._go(((token, self._sampled_by(token)),))
            self._force()
        self._ask_budget()
        self.seen = min(self.seen, len(self.ids) - 1)

    # -- one token

    def _go(self, stretch: Stretch) -> None:
        """Go on by tokens, each with its author: by fewer where the budget is nearly spent, by none
        and back to its opening where one completes a step that fails."""
        parts = [stretch] if self.judge is None else [(each,) for each in stretch]
        for part in parts:
            count = self.matcher.consume_tested([token for token, _ in part])
            if count and self.judge is not None and self._fails(self.judge, part[0][0]):
                return
            for token, writer in part[:count]:
                self._write(token, writer)
                if self.finish is not None:
                    return
            if count < len(part):
                return

    def _write(self, token: int, author: str) -> None:
        super()._write(token, author)
        if self.finish == "stop" and self._bound is not None:
            self.finish = "budget"

    def _fails(self, judge: Judge, token: int) -> bool:
        """Whether a step fails its `checks` with a token; it is then taken back."""
        text = b"" if token in self.stops else self.matcher.guide.vocabulary.tokens[token]
        if judge.takes(text) if text else judge.ends():
            return False
        opening = judge.opening(text)
        self._tries[opening] += 1
        if self._tries[opening] == STEP_TRIES:
            self.judge = None  # the step stays as it is, and the verdict names it
            return False
        self.matcher.rollback(len(self.authors) + 1 - opening)
        judge.rollback(opening)
        del self.ids[self.begin + opening :], self.authors[opening:]
        self.spent += 1
        self.seen = min(self.seen, len(self.ids))
        if self._bound is not None and self._bound >= opening:
            self._bound = None
        if self._lead is not None and (behind := self._lead.matcher.length - opening) > 0:
            self._lead.matcher.rollback(behind)
            self._run_ahead(self._lead.matcher)
        return True

    def _sampled_by(self, token: int) -> str:
        """The model; or the tool whose text stands in the token beside the model's own."""
        matcher, text = self.matcher, self.matcher.guide.vocabulary.tokens[token]
        configuration = matcher.configuration if self.has_tools and text else None
        if configuration is None:
            return MODEL
        writer = author(matcher.guide.machine, configuration, text)
        return writer if writer.startswith(TOOL) else MODEL

    # -- the budget

    def _run_ahead(self, limited: Matcher) -> None:
        """Go on without asking the budget for a while, where there is enough of it."""
        self._lead = Lead.of(limited, self.judge, self.chance)
        if self._lead is None:
            self.matcher = limited
        elif self.matcher is limited:
            self.matcher = limited.unlimited()

    def _ask_budget(self) -> None:
        """Where it is due, see whether a way to the end fits from here; where none does, go back to
        where one did, and ask for every token from there on."""
        lead = self._lead
        if lead is None or self.finish == "stop":
            return
        if self.finish is None and len(self.authors) < lead.until:
            return
        if self.finish is None and lead.matcher.catch_up(self.matcher):
            self._run_ahead(lead.matcher)
            return
        count = lead.matcher.length
        self.matcher, self.judge, self._lead, self.finish = lead.matcher, lead.judge, None, None
        if self.judge is not None:
            self.judge.rollback(count)
        self._tries = Counter({at: tries for at, tries in self._tries.items() if at < count})
        del self.ids[self.begin + count :], self.authors[count:]
        self.chance.setstate(lead.drawn)
        self._force()

    # -- what may come next

    def _drawn(self, scores: Scores, temperature: float) -> int | None:
        """A legal token by a model's scores; None where there is none."""
        matcher, is_stalled = (
            self.matcher,
            repeats(self.ids[max(self.begin, len(self.ids) - WINDOW) :]),
        )
        token, is_closed = None, False
        if not is_stalled:
            token, is_closed = draw_legal(matcher, scores.copy(), temperature, self.chance)
        if token is None:
            mask = matcher.guide.states.sparse(matcher.compute_bitmask())
            is_closed |= matcher.is_narrowed()
            if is_stalled:
                mask = _leaving(matcher, mask)
            if mask.are_legal and not len(mask.ids):
                return None
            token = draw(scores, mask, temperature, self.chance)
        if is_closed and self._bound is None:
            self._bound = len(self.authors)
        return token

    def _force(self) -> None:
        """Append what must come next, wherever that is known."""
        spent = -1
        while self.forces and self.finish is None and self.spent > spent:
            spent = self.spent
            self._go(_stretch(self.matcher))
        if self.forces and self.finish is None:
            upper = structural(self.matcher)
            if upper.are_legal and len(self.stops) == 1 == len(upper.ids):
                self._go(((int(upper.ids[0]), GRAMMAR),))


_STRETCHES: Final[WeakKeyDictionary[State, Stretch]] = WeakKeyDictionary()


def _stretch(matcher: Matcher) -> Stretch:
    """The tokens of the text that comes next whatever a model says, each with its author."""
    found = _STRETCHES.get(matcher.state)
    if found is None:
        found = _STRETCHES[matcher.state] = _written(matcher, matcher.forced_tokens())
    return found


def _written(matcher: Matcher, tokens: Sequence[int]) -> Stretch:
    """Tokens that come next, each with its author."""
    machine, vocabulary = matcher.guide.machine, matcher.guide.vocabulary
    configuration, result = matcher.configuration, []
    for token in tokens:
        text = b"" if token in vocabulary.stops else vocabulary.tokens[token]
        assert configuration is not None
        result.append((token, author(machine, configuration, text)))
        configuration = machine.advance(configuration, text)
    return tuple(result)


def _leaving(matcher: Matcher, mask: Sparse) -> Sparse:
    """Of the legal tokens, those that leave a text which has repeated itself; all of them where
    none does, or where what repeats is more than one text."""
    guide, after, earlier = matcher.guide, matcher.configuration, matcher.copy()
    text = guide.vocabulary.decode(matcher.tokens[-WINDOW:])
    earlier.rollback(WINDOW)
    before = earlier.configuration
    if before is None or after is None or not is_within(before, text, after):
        return mask
    left = after.alive[0][0].left
    assert left is not None
    legal = mask.ids if mask.are_legal else np.setdiff1d(np.arange(mask.size), mask.ids)
    leaving = np.setdiff1d(legal, staying(guide.vocabulary.trie, left))
    return Sparse(leaving, True, mask.size) if len(leaving) else mask
