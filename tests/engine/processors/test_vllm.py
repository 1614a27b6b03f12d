"""vLLM's processor against a restatement of what vLLM does to it: rows are added, replaced, removed,
moved and swapped while sequences run, and every sequence that ends validates."""

from __future__ import annotations

import logging
import random
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from attrs import define, field, frozen

from tests.engine.vllm_parts import PICK, Asked, config, draw, judge, params, sampled


class MoveDirectionality(Enum):
    """As vllm/v1/sample/logits_processor/interface.py has it."""

    UNIDIRECTIONAL = auto()
    SWAP = auto()


@frozen
class BatchUpdate:
    """The same; operations are processed in the order removed, added, moved."""

    batch_size: int
    removed: Sequence[int]
    added: Sequence[tuple[int, Any, list[int] | None, list[int]]]
    moved: Sequence[tuple[int, int, MoveDirectionality]]


class LogitsProcessor(ABC):
    """The same."""

    @abstractmethod
    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool) -> None: ...

    @abstractmethod
    def apply(self, logits: torch.Tensor) -> torch.Tensor: ...

    @abstractmethod
    def is_argmax_invariant(self) -> bool: ...

    @abstractmethod
    def update_state(self, batch_update: BatchUpdate | None) -> None: ...


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The class as vLLM loads it, over vLLM's base class."""
    folder = tmp_path_factory.mktemp("model")
    name = "vllm.v1.sample.logits_processor"
    with pytest.MonkeyPatch.context() as patch:
        for part in ("vllm", "vllm.v1", "vllm.v1.sample", name):
            patch.setitem(sys.modules, part, ModuleType(part))
        patch.setattr(sys.modules[name], "LogitsProcessor", LogitsProcessor, raising=False)
        patch.delitem(sys.modules, "statelang.engine.processors.vllm", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(folder))
        from statelang.engine.processors.vllm import StateSpaceLogitsProcessor

        assert issubclass(StateSpaceLogitsProcessor, LogitsProcessor)
        yield StateSpaceLogitsProcessor(config(folder), torch.device("cpu"), False)
    del sys.modules["statelang.engine.processors.vllm"]


@define
class Engine:
    """The persistent batch of vLLM's model runner, as its documentation describes it."""

    processor: Any
    chance: random.Random
    rows: list[Asked] = field(factory=list)
    counts: dict[str, int] = field(factory=lambda: {"moved": 0, "swapped": 0, "replaced": 0})

    def step(self, new: list[Asked], taken: list[Asked]) -> None:
        """Some requests come, those that ended (and `taken`) go, each of the others gets a token."""
        gone = [i for i, row in enumerate(self.rows) if row.ended or row in taken]
        added: list[tuple[int, Any, list[int] | None, list[int]]] = []
        rows: list[Asked | None] = list(self.rows)
        for one in new:  # replaces the lowest row that is free, or extends the batch
            index = gone.pop(0) if gone else len(rows)
            self.counts["replaced"] += index < len(rows)
            rows[index : index + 1] = [one]
            added.append((index, one.params, one.prompt, one.output))
        removed, moved = list(gone), []
        for index in gone:
            rows[index] = None
        for hole in gone:  # condensed: the highest row that is not empty fills the lowest hole
            while rows and rows[-1] is None:
                rows.pop()
            if hole < len(rows):
                moved.append((len(rows) - 1, hole, MoveDirectionality.UNIDIRECTIONAL))
                rows[hole] = rows.pop()
                self.counts["moved"] += 1
        if len(rows) > 1 and self.chance.random() < 0.3:
            first, second = self.chance.sample(range(len(rows)), 2)
            moved.append((first, second, MoveDirectionality.SWAP))
            rows[first], rows[second] = rows[second], rows[first]
            self.counts["swapped"] += 1
        self.rows = [row for row in rows if row is not None]
        assert len(self.rows) == len(rows)
        changed = added or removed or moved
        size = len(rows)
        removed.sort(reverse=True)
        update = BatchUpdate(size, removed, added, moved) if changed else None
        self.processor.update_state(update)
        self.sample()

    def sample(self) -> None:
        if not self.rows:
            return
        tokens = sampled(self.processor, len(self.rows), self.processor.apply)
        for row, token in zip(self.rows, tokens, strict=True):
            row.take(token, self.processor.vocabulary.stops)


