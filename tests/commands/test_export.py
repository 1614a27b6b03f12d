"""`statelang export`."""

from pathlib import Path

import pytest

import statelang
from statelang.cli import main
from statelang.exports import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_text_goes_to_the_terminal(
    target: str, lamp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text alone is on standard output, so that it can be piped."""
    assert 0 == main(["export", str(lamp), "--to", target])
    assert statelang.export(statelang.load(lamp), target).text == capsys.readouterr().out


def test_what_is_dropped_is_named(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Clauses that the target cannot carry are named on standard error; the exit status is 0."""
    assert 0 == main(["export", str(lamp), "--to", "gbnf"])
    expected = """\
not carried, 2 contract clauses: check the traces with `statelang validate`
  line 13: set lit = lit + 1
  line 17: requires NUMBER == lit
"""
    assert expected == capsys.readouterr().err


def test_file_is_written(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `-o` the file holds the text, and nothing else is left beside it."""
    out = tmp_path / "lamp.gbnf"
    assert 0 == main(["export", str(lamp), "--to", "gbnf", "-o", str(out)])
    assert "" == capsys.readouterr().out
    assert statelang.export(statelang.load(lamp), "gbnf").text == out.read_text(encoding="utf-8")
    assert {"lamp.gbnf", "lamp.lark"} == {file.name for file in tmp_path.iterdir()}


def test_refusal_is_one_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    """A space that the target cannot hold at all is exit status 2, with the reason."""
    assert 2 == main(["export", "kwai_star", "--to", "regex"])
    assert "is not regular: `plan` uses itself" in capsys.readouterr().err
