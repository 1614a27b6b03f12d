"""`statelang generate` and `statelang eval`: what they pass on, and what they write."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from statelang.cli import main


def sample(
    space: Any, model: Path, problems: Sequence[Mapping[str, Any]], **how: Any
) -> Iterator[dict[str, Any]]:
    """Stands in for the model: echoes what it was asked."""
    for number, problem in enumerate(problems, how.pop("first")):
        shown = {key: value for key, value in problem.items() if key != "prompt"}
        yield {"problem": shown, "text": "on\noff 1\n", "number": number}


def evaluate(
    space: Any, model: Path, problems: Sequence[Mapping[str, Any]], *, stage: str, **how: Any
) -> SimpleNamespace:
    """Stands in for the measurement: one row, and one trace for each problem."""
    row = {"stage": stage, "decoding": "free", "n": len(problems)}
    return SimpleNamespace(
        results=[row], samples=[{"stage": stage, "problem": problem} for problem in problems]
    )


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of a model that nobody loads; a run made it by SFT."""
    stand_in = SimpleNamespace(sample=sample, evaluate=evaluate, table=lambda rows: f"{len(rows)}!")
    monkeypatch.setitem(sys.modules, "statelang.training.evaluate", stand_in)
    (tmp_path / "sft" / "model").mkdir(parents=True)
    (tmp_path / "sft" / "run.json").write_text('{"stage": "sft"}')
    return tmp_path / "sft" / "model"


@pytest.fixture
def data(lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Two rows that `data` wrote."""
    traces = tmp_path / "traces.jsonl"
    texts = ("on\noff 1\n", "on\non\noff 2\n")
    rows = (json.dumps({"prompt": f"{len(t)}?\n", "completion": t}) for t in texts)
    traces.write_text("\n".join(rows))
    assert 0 == main(["data", str(lamp), str(traces), "--out", str(tmp_path / "data")])
    capsys.readouterr()
    return tmp_path / "data"


def test_generate_for_a_question(
    lamp: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A question is a problem without an answer; every trace is one line."""
    arguments = ["generate", str(lamp), "--model", str(model), "--question", "How often?"]
    assert 0 == main([*arguments, "-n", "2", "--temperature", "0.5", "--seed", "3"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [{"question": "How often?"}] * 2 == [row["problem"] for row in rows]
    how = {"decoding": "contracts", "max_tokens": 400, "temperature": 0.5, "seed": 3}
    assert how == {key: rows[0][key] for key in how}


def test_generate_for_rows(lamp: Path, model: Path, data: Path, tmp_path: Path) -> None:
    """The problems of a folder that `data` wrote; the traces go into a file."""
    out = tmp_path / "generated.jsonl"
    arguments = ["generate", str(lamp), "--model", str(model), "--data", str(data)]
    assert 0 == main([*arguments, "--decoding", "free", "--out", str(out)])
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert ["9?", "12?"] == [row["problem"]["question"].rstrip("\n") for row in rows]


def test_generate_goes_on_where_it_was_broken_off(
    lamp: Path, model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line that was cut short is written again, what is whole is kept; the result is the same."""
    out = tmp_path / "generated.jsonl"
    arguments = ["generate", str(lamp), "--model", str(model), "--data", str(data), "-n", "3"]
    assert 0 == main([*arguments, "--out", str(out)])
    whole = out.read_bytes()
    for kept in (0, 10, len(whole) // 2, len(whole) - 1, len(whole)):
        out.write_bytes(whole[:kept])
        assert 0 == main([*arguments, "--out", str(out)])
        assert whole == out.read_bytes()
    assert "holds 6 of 6 traces" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("named", "change"),
    [
        ("grammar_hash", ["--question", "9?", "-n", "2"]),
        ("seed", ["--data", "DATA", "--seed", "1"]),
        ("decoding", ["--data", "DATA", "--decoding", "free"]),
        ("2 traces, and 1 are asked for", ["--question", "How often?"]),
        ("problem", ["--question", "How often?", "-n", "2"]),
    ],
)
def test_generate_does_not_mix_runs(
    lamp: Path,
    model: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    named: str,
    change: list[str],
) -> None:
    """What differs is named, and the file stays as it was."""
    out = tmp_path / "generated.jsonl"
    arguments = ["generate", str(lamp), "--model", str(model), "--out", str(out)]
    asked = ["--data", str(data)]
    assert 0 == main([*arguments, *asked])
    before = out.read_bytes()
    if named == "grammar_hash":
        lamp.write_text(lamp.read_text() + "\n")
    assert 2 == main([*arguments, *(str(data) if each == "DATA" else each for each in change)])
    assert named in capsys.readouterr().err and before == out.read_bytes()


@pytest.mark.parametrize("wrong", ["-1", "nan", "inf", "warm"])
def test_temperature_is_finite_and_not_below_zero(
    wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A temperature that no distribution has is refused."""
    with pytest.raises(SystemExit) as stopped:
        main(["generate", "kwai_star", "--model", "m", "--question", "?", f"--temperature={wrong}"])
    assert 2 == stopped.value.code
    assert "argument --temperature" in capsys.readouterr().err


def test_eval_keeps_other_stages(
    lamp: Path, model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rows of the model's own stage are replaced, those of others stay."""
    out = tmp_path / "run" / "results.json"
    out.parent.mkdir()
    kept = {"stage": "dpo", "decoding": "free"}
    (out.parent / "samples.jsonl").touch()
    out.write_text(json.dumps([kept, {"stage": "sft", "decoding": "free"}]))
    arguments = ["eval", str(lamp), "--model", str(model), "--data", str(data), "--out", str(out)]
    for _ in range(2):
        assert 0 == main([*arguments, "-n", "1"])

    assert [kept, {"stage": "sft", "decoding": "free", "n": 1}] == json.loads(out.read_text())
    assert 1 == len((out.parent / "samples.jsonl").read_text().splitlines())
    assert "2!\n2!\n" == capsys.readouterr().out


def test_eval_of_a_model_from_elsewhere(
    lamp: Path, model: Path, data: Path, tmp_path: Path
) -> None:
    """A model that no run made is called given."""
    (tmp_path / "sft" / "run.json").unlink()
    out = tmp_path / "results.json"
    arguments = ["eval", str(lamp), "--model", str(model), "--data", str(data), "--out", str(out)]
    assert 0 == main(arguments)
    assert "given" == json.loads(out.read_text())[0]["stage"]


def test_eval_refuses_another_file(
    lamp: Path, model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that no evaluation wrote is not overwritten."""
    out = tmp_path / "results.json"
    out.write_text('{"mine": 1}')
    arguments = ["eval", str(lamp), "--model", str(model), "--data", str(data), "--out", str(out)]
    assert 2 == main(arguments)
    assert "is not what an evaluation wrote" in capsys.readouterr().err
    assert '{"mine": 1}' == out.read_text()
