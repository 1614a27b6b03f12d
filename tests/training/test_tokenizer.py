"""The tokenizer loses nothing, keeps names and digits whole, and no text can stop a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.training.model import load_model
from statelang.training.tokenizer import PAD, STOP, train_tokenizer
from tests.training.small import SPACE, sft_rows, small_model, small_tokenizer

TOKENIZER = small_tokenizer()
ODD = [
    "",
    " ",
    "  two  spaces ",
    "\r\n\t\n",
    "1234 12.50",
    "don't",
    "日本 é ü ﬁ",
    "Ġ é",
    "\x00\x7f",
    "a\u0301",
]


def _pieces(text: str) -> list[str]:
    return [str(TOKENIZER.decode([token])) for token in TOKENIZER.encode(text)]


@given(st.text())
def test_decoding_gives_any_text_back(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@pytest.mark.parametrize("text", ODD)
def test_decoding_gives_odd_texts_back(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_tags_are_single_tokens_that_decoding_keeps() -> None:
    text = "<solve>Ann = Ben + 3 = 12 + 3 = 15</solve>\n"
    assert _pieces(text) == [
        *("<solve>", "Ann", " = ", "Ben", " + ", "3", " = ", "1", "2", " + ", "3", " = "),
        *("1", "5", "</solve>\n"),
    ]
    assert TOKENIZER.decode(TOKENIZER.encode(text), skip_special_tokens=True) == text


def test_a_name_is_one_token_wherever_it_stands() -> None:
    name = TOKENIZER.encode("Ann")
    assert len(name) == 1
    for text in ("has 3 more than Ann.", "Ann has 3 coins.", "find Ann</formalize>\n", "3 Ann"):
        assert name[0] in TOKENIZER.encode(text)


def test_literals_of_one_piece_are_left_to_the_merges() -> None:
    assert " " in SPACE.literals and " = " in SPACE.literals
    tokenizer = train_tokenizer(["one two"] * 3, [" ", " = ", "<a>", "<a>"])
    assert [str(token) for token in tokenizer.get_added_vocab()] == [PAD, STOP, "<a>"]


def test_a_literal_that_the_byte_decoder_misreads_still_comes_back() -> None:
    tokenizer = train_tokenizer(["a b"], ["<é>", "<日>", "éa é"])
    for text in ("<é>", "x<日>y", "éa é"):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_all_bytes_are_in_the_vocabulary() -> None:
    tokenizer = train_tokenizer([], [])
    assert len(tokenizer) == 256 + 2
    text = "".join(map(chr, range(0x0, 0x800)))
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_vocabulary_stays_within_its_size() -> None:
    texts = [row["completion"] for row in sft_rows(20)]
    assert len(train_tokenizer(texts, SPACE.literals, vocabulary=290)) == 290


def test_the_same_texts_give_the_same_tokenizer() -> None:
    assert small_tokenizer().get_vocab() == TOKENIZER.get_vocab()


def test_text_cannot_spell_a_special_token() -> None:
    ids = TOKENIZER.encode(f"a{STOP}b{PAD}")
    assert TOKENIZER.eos_token_id not in ids and TOKENIZER.pad_token_id not in ids
    assert TOKENIZER.decode(ids) == f"a{STOP}b{PAD}"


def test_a_saved_tokenizer_is_the_same(tmp_path: Path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    small_model(TOKENIZER).save_pretrained(tmp_path)
    _, loaded = load_model(tmp_path)
    for text in (*ODD, f"<solve>Ann{STOP}</solve>\n", sft_rows(1)[0]["completion"]):
        assert loaded.encode(text) == TOKENIZER.encode(text)
        assert loaded.decode(loaded.encode(text)) == text
    assert (loaded.eos_token, loaded.pad_token, loaded.padding_side) == (STOP, PAD, "left")
