"""The whole chain on GSM8K's annotated form, as a user types it: data, train, generate, eval."""

import json
from pathlib import Path

import pytest

from statelang.cli import main

OWN = [Path(__file__).parent / "training" / f"gsm8k_{form}.jsonl" for form in ("plain", "socratic")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `data` wrote from 40 problems, plain and socratic."""
    out = tmp_path_factory.mktemp("chain")
    source = out / "own.jsonl"
    source.write_text("".join(f.read_text(encoding="utf-8") for f in OWN), encoding="utf-8")
    assert main(["data", "kwai_star", str(source), "--out", str(out)]) == 0
    return out


def test_forty_problems_become_rows(folder: Path) -> None:
    """Every one of the 40 problems becomes a row, none is refused."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["counts"]["rows"] == 40
    assert (folder / "refused.jsonl").read_text(encoding="utf-8") == ""


def test_rows_train_a_model_that_generates(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SFT, DPO, generation and evaluation run on the folder; under the mask all traces hold."""
    sft, dpo = folder / "sft", folder / "dpo"
    data = ["--data", str(folder)]
    assert main(["train", "sft", "kwai_star", *data, "--out", str(sft), "--steps", "3"]) == 0
    model = ["--model", str(sft / "model")]
    train = ["train", "dpo", "kwai_star", *data, *model, "--out", str(dpo), "--steps", "2"]
    assert main(train) == 0

    model = ["--model", str(dpo / "model")]
    capsys.readouterr()
    asked = ["--question", "Ada has 3 pens and buys 2. How many pens has she?"]
    assert main(["generate", "kwai_star", *model, *asked, "-n", "2", "--max-tokens", "120"]) == 0
    for line in capsys.readouterr().out.splitlines():
        verdict = json.loads(line)["verdict"]
        assert verdict["grammar"] and verdict["contracts"]

    results = folder / "results.json"
    budget = ["-n", "3", "--max-tokens", "120"]
    assert main(["eval", "kwai_star", *model, *data, *budget, "--out", str(results)]) == 0
    rows = json.loads(results.read_text(encoding="utf-8"))
    assert [row["decoding"] for row in rows] == ["free", "grammar", "contracts", "retry"]
    assert [row["legal"] for row in rows[1:3]] == [1.0, 1.0]
    assert rows[2]["steps_right"] == 1.0
