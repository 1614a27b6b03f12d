"""Rejection that learns: whole traces from the model's own distribution, the illegal ones thrown
away, and illegal mass that has been seen once not drawn again.

A trie of the prefixes drawn so far knows of each an upper bound of its *legal mass*: of the
probability that the model goes on from it to a legal trace. A draw begins at the root with its
bound `m`; after a prefix with bound `m(u)` it takes the legal token `t` with probability
`p(t|u) m(ut) / m(u)`, and is thrown away with what is left to one. The bounds cancel along a trace,
so each legal trace `x` is kept with probability `p(x) / m`: in proportion to the model's, whatever
the bounds are. They only decide how seldom a draw is kept. Unless a prefix has been drawn its bound
is 1; then it is the sum over its legal tokens, `p(t|u) m(ut)`. (Constrained adaptive rejection
sampling: Parys et al. 2025, arXiv 2510.01902.)
"""

from __future__ import annotations

from collections import defaultdict
from math import ceil, inf, log
from typing import Final

import numpy as np
from attrs import define, field

from statelang.engine.conditional.rows import Draw, Floats, Next, Rows

_DRAWS: Final = 1_000  # for each trace asked for: then the legal ones are too rare
_TOGETHER: Final = 64
_MOST_PREFIXES: Final = 1_000_000


@define(eq=False)
class Prefix:
    """A prefix that has been drawn; logarithms of the model's probability of its last token and of
    the bound of its legal mass."""

    score: float = 0.0
    bound: float = 0.0
    after: dict[int, Prefix] = field(factory=dict)

    def live(self, following: Next) -> Floats:
        """The logarithm of the bound of what each legal token leads to."""
        if not self.after:
            return following.scores.copy()
        places = np.searchsorted(following.tokens, list(self.after))
        result = following.scores.copy()
        result[places] += [prefix.bound for prefix in self.after.values()]
        return result


def reject(
    rows: Rows, count: int, chance: np.random.Generator
) -> tuple[list[tuple[Draw, float]], float]:
    """Independent traces from the model's distribution given legality.

    Args:
        rows: The prefixes of a trace, wherever they are.
        count: Traces asked for; after 1,000 draws for each the search is given up.
        chance: Where the randomness comes from.

    Returns:
        The traces, fewer where it was given up, each with the logarithm of its weight: the weights
        are equal, and sum to the estimate of the mass of all legal traces. And the share of the
        draws that was kept.
    """
    root = Prefix()
    found: list[Draw] = []
    drawn = prefixes = 0
    tried = -inf
    while len(found) < count and drawn < _DRAWS * count and root.bound > -inf:
        # How many are drawn together depends on earlier rounds alone, and each round is finished:
        # that a trace is short gives it no advantage.
        rate = (len(found) + 1) / (drawn + 1)
        together = min(_TOGETHER, ceil((count - len(found)) / rate))
        if prefixes > _MOST_PREFIXES:
            root, prefixes = Prefix(), 0  # to know less is slower, and as exact
        tried = np.logaddexp(tried, log(together) - root.bound)
        kept, visited = _round(rows, root, together, chance)
        found += kept
        drawn += together
        prefixes += visited
    # A draw is kept with the probability legal mass / bound.
    share = len(found) / drawn
    weight = -float(tried) + log(len(found) / len(found[:count])) if found else -inf
    return [(draw, weight) for draw in found[:count]], share


def _round(
    rows: Rows, root: Prefix, count: int, chance: np.random.Generator
) -> tuple[list[Draw], int]:
    """Draws with the same bounds, and then better bounds.

    Returns:
        Those that are legal, in the order in which they were begun; the number of prefixes that
        were visited.
    """
    rows.begin()
    draws = [Draw((), 0.0)] * count
    kept: list[int] = []
    prefixes, here = [root], [list(range(count))]
    visits: list[tuple[Prefix, float, list[Prefix]]] = []
    while prefixes:
        taken: list[tuple[int, int]] = []
        beyond: list[Prefix] = []
        there: list[list[int]] = []
        for row, prefix in enumerate(prefixes):
            following = rows.next[row]
            live = prefix.live(following)
            chosen = _chosen(live - prefix.bound, here[row], chance)
            onward = []
            for place, indices in chosen.items():
                token, score = int(following.tokens[place]), float(following.scores[place])
                for index in indices:
                    draws[index] = draws[index].followed(token, score)
                if token in rows.stops:
                    kept += indices
                    continue
                live[place] = -inf  # its bound is about to change
                onward.append(prefix.after.setdefault(token, Prefix(score)))
                taken.append((row, token))
                there.append(indices)
            beyond += onward
            visits.append((prefix, float(np.logaddexp.reduce(live, initial=-inf)), onward))
        if taken:
            rows.step(taken)
        prefixes, here = beyond, there
    for prefix, rest, onward in reversed(visits):
        prefix.bound = float(
            np.logaddexp.reduce([rest, *(after.score + after.bound for after in onward)])
        )
    return [draws[index] for index in sorted(kept)], len(visits)


def _chosen(live: Floats, draws: list[int], chance: np.random.Generator) -> dict[int, list[int]]:
    """Which draws take which place of the legal tokens, by logarithms of probabilities; those that
    take none are thrown away."""
    result = defaultdict(list)
    sums = np.cumsum(np.exp(live))
    places = np.searchsorted(sums, chance.random(len(draws)), side="right")
    for place, index in zip(places.tolist(), draws, strict=True):
        if place < len(sums):
            result[place].append(index)
    return result
