"""`statelang infer`."""

import json
from pathlib import Path

import pytest

import statelang
from statelang.cli import main

PLAIN = "[on] 1\n[off]\n\n[on] 2\n[on] 3\n[off]\n"


def test_plain_traces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Blank lines stand between traces; the grammar is printed, what was found beside it."""
    file = tmp_path / "traces.txt"
    file.write_text(PLAIN)
    assert 0 == main(["infer", str(file)])
    printed = capsys.readouterr()
    assert "2 traces, all accepted: 2 states, 2 actions\n" == printed.err
    assert [] == statelang.check(printed.out)
    assert ["on", "off"] == [action.name for action in statelang.loads(printed.out).actions]


def test_json_lines_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line holds a trace; -o writes the grammar to a file, which accepts them all."""
    file, out = tmp_path / "traces.jsonl", tmp_path / "lamp.lark"
    rows = [{"text": "[on] 1\n[off]"}, {"completion": "[on] Who?\n[off]"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert 0 == main(["infer", str(file), "-o", str(out)])
    printed = capsys.readouterr()
    assert "" == printed.out
    assert printed.err.endswith("any text in the payloads of: on\n")
    assert 0 == main(["check", str(out)])
    assert 0 == main(["validate", str(out), str(file)])


@pytest.mark.parametrize("text", ["", "(nothing)\n", '{"text": 1}\n'])
def test_nothing_usable(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, and one paragraph."""
    file = tmp_path / "traces"
    file.write_text(text)
    assert 2 == main(["infer", str(file)])
    assert 1 == capsys.readouterr().err.count("statelang: ")
