"""`statelang new`."""

from pathlib import Path

import pytest

from statelang.cli import main


def test_files_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says what it wrote and what to do next; what it wrote passes `check`."""
    assert 0 == main(["new", "sums", "--folder", str(tmp_path)])
    grammar, tests = tmp_path / "sums.lark", tmp_path / "test_sums.py"
    assert (
        f"wrote {grammar} and {tests}\n"
        f"next: statelang check {grammar}; statelang show {grammar}; pytest {tests}\n"
        == capsys.readouterr().out
    )
    assert tests.is_file()
    assert 0 == main(["check", str(grammar)])


def test_a_second_time_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2 and one paragraph."""
    assert 0 == main(["new", "sums", "--folder", str(tmp_path)])
    capsys.readouterr()
    assert 2 == main(["new", "sums", "--folder", str(tmp_path)])
    assert (
        f"statelang: `{tmp_path / 'sums.lark'}` is there already, and nothing is overwritten; "
        "choose another name\n" == capsys.readouterr().err
    )
