"""The reader's own grammar in the README, from the file to a trained model, as written there."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from statelang.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands(*words: str) -> list[list[str]]:
    """The README's statelang commands that contain all words, as arguments."""
    lines = [line for block in blocks("console") for line in block.splitlines()]
    found = [line.removeprefix("$ statelang ") for line in lines if line.startswith("$ statelang ")]
    return [line.split() for line in found if set(words) <= set(line.split())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the README's grammar, and the rows that its Python makes."""
    folder = tmp_path_factory.mktemp("reader")
    (grammar,) = blocks("lark")
    (folder / "traffic.lark").write_text(grammar, encoding="utf-8")
    (code,) = [block for block in blocks("python") if "traffic.jsonl" in block]
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, "README.md", "exec"), {})
    return folder


def test_grammar_is_short_and_sound(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The grammar has 16 lines, and `check` prints what the README says."""
    monkeypatch.chdir(folder)
    (check,) = commands("check", "traffic.lark")
    assert len([line for line in blocks("lark")[0].splitlines() if line]) <= 16
    assert 0 == main(check)
    assert f"$ statelang {' '.join(check)}\n{capsys.readouterr().out}" in README


def test_grammar_becomes_a_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`data` makes rows and pairs of the walked traces, and `train sft` a model of them."""
    monkeypatch.chdir(folder)
    (data,) = commands("data", "traffic.lark")
    (train,) = commands("train", "sft", "traffic.lark")
    assert 0 == main(data)
    manifest = json.loads((folder / "runs/traffic/manifest.json").read_text())
    assert 300 == manifest["counts"]["rows"]
    assert manifest["counts"]["pairs"] > 150
    assert 0 == main([*train[:-1], "3"])
    assert (folder / "runs/traffic/sft/model/model.safetensors").is_file()
    assert "the model is in runs/traffic/sft/model" in capsys.readouterr().out
