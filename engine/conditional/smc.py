"""Sequential Monte Carlo: many traces at once, those that the model means more copied.

Lew et al. 2023 (arXiv 2306.03081), Loula et al. 2025 (arXiv 2504.13139). Each particle draws its
next token from the mask: from the model's probabilities of the legal tokens, renormalised. What the
renormalising hides, the model's mass of the legal tokens, multiplies the particle's weight. Where
few particles carry most of the weight, all are drawn anew by their weights.

For any number of particles the estimate of the mass of all legal traces is unbiased, and so is,
times that mass, the weighted sum of any function of the traces.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from statelang.engine.conditional.rows import Draw, Floats, Next, Rows

_RESAMPLED = 0.5  # below this share of effective particles; the usual choice


def steer(
    rows: Rows, count: int, chance: np.random.Generator
) -> tuple[list[tuple[Draw, float]], float]:
    """Traces from the model's distribution given legality, with weights.

    Args:
        rows: The prefixes of a trace, wherever they are.
        count: Particles.
        chance: Where the randomness comes from.

    Returns:
        The traces, each with the logarithm of its weight: the weights sum to the estimate of the
        mass of all legal traces. Particles that died are left out. And the effective sample size
        for each particle.
    """
    rows.begin()
    places = np.zeros(count, np.int64)  # rows; -1 for a particle that has ended or died
    weights = np.full(count, -np.log(count))  # logarithms
    draws = [Draw((), 0.0)] * count
    while (places >= 0).any():
        legal = np.array([_mass(following) for following in rows.next])
        weights[places >= 0] += legal[places[places >= 0]]
        if np.isneginf(weights).all():
            break
        # The weight of a step does not depend on the token drawn, so particles are copied before:
        # each copy draws for itself.
        if _effective(weights) < _RESAMPLED * count:
            kept = _systematic(weights, chance)
            places, draws = places[kept], [draws[particle] for particle in kept]
            weights = np.full(count, np.logaddexp.reduce(weights) - np.log(count))
        places[np.isneginf(weights)] = -1
        going: list[tuple[int, int, int]] = []
        for particle in np.flatnonzero(places >= 0).tolist():
            row = int(places[particle])
            token, score = _drawn(rows.next[row], chance)
            draws[particle] = draws[particle].followed(token, score)
            places[particle] = -1
            if token not in rows.stops:
                going.append((particle, row, token))
        if going:
            particles, *taken = zip(*going, strict=True)
            places[list(particles)] = rows.step(list(zip(*taken, strict=True)))
    alive = np.flatnonzero(~np.isneginf(weights)).tolist()
    found = [(draws[particle], float(weights[particle])) for particle in alive]
    return found, _effective(weights) / count if found else 0.0


def _mass(following: Next) -> float:
    """The logarithm of the model's mass of the legal tokens; at a dead end minus infinity."""
    return float(np.logaddexp.reduce(following.scores, initial=-np.inf))


def _drawn(following: Next, chance: np.random.Generator) -> tuple[int, float]:
    """A legal token by the model's probabilities, and its log probability."""
    sums = np.cumsum(np.exp(following.scores - following.scores.max()))
    place = int(np.searchsorted(sums, chance.random() * sums[-1], side="right"))
    place = min(place, len(sums) - 1)
    return int(following.tokens[place]), float(following.scores[place])


def _normalised(weights: Floats) -> Floats:
    result: Floats = np.exp(weights - np.logaddexp.reduce(weights))
    return result


def _effective(weights: Floats) -> float:
    """The effective sample size: so many equal weights would tell as much."""
    return float(1 / np.square(_normalised(weights)).sum())


def _systematic(weights: Floats, chance: np.random.Generator) -> npt.NDArray[np.int64]:
    """As many indices as weights, each as often as its weight says, give or take one."""
    count = len(weights)
    points = (chance.random() + np.arange(count)) / count
    sums = np.cumsum(_normalised(weights))
    return np.minimum(np.searchsorted(sums, points, side="right"), count - 1)
