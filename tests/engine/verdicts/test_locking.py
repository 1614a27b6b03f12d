"""A trace that stands where nothing legal can follow: every mode says so, each in one way."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import (
    Matcher,
    Server,
    Vocabulary,
    constrain,
    generate,
    generate_served,
    validate,
)
from statelang.engine.processors.vllm_requests import Asked, Request
from statelang.engine.verdicts.locking import locked_verdict
from statelang.liveness import liveness
from tests.engine import modes
from tests.engine.scripted_server import serving, written
from tests.laws.vocabularies import BYTES

# `go` may be begun after `in`, and cannot be ended so that something may follow.
LOCKING = statelang.loads(
    "//@ ghost n: number = 0\n\nstart : in _inside\n      | out\n_inside : go _gone\n"
    '_gone : out  //@ requires n == 1\n//@ set n = 0\nin : "in\\n"\ngo : "go\\n"\nout : "out\\n"\n',
    "locking",
)
LOCKED = "in\n"
MESSAGE = "the space `locking` locks: no token is legal after 'in\\\\n'; run `statelang check`"


def ids(text: str, vocabulary: Vocabulary = BYTES) -> list[int]:
    """A text in tokens."""
    return [vocabulary.tokens.index(bytes((byte,))) for byte in text.encode()]


def test_check_says_so_before() -> None:
    """The proof of liveness fails, and the trace is found."""
    assert "not live: stuck after one step" == str(liveness(LOCKING))


def test_a_matcher_has_an_empty_mask() -> None:
    """No token is legal, and the trace is not complete; `rollback` leads out."""
    matcher = Matcher(LOCKING, BYTES)
    assert len(LOCKED) == matcher.try_consume_tokens(ids(LOCKED))
    assert not matcher.compute_bitmask().any()
    legal = matcher.legal_tokens()
    assert legal is not None and [] == legal.tolist()
    logits = np.zeros((1, len(BYTES.tokens)), np.float32)
    matcher.mask_logits(logits)
    assert (logits == -np.inf).all()
    assert not any(matcher.allows(token) for token in range(len(BYTES.tokens)))
    assert (False, False) == (matcher.is_accepting(), matcher.is_stopped())
    assert not matcher.consume_token(ids("g")[0])
    matcher.rollback(len(LOCKED))
    assert len("out\n") == matcher.try_consume_tokens(ids("out\n"))


def test_within_a_budget_no_trace_locks() -> None:
    """A token is legal only where a way to the end is known: what leads into the lock is not."""
    matcher = Matcher(LOCKING, BYTES, max_tokens=400)
    assert not matcher.allows(ids("i")[0])
    assert matcher.forced_tokens() == []  # the grammar has another way
    assert ids("o") == np.flatnonzero([matcher.allows(t) for t in range(257)]).tolist()


def test_the_verdict_names_the_clause() -> None:
    """Which the trace breaks wherever it goes on."""
    verdict = locked_verdict(LOCKING, LOCKED)
    assert (False, None) == (verdict.grammar, verdict.contracts)
    assert verdict.error is not None and "requires n == 1" == verdict.error.rule
    assert "the trace locks, nothing legal may follow" in verdict.error.message


def test_a_processor_raises() -> None:
    """With the last text, and the next step to take."""
    processor = constrain(LOCKING, BYTES)
    import torch

    def logits() -> Any:
        return torch.zeros(1, len(BYTES.tokens))

    processor.process_logits(torch.tensor([[0]]), logits())
    for end in range(1, len(LOCKED)):
        processor.process_logits(torch.tensor([[0, *ids(LOCKED[:end])]]), logits())
    with pytest.raises(StatelangError, match=MESSAGE):
        processor.process_logits(torch.tensor([[0, *ids(LOCKED)]]), logits())


def test_generate_ends_every_trace() -> None:
    """Its budget keeps it out."""
    model = modes.steered("merges")
    for generation in generate(LOCKING, model, [{"question": q} for q in "abcd"], max_tokens=60):
        assert "out\n" == generation.text and generation.finish_reason in ("stop", "budget")
        assert validate(LOCKING, generation.text).contracts is True


def test_a_request_to_vllm_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    """By its stop token; the log says why."""
    output: list[int] = []
    request = Request.begin(Asked(LOCKING, {}), BYTES, None, 400, output)
    request.matcher = Matcher(LOCKING, BYTES)  # as if its budget had let it in
    output += ids(LOCKED)
    logits = np.zeros((1, len(BYTES.tokens)), np.float32)
    with caplog.at_level(logging.ERROR):
        request.mask(logits, 0)
    assert sorted(BYTES.stops) == np.flatnonzero(logits[0] > -np.inf).tolist()
    assert "no token is legal: the space locks" in caplog.text


def test_a_served_trace_is_stuck() -> None:
    """What the server writes there is asked for no further; the trace is kept as it stood."""
    with serving([written(LOCKED)]) as script:
        server = Server(script.url, "tiny", kind="llama.cpp")
        (found,) = generate_served(LOCKING, server, [{"question": "?"}])
    assert (LOCKED, 1) == (found.text, found.requests)
    assert "nothing may follow: the space locks, run `statelang check` on it" == found.stuck
    assert not found.verdict.grammar
