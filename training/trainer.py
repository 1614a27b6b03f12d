"""What the SFT and the DPO trainer share; imported by them alone, since it loads transformers."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from attrs import asdict
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from statelang.diagnostics import StatelangError
from statelang.training.model import no_bars
from statelang.training.runs import RunFolder, Settings, digest, grammar_of

_PAUSE = 5.0
"""Seconds between two lines of progress where there is no terminal."""


def start_run(
    stage: str,
    rows: Sequence[Mapping[str, Any]],
    model: PreTrainedModel,
    out: str | Path,
    settings: Settings,
) -> RunFolder:
    """The folder of this run, checked to hold no other."""
    folder = RunFolder(Path(out))
    folder.start(
        {
            "stage": stage,
            **grammar_of(rows, stage),
            "settings": asdict(settings),
            "rows": digest(rows),
            "model": fingerprint(model),
        }
    )
    return folder


def arguments(folder: RunFolder, settings: Settings) -> dict[str, Any]:
    """The arguments that TRL's SFTConfig and DPOConfig have in common.

    TRL's defaults (bf16, recomputed activations) cost a CPU two to three times the time.
    """
    accelerated = torch.cuda.is_available()
    return {
        "output_dir": str(folder.checkpoints),
        "max_steps": settings.steps,
        "per_device_train_batch_size": settings.batch,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": settings.warmup,
        "adam_beta2": 0.98,
        "seed": settings.seed,
        "use_cpu": not accelerated,
        "dataloader_pin_memory": accelerated,
        "bf16": False,
        "activation_checkpointing": False,
        # Batches of one length save a quarter of the time, but each holds problems of one kind:
        # after as many steps the loss is then two to three times as high.
        "train_sampling_strategy": "random",
        # Rows that do not fit are left out with a line that says so; a cut trace would teach the
        # model to stop in the middle.
        "max_length": None,
        "save_steps": settings.save_every,
        "save_total_limit": 2,
        "logging_steps": settings.log_every,
        "disable_tqdm": True,
        "report_to": "none",
    }


def run(trainer: Trainer, folder: RunFolder, stage: str, settings: Settings) -> None:
    """Train to the end, from the last whole checkpoint if there is one."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Progress(folder, stage, settings.steps))
    checkpoint = folder.last_checkpoint()
    if checkpoint is not None:
        say(f"{stage}: going on from step {checkpoint.name.split('-')[1]}")
    with no_bars():
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: RunFolder) -> Path:
    """Write model and tokenizer to `folder.model`, which appears only when both are whole."""
    draft = folder.begin_model()
    with no_bars():
        model.save_pretrained(draft)
        tokenizer.save_pretrained(draft)
    return folder.finish_model()


class Progress(TrainerCallback):
    """Writes losses to the run's log, and a line of progress to stderr."""

    def __init__(self, folder: RunFolder, stage: str, steps: int) -> None:
        self.folder = folder
        self.stage = stage
        self.steps = steps
        self.started = time.monotonic()
        self.said = self.started

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Keep of the log what the checkpoint knows: a killed run may have logged more."""
        self.started = time.monotonic()
        self.folder.write_log(
            self._entry(int(logged["step"]), logged["loss"])
            for logged in state.log_history
            if "loss" in logged
        )

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **known: Any,
    ) -> None:
        """Log a loss; the summary at the end has none."""
        logs = known["logs"]
        if "loss" not in logs:
            return
        self.folder.append_log(self._entry(state.global_step, logs["loss"]))
        now = time.monotonic()
        last = state.global_step + args.logging_steps > self.steps
        if last or sys.stderr.isatty() or now - self.said >= _PAUSE:
            self.said = now
            say(
                f"{self.stage}: step {state.global_step}/{self.steps}  "
                f"loss {float(logs['loss']):.4f}  {now - self.started:.0f} s",
                last=last,
            )

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """The trainer has written the checkpoint to its end."""
        self.folder.mark_complete(state.global_step)

    def _entry(self, step: int, loss: float) -> dict[str, Any]:
        return {"step": step, "loss": float(loss), "stage": self.stage}


def say(line: str, *, last: bool = True) -> None:
    """A line on stderr; on a terminal the next one overwrites it unless it is the `last`."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="\n" if last else "", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


def fitting(lengths: Sequence[int], model: PreTrainedModel, stage: str) -> list[int]:
    """The indices of the rows whose `lengths` (tokens) the model can read whole.

    Raises StatelangError where none is.
    """
    context = getattr(model.config, "max_position_embeddings", None)
    kept = [i for i, length in enumerate(lengths) if context is None or length <= context]
    if not kept:
        raise StatelangError(
            f"{stage}: every one of the {len(lengths)} rows is longer than the {context} tokens "
            "that the model reads; use a model with a longer context."
        )
    if len(kept) < len(lengths):
        left = len(lengths) - len(kept)
        say(f"{stage}: left out {left} of {len(lengths)} rows, longer than {context} tokens")
    return kept


def fingerprint(model: PreTrainedModel) -> str:
    """A hash of the weights' names, shapes and 64 values of each."""
    total = sha256()
    for name, weight in model.state_dict().items():
        flat = weight.detach().flatten()
        sample = flat[:: max(1, len(flat) // 64)].float().cpu().numpy()
        total.update(f"{name} {tuple(weight.shape)} ".encode() + sample.tobytes())
    return total.hexdigest()
