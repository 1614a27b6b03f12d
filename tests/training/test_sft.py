"""Supervised training: the right tokens carry loss, and a run goes on where it was stopped."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve
from trl import SFTTrainer

from statelang.diagnostics import StatelangError
from statelang.training.encode import IGNORED, encode_row
from statelang.training.model import load_model
from statelang.training.sft import SftSettings, train_sft
from statelang.training.trainer import Progress, fingerprint
from tests.training.small import sft_rows, small_model, small_tokenizer

TOKENIZER = small_tokenizer()
ROWS = sft_rows(12)
SETTINGS = SftSettings(steps=4, batch=4, learning_rate=1e-2, warmup=1, save_every=2, log_every=1)


def _train(out: Path, rows: list[dict[str, Any]] = ROWS, **changes: Any) -> Path:
    return train_sft(
        rows,
        model=small_model(TOKENIZER),
        tokenizer=TOKENIZER,
        out=out,
        settings=evolve(SETTINGS, **changes),
    )


def _log(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was not disturbed."""
    out = tmp_path_factory.mktemp("whole")
    _train(out)
    return out


def test_the_model_is_saved_with_its_tokenizer(whole: Path) -> None:
    model, tokenizer = load_model(whole / "model")
    assert fingerprint(model) != fingerprint(small_model(TOKENIZER))
    assert tokenizer.get_vocab() == TOKENIZER.get_vocab()
    assert sorted(path.name for path in whole.iterdir()) == ["log.jsonl", "model", "run.json"]


def test_every_step_is_logged_and_the_loss_falls(whole: Path) -> None:
    log = _log(whole)
    assert [entry["step"] for entry in log] == [1, 2, 3, 4]
    assert {entry["stage"] for entry in log} == {"sft"}
    assert log[-1]["loss"] < log[0]["loss"]


def test_the_loss_is_that_of_the_labels(tmp_path: Path) -> None:
    """One step on all rows at once: the loss logged is the mean over the labels that count."""
    model = small_model(TOKENIZER)
    encoded = [encode_row(row, TOKENIZER) for row in ROWS]
    assert any(not all(row.loss) for row in encoded)
    total, count = 0.0, 0
    for row in encoded:
        with torch.no_grad():
            logits = model(torch.tensor([row.input_ids])).logits[0, :-1]
        labels = torch.tensor(row.labels[1:])
        total += torch.nn.functional.cross_entropy(
            logits, labels, ignore_index=IGNORED, reduction="sum"
        ).item()
        count += sum(label != IGNORED for label in row.labels[1:])
    _train(tmp_path, steps=1, batch=len(ROWS))
    assert math.isclose(_log(tmp_path)[0]["loss"], total / count, rel_tol=1e-4)


def test_a_run_that_is_stopped_goes_on_as_if_it_had_not(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: Progress, args: Any, state: Any, *_: Any, **__: Any) -> None:
        if state.global_step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "on_step_end", stop, raising=False)
        with pytest.raises(KeyboardInterrupt):
            _train(tmp_path)
    assert not (tmp_path / "model").exists()
    # As after a kill: a line more than the checkpoint knows, and a checkpoint cut short.
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 3, "lo')
    (tmp_path / "checkpoints" / "checkpoint-4").mkdir()
    _train(tmp_path)
    assert _log(tmp_path) == _log(whole)
    weights = [load_model(out / "model")[0].state_dict() for out in (tmp_path, whole)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])


def test_a_finished_run_is_not_repeated(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(SFTTrainer, "train", train)
    assert _train(whole) == whole / "model"


def test_another_grammar_other_rows_and_other_settings_are_refused(whole: Path) -> None:
    with pytest.raises(StatelangError, match="keeps one grammar"):
        _train(whole, [row | {"grammar_hash": "0" * 64} for row in ROWS])
    with pytest.raises(StatelangError, match="other rows"):
        _train(whole, ROWS[1:])
    with pytest.raises(StatelangError, match="other settings"):
        _train(whole, seed=1)


def test_a_row_longer_than_the_context_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = ROWS[0] | {"completion": ROWS[0]["completion"] * 9}
    _train(tmp_path, [*ROWS[:4], long], steps=1)
    assert "sft: left out 1 of 5 rows, longer than 256 tokens" in capsys.readouterr().err
    with pytest.raises(StatelangError, match="every one of the 1 rows is longer than the 256"):
        _train(tmp_path / "long", [long])


def test_progress_is_plain_lines_without_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _train(tmp_path, steps=2)
    out, err = capsys.readouterr()
    assert out == ""
    *earlier, line = err.splitlines()  # one each 10 s, and the last
    assert all(each.startswith("sft: step 1/2 ") for each in earlier)
    assert line.startswith("sft: step 2/2  loss ") and line.endswith(" s")
