from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from statelang import StatelangError
from statelang.training.rows import (
    Pair,
    Row,
    as_line,
    read_pairs,
    read_rows,
    refuse_other_grammar,
    writing,
)

HELD: dict[str, bool | None] = {"grammar": True, "contracts": True, "answer": None}
ROW = Row(
    prompt="How many? ½\n",
    completion="<a>1</a>\u2028\n",
    problem={"id": "1", "question": "How many? ½"},
    grammar="kettle",
    grammar_hash="ab" * 32,
    verdict=HELD,
    checked=True,
    no_loss=((0, 8),),
)
PAIR = Pair(
    prompt="How many?\n",
    chosen="<a>1</a>\n",
    rejected="<a>2</a>\n",
    problem={"id": "1", "question": "How many?", "answer": "1"},
    grammar="kettle",
    grammar_hash="ab" * 32,
    verdicts={"chosen": HELD, "rejected": {**HELD, "contracts": False}},
    kind="form",
    rule="requires NUMBER == 1",
    no_loss={"chosen": (), "rejected": ((0, 3),)},
)


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")
    return tmp_path


def without(value: Row | Pair, key: str) -> str:
    plain: dict[str, Any] = json.loads(as_line(value))
    del plain[key]
    return json.dumps(plain)


class TestReading:
    def test_rows_and_pairs_come_back_as_written(self, tmp_path: Path) -> None:
        other = evolve(ROW, checked=False)
        data = folder(tmp_path, sft=as_line(ROW) + "\n" + as_line(other), dpo=as_line(PAIR))
        assert list(read_rows(data)) == [ROW, other]
        assert list(read_pairs(data, PAIR.grammar_hash)) == [PAIR]

    def test_a_row_is_one_line(self) -> None:
        assert as_line(ROW).count("\n") == 1
        assert as_line(ROW).endswith("}\n")

    def test_keys_of_ones_own_are_left_out(self, tmp_path: Path) -> None:
        line = json.dumps({**json.loads(as_line(ROW)), "note": "mine"})
        assert list(read_rows(folder(tmp_path, sft=line))) == [ROW]

    def test_reading_is_lazy(self, tmp_path: Path) -> None:
        rows = read_rows(folder(tmp_path, sft=as_line(ROW) + "no JSON"))
        assert next(rows) == ROW
        with pytest.raises(StatelangError, match=r"sft\.jsonl:2 is not a line of JSON"):
            next(rows)

    def test_error_where_there_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(StatelangError, match=r"dpo\.jsonl cannot be read: No such file.*data"):
            list(read_pairs(tmp_path))

    def test_error_where_it_is_not_utf8(self, tmp_path: Path) -> None:
        (tmp_path / "sft.jsonl").write_bytes(b'"\xff"\n')
        with pytest.raises(StatelangError, match=r"sft\.jsonl:1 is not a line of JSON in UTF-8"):
            list(read_rows(tmp_path))

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (without(ROW, "completion"), r"sft\.jsonl:1 is no row: `completion` is missing"),
            ("[1]", r"sft\.jsonl:1 is no row: "),
            ("7", r"sft\.jsonl:1 is no row: "),
            (as_line(evolve(ROW, prompt="7")).replace('"7"', "7"), r"'prompt' must be"),
            (as_line(ROW).replace("[[0, 8]]", "[7]"), r"sft\.jsonl:1 is no row: "),
            (
                as_line(ROW).replace("true}", "true}").replace('"checked": true', '"checked": 1'),
                r"'checked' must be",
            ),
        ],
    )
    def test_error_where_a_line_is_no_row(self, tmp_path: Path, line: str, message: str) -> None:
        with pytest.raises(StatelangError, match=message):
            list(read_rows(folder(tmp_path, sft=line)))


class TestOtherGrammar:
    def test_rows_of_another_grammar_are_refused(self, tmp_path: Path) -> None:
        data = folder(tmp_path, sft=as_line(ROW), dpo=as_line(PAIR))
        message = r"sft\.jsonl:1 was made with another grammar: it names `kettle`.*another folder"
        with pytest.raises(StatelangError, match=message):
            list(read_rows(data, "cd" * 32))
        with pytest.raises(StatelangError, match=r"dpo\.jsonl:1 was made with another grammar"):
            list(read_pairs(data, "cd" * 32))

    def test_rows_of_two_grammars_are_refused(self, tmp_path: Path) -> None:
        data = folder(tmp_path, sft=as_line(ROW) + as_line(evolve(ROW, grammar_hash="cd" * 32)))
        with pytest.raises(StatelangError, match=r"sft\.jsonl:2 was made with another grammar"):
            list(read_rows(data))

    def test_a_folder_is_asked_before_it_is_written(self, tmp_path: Path) -> None:
        refuse_other_grammar(tmp_path / "none", "cd" * 32)
        refuse_other_grammar(folder(tmp_path, sft=as_line(ROW)), ROW.grammar_hash)
        with pytest.raises(StatelangError, match="another grammar"):
            refuse_other_grammar(tmp_path, "cd" * 32)


class TestWriting:
    def test_files_are_replaced_together_at_the_end(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("old")
        with writing(tmp_path, ("a", "b")) as files:
            files["a"].write("new\n")
            files["b"].write("ü\n")
            files["a"].flush()
            assert (tmp_path / "a").read_text() == "old"
            assert not (tmp_path / "b").exists()
        assert (tmp_path / "a").read_bytes() == b"new\n"
        assert (tmp_path / "b").read_bytes() == "ü\n".encode()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]

    def test_nothing_is_left_where_the_block_raises(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("old")
        with pytest.raises(KeyError), writing(tmp_path, ("a", "b")) as files:
            files["a"].write("new")
            raise KeyError
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]

    def test_files_have_the_mode_of_ordinary_files(self, tmp_path: Path) -> None:
        (tmp_path / "plain").touch()
        with writing(tmp_path / "deep" / "er", ("a",)) as files:
            files["a"].write("x")
        mode = (tmp_path / "deep" / "er" / "a").stat().st_mode
        assert mode == (tmp_path / "plain").stat().st_mode

    def test_error_where_the_folder_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with (
            pytest.raises(StatelangError, match=r"file cannot be written: .*--out"),
            writing(tmp_path / "file", ("a",)),
        ):
            pass
