"""A model for vLLM that guesses a token from the one before it: no attention, no cache."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import nn


class Bigram(nn.Module):
    """Random weights; those of the checkpoint are left aside."""

    is_attention_free: Final = True  # what vLLM looks for

    def __init__(self, *, vllm_config: Any, prefix: str = "") -> None:
        super().__init__()
        size = vllm_config.model_config.get_vocab_size()
        self.embedding = nn.Embedding(size, 8)
        self.head = nn.Linear(8, size, bias=False)
        chance = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            drawn = torch.randn(parameter.shape, generator=chance)
            parameter.data.copy_(drawn)

    def embed_input_ids(self, input_ids: torch.Tensor) -> Any:
        """Vectors of tokens."""
        return self.embedding(input_ids)

    def forward(self, input_ids: torch.Tensor, positions: torch.Tensor, **_: Any) -> Any:
        """Each token by itself."""
        return self.embedding(input_ids)

    def compute_logits(self, hidden_states: torch.Tensor) -> Any:
        """Shape (rows, tokens)."""
        return self.head(hidden_states)

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        """All are there already."""
        return {name for name, _ in self.named_parameters()}