def test_every_sequence_validates_while_rows_come_go_and_move(processor: Any) -> None:
    """Sound, whatever happens to the rows; rows of others are left alone; a request that was
    preempted goes on from its tokens."""
    torch.manual_seed(1)
    chance = random.Random(1)
    engine = Engine(processor, chance)
    everything, preempted = draw(chance, 2), 0
    waiting = list(everything)
    while waiting or engine.rows:
        count = chance.choice((0, 0, 1, 2, 3)) if len(engine.rows) < 7 else 0
        new = [waiting.pop() for _ in range(min(count, len(waiting)))]
        taken = [r for r in engine.rows if not r.ended and r.output and chance.random() < 0.02]
        engine.step(new, taken)
        waiting += taken  # their tokens so far come with them when they are added again
        preempted += len(taken)
    assert not processor.requests
    judge(everything, processor.vocabulary)
    assert min(engine.counts.values()) and preempted


def test_it_reads_tokens_and_changes_the_likeliest(processor: Any) -> None:
    """What vLLM asks of a processor before it uses it."""
    assert processor.is_argmax_invariant() is False
    assert type(processor).needs_output_token_ids() is True


BAD = [
    ({"statelang": 5}, "`statelang` is of type int"),
    ({"statelang": "no_such"}, "there is no space `no_such`"),
    ({"statelang": "/etc/passwd"}, "there is no space `/etc/passwd`"),
    ({"statelang": "../kwai_star"}, "there is no space"),
    ({"statelang": 'start : b\n\na : "x"\n'}, "error[SL"),
    ({"statelang": PICK}, "no `choices`"),
    ({"statelang": PICK, "statelang_problem": "{"}, "`statelang_problem` is not JSON"),
    ({"statelang": PICK, "statelang_problem": [1]}, "`statelang_problem` is of type list"),
    ({"statelang": PICK, "statelang_problem": {"choices": 5}}, "`choices`"),
    ({"statelang_problem": {}}, "give `statelang`"),
    ({"statelang": "kwai_star", "statelang_tokens": 3}, "`statelang_tokens`"),
]


@pytest.mark.parametrize(("extra", "said"), BAD)
def test_malformed_arguments_are_refused_by_name(processor: Any, extra: Any, said: str) -> None:
    """At admission, with the thing named; vLLM wants a ValueError."""
    with pytest.raises(ValueError) as caught:
        type(processor).validate_params(SimpleNamespace(extra_args=extra))
    assert said in str(caught.value)


def test_other_requests_are_admitted(processor: Any) -> None:
    """Arguments of somebody else are none of our business."""
    type(processor).validate_params(SimpleNamespace(extra_args=None))
    type(processor).validate_params(SimpleNamespace(extra_args={"target_token": 5}))


def test_files_are_read_from_the_named_folder_alone(
    processor: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name leads to a file only where who runs the server says so."""
    (tmp_path / "pick_words.lark").write_text(PICK)
    given = {"statelang": "pick_words", "statelang_problem": {"choices": ["a"]}}
    with pytest.raises(ValueError, match="no space `pick_words`"):
        type(processor).validate_params(SimpleNamespace(extra_args=given))
    monkeypatch.setenv("STATELANG_SPACES", str(tmp_path))
    type(processor).validate_params(SimpleNamespace(extra_args=given))


TROUBLE = {
    "budget": ([], 2, "too small"),
    "hidden": ([-1], 150, "--no-async-scheduling"),
    "illegal": ([5, 5, 5], 150, "which the mask forbids"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_a_request_that_cannot_be_followed_ends_alone(
    processor: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """An exception would end the engine: the request gets its stop token, and the log says why."""
    output, most, said = TROUBLE[name]
    wanted = params("kwai_star_formal", None, most)
    with caplog.at_level(logging.ERROR):
        processor.update_state(
            BatchUpdate(2, [], [(0, wanted, None, list(output)), (1, params(None), None, [])], [])
        )
        logits = processor.apply(torch.zeros(2, len(processor.vocabulary.tokens)))
    assert said in caplog.text
    legal = torch.isfinite(logits)
    assert set(torch.nonzero(legal[0]).flatten().tolist()) == set(processor.vocabulary.stops)
    assert bool(legal[1].all())
    processor.update_state(BatchUpdate(0, [1, 0], [], []))


def test_tokens_that_were_taken_back_are_forgotten(processor: Any) -> None:
    """vLLM shortens the list where a computation failed; the mask goes back with it."""
    output: list[int] = []
    processor.update_state(BatchUpdate(1, [], [(0, params("kwai_star_formal"), [1], output)], []))
    size = len(processor.vocabulary.tokens)
    masks = []
    for _ in range(4):
        masks.append(torch.isfinite(processor.apply(torch.zeros(1, size)))[0])
        output.append(int(torch.nonzero(masks[-1])[0]))
    del output[2:]
    assert torch.equal(masks[2], torch.isfinite(processor.apply(torch.zeros(1, size)))[0])
    processor.update_state(BatchUpdate(0, [0], [], []))
