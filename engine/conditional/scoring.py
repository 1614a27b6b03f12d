"""How likely a given trace is: to the model, and under the mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from attrs import frozen

from statelang.engine.conditional.rows import prompt_tokens
from statelang.engine.masks.bits import unpacked
from statelang.engine.processors.processor import model_vocabulary
from statelang.engine.steering.matcher import Matcher
from statelang.space import StateSpace
from statelang.tools import Function


@frozen
class Score:
    """Log probabilities of one trace, in nats: to the model, and as plain masking draws it.

    Their difference is the log of the trace's weight: how much less of it the model means than
    masking gives. `masked` is minus infinity where the trace is not legal. The trace is taken in
    the tokens in which the tokenizer writes it, the stop token last.
    """

    tokens: tuple[int, ...]
    model: float
    masked: float


def score(
    space: StateSpace,
    model: Any,
    problem: Mapping[str, Any],
    text: str,
    *,
    temperature: float = 1.0,
    tools: Mapping[str, Function] | None = None,
) -> Score:
    """Log probabilities of a trace, from one forward pass.

    Args:
        space: The state space.
        model: An Outlines model of the `transformers` kind.
        problem: A `question` or a `prompt`, and the space's inputs.
        text: The whole trace, without a stop token.
        temperature: Divides the logits, above 0.
        tools: The functions that `writes` clauses name.

    Raises:
        StatelangError: a missing input, an empty prompt, or a model that cannot be steered.
    """
    vocabulary = model_vocabulary(model)
    stop = model.hf_tokenizer.eos_token_id
    tokens = (*vocabulary.encode(text.encode()), stop)
    asked = prompt_tokens(space, model, problem)
    with torch.inference_mode():
        read = torch.tensor([[*asked, *tokens]], device=model.model.device)
        logits = model.model(input_ids=read).logits[0, len(asked) - 1 : -1].double()
        scores = torch.log_softmax(logits / temperature, -1).cpu().numpy()
    matcher = Matcher(space, vocabulary, problem, tools=tools)
    told = masked = 0.0
    for token, following in zip(tokens, scores, strict=True):
        told += float(following[token])
        legal = np.flatnonzero(unpacked(matcher.compute_bitmask(), len(vocabulary.tokens)))
        mass = np.logaddexp.reduce(following[legal[legal < len(following)]], initial=-np.inf)
        is_legal = masked > -np.inf and matcher.consume_token(token)
        masked += float(following[token] - mass) if is_legal else -np.inf
    return Score(tokens, told, masked)
