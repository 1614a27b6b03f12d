"""`statelang walk`."""

import json
from pathlib import Path

import pytest

import statelang
from statelang.cli import main
from statelang.engine import validate


def walked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The traces that the verb prints."""
    assert 0 == main(["walk", *arguments])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(["text"] == list(row) for row in rows)
    return [row["text"] for row in rows]


def test_traces_are_legal(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every walked trace keeps the grammar and the contracts."""
    space = statelang.load(lamp)
    texts = walked(capsys, str(lamp), "-n", "20")
    verdicts = [validate(space, text) for text in texts]
    assert 20 == sum(verdict.grammar and verdict.contracts is True for verdict in verdicts)
    assert len(set(texts)) > 1


def test_seed_decides(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same seed gives the same traces, another one others."""
    first = walked(capsys, str(lamp), "-n", "10", "--seed", "1")
    assert first == walked(capsys, str(lamp), "-n", "10", "--seed", "1")
    assert first != walked(capsys, str(lamp), "-n", "10", "--seed", "2")


def test_inputs_stand_beside_the_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A space with inputs is walked for a problem, and `validate` reads what was printed."""
    monkeypatch.chdir(tmp_path)
    statelang.new("sums")
    assert 0 == main(["walk", "sums.lark", "-n", "3", "--problem", '{"numbers": {"a": 3}}'])
    walks = Path("walks.jsonl")
    walks.write_text(capsys.readouterr().out)
    assert {"a": 3} == json.loads(walks.read_text().splitlines()[2])["problem"]["numbers"]
    assert 0 == main(["validate", "sums.lark", str(walks)])


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_number_of_traces(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number of traces that is not above 0 is refused."""
    with pytest.raises(SystemExit) as stopped:
        main(["walk", "kwai_star", "-n", number])
    assert 2 == stopped.value.code
    assert "argument -n" in capsys.readouterr().err
