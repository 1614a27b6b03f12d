"""Apply a mask to logits in place, touching as few of them as it can.

In free text nearly every token is legal, in a tag nearly none: the shorter list is kept, and only
its logits are moved one by one. A packed row would have every logit looked at.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from statelang.engine.masks.bits import Row, unpacked

_NEVER: Final = np.array(-np.inf, np.float32)  # as an array it need not be made for each call


@frozen(eq=False)
class Sparse:
    """A mask by the shorter of two lists: the tokens that are legal, or those that are not.

    `size` is the number of tokens; logits beyond it (a padded vocabulary) are never legal.
    """

    ids: npt.NDArray[np.int64]
    are_legal: bool
    size: int
    _tensors: dict[Any, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, row: Row, size: int) -> Sparse:
        """The lists of a packed row over `size` tokens."""
        free = unpacked(row, size)
        few = 2 * int(free.sum()) <= size
        return cls(np.flatnonzero(free if few else ~free), few, size)

    def apply(self, logits: npt.NDArray[Any]) -> None:
        """Make every token that is not legal impossible.

        Args:
            logits: Floats, shape (tokens,); changed in place.
        """
        if self.are_legal:
            kept = logits[self.ids]
            logits.fill(_NEVER)
            logits[self.ids] = kept
        else:
            logits[self.ids] = _NEVER
            if len(logits) > self.size:
                logits[self.size :] = _NEVER

    def apply_to_tensor(self, logits: Any) -> None:
        """The same for a tensor of torch, on any device."""
        ids = self._tensors.get(logits.device)
        if ids is None:
            import torch

            ids = self._tensors[logits.device] = torch.from_numpy(self.ids).to(logits.device)
        if self.are_legal:
            kept = logits[ids]
            logits.fill_(-np.inf)
            logits[ids] = kept
        else:
            logits.index_fill_(0, ids, -np.inf)
            logits[self.size :] = -np.inf


def mask_logits(logits: Any, masks: list[Sparse | None]) -> None:
    """Apply a mask to each row; None leaves a row as it is.

    Args:
        logits: Floats, shape (rows, tokens), of numpy or of torch; changed in place.
        masks: One for each row.
    """
    for row, mask in zip(shared(logits), masks, strict=True):
        if mask is None:
            continue
        if isinstance(row, np.ndarray):
            mask.apply(row)
        else:
            mask.apply_to_tensor(row)


def shared(logits: Any) -> Any:
    """Logits as an array of numpy wherever it can share their memory: its calls cost least."""
    if isinstance(logits, np.ndarray):
        return logits
    if logits.device.type == "cpu" and str(logits.dtype) in ("torch.float32", "torch.float64"):
        return logits.detach().numpy()
    return logits
