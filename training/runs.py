"""The folder of one training run: what it was started with, its checkpoints, its log, its model."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import define, frozen

from statelang.diagnostics import StatelangError

_COMPLETE = "complete"
"""A file that is put into a checkpoint after everything else."""


@frozen
class Settings:
    """What both trainers take: optimiser steps of `batch` rows, and how often state is kept.

    The learning rate rises over `warmup` steps and falls to 0 along a cosine. `save_every` and
    `log_every` are steps.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup: int
    seed: int = 0
    save_every: int = 100
    log_every: int = 10


@define
class RunFolder:
    """A folder `run.json`, `log.jsonl`, `checkpoints/` and, once training is over, `model/`."""

    path: Path

    @property
    def model(self) -> Path:
        """The finished model; the folder exists only when it is whole."""
        return self.path / "model"

    @property
    def checkpoints(self) -> Path:
        """Where the trainer keeps its state while it runs."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """One JSON object a line: `step`, `loss`, `stage`."""
        return self.path / "log.jsonl"

    def start(self, identity: Mapping[str, Any]) -> None:
        """Take the folder for the run that `identity` describes, or go on with that same run.

        Raises StatelangError where the folder holds another run, another grammar's above all.
        """
        file = self.path / "run.json"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StatelangError(
                f"run {self.path}: cannot be used as a folder ({error.strerror}); choose another "
                "--out."
            ) from error
        if file.is_file():
            _compare(self.path, _read(file), identity)
        else:
            write_atomically(file, json.dumps(identity, indent=2) + "\n")

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint that was written to its end; those cut short are removed."""
        found = []
        for folder in self.checkpoints.glob("checkpoint-*"):
            if (folder / _COMPLETE).is_file():
                found.append(folder)
            else:
                shutil.rmtree(folder)
        return max(found, key=lambda folder: int(folder.name.split("-")[1]), default=None)

    def mark_complete(self, step: int) -> None:
        """Record that the checkpoint of `step` is whole."""
        (self.checkpoints / f"checkpoint-{step}" / _COMPLETE).touch()

    def write_log(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Begin the log anew, with what a resumed run has already logged."""
        write_atomically(self.log, "".join(json.dumps(entry) + "\n" for entry in entries))

    def append_log(self, entry: Mapping[str, Any]) -> None:
        """Add one line to the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def begin_model(self) -> Path:
        """An empty folder to save the model into, until `finish_model` gives it its name."""
        folder = self.path / "model.partial"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def finish_model(self) -> Path:
        """Give the saved model its name, and drop the checkpoints."""
        os.replace(self.path / "model.partial", self.model)
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        return self.model


def grammar_of(rows: Sequence[Mapping[str, Any]], stage: str) -> dict[str, str]:
    """The one grammar all rows were written for: its `grammar` and `grammar_hash`.

    Raises StatelangError for no rows, or rows of two grammars.
    """
    found = sorted({(str(row["grammar"]), str(row["grammar_hash"])) for row in rows})
    if not found:
        raise StatelangError(f"{stage}: there are no rows to train on; run `statelang data` first.")
    if len(found) > 1:
        names = ", ".join(f"{name} {digest[:12]}" for name, digest in found)
        raise StatelangError(
            f"{stage}: the rows come from {len(found)} grammars ({names}). Write them again "
            "from one."
        )
    return {"grammar": found[0][0], "grammar_hash": found[0][1]}


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """A hash of rows, in their order."""
    total = sha256()
    for row in rows:
        total.update(json.dumps(row, sort_keys=True).encode() + b"\n")
    return total.hexdigest()


def write_atomically(file: Path, text: str) -> None:
    """Write a file so that it is never seen half-written."""
    # Not a temporary file of the library: those can be read by their owner alone.
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StatelangError(
            f"run {file.parent}: {file.name} is not readable ({error}); remove the folder."
        ) from error
    if not isinstance(found, dict):
        raise StatelangError(f"run {file.parent}: {file.name} is not a record; remove the folder.")
    return found


def _compare(folder: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    if found.get("grammar_hash") != wanted["grammar_hash"]:
        raise StatelangError(
            f"run {folder}: the folder was started for grammar {found.get('grammar')} "
            f"({str(found.get('grammar_hash'))[:12]}), and these rows are written for "
            f"{wanted['grammar']} ({wanted['grammar_hash'][:12]}). A run keeps one grammar: choose "
            "another --out, or remove the folder."
        )
    for key in wanted:
        if found.get(key) != wanted[key]:
            raise StatelangError(
                f"run {folder}: the folder holds a run with other {key} "
                f"({_short(found.get(key))}, now {_short(wanted[key])}). Start it again with the "
                "same to go on with it, or choose another --out, or remove the folder."
            )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:12] + "..."
