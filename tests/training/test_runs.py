"""A run's folder belongs to one run, and nothing half-written in it is taken for whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from statelang.diagnostics import StatelangError
from statelang.training.runs import RunFolder, digest, grammar_of, write_atomically

IDENTITY: dict[str, Any] = {
    "stage": "sft",
    "grammar": "g",
    "grammar_hash": "a" * 64,
    "settings": {"steps": 3},
}


def test_the_same_run_may_go_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a" / "run")
    folder.start(IDENTITY)
    folder.start(dict(IDENTITY))
    assert json.loads((folder.path / "run.json").read_text()) == IDENTITY


def test_another_grammar_is_refused(tmp_path: Path) -> None:
    RunFolder(tmp_path).start(IDENTITY)
    other = IDENTITY | {"grammar": "h", "grammar_hash": "b" * 64}
    with pytest.raises(StatelangError, match=r"for grammar g \(aaaaaaaaaaaa\).*h \(bbbbbbbbbbbb\)"):
        RunFolder(tmp_path).start(other)
    assert json.loads((tmp_path / "run.json").read_text()) == IDENTITY


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    RunFolder(tmp_path).start(IDENTITY)
    with pytest.raises(
        StatelangError, match=r'other settings \(\{"steps": 3\}, now \{"steps": 4\}'
    ):
        RunFolder(tmp_path).start(IDENTITY | {"settings": {"steps": 4}})


@pytest.mark.parametrize("content", ["{", "[]", '"text"', ""])
def test_an_unreadable_record_is_an_error_of_ours(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(StatelangError, match=r"run\.json is not"):
        RunFolder(tmp_path).start(IDENTITY)


def test_a_file_in_the_place_of_the_folder_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(StatelangError, match="cannot be used as a folder"):
        RunFolder(tmp_path / "run").start(IDENTITY)


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.last_checkpoint() is None
    for step in (9, 10, 11):
        (folder.checkpoints / f"checkpoint-{step}").mkdir(parents=True)
    folder.mark_complete(9)
    folder.mark_complete(10)
    assert folder.last_checkpoint() == folder.checkpoints / "checkpoint-10"
    assert not (folder.checkpoints / "checkpoint-11").exists()


def test_the_model_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (folder.begin_model() / "half").touch()
    assert not folder.model.exists()
    draft = folder.begin_model()
    assert list(draft.iterdir()) == []
    (draft / "weights").touch()
    folder.checkpoints.mkdir()
    assert folder.finish_model() == folder.model
    assert [file.name for file in folder.model.iterdir()] == ["weights"]
    assert not folder.checkpoints.exists()


def test_a_log_is_begun_anew_and_grows(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_log([{"step": 1}])
    folder.append_log({"step": 2})
    assert folder.log.read_text() == '{"step": 1}\n{"step": 2}\n'
    folder.write_log([])
    assert folder.log.read_text() == ""


def test_rows_of_one_grammar_name_it() -> None:
    row = {"grammar": "g", "grammar_hash": "aa", "prompt": ""}
    assert grammar_of([row, row], "sft") == {"grammar": "g", "grammar_hash": "aa"}
    with pytest.raises(StatelangError, match="no rows to train on"):
        grammar_of([], "sft")
    with pytest.raises(StatelangError, match="2 grammars"):
        grammar_of([row, row | {"grammar_hash": "bb"}], "sft")


def test_a_digest_depends_on_rows_and_order() -> None:
    a, b = {"x": 1, "y": [1, 2]}, {"x": 2}
    assert digest([a, b]) == digest([{"y": (1, 2), "x": 1}, b])
    assert digest([a, b]) != digest([b, a])


def test_a_file_is_replaced_and_leaves_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "one")
    write_atomically(file, "two")
    assert file.read_text() == "two"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "one")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")
    assert file.read_text() == "one"
    assert list(tmp_path.iterdir()) == [file]
