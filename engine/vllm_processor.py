"""The logits processor for vLLM, written to the interface of its V1 model runner.

`vllm serve MODEL --logits-processors statelang.engine.vllm_processor:StateSpaceLogitsProcessor`

The interface is described at https://docs.vllm.ai/en/stable/features/custom_logitsprocs/. Nothing
else of vLLM is used than the base class, so the class can be tested where vLLM is absent.
"""

from __future__ import annotations

from typing import Any

try:
    from vllm.v1.sample.logits_processor import LogitsProcessor
except ModuleNotFoundError:
    LogitsProcessor = object

from statelang.diagnostics import StatelangError
from statelang.engine.vllm_requests import Request, asked
from statelang.engine.vocabulary import Vocabulary


class StateSpaceLogitsProcessor(LogitsProcessor):  # type: ignore[misc]  # vLLM has no types here
    """Holds each request to the space that its `extra_args` name (`vllm_requests.asked`).

    The budget of a trace is the request's `max_tokens`, less where the model's context ends first.
    Requests without our arguments are left alone.
    """

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuse a request that asks for what cannot be. Raises ValueError."""
        try:
            asked(sampling_params.extra_args)
        except StatelangError as error:
            raise ValueError(str(error)) from error

    @classmethod
    def needs_output_token_ids(cls) -> bool:
        """Token ids are read, not only counted: asynchronous scheduling must not hide them."""
        return True

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool) -> None:
        """Read the vocabulary of the served model. Raises StatelangError."""
        from transformers import AutoTokenizer

        model = vllm_config.model_config
        tokenizer = AutoTokenizer.from_pretrained(
            model.tokenizer,
            revision=model.tokenizer_revision,
            trust_remote_code=model.trust_remote_code,
        )
        stops = model.try_get_generation_config().get("eos_token_id")
        more = stops if isinstance(stops, list) else [stops] if stops is not None else []
        self.vocabulary = Vocabulary.cached(tokenizer, more)
        self.longest: int = model.max_model_len
        self.requests: dict[int, Request] = {}

    def is_argmax_invariant(self) -> bool:
        """The likeliest token may be forbidden."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Follow requests that come, go and change their rows: a `BatchUpdate`, or None."""
        if batch_update is None:
            return
        for index in batch_update.removed:
            self.requests.pop(index, None)
        for index, params, prompt, output in batch_update.added:
            self.requests.pop(index, None)
            wanted = asked(params.extra_args)
            if wanted is not None:
                budget = self._budget(params.max_tokens, prompt)
                self.requests[index] = Request.begin(wanted, self.vocabulary, budget, output)
        for first, second, direction in batch_update.moved:
            ours, theirs = self.requests.pop(first, None), self.requests.pop(second, None)
            if ours is not None:
                self.requests[second] = ours
            if theirs is not None and direction.name == "SWAP":
                self.requests[first] = theirs

    def _budget(self, most: int | None, prompt: list[int] | None) -> int:
        room = self.longest - len(prompt or ())
        return room if most is None else min(most, room)

    def apply(self, logits: Any) -> Any:
        """Mask the rows of our requests in place.

        Args:
            logits: Floats, shape (requests, vocabulary).
        """
        # Here, not in `update_state`: only now are the tokens of the last step sure to be known.
        for index, request in self.requests.items():
            request.mask(logits, index)
        return logits
