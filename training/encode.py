"""Rows as token ids, with exactly the tokens marked that carry loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statelang.engine.asking import prompt_ids, unframed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that carries no loss."""


@frozen
class Encoded:
    """A prompt and its completion as ids, the stop token last.

    `loss` has one flag per id of the completion.
    """

    prompt: list[int]
    completion: list[int]
    loss: list[bool]

    @property
    def input_ids(self) -> list[int]:
        """Prompt and completion, the ids that the model reads."""
        return self.prompt + self.completion

    @property
    def labels(self) -> list[int]:
        """One label per input id: the id itself, or `IGNORED`."""
        learnt = [
            token if loss else IGNORED
            for token, loss in zip(self.completion, self.loss, strict=True)
        ]
        return [IGNORED] * len(self.prompt) + learnt


def encode(
    prompt: str,
    completion: str,
    no_loss: Sequence[Sequence[int]],
    tokenizer: PreTrainedTokenizerBase,
) -> Encoded:
    """The prompt as it is read when generating, then the completion and the stop token.

    `no_loss` holds `[start, end)` characters of the completion; a token that touches one of them
    carries no loss. The stop token always does.
    """
    asked = prompt_ids(tokenizer, prompt)
    ids, offsets = _completion_ids(prompt, asked, completion, tokenizer)
    loss = [not any(_touch(offset, span) for span in no_loss) for offset in offsets]
    return Encoded(asked, [*ids, _stop(tokenizer)], [*loss, True])


def encode_row(row: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """A row of sft.jsonl."""
    return encode(row["prompt"], row["completion"], row.get("no_loss", ()), tokenizer)


def encode_pair(
    row: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase
) -> tuple[Encoded, Encoded]:
    """A row of dpo.jsonl: its chosen and its rejected side."""
    spans = row.get("no_loss", {})
    chosen = encode(row["prompt"], row["chosen"], spans.get("chosen", ()), tokenizer)
    rejected = encode(row["prompt"], row["rejected"], spans.get("rejected", ()), tokenizer)
    return chosen, rejected


def _completion_ids(
    prompt: str, asked: list[int], completion: str, tokenizer: PreTrainedTokenizerBase
) -> tuple[list[int], list[tuple[int, int]]]:
    """The completion's ids and the characters of each, counted from its beginning.

    Read together with the prompt where the prompt's ids stay the same by it: some tokenizers put a
    space before a text that stands alone. Where the two would melt together, read alone.
    """
    whole = tokenizer(prompt + completion, return_offsets_mapping=True)
    inside = unframed(tokenizer, whole["input_ids"])
    ids, offsets = whole["input_ids"][inside], whole["offset_mapping"][inside]
    start = len(asked)
    if ids[:start] == asked:
        shift = len(prompt)
        return ids[start:], [(a - shift, b - shift) for a, b in offsets[start:]]
    alone = tokenizer(completion, add_special_tokens=False, return_offsets_mapping=True)
    return alone["input_ids"], alone["offset_mapping"]


def _touch(token: Sequence[int], span: Sequence[int]) -> bool:
    return max(token[0], span[0]) < min(token[1], span[1])


def _stop(tokenizer: PreTrainedTokenizerBase) -> int:
    stop: int = tokenizer.eos_token_id
    return stop
