"""The logits processor for vLLM's model runner V2, the default since vLLM 0.32.

`vllm serve MODEL --logits-processors statelang.engine.processors.vllm_v2:StateSpaceLogitsProcessor`

The interface: https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/gpu/sample/logits_processor.
Nothing else of vLLM is used than the base class, so the class can be tested where vLLM is absent.
"""

from __future__ import annotations

from typing import Any

from statelang.engine.processors.vllm_requests import (
    Asked,
    Request,
    admit,
    asked,
    served_vocabulary,
)

try:
    from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsProcessor
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

    def __init__(self, vllm_config: Any, req_states: Any) -> None:
        """Read the vocabulary of the served model.

        Raises StatelangError, and ValueError with speculative decoding: the rows of drafts are not
        followed.
        """
        if vllm_config.speculative_config is not None:
            raise ValueError(
                "statelang's logits processor does not follow the drafts of speculative decoding; "
                "start vLLM without `--speculative-config`"
            )
        self.vocabulary = served_vocabulary(vllm_config.model_config)
        self.longest: int = vllm_config.model_config.max_model_len
        self.states = req_states
        self.asked: dict[int, tuple[Asked, int | None]] = {}
        self.requests: dict[int, Request] = {}

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        """Begin anew in a slot; whether the request is one of ours."""
        self.requests.pop(req_idx, None)
        self.asked.pop(req_idx, None)
        wanted = asked(sampling_params.extra_args)
        if wanted is not None:
            self.asked[req_idx] = wanted, sampling_params.max_tokens
        return wanted is not None

    def apply(self, logits: Any, ctx: Any) -> Any:
        """Mask the rows of our requests in place.

        Args:
            logits: Floats, shape (rows, vocabulary).
            ctx: A `LogitsContext`.
        """
        if not any(slot in self.asked for slot in ctx.idx_mapping_np.tolist()):
            return logits
        ends = (ctx.pos + 1).tolist()
        for row, slot in enumerate(ctx.expanded_idx_mapping.tolist()):
            start = int(self.states.prompt_len.np[slot])
            if slot in self.asked and ends[row] >= start:  # else more of the prompt is to be read
                self._written(slot, start, ends[row]).mask(logits, row)
        return logits

    def _written(self, slot: int, start: int, end: int) -> Request:
        """The request in a slot, with all tokens from its prompt's end to `end`."""
        if slot not in self.requests:
            wanted, most = self.asked[slot]
            room = self.longest - start
            self.requests[slot] = Request.begin(wanted, self.vocabulary, most, room, [])
        request = self.requests[slot]
        del request.output[end - start :]
        known = start + len(request.output)
        request.output += self.states.all_token_ids.gpu[slot, known:end].tolist()
        return request
