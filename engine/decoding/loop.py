"""Decode a batch of traces with a model of `transformers`.

Wherever only one text may come next it is appended in its canonical tokens without asking the
model, and one pass takes the whole stretch (`statelang.engine.decoding.sequences`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from statelang.engine.decoding.passes import Passes
from statelang.engine.decoding.sequences import Free


def decode(model: Any, rows: Sequence[Free]) -> None:
    """Let a model write some traces to their ends, together.

    Args:
        model: A causal language model of `transformers`.
        rows: The traces, each at its beginning; each draws from a generator of its own, so what
            it becomes does not depend on the others.

    Raises:
        StatelangError: the model is of a kind whose cache cannot hold rows of different lengths.
    """
    active = [row for row in rows if row.finish is None]
    passes = Passes(model)
    with torch.inference_mode():
        while active:
            logits = passes.run(active).numpy()
            for row, scores in zip(active, logits, strict=True):
                row.take(scores)
            kept = [at for at, row in enumerate(active) if row.finish is None]
            if kept and len(kept) < len(active):
                passes.keep(kept)
            active = [active[at] for at in kept]
