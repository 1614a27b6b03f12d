"""`statelang diff`."""

import json
from pathlib import Path

import pytest

from statelang.cli import main
from tests.commands.grammars import LAMP

DIFFERENCE = """\
from A to B
  ~ terminal NUMBER
      - /[0-9]{1,3}/
      + /[0-9]{1,2}/
  + transition _bright -- off --> _bright

contracts aside, a shortest text of A that B does not accept:
    on
    off 000
contracts aside, a shortest text of B that A does not accept:
    on
    off 0
    off 0
a legal trace of A, which in B does not parse:
    on
    off 001
"""


@pytest.fixture
def other(lamp: Path) -> Path:
    """Another lamp: it may be lit again, and counts to 99."""
    text = LAMP.replace("| off", "| off\n        | off _bright").replace("{1,3}", "{1,2}")
    file = lamp.with_name("other.lark")
    file.write_text(text, encoding="utf-8")
    return file


def test_the_same(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0, and one line."""
    assert 0 == main(["diff", str(lamp), str(lamp)])
    assert f"{lamp} and {lamp} declare the same\n" == capsys.readouterr().out


def test_different(lamp: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1: what is declared, a shortest text each way, and a legal trace."""
    assert 1 == main(["diff", str(lamp), str(other)])
    out = capsys.readouterr().out.replace(str(lamp), "A").replace(str(other), "B")
    assert DIFFERENCE == out[: len(DIFFERENCE)]


def test_json(lamp: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object with all of it."""
    assert 1 == main(["diff", str(lamp), str(other), "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert (False, 2) == (found["same"], len(found["changes"]))
    assert {"shortest": "on\noff 000\n", "below": None} == found["only_a"]


def test_proof_of_inclusion(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all texts of one are texts of the other, that is said."""
    wider = lamp.with_name("wider.lark")
    wider.write_text(LAMP.replace("{1,3}", "{1,4}"), encoding="utf-8")
    assert 1 == main(["diff", str(lamp), str(wider)])
    assert f"contracts aside, every text of {lamp} is one of {wider}\n" in capsys.readouterr().out


def test_unreadable(lamp: Path, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2 for a grammar with errors and for a file that is not there."""
    assert 2 == main(["diff", str(lamp), str(broken)])
    assert 2 == main(["diff", str(lamp), str(lamp.with_name("none.lark"))])
    assert 2 == capsys.readouterr().err.count("statelang: ")
