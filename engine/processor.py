"""The logits processor for Outlines: masks what the state space does not allow.

Sequences are keyed by the tokens they hold, not by the last one seen, so sampling, batches, several
samples a prompt, beam search, assisted decoding and re-use all find their own position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from outlines.processors import OutlinesLogitsProcessor

from statelang.diagnostics import StatelangError
from statelang.engine.guide import Guide, Position
from statelang.engine.masking import Sparse, mask_logits
from statelang.engine.vocabulary import Vocabulary
from statelang.space import StateSpace
from statelang.tools import Function

Problem = Mapping[str, Any]
_MAX_SEQUENCES = 100_000


class StateSpaceProcessor(OutlinesLogitsProcessor):
    """Masks the logits of every sequence by its position in a state space.

    A row that has ended is left as it is: the model pads it. Gold answers never reach the mask.
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
        self.starts = [guide.start(problem, max_tokens, tools) for problem in problems]
        self.reset()

    def reset(self) -> None:
        """Forget the sequences; Outlines calls this before each generation."""
        self._prompts: list[tuple[int, ...]] = []
        self._known: dict[tuple[int, tuple[int, ...]], Position | None] = {}

    def process_logits(self, input_ids: Any, logits: Any) -> Any:
        """Mask `logits`, a row per sequence; `input_ids` holds the prompt and what came after it.

        Args:
            input_ids: Integers, shape (rows, length).
            logits: Floats, shape (rows, vocabulary).

        Returns:
            The logits, changed in place: minus infinity where a token is not legal.
        """
        adapter: Any = self.tensor_adapter
        rows = [tuple(row) for row in adapter.to_list(input_ids)]
        if not self._continues(rows):
            self.reset()
            self._prompts = rows
        masks: list[Sparse | None] = []
        for index, row in enumerate(rows):
            position = self._position(index, len(rows), row)
            if position is None or position.ended:
                masks.append(None)
                continue
            mask = self.guide.mask(position)
            if not mask.any():
                written = self.guide.vocabulary.decode(row[len(self._prompts[0]) :])
                raise StatelangError(
                    f"the space `{self.guide.space.name}` locks: no token is legal after "
                    f"{written[-120:].decode(errors='replace')!r}; run `statelang check` on it and "
                    "give the state a way out that no contract closes"
                )
            masks.append(self.guide.states.sparse(mask))
        mask_logits(logits, masks)
        return logits

    def _continues(self, rows: list[tuple[int, ...]]) -> bool:
        """Whether the rows go on from the prompts seen first (in any order: beams move)."""
        if not self._prompts:
            return False
        length = len(self._prompts[0])
        known = set(self._prompts)
        return all(len(row) >= length and row[:length] in known for row in rows)

    def _position(self, index: int, count: int, row: tuple[int, ...]) -> Position | None:
        """The position of one row, from the longest prefix already known."""
        problem = index * len(self.starts) // count
        generated = row[len(self._prompts[0]) :]
        known = self._known
        if len(known) > _MAX_SEQUENCES:
            known.clear()
        length = len(generated)
        while length and (problem, generated[:length]) not in known:
            length -= 1
        position = known[problem, generated[:length]] if length else self.starts[problem]
        for end in range(length + 1, len(generated) + 1):
            if position is not None and not position.ended:
                position = self.guide.advance(position, generated[end - 1])
            known[problem, generated[:end]] = position
        return position


def model_vocabulary(model: Any) -> Vocabulary:
    """The vocabulary of an Outlines model of the `transformers` kind. Raises StatelangError."""
    tokenizer = getattr(model, "hf_tokenizer", None)
    if tokenizer is None:
        raise StatelangError(
            f"`{type(model).__name__}` is not a steerable Outlines model with a tokenizer of "
            "`transformers`; make it with `outlines.from_transformers(model, tokenizer)`"
        )
    stops = model.model.generation_config.eos_token_id
    more = stops if isinstance(stops, list) else [stops] if stops is not None else []
    return Vocabulary.from_tokenizer(tokenizer, more)


@lru_cache(maxsize=8)
def _guide(space: StateSpace, tokenizer: Any, stops: frozenset[int], contracts: bool) -> Guide:
    return Guide(space, Vocabulary.from_tokenizer(tokenizer, stops), contracts=contracts)


def constrain(
    space: StateSpace,
    model: Any,
    problem: Problem | Sequence[Problem | None] | None = None,
    max_tokens: int | None = None,
    *,
    contracts: bool = True,
    tools: Mapping[str, Function] | None = None,
) -> StateSpaceProcessor:
    """A logits processor for `outlines.Generator(model, processor=...)`.

    Args:
        space: The state space to hold generations to.
        model: The Outlines model (`outlines.from_transformers(...)`).
        problem: The problem's inputs, where the space declares some; for a batch a list in prompt
            order. A gold `answer` in it is never looked at.
        max_tokens: The budget, stop token included: every trace ends, complete, within it.
        contracts: False masks by the plain grammar only.
        tools: The functions that `writes` clauses name: what they give is forced on the model.

    Raises:
        StatelangError: a missing input, a budget that is too small (the least known is named), a
            tokenizer that cannot write the space, or a model that cannot be steered.
    """
    tokenizer = getattr(model, "hf_tokenizer", None)
    vocabulary = model_vocabulary(model)
    guide = _guide(space, tokenizer, vocabulary.stops, contracts)
    problems = list(problem) if isinstance(problem, Sequence) else [problem]
    library = getattr(model, "tensor_library_name", "torch")
    return StateSpaceProcessor(guide, problems or [None], max_tokens, library, tools)
