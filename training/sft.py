"""Supervised fine-tuning on whole traces, through TRL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statelang.training.encode import encode_row
from statelang.training.runs import Settings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@frozen
class SftSettings(Settings):
    """Settings that suit a model of a few hundred thousand weights from scratch, on a CPU."""

    steps: int = 800
    batch: int = 16
    learning_rate: float = 5e-3
    warmup: int = 50


FINE_TUNING = SftSettings(steps=200, learning_rate=1e-4, warmup=20)
"""For a model that was trained before: the rate for random weights would undo what it knows."""


def train_sft(
    rows: Sequence[Mapping[str, Any]],
    *,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    out: str | Path,
    settings: SftSettings | None = None,
) -> Path:
    """Train on rows of sft.jsonl and return the folder of the model, `out/model`.

    The loss covers the whole completion and the stop token, except the characters that a row's
    `no_loss` names. A run that was stopped goes on from its last checkpoint when it is started
    again with the same rows, settings and model; one that is done is not repeated. `model` itself
    is changed.

    Raises StatelangError where `out` holds another run, or no row fits the model.
    """
    from statelang.training.trainer import arguments, fitting, run, save, start_run

    settings = settings or SftSettings()
    folder = start_run("sft", rows, model, out, settings)
    if folder.model.is_dir():
        return folder.model
    encoded = [encode_row(row, tokenizer) for row in rows]
    kept = fitting([len(row.input_ids) for row in encoded], model, "sft")

    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**arguments(folder, settings)),
        # Ids and labels as they are: TRL leaves both alone when it finds them.
        train_dataset=Dataset.from_list(
            [{"input_ids": encoded[i].input_ids, "labels": encoded[i].labels} for i in kept]
        ),
        processing_class=tokenizer,
    )
    run(trainer, folder, "sft", settings)
    return save(model, tokenizer, folder)
