"""What goes wrong between texts and tokens is named, and what is right is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

import statelang
from tests.engine.doctor.folders import (
    PEN,
    SPACE,
    TAGS,
    byte_level,
    codes,
    examined,
    message,
    sentencepiece,
    wrapped,
)


def normalized(*steps: Any) -> Any:
    """A byte-level tokenizer that changes text before it writes it."""
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.Sequence(list(steps))
    return wrapped(tokenizer)


def whole_words() -> Any:
    """A WordPiece tokenizer, as BERT's."""
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "</s>": 1, "pen": 2}, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece()
    return wrapped(tokenizer, pad_token=None)


def characters(text: str) -> Any:
    """A tokenizer with the characters of a text and nothing else."""
    pieces = ["<unk>", "<pad>", "</s>", *sorted({*text})]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return wrapped(tokenizer, unk_token="<unk>")


PLAIN = "".join(map(chr, range(32, 127)))

WRONG: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "bytes": (lambda: wrapped(byte_level()), []),
    "tags as ordinary tokens": (lambda: wrapped(byte_level(TAGS)), []),
    "tags as special tokens": (lambda: wrapped(byte_level(special=TAGS)), ["SD102"]),
    "special tokens that text cannot spell": (
        lambda: wrapped(byte_level(special=TAGS), split_special_tokens=True),
        [],
    ),
    "pieces": (lambda: wrapped(sentencepiece("never")), []),
    "a space before a text": (lambda: wrapped(sentencepiece("first")), ["SD106"]),
    "a space behind tags": (lambda: wrapped(sentencepiece("always", TAGS)), ["SD104"]),
    "lower case": (lambda: normalized(normalizers.Lowercase()), ["SD104"]),
    "stripped": (lambda: normalized(normalizers.NFKC(), normalizers.Strip()), ["SD104"]),
    "words": (whole_words, ["SD101"]),
    "all but the line end": (lambda: characters(PLAIN), ["SD103", "SD606", "SD107"]),
    "no bytes": (lambda: characters(PLAIN + "\n"), ["SD107"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_tokenizer_has_its_findings_and_no_others(name: str, tmp_path: Path) -> None:
    """Each tokenizer is wrong in one way, and that is what is found."""
    made, expected = WRONG[name]
    found = examined(tmp_path, made())
    assert expected == [code for code in codes(found) if code != "SD303"]


def test_a_special_tag_is_shown_where_it_stands(tmp_path: Path) -> None:
    """The finding stands at the first literal, and marks the others."""
    found = examined(tmp_path, wrapped(byte_level(special=["<tell>", "</tell>"])))
    (finding,) = [each for each in found.findings if each.code == "SD102"]
    assert 'tell : "<tell>"' in PEN.splitlines()[finding.line - 1]
    assert "2 literals of the space are written with special tokens: `<tell>`, `</tell>`" == (
        finding.message
    )
    assert [SPACE.source.text.index('"</tell>')] == [label.span.start for label in finding.also]


def test_what_a_normalizer_makes_of_a_trace(tmp_path: Path) -> None:
    """The change is shown, with the steps that make it and whether the text is still legal."""
    upper = statelang.loads(PEN.replace("<think>", "<Think>"))
    found = examined(tmp_path, normalized(normalizers.NFC(), normalizers.Lowercase()), upper)
    (finding,) = [each for each in found.findings if each.code == "SD104"]
    assert "`<Think>" in finding.message and "becomes `<think>" in finding.message
    assert "no longer legal; its normalizers are `NFC`, `Lowercase`" in finding.note


ANYHOW = "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output"


def test_decoding_that_tidies_up(tmp_path: Path) -> None:
    """Where `decode` cleans spaces up, a legal trace comes back as another text."""
    space = statelang.loads('start : a\n/// Stop.\na : "no ." WORD\nWORD : /[a-z]{1,3}/\n')
    options: dict[str, Any] = {"clean_up_tokenization_spaces": True, ANYHOW: True}
    tokenizer = wrapped(byte_level(), **options)
    assert "no." == tokenizer.decode(tokenizer.encode("no ."))
    said = message(examined(tmp_path, tokenizer, space), "SD105")
    assert "`no ." in said and "becomes `no." in said


def test_a_first_space_that_decoding_drops(tmp_path: Path) -> None:
    """A tokenizer that takes the first space for its own gives traces back without theirs."""
    space = statelang.loads('start : a\n/// Stop.\na : " NO\\n"\n')
    said = message(examined(tmp_path, wrapped(sentencepiece("first")), space), "SD105")
    assert said.endswith("` NO\\n` becomes `NO\\n`")
