"""`statelang check`."""

import json
from pathlib import Path

import pytest

from statelang.cli import main


def test_sound_file(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is exit status 0."""
    assert 0 == main(["check", str(lamp)])
    assert f"{lamp}: nothing found\n" == capsys.readouterr().out


def test_shipped_names(capsys: pytest.CaptureFixture[str]) -> None:
    """A shipped space is checked by its name."""
    assert 0 == main(["check", "kwai_star", "kwai_star_formal"])
    assert "kwai_star: nothing found\nkwai_star_formal: nothing found\n" == capsys.readouterr().out


def test_findings_in_the_terminal(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding shows its place, its line and the next step; exit status 1."""
    assert 1 == main(["check", str(broken)])
    out = capsys.readouterr().out
    assert "error[SL101]: rule `of` is not defined" in out
    assert f"{broken}:10:11" in out
    assert "help: did you mean `off`?" in out
    assert out.endswith(f"{broken}: 1 error\n")


def test_findings_as_json(lamp: Path, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One list over all files, each finding with its place, code, severity and message."""
    assert 1 == main(["check", str(lamp), str(broken), "--format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)
    wanted = {
        "file": str(broken),
        "line": 10,
        "column": 11,
        "code": "SL101",
        "severity": "error",
        "message": "rule `of` is not defined",
    }
    assert wanted == {key: finding[key] for key in wanted}


def test_no_findings_as_json(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is an empty list."""
    assert 0 == main(["check", "--format", "json", str(lamp)])
    assert [] == json.loads(capsys.readouterr().out)


def test_other_files_are_checked_after_an_unreadable_one(
    tmp_path: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read is exit status 2, and hides no finding elsewhere."""
    latin = tmp_path / "latin.lark"
    latin.write_bytes(b'start : "\xe9"')
    assert 2 == main(["check", str(latin), str(tmp_path / "no:where.lark"), str(broken)])
    printed = capsys.readouterr()
    assert "not UTF-8" in printed.err
    assert "no:where.lark` cannot be read" in printed.err
    assert "SL101" in printed.out
