"""Prefixes of traces under way, each with its mask and the model's probabilities of what is next.

Sequences with the same tokens so far have the same mask and the same probabilities, so they share
one row of the model's batch, and one of its key-value cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from inspect import signature
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from attrs import frozen

from statelang.diagnostics import StatelangError
from statelang.engine.asking import prompt, prompt_ids
from statelang.engine.masks.bits import unpacked
from statelang.engine.masks.states import States
from statelang.space import StateSpace
from statelang.walking.machine import Configuration

Floats = npt.NDArray[np.float64]


def prompt_tokens(space: StateSpace, model: Any, problem: Mapping[str, Any]) -> list[int]:
    """What an Outlines model is asked, in its tokens. Raises StatelangError where it is nothing."""
    tokens = prompt_ids(model.hf_tokenizer, prompt(space, problem))
    if not tokens:
        raise StatelangError("a prompt is empty, so the model has nothing to go on from")
    return tokens


@frozen
class Draw:
    """The tokens of a trace, the stop token last, and the model's log probability of them."""

    tokens: tuple[int, ...]
    log_probability: float

    def followed(self, token: int, score: float) -> Draw:
        """The draw with one token more, given the model's log probability of it."""
        return Draw((*self.tokens, token), self.log_probability + score)


@frozen(eq=False)
class Next:
    """What may follow a prefix: the legal tokens, ascending, and the model's log probability of
    each. The probabilities sum to less than one: the model's mass of what is illegal is missing."""

    tokens: npt.NDArray[np.int64]
    scores: Floats


class Rows:
    """Distinct prefixes of one length, in one batch of the model.

    Args:
        model: A causal language model of `transformers`.
        prompt: Its tokens, at least one.
        states: The masks.
        start: The beginning of a trace.
        max_tokens: Tokens of a trace, stop token included. With one left only a stop is legal.
        temperature: Divides the logits.
    """

    next: list[Next]

    def __init__(
        self,
        model: Any,
        prompt: Sequence[int],
        states: States,
        start: Configuration,
        max_tokens: int,
        temperature: float,
    ) -> None:
        self.calls = 0
        self.tokens_read = 0
        self._model = model
        self._temperature = temperature
        self._max_tokens = max_tokens
        self.stops = states.vocabulary.stops
        self._states = states
        keeps = "logits_to_keep" in signature(model.forward).parameters
        self._options = {"logits_to_keep": 1} if keeps else {}
        self._cache: Any = None
        self._prefixes = [start]
        self._length = 0
        self._read([list(prompt)])
        self._prompt = deepcopy(self._cache), self._prefixes, self.next

    def begin(self) -> None:
        """Go back to the one empty prefix, without reading the prompt again."""
        cache, self._prefixes, self.next = self._prompt
        self._cache = deepcopy(cache)
        self._length = 0

    def step(self, taken: Sequence[tuple[int, int]]) -> list[int]:
        """Go on by legal tokens that do not stop.

        Args:
            taken: Pairs of a row and its token. Rows that no pair names are given up.

        Returns:
            For each pair the row it is in now; equal pairs share one.
        """
        pairs = list(dict.fromkeys(taken))
        prefixes = []
        for row, token in pairs:
            text = self._states.vocabulary.tokens[token]
            prefix = self._states.machine.advance(self._prefixes[row], text)
            assert prefix is not None
            prefixes.append(prefix)
        self._prefixes = prefixes
        self._length += 1
        kept = torch.tensor([row for row, _ in pairs], device=self._model.device)
        self._cache.batch_select_indices(kept)
        self._read([[token] for _, token in pairs])
        places = {pair: place for place, pair in enumerate(pairs)}
        return [places[pair] for pair in taken]

    def _read(self, tokens: list[list[int]]) -> None:
        """Have the model read tokens, as many in each row, and keep what may be next."""
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor(tokens, device=self._model.device),
                past_key_values=self._cache,
                use_cache=True,
                **self._options,
            )
            scaled = output.logits[:, -1].double() / self._temperature
            scores = torch.log_softmax(scaled, -1).cpu().numpy()
        self._cache = output.past_key_values
        self.calls += 1
        self.tokens_read += sum(map(len, tokens))
        self.next = list(map(self._next, self._prefixes, scores))

    def _next(self, prefix: Configuration, scores: Floats) -> Next:
        states = self._states
        legal = np.flatnonzero(unpacked(states.row(states.state(prefix)[0]), states.size))
        if self._length + 1 == self._max_tokens:
            legal = np.intersect1d(legal, states.stops)
        legal = legal[legal < len(scores)]
        return Next(legal, scores[legal])
