from __future__ import annotations

import json
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import statelang
from statelang import StatelangError
from statelang.engine import validate
from statelang.training.data import make_data
from statelang.training.rows import DPO, MANIFEST, REFUSED, SFT, Pair, Row, read_pairs, read_rows
from tests.training.own import PLAIN, SOCRATIC, sources

KWAI_STAR = statelang.load("kwai_star")
COUNTING = statelang.loads(
    """
//@ input goal: number
//@ ghost n: number = 0
//@ answer stop.NUMBER as number

start : say _more
_more : say _more
      | stop
//@ requires NUMBER == n + 1
//@ set n = NUMBER
say : "say " NUMBER "\\n"
//@ requires NUMBER == n
//@ requires NUMBER == goal
stop : "stop " NUMBER "\\n"
//@ type number
NUMBER : /[0-9]{1,3}/
""",
    "counting",
)
COUNT = {
    "prompt": "Count to 2.\n",
    "completion": "say 1\nsay 2\nstop 2\n",
    "problem": {"goal": 2, "answer": "2"},
}
WHOLE_FILE = Path(
    os.environ.get(
        "STATELANG_GSM8K",
        Path(__file__).parents[3] / "shared" / "data" / "gsm8k_train.jsonl",
    )
)


def silent(_: str) -> None:
    pass


def written(tmp_path: Path, lines: Iterable[Any], name: str = "in.jsonl") -> Path:
    """A file with one line for each value: bytes as they are, anything else as JSON."""
    file = tmp_path / name
    file.write_bytes(
        b"".join(
            (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
            for line in lines
        )
    )
    return file


def refusals(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / REFUSED).read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row], list[Pair]]:
    """The folder made of all 40 problems, its rows and its pairs."""
    tmp_path = tmp_path_factory.mktemp("own")
    out = tmp_path / "out"
    make_data(KWAI_STAR, written(tmp_path, sources()), out, progress=silent)
    return out, list(read_rows(out, KWAI_STAR.hash)), list(read_pairs(out, KWAI_STAR.hash))


