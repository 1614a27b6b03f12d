"""`statelang doctor`: what it prints, in every format, and its exit status."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from statelang.cli import main
from statelang.engine.doctor.findings import kinds
from tests.commands.test_check import _LOG as SARIF
from tests.engine.doctor.folders import PEN, TAGS, byte_level, folder, wrapped

TABLE = re.compile(r"^\| (SD\d{3}) \| (\w+) \| ([^|]+) \|$", re.MULTILINE)


@pytest.fixture
def space(tmp_path: Path) -> str:
    """A sound grammar file."""
    file = tmp_path / "pen.lark"
    file.write_text(PEN, encoding="utf-8")
    return str(file)


@pytest.fixture
def right(tmp_path: Path) -> str:
    """A model's folder in which nothing is wrong."""
    return folder(tmp_path / "right", wrapped(byte_level()))


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    """One whose tags are special tokens."""
    return folder(tmp_path / "wrong", wrapped(byte_level(special=TAGS)))


def test_nothing_found(space: str, right: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each thing that was measured, and status 0."""
    assert 0 == main(["doctor", space, "--model", right])
    printed = capsys.readouterr().out
    assert f"{space} with {right}: nothing found" == printed.splitlines()[-1]
    heads = [line.split("  ")[0] for line in printed.splitlines() if line[0] != " "]
    assert ["tokenizer", "literals", "traces", "masks", "backends", "skipped"] == heads[:-1]
    assert "traces     at least 33 tokens, " in printed


def test_a_space_with_inputs_needs_its_problem(
    tmp_path: Path, right: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without, most is not examined: that is no success, and is said on standard error."""
    file = tmp_path / "pick.lark"
    file.write_text("""
//@ input options: set[text]

start : pick
/// Pick one.
//@ requires WORD in options
pick : WORD ";"
WORD : /[a-z]{1,9}/
""")
    asked = ["doctor", str(file), "--model", right]
    assert 1 == main(asked)
    said = capsys.readouterr().err
    assert "most was not examined" in said and "`options`" in said and "--problem" in said
    assert 0 == main([*asked, "--problem", '{"options": ["red"]}'])
    assert "" == capsys.readouterr().err


def test_an_error_is_status_1(space: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Findings are printed as a compiler prints them, at their place in the grammar."""
    assert 1 == main(["doctor", space, "--model", wrong])
    printed = capsys.readouterr().out
    assert printed.startswith("error[SD102]: 4 literals of the space are written with special")
    assert 'think : "<think>" WORDS "</think>\\n"\n' in printed
    assert "1 error, 1 warning" in printed.splitlines()[-1]


def test_findings_as_json(space: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One object: the findings as `check` gives them, and what was measured."""
    assert 1 == main(["doctor", space, "--model", wrong, "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert ["SD102", "SD501"] == [each["code"] for each in found["findings"]]
    assert 8 == found["findings"][0]["line"] and found["costs"]["fewest"] > 3
    assert 4 == len(found["backends"]) and 2048 == found["context"]


def test_findings_for_other_programs(
    space: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """SARIF names every kind of finding; GitHub gets a command for each that was found."""
    assert 1 == main(["doctor", space, "--model", wrong, "--format", "sarif"])
    log = json.loads(capsys.readouterr().out)
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    assert [*kinds()] == [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert ["SD102", "SD501"] == [each["ruleId"] for each in run["results"]]
    assert 1 == main(["doctor", space, "--model", wrong, "--format", "github"])
    lines = capsys.readouterr().out.splitlines()
    assert ["::error", "::warning"] == [line.split(" ")[0] for line in lines]


def test_a_note_is_a_notice(space: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """GitHub's word for a note, and status 0."""
    padded = folder(tmp_path / "padded", wrapped(byte_level()), vocab_size=320)
    assert 0 == main(["doctor", space, "--model", padded, "--format", "github"])
    assert capsys.readouterr().out.startswith("::notice file=")


@pytest.mark.parametrize("arguments", [["--model", "nowhere/at/all"], [], ["--model", "."]])
def test_what_cannot_be_read(
    space: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """No folder, no tokenizer in it, or none named: one line, and status 2."""
    assert 2 == main(["doctor", space, *arguments])
    printed = capsys.readouterr()
    assert "" == printed.out and 1 == len(printed.err.splitlines())


def test_the_page_of_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """--explain prints a page, however the code is written; an unknown one is status 2."""
    assert 0 == main(["doctor", "--explain", "sd102"])
    assert kinds()["SD102"].page == capsys.readouterr().out
    assert 2 == main(["doctor", "--explain", "SL101"])
    assert "there is no finding `SL101`" in capsys.readouterr().err


def test_the_guide_lists_every_finding() -> None:
    """The table of docs/doctor.md is that of the pages."""
    guide = Path("docs/doctor.md").read_text(encoding="utf-8")
    listed = [(each.code, each.severity.value, each.title) for each in kinds().values()]
    assert listed == TABLE.findall(guide)
