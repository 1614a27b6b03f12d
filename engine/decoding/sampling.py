"""Draw one token from the scores that a model gave it."""

from __future__ import annotations

from random import Random

import numpy as np
import numpy.typing as npt

from statelang.engine.masks.masking import Sparse

Scores = npt.NDArray[np.float32]


def draw(scores: Scores, mask: Sparse | None, temperature: float, chance: Random) -> int:
    """A legal token, drawn from the model's own shares among the legal ones.

    One number is drawn from `chance` for each token, so a sequence does not depend on those beside
    it.

    Args:
        scores: Logits, shape (tokens,); changed in place where most tokens are legal.
        mask: The legal tokens, at least one; None allows all.
        temperature: 0 takes the likeliest token.
        chance: Where the randomness comes from.
    """
    if mask is not None and mask.are_legal:
        return int(mask.ids[pick(scores[mask.ids], temperature, chance)])
    if mask is not None:
        mask.apply(scores)
    return pick(scores, temperature, chance)


def pick(scores: Scores, temperature: float, chance: Random) -> int:
    """A token by its share, or, at temperature 0, the likeliest; one of them must be possible."""
    if temperature == 0:
        return int(scores.argmax())
    shares = np.exp((scores - scores.max()) / temperature)
    sums = shares.cumsum(dtype=np.float64)
    # Rounding may reach the last sum itself; it belongs to the last token that has a share.
    place = min(chance.random() * sums[-1], np.nextafter(sums[-1], 0))
    return int(sums.searchsorted(place, "right"))
