"""`statelang validate`."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from statelang.cli import main


def judged(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *rows: object
) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and printed verdicts for a file with these rows."""
    file = tmp_path / "traces.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status = main(["validate", str(lamp), str(file)])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_right_traces(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`text` and `completion` are read, `problem` may stand beside; all right is exit status 0."""
    status, verdicts = judged(
        lamp,
        tmp_path,
        capsys,
        {"text": "on\noff 1\n"},
        {"completion": "on\non\noff 2\n", "problem": {"question": "?", "answer": "2"}},
    )
    assert 0 == status
    assert {"grammar": True, "contracts": True, "answer": None, "error": None} == verdicts[0]
    assert {"grammar": True, "contracts": True, "answer": True, "error": None} == verdicts[1]


def test_three_ways_to_be_wrong(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grammar, contracts and answer are judged apart; null counts as neither right nor wrong."""
    status, verdicts = judged(
        lamp,
        tmp_path,
        capsys,
        {"text": "on\nof"},
        {"text": "on\noff 2\n"},
        {"text": "on\noff 1\n", "problem": {"answer": "3"}},
    )
    wanted = [(False, None, None), (True, False, None), (True, True, False)]
    assert 1 == status
    assert wanted == [(v["grammar"], v["contracts"], v["answer"]) for v in verdicts]
    assert {"step", "line", "column", "rule", "message", "expected"} == set(verdicts[1]["error"])
    assert 2 == verdicts[1]["error"]["step"]


@pytest.mark.parametrize(
    ("status", "out", "named"),
    [
        (0, "2", ["--tools", "calc=arithmetic"]),
        (1, "3", ["--tools", "calc=arithmetic"]),
        (0, "3", []),
        (2, "2", ["--tools", "arithmetic"]),
    ],
)
def test_a_tool_is_asked_again(status: int, out: str, named: list[str], tmp_path: Path) -> None:
    """What a trace says that a tool wrote is judged where the tool is named, and only there."""
    space, file = tmp_path / "sum.lark", tmp_path / "traces.jsonl"
    space.write_text("""
start : sum
//@ writes OUT = calc(SUM)
sum : SUM "=" OUT
SUM : /[0-9+]{1,5}/
OUT : /[0-9]{1,5}/
""")
    file.write_text(json.dumps({"text": f"1+1={out}"}))
    assert status == main(["validate", str(space), str(file), *named])


def test_standard_input(
    lamp: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads standard input; a byte order mark and blank lines are nothing."""
    data = b'\xef\xbb\xbf{"text": "on\\noff 1\\n"}\n\n{"text": "on\\n"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert 1 == main(["validate", str(lamp), "-"])
    assert 2 == len(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"on\n", "line 1 is not JSON"),
        (b'{"text": "on\\noff 1\\n"}\n{"text": \n', "line 2 is not JSON"),
        (b'{"text": "\xe9"}\n', "line 1 is not UTF-8"),
        (b"[1]\n", "line 1 is not a JSON object"),
        (b"{}\n", "line 1 holds no trace"),
        (b'{"text": 1}\n', "line 1 holds no trace"),
        (b'{"text": "on", "problem": 3}\n', '"problem" that is no object'),
        (b"[" * 100_000 + b"\n", "line 1 is not JSON"),
    ],
)
def test_unreadable(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    """What is no trace at all is exit status 2 and names the line."""
    file = tmp_path / "traces.jsonl"
    file.write_bytes(content)
    assert 2 == main(["validate", str(lamp), str(file)])
    error = capsys.readouterr().err
    assert said in error
    assert 1 == error.count("\n")


def test_missing_file(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is exit status 2."""
    assert 2 == main(["validate", str(lamp), str(tmp_path / "none.jsonl")])
    assert "cannot be read: No such file" in capsys.readouterr().err
