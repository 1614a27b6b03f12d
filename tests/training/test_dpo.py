"""Preference training: the shared wrong step carries no loss, and a stopped run goes on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve

from statelang.diagnostics import StatelangError
from statelang.training.dpo import DpoSettings, _collator, _record, train_dpo
from statelang.training.encode import IGNORED, Encoded, encode_pair
from statelang.training.model import load_model
from statelang.training.trainer import Progress, fingerprint
from tests.training.small import dpo_rows, small_model, small_tokenizer

TOKENIZER = small_tokenizer()
PAIRS = dpo_rows(8)
SETTINGS = DpoSettings(
    steps=4, batch=4, learning_rate=1e-2, warmup=1, save_every=2, log_every=1, rank=4
)


def _train(out: Path, pairs: list[dict[str, Any]] = PAIRS, **changes: Any) -> Path:
    return train_dpo(
        pairs,
        model=small_model(TOKENIZER),
        tokenizer=TOKENIZER,
        out=out,
        settings=evolve(SETTINGS, **changes),
    )


def _log(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def _log_likelihood(model: Any, side: Encoded) -> tuple[float, int]:
    """Of the tokens that carry loss, and how many they are."""
    with torch.no_grad():
        logits = model(torch.tensor([side.input_ids])).logits[0, :-1]
    labels = torch.tensor(side.labels[1:])
    total = torch.nn.functional.cross_entropy(
        logits, labels, ignore_index=IGNORED, reduction="sum"
    ).item()
    return -total, sum(side.loss)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was not disturbed."""
    out = tmp_path_factory.mktemp("whole")
    _train(out)
    return out


def test_the_merged_model_is_saved_with_its_tokenizer(whole: Path) -> None:
    model, tokenizer = load_model(whole / "model")
    before = small_model(TOKENIZER)
    assert fingerprint(model) != fingerprint(before)
    assert model.state_dict().keys() == before.state_dict().keys()
    assert tokenizer.get_vocab() == TOKENIZER.get_vocab()
    assert sorted(path.name for path in whole.iterdir()) == ["log.jsonl", "model", "run.json"]


def test_the_chosen_sides_win(whole: Path) -> None:
    before, after = small_model(TOKENIZER), load_model(whole / "model")[0]
    for pair in PAIRS:
        chosen, rejected = encode_pair(pair, TOKENIZER)
        margins = [
            _log_likelihood(model, chosen)[0] - _log_likelihood(model, rejected)[0]
            for model in (before, after)
        ]
        assert margins[0] < margins[1]


def test_every_step_is_logged(whole: Path) -> None:
    log = _log(whole)
    assert [entry["step"] for entry in log] == [1, 2, 3, 4]
    assert {entry["stage"] for entry in log} == {"dpo"}
    assert log[-1]["loss"] < log[0]["loss"]


def test_the_first_loss_is_that_of_the_tokens_that_count(tmp_path: Path) -> None:
    """Before any step no side is preferred, so it is ln 2 and the chosen sides' likelihood."""
    model = small_model(TOKENIZER)
    sides = [_log_likelihood(model, encode_pair(pair, TOKENIZER)[0]) for pair in PAIRS]
    likelihood = -sum(total for total, _ in sides) / sum(count for _, count in sides)
    _train(tmp_path, steps=1, batch=len(PAIRS), sft_weight=0.5)
    assert math.isclose(_log(tmp_path)[0]["loss"], math.log(2) + 0.5 * likelihood, rel_tol=1e-4)


def test_the_batch_masks_prompt_padding_and_wrong_step() -> None:
    encoded = [encode_pair(pair, TOKENIZER) for pair in PAIRS]
    batch = _collator(TOKENIZER)([_record(*pair) for pair in encoded])
    sides = [pair[0] for pair in encoded] + [pair[1] for pair in encoded]
    assert batch["input_ids"].shape == batch["completion_mask"].shape
    for ids, attention, mask, side in zip(
        batch["input_ids"], batch["attention_mask"], batch["completion_mask"], sides, strict=True
    ):
        rest = len(ids) - len(side.input_ids)
        assert ids.tolist() == side.input_ids + [TOKENIZER.pad_token_id] * rest
        assert attention.tolist() == [1] * len(side.input_ids) + [0] * rest
        assert mask.tolist() == [int(label != IGNORED) for label in side.labels] + [0] * rest
        assert not all(side.loss)


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
    _train(tmp_path)
    assert _log(tmp_path) == _log(whole)
    weights = [load_model(out / "model")[0].state_dict() for out in (tmp_path, whole)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])


def test_another_grammar_is_refused(whole: Path) -> None:
    with pytest.raises(StatelangError, match="keeps one grammar"):
        _train(whole, [pair | {"grammar_hash": "0" * 64} for pair in PAIRS])


def test_a_folder_of_another_stage_or_model_is_refused(whole: Path) -> None:
    with pytest.raises(StatelangError, match="other model"):
        train_dpo(
            PAIRS,
            model=small_model(TOKENIZER, seed=1),
            tokenizer=TOKENIZER,
            out=whole,
            settings=SETTINGS,
        )


def test_progress_is_plain_lines_without_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _train(tmp_path, steps=2)
    out, err = capsys.readouterr()
    assert out == ""
    *earlier, line = err.splitlines()  # one each 10 s, and the last
    assert all(each.startswith("dpo: step 1/2 ") for each in earlier)
    assert line.startswith("dpo: step 2/2  loss ") and line.endswith(" s")
