"""`statelang prompt`."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

import statelang
from statelang.cli import main

PROBLEM = {"question": "How often was it lit?", "answer": "1"}


def given(path: Path, *rows: dict[str, Any]) -> str:
    """The path of a file of JSON lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


def test_instructions_are_printed(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a problem the instructions alone are printed."""
    assert 0 == main(["prompt", str(lamp)])
    assert statelang.prompt(statelang.load(lamp)) == capsys.readouterr().out


@pytest.mark.parametrize("role", ["student", "teacher"])
def test_problem_follows(
    role: Any, lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a problem, what is asked of the model follows."""
    file = given(tmp_path / "problem.json", PROBLEM)
    assert 0 == main(["prompt", str(lamp), "--for", role, "--problem", file])
    space = statelang.load(lamp)
    assert statelang.prompt(space, PROBLEM, role=role) == capsys.readouterr().out


def test_problem_from_standard_input(
    lamp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` is standard input."""
    data = io.TextIOWrapper(io.BytesIO(json.dumps(PROBLEM).encode()))
    monkeypatch.setattr("sys.stdin", data)
    assert 0 == main(["prompt", str(lamp), "--problem", "-"])
    assert "How often was it lit?" in capsys.readouterr().out


def test_example_is_shown(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A given example takes the place of the walked one."""
    file = given(tmp_path / "good.json", {"text": "on\non\noff 2\n", "problem": {"question": "Q?"}})
    assert 0 == main(["prompt", str(lamp), "--example", file])
    assert "Q?\n```\n\nThe trace:\n\n```text\non\non\noff 2\n```" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "on\noff 2\n"}, "the example is no legal trace"),
        ({"problem": {}}, "holds no trace"),
        ({"text": "on\noff 1\n", "problem": 3}, 'a "problem" that is no object'),
    ],
)
def test_bad_examples_are_refused(
    row: dict[str, Any], reason: str, lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An example is read and validated before it is shown."""
    assert 2 == main(["prompt", str(lamp), "--example", given(tmp_path / "bad.json", row)])
    assert reason in capsys.readouterr().err


def test_one_problem_at_a_time(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with more than one problem is refused with the place of the second."""
    file = given(tmp_path / "problems.json", PROBLEM, PROBLEM)
    assert 2 == main(["prompt", str(lamp), "--problem", file])
    assert "line 2 is one object too many" in capsys.readouterr().err


def test_a_teacher_needs_a_problem(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to rewrite without one."""
    assert 2 == main(["prompt", str(lamp), "--for", "teacher"])
    assert "give the problem with --problem" in capsys.readouterr().err
