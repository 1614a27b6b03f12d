"""`statelang show`."""

from pathlib import Path

import pytest

from statelang.cli import main

LAMP = """\
STATE    WHAT IT MEANS
start    The lamp is dark.
_bright  The lamp is bright.

FROM     ACTION  TO
start    on      _bright
_bright  on      _bright
         off     (end)

ACTION  WHAT IT DOES
on      Light the lamp.
off     Say how often the lamp was lit.
"""


def test_tables(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """States, transitions and actions, each with its documentation."""
    assert 0 == main(["show", str(lamp)])
    head, about, _, tables = capsys.readouterr().out.split("\n", 3)
    assert head.startswith("lamp  (grammar ")
    assert "A lamp that counts how often it was lit." == about
    assert LAMP == tables


def test_long_documentation_is_wrapped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is longer than the terminal, and what is wrapped stays in its column."""
    monkeypatch.setenv("COLUMNS", "60")
    assert 0 == main(["show", "kwai_star"])
    lines = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("decompose "))
    assert max(map(len, lines)) <= 60
    assert lines[start].index("Split") == len(lines[start + 1]) - len(lines[start + 1].lstrip())


def test_stops_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A state where a trace may stop says so."""
    file = tmp_path / "may.lark"
    file.write_text('start : go _may\n_may : go _may\n     |\ngo : "go;"\n')
    assert 0 == main(["show", str(file)])
    assert "_may   go      _may\n               (may stop here)" in capsys.readouterr().out


def test_bad_grammar_is_one_paragraph(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A grammar with findings cannot be shown: exit status 2, and the way to all of them."""
    assert 2 == main(["show", str(broken)])
    assert (
        f"statelang: the grammar {broken} has one error at line 10, column 11: rule `of` is not "
        f"defined. Run `statelang check {broken}` to see each with its next step.\n"
        == capsys.readouterr().err
    )
