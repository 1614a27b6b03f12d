"""vLLM's processor for the model runner V2 against a restatement of what that runner does: requests
sit in slots, rows are in any order, prompts are read in parts, slots are used again."""

from __future__ import annotations

import random
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from attrs import define, field

from tests.engine.vllm_parts import Asked, config, draw, judge, params, sampled

SLOTS, LENGTH = 6, 200


class LogitsProcessor(ABC):
    """As vllm/v1/worker/gpu/sample/logits_processor/interface.py has it."""

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        return True

    @abstractmethod
    def apply(self, logits: torch.Tensor, ctx: Any) -> torch.Tensor: ...


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[type[Any], Any]]:
    """The class as vLLM loads it, over vLLM's base class, and a configuration."""
    folder = tmp_path_factory.mktemp("model")
    name = "vllm.v1.worker.gpu.sample.logits_processor.interface"
    parts = name.split(".")
    with pytest.MonkeyPatch.context() as patch:
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            patch.setitem(sys.modules, part, ModuleType(part))
        patch.setattr(sys.modules[name], "LogitsProcessor", LogitsProcessor, raising=False)
        patch.delitem(sys.modules, "statelang.engine.processors.vllm_v2", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(folder))
        from statelang.engine.processors.vllm_v2 import StateSpaceLogitsProcessor

        assert issubclass(StateSpaceLogitsProcessor, LogitsProcessor)
        yield StateSpaceLogitsProcessor, config(folder)
    del sys.modules["statelang.engine.processors.vllm_v2"]


@define
class Runner:
    """The slots of the model runner, and a step of it."""

    chance: random.Random
    processor: Any = None
    slots: dict[int, Asked] = field(factory=dict)
    reading: dict[int, int] = field(factory=dict)  # tokens of a prompt that are still to be read
    states: Any = field(
        factory=lambda: SimpleNamespace(
            all_token_ids=SimpleNamespace(gpu=torch.zeros(SLOTS, LENGTH, dtype=torch.int32)),
            prompt_len=SimpleNamespace(np=np.zeros(SLOTS, np.int32)),
        )
    )

    def add(self, one: Asked) -> bool:
        """A request enters a free slot, with the tokens it may have from before."""
        slot = self.chance.choice([s for s in range(SLOTS) if s not in self.slots])
        tokens = torch.tensor(one.prompt + one.output)
        self.states.all_token_ids.gpu[slot, : len(tokens)] = tokens
        self.states.prompt_len.np[slot] = len(one.prompt)
        self.slots[slot], self.reading[slot] = one, self.chance.randint(0, len(one.prompt) - 1)
        return bool(self.processor.add_request(slot, one.params))

    def step(self) -> None:
        """A token for each request whose prompt has been read; others read on."""
        order = list(self.slots)
        self.chance.shuffle(order)
        lengths = [len(self.slots[s].prompt) + len(self.slots[s].output) for s in order]
        ends = [length - self.reading[s] for s, length in zip(order, lengths, strict=True)]
        ctx = SimpleNamespace(
            expanded_idx_mapping=torch.tensor(order),
            idx_mapping_np=np.array(order, np.int32),
            pos=torch.tensor(ends) - 1,
        )
        apply = self.processor.apply
        tokens = sampled(self.processor, len(order), lambda logits: apply(logits, ctx))
        for slot, token, length in zip(order, tokens, lengths, strict=True):
            if self.reading[slot]:
                self.reading[slot] = max(0, self.reading[slot] - 2)
                continue
            one = self.slots[slot]
            one.take(token, self.processor.vocabulary.stops)
            self.states.all_token_ids.gpu[slot, length] = token
            if one.ended:
                del self.slots[slot]


def test_every_sequence_validates_while_slots_are_used_again(loaded: tuple[Any, Any]) -> None:
    """Sound, in whatever order the rows come; a request that was preempted goes on elsewhere."""
    torch.manual_seed(1)
    chance = random.Random(1)
    runner, preempted = Runner(chance), 0
    runner.processor = loaded[0](loaded[1], runner.states)
    everything = draw(chance, 2)
    waiting = list(everything)
    while waiting or runner.slots:
        while waiting and len(runner.slots) < SLOTS and chance.random() < 0.5:
            one = waiting.pop()
            assert runner.add(one) == (one.params.extra_args is not None)
        if runner.slots:
            runner.step()
        for slot in [s for s in runner.slots if chance.random() < 0.01]:
            waiting.append(runner.slots.pop(slot))
            preempted += 1
    judge(everything, runner.processor.vocabulary)
    assert preempted


def test_rows_of_others_are_not_looked_at(loaded: tuple[Any, Any]) -> None:
    """Nor copied: the same logits come back."""
    runner = Runner(random.Random(0))
    runner.processor = loaded[0](loaded[1], runner.states)
    assert runner.add(Asked(params(None), [1])) is False
    logits = torch.zeros(1, 5)
    slot = next(iter(runner.slots))
    ctx = SimpleNamespace(idx_mapping_np=np.array([slot]))
    assert runner.processor.apply(logits, ctx) is logits and not logits.any()


def test_speculative_decoding_is_refused(loaded: tuple[Any, Any]) -> None:
    """When the engine starts, by name."""
    drafting = SimpleNamespace(**vars(loaded[1]) | {"speculative_config": object()})
    with pytest.raises(ValueError, match="speculative decoding"):
        loaded[0](drafting, None)


def test_malformed_arguments_are_refused(loaded: tuple[Any, Any]) -> None:
    """At admission, as in the other runner."""
    with pytest.raises(ValueError, match="no space `nothing`"):
        loaded[0].validate_params(params("nothing"))
