"""What tokens write: for every kind of tokenizer, what the tokenizer itself decodes them to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models

from statelang.diagnostics import StatelangError
from statelang.engine.vocabularies.vocabulary import Vocabulary
from tests.engine.tokenizers import KINDS, TEXTS, byte_level, metaspace, of_kind, wrapped


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_tokens_write_what_the_tokenizer_decodes(kind: str, data: st.DataObject) -> None:
    """After any token, the bytes of tokens joined are what the tokenizer makes of them."""
    tokenizer, vocabulary = of_kind(kind)
    writing = [index for index, token in enumerate(vocabulary.tokens) if token]
    first = data.draw(st.sampled_from([i for i in writing if vocabulary.tokens[i].isascii()]))
    ids = data.draw(st.lists(st.sampled_from(writing), max_size=12))
    try:
        due = vocabulary.decode(ids).decode()
    except UnicodeDecodeError:
        return  # what stands for bytes that are no text is the decoder's own affair
    before = tokenizer.decode([first])
    assert tokenizer.decode([first, *ids]) == before + due


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(max_size=20) | st.sampled_from([*TEXTS, "<solve>", " 5", "Tom = 12", "→ é é"]))
def test_encoded_texts_are_written_back(kind: str, text: str) -> None:
    """The tokens of a text write it and nothing before it; where pieces lack, its beginning."""
    _, vocabulary = of_kind(kind)
    written = vocabulary.decode(vocabulary.encode(text.encode()))
    assert text.encode().startswith(written)
    if vocabulary.alphabet == (1 << 256) - 1:
        assert written == text.encode()


@pytest.mark.parametrize("kind", ["llama 2", "mistral", "metaspace", "byte-level, space first"])
def test_a_text_is_encoded_as_inside_another(kind: str) -> None:
    """No space is put before forced text, and its pieces are the tokenizer's own."""
    tokenizer, vocabulary = of_kind(kind)
    found = vocabulary.encode(b"Tom = 5\n")
    assert b"Tom = 5\n" == vocabulary.decode(found)
    whole = tokenizer.encode("\nTom = 5\n", add_special_tokens=False)
    assert whole[-len(found) :] == found


@pytest.mark.parametrize("kind", KINDS)
def test_added_tokens_that_are_text_write_their_text(kind: str) -> None:
    """Whatever the tokenizer strips around them when it reads; special ones write nothing."""
    tokenizer, vocabulary = of_kind(kind)
    for added in ("<solve>", "</solve>", "→ é", "12"):
        index = tokenizer.convert_tokens_to_ids(added)
        # Llama 2 puts its space before those that are normalized, as before a text.
        space = " " if kind == "llama 2" and added in ("</solve>", "12") else ""
        assert (space + added).encode() == vocabulary.tokens[index]
    assert b"" == vocabulary.tokens[tokenizer.convert_tokens_to_ids("<|turn|>")]


REFUSED: dict[str, tuple[Any, str]] = {
    "WordPiece": (decoders.WordPiece(), "WordPiece decoder does not keep the white space"),
    "word ends": (decoders.BPEDecoder("</w>"), "BPEDecoder decoder does not keep the white space"),
    "speech": (decoders.CTC(), "CTC decoder does not keep the white space"),
    "a pattern": (decoders.Replace(Regex("a+"), ""), "decoder of type Replace"),
    "none": (None, "no decoder writes spaces between its tokens"),
    "each token stripped": (
        decoders.Sequence([decoders.Strip(" ", 1, 1), decoders.Fuse()]),
        "changes text as it decodes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_keep_text_is_refused_by_name(name: str) -> None:
    """A decoder that loses or changes text between tokens."""
    decoder, message = REFUSED[name]
    tokenizer = Tokenizer(models.WordLevel({"</s>": 0, "a": 1, " b": 2, "c ": 3}, "</s>"))
    if decoder is not None:
        tokenizer.decoder = decoder
    with pytest.raises(StatelangError, match=message):
        Vocabulary.from_tokenizer(wrapped(tokenizer))


def test_an_end_that_the_tokenizer_does_not_have_is_refused() -> None:
    """Of several stop tokens one must be among the tokens; the others are left alone."""
    tokenizer = wrapped(byte_level(), eos_token=None)
    with pytest.raises(StatelangError, match=r"stop tokens \[5000\] are not among the"):
        Vocabulary.from_tokenizer(tokenizer, [5_000])
    assert frozenset({5_000, 300}) == Vocabulary.from_tokenizer(tokenizer, [5_000, 300]).stops


def test_spellings_may_be_shared() -> None:
    """`A` and the byte `<0x41>` write the same; both are there."""
    backend = metaspace()
    tokenizer = wrapped(backend)
    vocabulary = Vocabulary.from_tokenizer(tokenizer)
    ids = tokenizer.get_vocab()
    assert b"T" == vocabulary.tokens[ids["T"]] == vocabulary.tokens[ids["<0x54>"]]
    assert len(vocabulary.trie.tokens(vocabulary.trie.child(0, ord("T")))) == 2
