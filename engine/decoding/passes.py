"""Passes of a model of `transformers` over a batch whose rows go on by different lengths.

Each pass is padded on the left, and the padding is masked out of the cache for good. So is what is
taken back. When most of the cache is such gaps they are cut out.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from statelang.diagnostics import StatelangError

_MOST_GAPS: Final = 2  # columns of the cache for each that the longest row fills


class Growing(Protocol):
    """A sequence: its tokens so far, and how many of them the model has seen."""

    ids: list[int]
    seen: int


class Passes:
    """Passes over some rows, with one cache for all.

    Args:
        model: A causal language model of `transformers`.

    Raises:
        StatelangError: the model is of a kind whose cache cannot hold gaps.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._cache: Any = None
        self._filled = np.zeros((0, 0), np.int64)  # rows x columns of the cache
        self._seen: list[int] = []  # tokens of each row in the cache
        if model.config.is_encoder_decoder or not _takes_places(model):
            raise _unfit(model, "takes no positions")

    def run(self, rows: Sequence[Growing]) -> torch.Tensor:
        """The logits after the last token of each row, float32, shape (rows, tokens), on the CPU.

        A row that has seen fewer tokens than before has taken some back.
        """
        if self._cache is not None:
            self._take_back(rows)
        fresh = [row.ids[row.seen :] for row in rows]
        width = max(map(len, fresh))
        ids = np.zeros((len(rows), width), np.int64)
        filled, places = np.zeros_like(ids), np.zeros_like(ids)
        for at, (row, tokens) in enumerate(zip(rows, fresh, strict=True)):
            begin = width - len(tokens)
            ids[at, begin:] = tokens
            filled[at, begin:] = 1
            places[at, begin:] = range(row.seen, len(row.ids))
            row.seen = len(row.ids)
        self._filled = filled if self._cache is None else np.concatenate([self._filled, filled], 1)
        self._seen = [row.seen for row in rows]
        device = self.model.device
        found = self.model(
            input_ids=torch.from_numpy(ids).to(device),
            attention_mask=torch.from_numpy(self._filled).to(device),
            position_ids=torch.from_numpy(places).to(device),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = _plain(self.model, found.past_key_values)
        logits: torch.Tensor = found.logits[:, -1, :]
        return logits.float().cpu()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the rows, at least one."""
        self._filled = self._filled[rows]
        self._seen = [self._seen[at] for at in rows]
        self._cache.batch_select_indices(torch.tensor(rows, device=self.model.device))

    def _take_back(self, rows: Sequence[Growing]) -> None:
        """Empty the columns of tokens that were taken back; cut out what most rows do not fill."""
        for filled, row, seen in zip(self._filled, rows, self._seen, strict=True):
            if row.seen < seen:
                filled[filled.nonzero()[0][row.seen :]] = 0
        longest = max(row.seen for row in rows)
        if self._filled.shape[1] > _MOST_GAPS * longest:
            self._cut(longest)

    def _cut(self, longest: int) -> None:
        # A stable sort moves the gaps of each row to its left and keeps the order of the rest.
        columns = self._filled.argsort(axis=1, kind="stable")[:, -longest:]
        self._filled = np.take_along_axis(self._filled, columns, 1)
        chosen = torch.from_numpy(columns).to(self.model.device)[:, None, :, None]
        for layer in self._cache.layers:
            _, heads, _, size = layer.keys.shape
            at = chosen.expand(-1, heads, -1, size)
            layer.keys, layer.values = layer.keys.gather(2, at), layer.values.gather(2, at)


def _takes_places(model: Any) -> bool:
    """Whether a model can be told where each token stands; a wrapper passes on what it is given."""
    takes = inspect.signature(model.forward).parameters
    return "position_ids" in takes or any(p.kind == p.VAR_KEYWORD for p in takes.values())


def _plain(model: Any, cache: Any) -> Any:
    """The cache, where it is one that holds every token: no window, no summary of the past."""
    whole = type(cache) is DynamicCache and all(type(x) is DynamicLayer for x in cache.layers)
    if not whole:
        raise _unfit(model, "does not keep every token in its cache")
    return cache


def _unfit(model: Any, why: str) -> StatelangError:
    return StatelangError(
        f"`{type(model).__name__}` {why}, so stretches of text cannot be appended to rows of a "
        "batch; steer it with `outlines.Generator(model, processor=constrain(...))` instead"
    )