class TestOwnProblems:
    def test_all_give_rows_and_all_checked_ones_give_pairs(
        self, own: tuple[Path, list[Row], list[Pair]]
    ) -> None:
        out, rows, pairs = own
        manifest = json.loads((out / MANIFEST).read_text("utf-8"))
        assert manifest["counts"] == {
            "lines": 40,
            "rows": 40,
            "rows_checked": 37,
            "pairs": 37,
            "pairs_content": 37,
            "pairs_form": 0,
            "refused": 0,
        }
        assert manifest["refusals"] == {}
        assert (manifest["grammar"], manifest["grammar_hash"]) == ("kwai_star", KWAI_STAR.hash)
        assert (len(rows), len(pairs)) == (40, 37)
        assert (out / REFUSED).read_bytes() == b""

    def test_rows_hold_what_the_source_says(self, own: tuple[Path, list[Row], list[Pair]]) -> None:
        for at, (row, source) in enumerate(zip(own[1], sources(), strict=True), start=1):
            gold = source["answer"].rpartition("####")[2].strip().replace(",", "")
            assert row.prompt == source["question"] + "\n"
            assert row.problem == {
                "id": f"in.jsonl:{at}",
                "question": source["question"],
                "answer": gold,
            }
            assert row.verdict == {"grammar": True, "contracts": True, "answer": True}
            assert row.checked is ("<parent unchecked>" not in row.completion)
            assert row.no_loss == ()

    def test_what_is_written_validates(self, own: tuple[Path, list[Row], list[Pair]]) -> None:
        for row in own[1]:
            assert validate(KWAI_STAR, row.completion, row.problem).holds
        for pair in own[2]:
            assert validate(KWAI_STAR, pair.chosen, pair.problem).holds
            rejected = validate(KWAI_STAR, pair.rejected, pair.problem)
            assert rejected.error is not None
            assert pair.rule == rejected.error.rule
            assert pair.verdicts["rejected"] == {
                "grammar": True,
                "contracts": False,
                "answer": False,
            }

    def test_only_the_wrong_step_carries_no_loss(
        self, own: tuple[Path, list[Row], list[Pair]]
    ) -> None:
        for pair in own[2]:
            ((start, end),) = pair.no_loss["chosen"]
            assert pair.no_loss["rejected"] == ((start, end),)
            assert pair.chosen[start:end].startswith("<solve>")
            assert pair.chosen[start:end].endswith("</solve>\n")
            assert pair.chosen[end:].partition("\n")[0].endswith(": wrong</verify>")

    def test_the_same_seed_gives_the_same_bytes(
        self, own: tuple[Path, list[Row], list[Pair]], tmp_path: Path
    ) -> None:
        file = written(tmp_path, sources())
        make_data(KWAI_STAR, file, tmp_path / "again", progress=silent)
        make_data(KWAI_STAR, file, tmp_path / "other", seed=1, progress=silent)
        for name in (SFT, DPO, REFUSED, MANIFEST):
            assert (own[0] / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        assert (own[0] / SFT).read_bytes() == (tmp_path / "other" / SFT).read_bytes()
        assert (own[0] / DPO).read_bytes() != (tmp_path / "other" / DPO).read_bytes()

    def test_a_pair_does_not_depend_on_other_lines(self, tmp_path: Path) -> None:
        lines: list[Any] = sources()
        make_data(KWAI_STAR, written(tmp_path, lines[:3]), tmp_path / "a", progress=silent)
        file = written(tmp_path, [b"nonsense", *lines[1:3]])
        make_data(KWAI_STAR, file, tmp_path / "b", progress=silent)
        assert list(read_pairs(tmp_path / "a"))[1:] == list(read_pairs(tmp_path / "b"))

    @pytest.mark.parametrize("file", [PLAIN, SOCRATIC], ids=["plain", "socratic"])
    def test_both_files_are_read_as_they_are_committed(self, file: Path, tmp_path: Path) -> None:
        manifest = make_data(KWAI_STAR, file, tmp_path, progress=silent)
        assert manifest["source"] == {
            "file": file.name,
            "sha256": sha256(file.read_bytes()).hexdigest(),
        }
        assert manifest["counts"]["refused"] == 0

    def test_rows_can_be_read_again_as_traces(
        self, own: tuple[Path, list[Row], list[Pair]], tmp_path: Path
    ) -> None:
        manifest = make_data(KWAI_STAR, own[0] / SFT, tmp_path, progress=silent)
        assert list(read_rows(tmp_path)) == own[1]
        assert manifest["counts"]["rows_checked"] == 37
        assert manifest["counts"]["pairs_form"] == 40


class TestTraces:
    def test_rows_of_any_space_are_kept_with_form_pairs(self, tmp_path: Path) -> None:
        make_data(COUNTING, written(tmp_path, [COUNT]), tmp_path / "out", progress=silent)
        (row,) = read_rows(tmp_path / "out", COUNTING.hash)
        (pair,) = read_pairs(tmp_path / "out", COUNTING.hash)
        assert (row.prompt, row.completion) == (COUNT["prompt"], COUNT["completion"])
        assert row.problem == {
            "id": "in.jsonl:1",
            "question": "Count to 2.",
            "goal": 2,
            "answer": "2",
        }
        assert row.verdict == {"grammar": True, "contracts": True, "answer": True}
        assert row.checked
        assert (pair.chosen, pair.kind) == (row.completion, "form")
        rejected = validate(COUNTING, pair.rejected, pair.problem)
        assert rejected.error is not None
        assert pair.rule == rejected.error.rule

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"completion": "say 1\nsay 2\n"}, "grammar"),
            ({"completion": "say 1\nsay 2\nstop 2\n</s>"}, "grammar"),
            ({"completion": "say 1\nsay 3\nstop 3\n"}, "contracts"),
            ({"problem": {"goal": 2, "answer": "3"}}, "answer"),
            ({"problem": {}}, "problem"),
            ({"problem": 7}, "problem"),
            ({"completion": 7}, "no completion"),
            ({"prompt": None}, "no prompt"),
            ({"no_loss": [[0, 99]]}, "no_loss"),
            ({"no_loss": [7]}, "no_loss"),
        ],
    )
    def test_a_trace_that_does_not_hold_is_refused(
        self, changes: dict[str, Any], reason: str, tmp_path: Path
    ) -> None:
        file = written(tmp_path, [COUNT, {**COUNT, **changes}])
        manifest = make_data(COUNTING, file, tmp_path / "out", progress=silent)
        (refused,) = refusals(tmp_path / "out")
        assert (refused["line"], refused["reason"]) == (2, reason)
        assert refused["detail"] and refused["detail"].count("step ") <= 1
        assert manifest["refusals"] == {reason: 1}
        assert len(list(read_rows(tmp_path / "out"))) == 1

    def test_spans_without_loss_are_kept(self, tmp_path: Path) -> None:
        file = written(tmp_path, [{**COUNT, "no_loss": [[0, 6]]}])
        make_data(COUNTING, file, tmp_path / "out", progress=silent)
        (row,) = read_rows(tmp_path / "out")
        (pair,) = read_pairs(tmp_path / "out")
        assert row.no_loss == ((0, 6),)
        assert pair.no_loss == {"chosen": ((0, 6),), "rejected": ()}

    def test_without_a_gold_answer_there_is_no_answer_verdict(self, tmp_path: Path) -> None:
        file = written(tmp_path, [{**COUNT, "problem": {"goal": 2}}])
        make_data(COUNTING, file, tmp_path / "out", progress=silent)
        (row,) = read_rows(tmp_path / "out")
        assert row.verdict["answer"] is None


