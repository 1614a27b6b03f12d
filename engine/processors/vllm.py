"""The logits processor for vLLM's model runner V1: up to vLLM 0.31, and in 0.32 where
`VLLM_USE_V2_MODEL_RUNNER=0` (else `vllm_v2`).

`vllm serve MODEL --logits-processors statelang.engine.processors.vllm:StateSpaceLogitsProcessor`

The interface: https://github.com/vllm-project/vllm/blob/main/vllm/v1/sample/logits_processor.
Nothing else of vLLM is used than the base class, so the class can be tested where vLLM is absent.
"""

from __future__ import annotations

from typing import Any

from statelang.engine.processors.vllm_requests import Request, admit, asked, served_vocabulary

try:
    from vllm.v1.sample.logits_processor import LogitsProcessor
except ModuleNotFoundError:
    LogitsProcessor = object


class StateSpaceLogitsProcessor(LogitsProcessor):  # type: ignore[misc]  # vLLM has no types here
    """Holds each request to the space that its `extra_args` name (`vllm_requests.asked`).

    The budget of a trace is the request's `max_tokens`, or what the model's context leaves.
    Requests without our arguments are left alone.
    """

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuse a request that asks for what cannot be. Raises ValueError."""
        admit(sampling_params)

    @classmethod
    def needs_output_token_ids(cls) -> bool:
        """Token ids are read, not only counted: asynchronous scheduling must not hide them."""
        return True

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool) -> None:
        """Read the vocabulary of the served model. Raises StatelangError."""
        self.vocabulary = served_vocabulary(vllm_config.model_config)
        self.longest: int = vllm_config.model_config.max_model_len
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
                room = self.longest - len(prompt or ())
                self.requests[index] = Request.begin(
                    wanted, self.vocabulary, params.max_tokens, room, output
                )
        for first, second, direction in batch_update.moved:
            ours, theirs = self.requests.pop(first, None), self.requests.pop(second, None)
            if ours is not None:
                self.requests[second] = ours
            if theirs is not None and direction.name == "SWAP":
                self.requests[first] = theirs

    def apply(self, logits: Any) -> Any:
        """Mask the rows of our requests in place.

        Args:
            logits: Floats, shape (requests, vocabulary).
        """
        # Here, not in `update_state`: only now are the tokens of the last step sure to be known.
        for index, request in self.requests.items():
            request.mask(logits, index)
        return logits
