"""The logits processor for Outlines and `transformers`: masks what the state space forbids."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from attrs import evolve
from outlines.processors import OutlinesLogitsProcessor

from statelang.diagnostics import StatelangError
from statelang.engine.masks.masking import Sparse, mask_logits, shared
from statelang.engine.processors.rows import Rows
from statelang.engine.steering.guide import Guide, guide
from statelang.engine.steering.matcher import Matcher
from statelang.engine.verdicts.locking import locked
from statelang.engine.vocabularies import llamacpp
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.space import StateSpace
from statelang.tools import Function

Problem = Mapping[str, Any]


class StateSpaceProcessor(OutlinesLogitsProcessor):
    """Masks the logits of every sequence by where it stands in a state space.

    A sequence that has ended may only stop again. Gold answers never reach the mask. `constrain`
    makes one.
    """

    def __init__(
        self,
        guide: Guide,
        problems: Sequence[Problem | None],
        max_tokens: int | None,
        tensor_library_name: str,
        tools: Mapping[str, Function] | None = None,
    ) -> None:
        super().__init__(tensor_library_name=tensor_library_name)
        self.guide = guide
        self.problems = problems
        self.max_tokens = max_tokens
        self.tools = tools
        self._rows = Rows(self._begin, len(problems))
        self._begin()  # an input that is missing or a budget too small is said at once
        size = len(guide.vocabulary.tokens)
        stops = [stop for stop in sorted(guide.vocabulary.stops) if stop < size]
        self._stop = Sparse(np.array(stops, np.int64), True, size)

    def _begin(self) -> list[Matcher]:
        return [Matcher.of(self.guide, p, self.max_tokens, self.tools) for p in self.problems]

    def reset(self) -> None:
        """Take the next sequences for prompts. Outlines calls this before each generation; without
        it they are known by what they hold, unless one prompt goes on from another's trace."""
        self._rows.forget()

    def process_logits(self, input_ids: Any, logits: Any) -> Any:
        """Mask the next token of each sequence.

        Args:
            input_ids: Integers, shape (rows, length): the prompt and what came after it.
            logits: Floats, shape (rows, tokens), as many tokens as the vocabulary has or more.

        Returns:
            The logits, minus infinity where a token is not legal: those of numpy changed in place,
            those of torch a copy.

        Raises:
            StatelangError: the space locks, the logits are of another vocabulary or no number of
                rows for the problems, or all that is legal was impossible before.
        """
        size = len(self.guide.vocabulary.tokens)
        if logits.shape[-1] < size:
            raise StatelangError(
                f"the model gives {logits.shape[-1]} logits, but its tokenizer has {size} tokens; "
                "give the tokenizer that belongs to this model, or resize the model "
                "(`model.resize_token_embeddings`)"
            )
        if not isinstance(logits, np.ndarray):
            logits = logits.clone()  # `transformers` uses its own again
        try:
            self._mask(input_ids, shared(logits))
        except Exception:
            # llama.cpp goes on after an error of ours, which it prints: the text is to end there.
            mask_logits(logits, [self._stop] * len(logits))
            raise
        return logits

    def _mask(self, input_ids: Any, logits: Any) -> None:
        ids = input_ids if isinstance(input_ids, np.ndarray) else input_ids.cpu().numpy()
        masks = [None if m is None else self._sparse(m) for m in self._rows.follow(ids)]
        mask_logits(logits, masks)
        rows = [row for row, mask in enumerate(masks) if mask is not None]
        probes = logits[rows, [_legal(mask) for mask in masks if mask is not None]]
        for row, gone in zip(rows, (probes == -np.inf).tolist(), strict=True):
            if gone and bool((logits[row] == -np.inf).all()):
                raise StatelangError(
                    "every token that the space allows was made impossible before the mask was "
                    "applied; leave out what forbids tokens (`suppress_tokens`, `bad_words_ids`, "
                    "`no_repeat_ngram_size`, `min_new_tokens`, a processor in front of this one)"
                )

    def _sparse(self, matcher: Matcher) -> Sparse:
        mask = self.guide.states.sparse(matcher.compute_bitmask())
        if mask.are_legal and not len(mask.ids):
            raise locked(self.guide.space, matcher.trace)
        return mask


