"""`statelang show`."""

from pathlib import Path

import pytest

from statelang.cli import main
from tests.strategies import CALLS, PICK

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

REGISTER         WHAT IT MEANS
lit: number = 0

CLAUSE                       WHAT IT MEANS
answer off.NUMBER as number

PAYLOADS AND CONTRACTS
on : "on" NL
    set lit = lit + 1
off : "off " NUMBER NL
    requires NUMBER == lit
NUMBER : /[0-9]{1,3}/
    type number
NL : "\\n"
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
    prose = lines[: lines.index("PAYLOADS AND CONTRACTS")]
    assert max(map(len, prose)) <= 60
    assert lines[start].index("Split") == len(lines[start + 1]) - len(lines[start + 1].lstrip())


def test_stops_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A state where a trace may stop says so."""
    file = tmp_path / "may.lark"
    file.write_text('start : go _may\n_may : go _may\n     |\ngo : "go;"\n')
    assert 0 == main(["show", str(file)])
    assert "_may   go      _may\n               (may stop here)" in capsys.readouterr().out


def test_gates_calls_inputs_and_limits_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What gates a transition stands beside it; a call is told from an action."""
    monkeypatch.setenv("COLUMNS", "100")
    for number, text in enumerate((CALLS, PICK)):
        file = tmp_path / f"space{number}.lark"
        file.write_text(text, encoding="utf-8")
        assert 0 == main(["show", str(file)])
    shown = capsys.readouterr().out
    assert "FROM        ACTION                  TO               ONLY WHERE\n" in shown
    assert "start       _greetings (a machine)  _body\n" in shown
    assert "_more       hello                   _more            requires greeted < 3\n" in shown
    assert "INPUT               WHAT IT MEANS\noptions: set[text]\n" in shown
    assert "limit look 3\n" in shown


@pytest.mark.parametrize(
    ("form", "beginning"),
    [
        ("mermaid", "stateDiagram-v2\n"),
        ("dot", 'digraph "lamp" {\n'),
        ("svg", "<svg xmlns="),
        ("html", "<!DOCTYPE html>\n"),
    ],
)
def test_other_forms(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, beginning: str
) -> None:
    """`--to` writes a diagram or a page; with -o to a file, the same bytes."""
    assert 0 == main(["show", str(lamp), "--to", form])
    printed = capsys.readouterr().out
    assert printed.startswith(beginning)
    assert 0 == main(["show", str(lamp), "--to", form, "-o", str(tmp_path / "out")])
    assert "" == capsys.readouterr().out
    assert printed == (tmp_path / "out").read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, and the place."""
    assert 2 == main(["show", str(lamp), "-o", str(lamp / "out")])
    assert "out" in capsys.readouterr().err


def test_bad_grammar_is_one_paragraph(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A grammar with findings cannot be shown: exit status 2, and the way to all of them."""
    assert 2 == main(["show", str(broken)])
    assert (
        f"statelang: the grammar {broken} has one error at line 10, column 11: rule `of` is not "
        f"defined. Run `statelang check {broken}` to see each with its next step.\n"
        == capsys.readouterr().err
    )
