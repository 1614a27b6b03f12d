"""`statelang generate` with tools, greedily, and through a server: run for real, end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import statelang
from statelang.cli import main
from statelang.engine import validate
from statelang.engine.tools import arithmetic
from tests.engine.scripted_server import serving, written
from tests.training.small import small_model, small_tokenizer

SUMS = """
start : work _then
_then : work _then
      | stop

//@ writes OUT = calc(SUM)
work : SUM " = " OUT "\\n"
stop : "stop\\n"

SUM : /[1-9]{1,2} [-+*\\/] [0-9]{1,2}/
OUT : /[^\\n]{1,60}/
"""
LIST = """
//@ ghost seen: set[text] = {}

start : word _then
_then : word _then
      | done

//@ requires not (WORD in seen)
//@ set seen = seen | {WORD}
word : "say " WORD "\\n"
//@ requires NUMBER == size(seen)
done : "done " NUMBER "\\n"

WORD : /[a-z]{1,9}/
//@ type number
NUMBER : /[0-9]/
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a very small model."""
    folder, tokenizer = tmp_path_factory.mktemp("model"), small_tokenizer()
    tokenizer.save_pretrained(folder)
    small_model(tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    """A space in which a tool writes a field."""
    file = tmp_path / "sums.lark"
    file.write_text(SUMS)
    return file


def lines(output: str) -> list[dict[str, Any]]:
    """The objects of JSON lines."""
    return [json.loads(line) for line in output.splitlines()]


def test_a_problem_brings_its_inputs(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a space declares as input comes with the problem."""
    file = tmp_path / "pick.lark"
    file.write_text("""
//@ input choices: set[text]

start : pick
//@ requires WORD in choices
pick : "pick " WORD ";"
WORD : /[a-z]+/
""")
    problem = {"question": "Which?", "choices": ["red"]}
    asked = ["generate", str(file), "--model", str(model), "--problem", json.dumps(problem)]
    assert 0 == main(asked)
    (row,) = lines(capsys.readouterr().out)
    assert ("pick red;", problem) == (row["text"], row["problem"])


