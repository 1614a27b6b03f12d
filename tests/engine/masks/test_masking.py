"""Masks applied to logits: what is not legal is impossible, what is legal is left as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from statelang.engine.masks.bits import Rows, packed
from statelang.engine.masks.masking import Sparse, mask_logits

LIBRARIES: dict[str, Any] = {
    "numpy": lambda array: array,
    "torch": torch.from_numpy,
    "torch, half": lambda array: torch.from_numpy(array).to(torch.bfloat16),
}


@pytest.mark.parametrize("library", LIBRARIES)
@given(st.lists(st.lists(st.booleans(), min_size=40, max_size=40), min_size=1, max_size=3))
def test_logits_are_masked_in_place(library: str, free: list[list[bool]]) -> None:
    """Whichever list is the shorter, in each library; a padded vocabulary is never legal."""
    before = np.arange(len(free) * 44, dtype=np.float32).reshape(-1, 44)
    logits = LIBRARIES[library](before.copy())
    masks = [Sparse.of(packed(np.array(row)), 40) for row in free]
    mask_logits(logits, [*masks])
    allowed = np.array([[*row, *[False] * 4] for row in free])
    after = logits if library == "numpy" else logits.float().numpy()
    assert (after == np.where(allowed, before, -np.inf)).all()
    assert all(len(mask.ids) <= 20 for mask in masks)


def test_a_row_without_a_mask_is_left_as_it_is() -> None:
    """A row that has ended is the model's to pad."""
    logits = np.ones((2, 5), np.float32)
    mask_logits(logits, [None, Sparse.of(packed(np.zeros(5, np.bool_)), 5)])
    assert logits.tolist() == [[1.0] * 5, [-np.inf] * 5]


@pytest.mark.parametrize("size", [5, 512, 700])
def test_rows_are_kept_once_and_apart(size: int) -> None:
    """Equal masks are one row; no row is written into another, or by a caller."""
    rows, numbers = Rows(), range(600)
    masks = [packed(np.arange(size) % (2 + number) == 0) for number in numbers]
    kept = [rows.kept(mask) for mask in masks]
    assert all((row == mask).all() for row, mask in zip(kept, masks, strict=True))
    assert len({id(row) for row in kept}) == len({mask.tobytes() for mask in masks})
    assert {row.ctypes.data % 64 for row in kept} == {0}
    assert not any(row.flags.writeable for row in kept)
