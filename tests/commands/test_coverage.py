"""`statelang coverage` and `statelang paths`."""

import json
from pathlib import Path

import pytest

from statelang.cli import main

TABLES = """\
1 legal traces visit 2 of 2 states, 2 of 3 transitions, 1 of 4 pairs of transitions; 1 are illegal

STATE    VISITS
start         1
_bright       1

FROM     ACTION  TO       VISITS
start    on      _bright       1
_bright  on      _bright       0
_bright  off     (end)         1

NEVER DIRECTLY       AFTER ONE ANOTHER
start: on _bright    _bright: on _bright
_bright: on _bright  _bright: on _bright
_bright: on _bright  _bright: off (end)
"""


def lines(file: Path, *texts: str) -> str:
    """A file with these traces."""
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(file)


def test_tables(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Visits by state and transition, then the pairs that never stood one after the other."""
    file = lines(tmp_path / "traces.jsonl", "on\noff 1\n", "off")
    assert 1 == main(["coverage", str(lamp), file])
    assert TABLES.replace("  4 pairs", "  4 pairs") == capsys.readouterr().out


def test_json(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same as one object; everything visited and legal is exit status 0."""
    file = lines(tmp_path / "traces.jsonl", "on\non\noff 2\n", "on\non\non\noff 3\n")
    assert 0 == main(["coverage", str(lamp), file, "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert (2, 0, {"start": 2, "_bright": 5}) == (
        found["legal"], found["illegal"], found["states"],
    )  # fmt: skip
    assert [2, 3, 2] == [one["visits"] for one in found["transitions"]]


def test_paths_can_be_covered(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `paths` prints `coverage` reads, and finds complete."""
    assert 0 == main(["paths", str(lamp)])
    printed = capsys.readouterr()
    assert (
        "1 routes planned (the fewest that the control graph needs), 1 of them written under the "
        "contracts; 1 traces\n"
    ) == printed.err
    file = tmp_path / "paths.jsonl"
    file.write_text(printed.out)
    assert 0 == main(["coverage", str(lamp), str(file)])


def test_paths_with_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The problem that the traces were written for stands beside them."""
    file = tmp_path / "say.lark"
    file.write_text(
        "//@ input word: text\n\nstart : say\n//@ requires WORD == word\nsay : WORD\nWORD : /[a-z]+/\n"
    )
    assert 0 == main(["paths", str(file), "--problem", '{"word": "hi"}'])
    assert {"text": "hi", "problem": {"word": "hi"}} == json.loads(capsys.readouterr().out)
    assert 2 == main(["paths", str(file)])
    for wrong in ("[1]", "{"):
        with pytest.raises(SystemExit):
            main(["paths", str(file), "--problem", wrong])


def test_what_is_not_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A transition that no trace takes is named, and the exit status is 1."""
    file = tmp_path / "shut.lark"
    file.write_text(
        '//@ ghost n: number = 0\n\nstart : a\n      | b  //@ requires n > 0\na : "a"\nb : "b"\n'
    )
    assert 1 == main(["paths", str(file)])
    printed = capsys.readouterr()
    assert '{"text": "a"}\n' == printed.out
    assert "not reached: start: b (end)\n" in printed.err
