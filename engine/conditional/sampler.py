"""Traces from the model's own distribution, given that they are legal.

A mask asks at each token only what is legal next. So it leads the model into places that it would
hardly go to, because little of what it means is legal there, and what is sampled has another
distribution than the legal traces that the model itself would write. Here they have that one:
`p(x)` of the model for a trace `x` that is legal, complete, and ended by a stop token within
`max_tokens`, divided by the sum of all such, zero for every other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from attrs import frozen

from statelang.diagnostics import StatelangError
from statelang.engine.conditional.masks import Whole
from statelang.engine.conditional.rejection import reject
from statelang.engine.conditional.rows import Rows, prompt_tokens
from statelang.engine.conditional.smc import steer
from statelang.engine.processors.processor import model_vocabulary
from statelang.engine.steering.guide import Guide, guide
from statelang.space import StateSpace
from statelang.tools import Function

_METHODS: Final = {"rejection": reject, "smc": steer}


@frozen
class WeightedTrace:
    """One trace: its text, its tokens (stop token last), the model's log probability of the tokens
    (natural logarithm, nats), and its weight among the traces of the sample, which sum to one."""

    text: str
    tokens: tuple[int, ...]
    log_probability: float
    weight: float


@frozen
class Conditional:
    """A sample of the model's distribution given legality.

    `log_mass` estimates the log of the model's mass of all legal traces, in nats. `efficiency` is
    the number of effective samples for each sequence drawn: of rejection the share that was kept,
    of SMC the effective sample size of the weights for each particle. `model_calls` are forward
    passes, `tokens_read` the tokens they took, the prompt once.
    """

    traces: tuple[WeightedTrace, ...]
    log_mass: float
    efficiency: float
    model_calls: int
    tokens_read: int

    @property
    def distribution(self) -> dict[str, float]:
        """The weight of each text; one text may have come as several sequences of tokens."""
        result: defaultdict[str, float] = defaultdict(float)
        for trace in self.traces:
            result[trace.text] += trace.weight
        return dict(result)


def sample_conditional(
    space: StateSpace,
    model: Any,
    problem: Mapping[str, Any],
    *,
    method: Literal["rejection", "smc"] = "smc",
    count: int = 16,
    max_tokens: int = 400,
    temperature: float = 1.0,
    seed: int = 0,
    tools: Mapping[str, Function] | None = None,
) -> Conditional:
    """Traces of one problem from the model's distribution given that they are legal.

    Args:
        space: The state space. Contracts are part of legality, `checks` too.
        model: An Outlines model of the `transformers` kind.
        problem: A `question` or a `prompt`, and the space's inputs. A gold `answer` is not used.
        method: "rejection" gives independent, exact samples and takes as long as that needs; "smc"
            gives weighted ones in the time of one batch, exact as `count` grows.
        count: The traces that rejection looks for, or the particles of SMC.
        max_tokens: Tokens of a trace, stop token included; a longer one is not legal.
        temperature: The model's own distribution is taken at this temperature, above 0.
        seed: Makes the sampling repeatable.
        tools: The functions that `writes` clauses name: what they give is part of legality, so the
            model pays for it as for every other text.

    Returns:
        The sample. It has fewer traces than `count` where rejection gives up, after 1,000 draws for
        each, and where particles of SMC meet dead ends; none where none was found.

    Raises:
        StatelangError: an option out of range, a missing input, an empty prompt, a `max_tokens`
            below the shortest trace, or a model that cannot be steered.
    """
    if method not in _METHODS:
        raise StatelangError(f'method="{method}" is not known; take one of: {", ".join(_METHODS)}')
    if count < 1 or not temperature > 0:
        raise StatelangError(
            f"count={count}, temperature={temperature}: a sample takes a count of at least 1 and a "
            "temperature above 0; for the likeliest trace use `generate` with temperature=0"
        )
    vocabulary = model_vocabulary(model)
    masks = guide(space, vocabulary, True)
    masks.start(problem, max_tokens, tools)  # refuses too small a budget
    start = masks.machine.start(problem, tools)
    asked = prompt_tokens(space, model, problem)
    rows = Rows(model.model, asked, _whole(masks), start, max_tokens, temperature)
    chance = np.random.default_rng(seed)
    found, efficiency = _METHODS[method](rows, count, chance)
    mass = np.logaddexp.reduce([weight for _, weight in found]) if found else -np.inf
    traces = tuple(
        WeightedTrace(
            vocabulary.decode(draw.tokens).decode(),
            draw.tokens,
            draw.log_probability,
            float(np.exp(weight - mass)),
        )
        for draw, weight in found
    )
    return Conditional(traces, float(mass), efficiency, rows.calls, rows.tokens_read)


@lru_cache(maxsize=8)
def _whole(masks: Guide) -> Whole:
    return Whole(masks.machine, masks.vocabulary)
