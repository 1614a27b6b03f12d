"""What a request to vLLM asks for, and the trace that it has written so far."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from attrs import define, frozen

from statelang.diagnostics import StatelangError
from statelang.engine.steering.matcher import Matcher
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.loader import load, loads, shipped
from statelang.space import StateSpace
from statelang.walking.machine import Machine

SPACE: Final = "statelang"
PROBLEM: Final = "statelang_problem"
FOLDER: Final = "STATELANG_SPACES"
_log = logging.getLogger(__name__)


@frozen
class Asked:
    """The space that a request is held to, and the inputs of its problem."""

    space: StateSpace
    problem: Mapping[str, Any]


def asked(extra: Mapping[str, Any] | None) -> Asked | None:
    """What `SamplingParams.extra_args` asks for; None where it says nothing to us.

    `statelang` is the name of a shipped space, the name of a file (without `.lark`) in the folder
    that the server's environment variable `STATELANG_SPACES` names, or the text of a grammar.
    `statelang_problem` holds the space's inputs, as a mapping or, over HTTP, as JSON.

    Raises:
        StatelangError: a value is of the wrong kind, there is no such space, its grammar has
            errors, or an input is missing.
    """
    extra = extra or {}
    ours = {key for key in extra if key.startswith(SPACE)}
    if not ours:
        return None
    if ours - {SPACE, PROBLEM} or SPACE not in ours:
        raise StatelangError(
            f"the extra arguments {_listed(ours)} are not what a request can give; give `{SPACE}`, "
            f"and `{PROBLEM}` where the space has inputs"
        )
    space, problem = _space(extra[SPACE]), _problem(extra.get(PROBLEM, {}))
    Machine(space).start(problem)
    return Asked(space, problem)


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name[:60]}`" for name in sorted(names))


def _space(value: Any) -> StateSpace:
    if not isinstance(value, str):
        raise StatelangError(
            f"`{SPACE}` is of type {type(value).__name__}; give the name of a space or its text"
        )
    return _read(value, os.environ.get(FOLDER))


def admit(sampling_params: Any) -> None:
    """Refuse a request that asks for what cannot be. Raises ValueError, as vLLM wants it."""
    try:
        asked(sampling_params.extra_args)
    except StatelangError as error:
        raise ValueError(str(error)) from error


def served_vocabulary(model: Any) -> Vocabulary:
    """The tokens of the served model, by vLLM's `ModelConfig`. Raises StatelangError."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        model.tokenizer,
        revision=model.tokenizer_revision,
        trust_remote_code=model.trust_remote_code,
    )
    stops = model.try_get_generation_config().get("eos_token_id")
    more = stops if isinstance(stops, list) else [stops] if stops is not None else []
    return Vocabulary.cached(tokenizer, more)


@lru_cache(maxsize=64)
def _read(value: str, folder: str | None) -> StateSpace:
    if "\n" in value:
        return loads(value, "the request's grammar")
    if value in shipped():
        return load(value)
    # Only names: a request must not make the server read, and show in an error, any file it can.
    if folder and re.fullmatch(r"[A-Za-z0-9_-]{1,100}", value):
        file = Path(folder) / f"{value}.lark"
        if file.is_file():
            return load(file)
    raise StatelangError(
        f"there is no space `{value[:60]}`: give a shipped one ({', '.join(shipped())}), the name "
        f"of a file in the folder that the server's `{FOLDER}` names, or a grammar's text"
    )


def _problem(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise StatelangError(
                f"`{PROBLEM}` is not JSON: {error}; give one object with the space's inputs"
            ) from None
    if not isinstance(value, Mapping):
        raise StatelangError(
            f"`{PROBLEM}` is of type {type(value).__name__}; give one object with the space's "
            "inputs, over HTTP as JSON in a text"
        )
    return value


@define
class Request:
    """One request under way.

    A request that cannot be followed is ended by its stop token and logged: an exception would end
    the engine, and with it the requests of everybody else.
    """

    matcher: Matcher | None
    output: list[int]
    stops: list[int]
    _read: int = 0

    @classmethod
    def begin(
        cls, wanted: Asked, vocabulary: Vocabulary, most: int | None, room: int, output: list[int]
    ) -> Request:
        """A request that has written `output`.

        Args:
            wanted: What it asks for.
            vocabulary: The tokens.
            most: Its `max_tokens`, all that it may write.
            room: Tokens of the model's context behind the prompt.
            output: Its tokens so far; the list that will grow.
        """
        budget = room if most is None else min(most, room)
        matcher: Matcher | None = None
        try:
            matcher = Matcher(wanted.space, vocabulary, wanted.problem, budget)
        except StatelangError as error:
            _log.error("a request is ended before it begins: %s", error)
        return cls(matcher, output, sorted(vocabulary.stops))

    def mask(self, logits: Any, index: int) -> None:
        """Mask the row of this request in place, after the tokens that it has by now."""
        matcher = self._followed()
        if matcher is not None and matcher.is_stopped():
            return
        if matcher is not None and matcher.compute_bitmask().any():
            matcher.mask_logits(logits, index)
            return
        if matcher is not None:
            self._give_up("no token is legal: the space locks, run `statelang check` on it")
        kept = logits[index, self.stops]
        logits[index] = float("-inf")
        logits[index, self.stops] = kept

    def _followed(self) -> Matcher | None:
        """The matcher after all tokens; None where that cannot be."""
        matcher = self.matcher
        if matcher is None:
            return None
        if len(self.output) < self._read:  # tokens were taken back
            matcher.rollback(self._read - len(self.output))
            self._read = len(self.output)
        for token in self.output[self._read :]:
            if not matcher.is_stopped() and not matcher.consume_token(token):
                self._give_up(
                    "its tokens are hidden: start vLLM with `--no-async-scheduling`"
                    if token < 0
                    else f"token {token} was sampled, which the mask forbids"
                )
                return None
            self._read += 1
        return matcher

    def _give_up(self, reason: str) -> None:
        assert self.matcher is not None
        _log.error("a request is ended after %r: %s", self.matcher.trace[-120:], reason)
        self.matcher = None