def test_tools_write_their_fields(
    sums: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the name that the grammar has for them; what they fail at is written too."""
    asked = ["generate", str(sums), "--model", str(model), "--question", "?", "-n", "4"]
    assert 0 == main([*asked, "--max-tokens", "90", "--tools", "calc=arithmetic"])
    rows = lines(capsys.readouterr().out)
    assert [["calc=arithmetic"]] * 4 == [row["tools"] for row in rows]
    works = [line for row in rows for line in row["text"].splitlines() if line != "stop"]
    assert len(works) >= 4
    for work in works:
        text, _, out = work.partition(" = ")
        assert arithmetic(text) == out
    assert all(row["verdict"]["contracts"] for row in rows)
    assert any(name == "tool calc" for row in rows for name, _ in row["authors"])


def test_an_evaluation_has_tools(sums: Path, model: Path, tmp_path: Path) -> None:
    """As generation has: they write, and the verdict on what a free model wrote asks them again."""
    traces, data = tmp_path / "traces.jsonl", tmp_path / "data"
    traces.write_text(json.dumps({"prompt": "?", "completion": "1 + 1 = 2\nstop\n"}))
    assert 0 == main(["data", str(sums), str(traces), "--out", str(data)])
    asked = ["eval", str(sums), "--model", str(model), "--data", str(data)]
    asked += ["--out", str(tmp_path / "results.json"), "--max-tokens", "40"]
    assert 0 == main([*asked, "--tools", "calc=arithmetic"])
    samples = lines((tmp_path / "samples.jsonl").read_text())
    (text,) = (sample["text"] for sample in samples if sample["decoding"] == "contracts")
    works = [line.split(" = ") for line in text.splitlines() if line != "stop"]
    assert works and all(arithmetic(work) == out for work, out in works)


def test_temperature_zero_takes_the_likeliest_token(
    lamp: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the seed, it is one trace."""
    asked = ["generate", str(lamp), "--model", str(model), "--question", "?", "--max-tokens", "40"]
    texts = set()
    for seed in "12":
        assert 0 == main([*asked, "-n", "2", "--temperature", "0", "--seed", seed])
        texts |= {row["text"] for row in lines(capsys.readouterr().out)}
    assert 1 == len(texts)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A space of words, each said once."""
    file = tmp_path / "list.lark"
    file.write_text(LIST)
    return file


def test_a_server_writes(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line has the text, its verdict and what it cost; the grammar goes in the field that the
    kind of server reads."""
    answers = [written("say a\n", "say a"), written("b\n", "done 2\n")]
    with serving(answers) as script:
        asked = ["generate", str(listed), "--server", script.url, "--served-model", "tiny"]
        how = ["--kind", "vllm", "--temperature", "0", "--seed", "7", "--max-tokens", "50"]
        assert 0 == main([*asked, *how, "--question", "Which?"])
    (row,) = lines(capsys.readouterr().out)
    assert "say a\nsay b\ndone 2\n" == row["text"]
    assert validate(statelang.load(str(listed)), row["text"]).as_dict() == row["verdict"]
    counts = {name: row[name] for name in ("tokens", "kept", "requests", "again", "stuck")}
    assert {"tokens": 4, "kept": 4, "requests": 2, "again": 1, "stuck": None} == counts
    assert ("stop", "") == (row["finish_reason"], row["ending"])
    assert (script.url, "vllm", "tiny") == (row["server"], row["kind"], row["model"])
    assert {"question": "Which?"} == row["problem"]
    first = script.asked[0]
    assert ("tiny", 0, 7) == (first["model"], first["temperature"], first["seed"])
    assert "root ::=" in first["structured_outputs"]["grammar"]


def test_a_model_is_asked_as_its_rows_say(listed: Path, tmp_path: Path) -> None:
    """The prompt of a row as it is, such as one that a chat template wrote."""
    file, folder = tmp_path / "rows.jsonl", tmp_path / "rows"
    row = {"prompt": "<|user|>Which?<|assistant|>\n\n", "completion": "say a\ndone 1\n"}
    file.write_text(json.dumps(row) + "\n")
    assert 0 == main(["data", str(listed), str(file), "--out", str(folder)])
    with serving([written("say a\n", "done 1\n")]) as script:
        asked = ["generate", str(listed), "--server", script.url, "--served-model", "tiny"]
        assert 0 == main([*asked, "--data", str(folder), "--out", str(tmp_path / "out.jsonl")])
    assert row["prompt"] == script.asked[0]["prompt"]


def test_a_run_from_a_server_goes_on(listed: Path, tmp_path: Path) -> None:
    """Only the traces that a file lacks are asked for, each with the seed it would have had."""
    out = tmp_path / "out.jsonl"

    def run(url: str) -> int:
        asked = ["generate", str(listed), "--server", url, "--served-model", "tiny"]
        return main([*asked, "--question", "?", "-n", "2", "--out", str(out)])

    def answer(_: dict[str, Any]) -> Any:
        return written("say a\n", "done 1\n")

    with serving(answer) as script:
        assert 0 == run(script.url)
        whole, seeds = out.read_bytes(), {body["seed"] for body in script.asked}
        out.write_bytes(whole[: whole.index(b"\n") + 5])
        script.asked.clear()
        assert 0 == run(script.url)
        assert whole == out.read_bytes()
        assert 1 == len(script.asked) and script.asked[0]["seed"] == max(seeds)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("there is no such tool", ["--model", "m", "--tools", "bash"]),
        ("there is no such tool", ["--model", "m", "--tools", "sqlite"]),
        ("`python` is named twice", ["--model", "m", "--tools", "python", "python=arithmetic"]),
        ("Add --served-model", ["--server", "http://localhost:1"]),
        ("Add --server", ["--model", "m", "--served-model", "tiny"]),
        (
            "--decoding free is for a model in a folder",
            ["--server", "http://localhost:1", "--served-model", "t", "--decoding", "free"],
        ),
    ],
)
def test_what_does_not_go_together_is_named(
    said: str, words: list[str], sums: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any model is loaded."""
    assert 2 == main(["generate", str(sums), "--question", "?", *words])
    assert said in capsys.readouterr().err


def test_a_function_that_no_tool_has_is_named(
    sums: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With those that were given."""
    asked = ["generate", str(sums), "--model", str(model), "--question", "?"]
    assert 2 == main([*asked, "--tools", "arithmetic"])
    assert "the function `calc`, which is not among the tools" in capsys.readouterr().err
