"""`statelang report`."""

import json
from pathlib import Path

import pytest

import statelang
from statelang.cli import main


def test_page_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page lies in the run's folder, or where it is asked for."""
    page = tmp_path / "report.html"
    assert 0 == main(["report", "kwai_star", str(tmp_path)])
    assert f"the report is {page}\n" == capsys.readouterr().out
    other = tmp_path / "other.html"
    assert 0 == main(["report", "kwai_star", str(tmp_path), "--out", str(other)])
    assert page.read_text() == other.read_text()


def test_run_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No folder, another grammar's rows or no place to write is exit status 2."""
    assert 2 == main(["report", "kwai_star", str(tmp_path / "none")])
    formal = statelang.load("kwai_star_formal")
    manifest = {"grammar": formal.name, "grammar_hash": formal.hash}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert 2 == main(["report", "kwai_star", str(tmp_path)])
    out = tmp_path / "no" / "where.html"
    assert 2 == main(["report", "kwai_star_formal", str(tmp_path), "--out", str(out)])
    missing, other, unwritable = capsys.readouterr().err.splitlines()
    assert "there is no such folder" in missing
    assert "kwai_star_formal" in other
    assert f"report {out}: cannot be written" in unwritable
