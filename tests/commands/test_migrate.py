"""`statelang migrate`."""

import json
from pathlib import Path
from typing import Any

import pytest

import statelang
from statelang.cli import main


def rows(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSON lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def torch(lamp: Path) -> Path:
    """The same method in other words."""
    file = lamp.with_name("torch.lark")
    text = lamp.read_text().replace(": on", ": light").replace("on :", "light :")
    file.write_text(text.replace('"on" NL', '"light it" NL').replace('"off "', '"dark, "'))
    return file


def test_rows_and_pairs(
    lamp: Path, torch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every column with a trace is rewritten; identity and spans follow, the others stay."""
    old, new = statelang.load(lamp), statelang.load(torch)
    identity = {"grammar": old.name, "grammar_hash": old.hash}
    file = tmp_path / "data.jsonl"
    before = [
        {"text": "on\noff 1\n", "n": 1.5, "é": ["→"]},
        {"prompt": "on\n", "completion": "on\non\noff 2\n", "no_loss": [[3, 6]], **identity},
        {"chosen": "on\noff 1\n", "rejected": "on\noff 2\n",
         "no_loss": {"chosen": [], "rejected": [[7, 8]]}, **identity},
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in before))
    assert 0 == main(["migrate", str(lamp), str(torch), str(file)])
    assert "3 lines carried over, 0 refused\n" == capsys.readouterr().out
    first, second, third = rows(file)
    assert {"text": "light it\ndark, 1\n", "n": 1.5, "é": ["→"]} == first
    assert "on\n" == second["prompt"]
    (span,) = second["no_loss"]
    assert "light it\n" == second["completion"][slice(*span)]
    (span,) = third["no_loss"]["rejected"]
    assert "2" == third["rejected"][slice(*span)]
    assert {(new.name, new.hash)} == {(r["grammar"], r["grammar_hash"]) for r in (second, third)}
    assert [] == [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert not Path(f"{file}.refused").exists()


def test_lines_that_cannot_be_carried_over(
    lamp: Path, torch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They stand in a file of their own with the reason; none is lost, none overwritten."""
    file, refused = tmp_path / "data.jsonl", tmp_path / "data.jsonl.refused"
    wrong = [{"text": "on\nof"}, {"n": 1}, {"text": "on\noff 1\n", "grammar_hash": "0"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in [{"text": "on\noff 1\n"}, *wrong]))
    assert 1 == main(["migrate", str(lamp), str(torch), str(file)])
    printed = capsys.readouterr()
    assert "1 lines carried over, 3 refused\n" == printed.out
    assert 3 == printed.err.count("\n") and "line 2: the trace does not parse" in printed.err
    assert [{"text": "light it\ndark, 1\n"}] == rows(file)
    assert wrong == [{k: v for k, v in row.items() if k != "reason"} for row in rows(refused)]
    assert 2 == main(["migrate", str(torch), str(lamp), str(file)])
    assert "is there from an earlier run" in capsys.readouterr().err


def test_one_grammar(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rename is made in the grammar file, and the traces get its hash."""
    file, old = tmp_path / "data.jsonl", statelang.load(lamp)
    file.write_text(json.dumps({"text": "on\noff 1\n", "grammar_hash": old.hash}) + "\n")
    assert 0 == main(["migrate", str(lamp), str(file), "--rename", "on=light"])
    new = statelang.load(lamp)
    assert ["light", "off"] == [action.name for action in new.actions]
    assert [{"text": "on\noff 1\n", "grammar_hash": new.hash}] == rows(file)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{lamp}", "{data}"], "give a second grammar"),
        (["kwai_star", "{data}", "--rename", "verify=check"], "give a second grammar"),
        (["{lamp}", "{lamp}", "{data}", "--rename", "x=on"], "neither an action nor a state"),
        (["{lamp}", "{lamp}", "{data}x"], "cannot be read"),
        (["{lamp}", "{broken}", "{data}"], "has one error"),
    ],
)
def test_refused(
    arguments: list[str], said: str, lamp: Path, broken: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """What cannot be done leaves every file as it was."""
    file = tmp_path / "data.jsonl"
    file.write_text('{"text": "on\\noff 1\\n"}\n')
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    words = [word.format(lamp=lamp, broken=broken, data=file) for word in arguments]
    assert 2 == main(["migrate", *words])
    assert said in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_rename_is_written_with_an_equals_sign(capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is refused."""
    with pytest.raises(SystemExit):
        main(["migrate", "a.lark", "b.jsonl", "--rename", "on"])
    assert "old=new" in capsys.readouterr().err