class TestBadLines:
    def test_each_is_refused_by_itself(self, tmp_path: Path) -> None:
        good = sources()[0]
        file = written(
            tmp_path,
            [
                good,
                b"no JSON",
                b'"text"',
                b"[" * 100_000,
                b'{"question": "\xff", "answer": "x"}',
                rb'{"question": "\ud83d", "answer": "x"}',
                {"text": "x"},
                {"question": "How many?"},
                b"",
                {"question": "How many?", "answer": "It is <<2*3=7>>7.\n#### 7"},
                {**good, "question": good["question"] + "</solve>"},
            ],
        )
        make_data(KWAI_STAR, file, tmp_path / "out", progress=silent)
        found = refusals(tmp_path / "out")
        assert [(refused["line"], refused["reason"]) for refused in found] == [
            (2, "not JSON"),
            (3, "not an object"),
            (4, "not JSON"),
            (5, "not UTF-8"),
            (6, "not Unicode"),
            (7, "unknown form"),
            (8, "no answer"),
            (10, "wrong calculation"),
            (11, "'<' in the text"),
        ]
        assert [refused["problem"] for refused in found[:2]] == ["no JSON", '"text"']
        assert found[-2]["problem"] == "How many?"
        assert len(list(read_rows(tmp_path / "out"))) == 1

    def test_a_mark_at_the_beginning_and_other_line_ends_are_read(self, tmp_path: Path) -> None:
        file = written(tmp_path, [b"\xef\xbb\xbf" + json.dumps(COUNT).encode() + b"\r"])
        make_data(COUNTING, file, tmp_path / "out", progress=silent)
        assert len(list(read_rows(tmp_path / "out"))) == 1

    def test_a_form_without_a_reader_is_refused_beside_others(self, tmp_path: Path) -> None:
        file = written(tmp_path, [COUNT, sources()[0]])
        make_data(COUNTING, file, tmp_path / "out", progress=silent)
        assert [refused["reason"] for refused in refusals(tmp_path / "out")] == [
            "no reader for this form"
        ]

    def test_the_gsm8k_reader_goes_with_the_grammar_not_its_name(self, tmp_path: Path) -> None:
        space = statelang.loads(KWAI_STAR.source.text, "mine")
        file = written(tmp_path, sources()[:1])
        assert make_data(space, file, tmp_path / "out", progress=silent)["counts"]["rows"] == 1


class TestErrors:
    def run(self, space: statelang.StateSpace, file: Path, out: Path) -> str:
        with pytest.raises(StatelangError) as error:
            make_data(space, file, out, progress=silent)
        assert "\n" not in str(error.value)
        assert not out.is_dir() or not list(out.iterdir())
        return str(error.value)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty. Give a file of JSON lines"),
            (b"\n \n", "is empty. Give a file of JSON lines"),
            (b"\xff\xfe{\x00}\x00\n\x00", "is not UTF-8 text"),
            (b"\x89PNG\n\xff", "is not UTF-8 text"),
        ],
    )
    def test_a_file_that_cannot_be_used(self, content: bytes, message: str, tmp_path: Path) -> None:
        file = tmp_path / "in.jsonl"
        file.write_bytes(content)
        assert message in self.run(KWAI_STAR, file, tmp_path / "out")

    def test_a_missing_file_and_a_folder(self, tmp_path: Path) -> None:
        message = self.run(KWAI_STAR, tmp_path / "none.jsonl", tmp_path / "out")
        assert "none.jsonl cannot be read: No such file or directory" in message
        assert "cannot be read" in self.run(KWAI_STAR, tmp_path, tmp_path / "out")

    def test_a_form_without_a_reader(self, tmp_path: Path) -> None:
        message = self.run(COUNTING, PLAIN, tmp_path / "out")
        assert "no reader for this form in space counting" in message
        assert "Give rows with `prompt` and `completion`" in message

    def test_a_folder_with_another_grammars_rows_keeps_them(self, tmp_path: Path) -> None:
        make_data(COUNTING, written(tmp_path, [COUNT]), tmp_path / "out", progress=silent)
        before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
        with pytest.raises(StatelangError, match="was made with another grammar"):
            make_data(KWAI_STAR, PLAIN, tmp_path / "out", progress=silent)
        assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def test_an_interrupted_run_leaves_nothing(self, tmp_path: Path) -> None:
        def interrupted(_: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make_data(KWAI_STAR, PLAIN, tmp_path / "out", progress=interrupted)
        assert list((tmp_path / "out").iterdir()) == []


def test_progress_is_shown_in_plain_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_data(COUNTING, written(tmp_path, [COUNT, b"x"]), tmp_path / "out")
    shown = capsys.readouterr()
    assert shown.err == "data: 2 of 2 lines, 1 rows, 1 pairs, 1 refused\n"
    assert shown.out == ""


@pytest.mark.skipif(not WHOLE_FILE.is_file(), reason="GSM8K file absent")
def test_the_whole_of_gsm8k(tmp_path: Path) -> None:
    manifest = make_data(KWAI_STAR, WHOLE_FILE, tmp_path, progress=silent)
    counts = manifest["counts"]
    assert counts["lines"] == counts["rows"] + counts["refused"] == 7473
    assert counts["rows"] >= 0.98 * 7473
    assert counts["pairs"] >= 0.5 * 7473
    assert 0.05 <= 1 - counts["rows_checked"] / counts["rows"] <= 0.08
    assert set(manifest["refusals"]) == {
        "no annotated calculation",
        "'<' in the text",
        "unreadable calculation",
    }
