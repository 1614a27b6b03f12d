"""Preference training on pairs of traces, through TRL, with LoRA."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statelang.training.encode import Encoded, encode_pair
from statelang.training.runs import Settings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@frozen
class DpoSettings(Settings):
    """`beta` is DPO's; `sft_weight` weighs the chosen side's own likelihood in the loss."""

    steps: int = 30
    batch: int = 16
    learning_rate: float = 3e-4
    warmup: int = 5
    beta: float = 0.1
    sft_weight: float = 1.0
    rank: int = 16


def train_dpo(
    pairs: Sequence[Mapping[str, Any]],
    *,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    out: str | Path,
    settings: DpoSettings | None = None,
) -> Path:
    """Train on rows of dpo.jsonl and return the folder of the merged model, `out/model`.

    Loss is taken as in `train_sft`, on both sides. The reference is the model without its adapter.
    Stopped runs go on as `train_sft` says. `model` itself is changed.

    Raises StatelangError where `out` holds another run, or no pair fits the model.
    """
    from statelang.training.trainer import arguments, fitting, run, save, start_run

    settings = settings or DpoSettings()
    folder = start_run("dpo", pairs, model, out, settings)
    if folder.model.is_dir():
        return folder.model
    encoded = [encode_pair(row, tokenizer) for row in pairs]
    lengths = [max(len(side.input_ids) for side in pair) for pair in encoded]
    kept = fitting(lengths, model, "dpo")

    from datasets import Dataset
    from peft import LoraConfig, TaskType
    from trl import DPOConfig, DPOTrainer

    with _third_party_silence():
        trainer = DPOTrainer(
            model=model,
            args=DPOConfig(
                **arguments(folder, settings),
                loss_type=["sigmoid", "sft"],
                loss_weights=[1.0, settings.sft_weight],
                beta=settings.beta,
                remove_unused_columns=False,
            ),
            train_dataset=Dataset.from_list([_record(*encoded[i]) for i in kept]),
            data_collator=_collator(tokenizer),
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=settings.rank,
                lora_alpha=2 * settings.rank,
                target_modules="all-linear",
                task_type=TaskType.CAUSAL_LM,
            ),
        )
        run(trainer, folder, "dpo", settings)
    adapted: Any = trainer.model
    return save(adapted.merge_and_unload(), tokenizer, folder)


@contextmanager
def _third_party_silence() -> Iterator[None]:
    """No progress bars of `datasets`, through which TRL sends the texts, and no false alarm.

    TRL and PEFT ask the model by the old name whether it recomputes activations; the warning that
    transformers 5 gives for it is theirs to act on.
    """
    from datasets.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning
            )
            yield
    finally:
        if shown:
            enable_progress_bars()


def _record(chosen: Encoded, rejected: Encoded) -> dict[str, Any]:
    """One row of the trainer's dataset.

    The trainer insists on reading texts itself, and would add a stop token and could cut prompt
    and completion elsewhere; it gets empty ones, and the collator the ids.
    """
    return {
        "prompt": "",
        "chosen": "",
        "rejected": "",
        "ids": [chosen.prompt, chosen.completion, rejected.completion],
        "loss": [chosen.loss, rejected.loss],
    }


def _collator(
    tokenizer: PreTrainedTokenizerBase,
) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """TRL's collator over our ids, its mask without the tokens that carry no loss."""
    import torch
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    pad = DataCollatorForPreference(pad_token_id=tokenizer.pad_token_id)

    def collate(records: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = pad(
            [
                dict(zip(("prompt_ids", "chosen_ids", "rejected_ids"), record["ids"], strict=True))
                for record in records
            ]
        )
        # The batch holds all chosen sides, then all rejected ones.
        for row, (record, side) in enumerate(
            [(record, side) for side in (0, 1) for record in records]
        ):
            start = len(record["ids"][0])
            loss = torch.tensor(record["loss"][side], dtype=torch.long)
            batch["completion_mask"][row, start : start + len(loss)] = loss
        return batch

    return collate