def _legal(mask: Sparse) -> int:
    """One of the tokens that a mask allows."""
    ids = mask.ids
    if mask.are_legal:
        return int(ids[0])
    return bisect_left(range(len(ids)), True, key=lambda place: bool(ids[place] != place))


def model_vocabulary(model: Any) -> Vocabulary:
    """The vocabulary of a model that can be steered, or of a tokenizer.

    Its stop tokens are those at which `model.generate` stops, where the generation configuration
    names some; else the tokenizer's own.

    Args:
        model: As for `constrain`.

    Raises:
        StatelangError: its tokens cannot be read as bytes, or none ends a text.
    """
    if isinstance(model, Vocabulary):
        return model
    if llamacpp.is_llama(model):
        return llamacpp.vocabulary(model)
    if llamacpp.is_llama(getattr(model, "model", None)):
        return llamacpp.vocabulary(model.model)
    tokenizer = getattr(model, "hf_tokenizer", None)
    if tokenizer is not None:
        stops = model.model.generation_config.eos_token_id
        configured = stops if isinstance(stops, list) else [stops] if stops is not None else []
        return _vocabulary(tokenizer, len(tokenizer), frozenset(configured))
    if hasattr(model, "get_vocab") and hasattr(model, "eos_token_id"):
        return _vocabulary(model, len(model), frozenset())
    raise StatelangError(
        f"`{type(model).__name__}` cannot be steered token by token; give a model of "
        "`outlines.from_transformers` or `outlines.from_llamacpp`, a `llama_cpp.Llama`, a fast "
        "tokenizer of `transformers`, or a Vocabulary"
    )


@lru_cache(maxsize=8)
def _vocabulary(tokenizer: Any, _: int, stops: frozenset[int]) -> Vocabulary:
    """Kept for a tokenizer as long as it has so many tokens; without those at its end that write
    nothing, since a model may lack them (a pad token that was added)."""
    whole = Vocabulary.from_tokenizer(tokenizer, stops)
    if stops:
        # A trace that ended by another token would be gone on with, and without a mask.
        whole = evolve(whole, stops=stops)
        if min(stops) >= len(whole.tokens):
            raise StatelangError(
                f"generation stops at the tokens {sorted(stops)} alone, which are not among the "
                f"{len(whole.tokens)} of the tokenizer, so no trace could end; correct "
                "`generation_config.eos_token_id`"
            )
    size = max(i for i, token in enumerate(whole.tokens) if token or i in whole.stops) + 1
    return evolve(whole, tokens=whole.tokens[:size])


def constrain(
    space: StateSpace,
    model: Any,
    problem: Problem | Sequence[Problem | None] | None = None,
    max_tokens: int | None = None,
    *,
    contracts: bool = True,
    tools: Mapping[str, Function] | None = None,
) -> StateSpaceProcessor:
    """A logits processor for `outlines.Generator(model, processor=...)`, and as well for
    `model.generate(..., logits_processor=[...])` of `transformers`.

    Args:
        space: The state space to hold generations to.
        model: What the tokens are read from: an Outlines model (`outlines.from_transformers`,
            `outlines.from_llamacpp`), a `llama_cpp.Llama`, a fast tokenizer of `transformers`
            (traces then end with its `eos_token` alone), or a Vocabulary. For a model that stops at
            other tokens too, `Vocabulary.from_tokenizer(tokenizer, [...])` adds them.
        problem: The problem's inputs, where the space declares some; for a batch a list in prompt
            order. A gold `answer` in it is never looked at.
        max_tokens: The budget, stop token included: every trace ends, complete, within it, where
            the model is let write as many (`max_new_tokens`, in llama.cpp `max_tokens`).
        contracts: False masks by the plain grammar only.
        tools: The functions that `writes` clauses name: what they give is forced on the model.

    Raises:
        StatelangError: a missing input, a budget that is too small (the least known is named), a
            tokenizer that cannot write the space, or a model that cannot be steered.
    """
    vocabulary = model_vocabulary(model)
    problems = list(problem) if isinstance(problem, Sequence) else [problem]
    library = "numpy" if llamacpp.is_llama(model) else "torch"
    library = getattr(model, "tensor_library_name", library)
    return StateSpaceProcessor(
        guide(space, vocabulary, contracts), problems or [None], max_tokens, library, tools
    )
