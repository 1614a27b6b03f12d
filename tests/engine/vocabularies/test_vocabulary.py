"""Vocabularies: what each token writes, for every kind of tokenizer that keeps all text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models

from statelang.diagnostics import StatelangError
from statelang.engine.vocabularies.vocabulary import Vocabulary
from tests.engine.tokenizers import TEXTS, byte_level, metaspace, words, wrapped


@pytest.fixture(scope="module")
def level() -> Any:
    """A byte-level tokenizer with added tokens, special and not."""
    tokenizer = byte_level()
    tokenizer.add_tokens(
        [AddedToken("<solve>", normalized=False), AddedToken("→", normalized=False)]
    )
    tokenizer.add_special_tokens([AddedToken("<|turn|>", special=True)])
    return wrapped(tokenizer, pad_token="<pad>")


def spelled_as_decoded(tokenizer: Any, vocabulary: Vocabulary) -> Iterator[tuple[int, bytes, str]]:
    """Each token that the tokenizer decodes to whole characters, with our bytes."""
    for index, token in enumerate(vocabulary.tokens):
        text = tokenizer.decode([index], skip_special_tokens=True)
        if "\ufffd" not in text:
            yield index, token, text


@pytest.mark.parametrize("split", ["", r"\p{N}| ?\p{L}+|\s|[^\s\p{L}\p{N}]+"])
@given(text=st.text(max_size=40) | st.sampled_from(TEXTS))
def test_byte_level_tokens_write_the_text(split: str, text: str) -> None:
    """The bytes of the tokens of a text are the bytes of the text, whatever it holds."""
    tokenizer = _levels(split)
    vocabulary = Vocabulary.from_tokenizer(tokenizer)
    ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    assert vocabulary.decode(ids) == text.encode()


_known: dict[str, Any] = {}


def _levels(split: str) -> Any:
    if split not in _known:
        _known[split] = wrapped(byte_level(split=split), pad_token="<pad>")
    return _known[split]


def test_every_byte_has_a_token_of_its_own(level: Any) -> None:
    """A byte-level vocabulary can write anything."""
    vocabulary = Vocabulary.from_tokenizer(level)
    assert vocabulary.alphabet == (1 << 256) - 1
    assert vocabulary.longest == max(map(len, vocabulary.tokens)) >= 7


def test_added_tokens_are_their_text_and_special_ones_write_nothing(level: Any) -> None:
    """An added token is text as it stands, not in the stand-ins of bytes; a special one is none."""
    vocabulary = Vocabulary.from_tokenizer(level)
    ids = level.get_vocab()
    assert vocabulary.tokens[ids["<solve>"]] == b"<solve>"
    assert vocabulary.tokens[ids["→"]] == "→".encode()
    for special in ("<|turn|>", "<pad>", "</s>"):
        assert vocabulary.tokens[ids[special]] == b""
    assert vocabulary.stops == {ids["</s>"]}


def test_tokens_are_what_the_tokenizer_decodes(level: Any) -> None:
    """Wherever a token is whole characters, our bytes are what the tokenizer decodes it to."""
    vocabulary = Vocabulary.from_tokenizer(level)
    checked = 0
    for _, token, text in spelled_as_decoded(level, vocabulary):
        assert token.decode() == text
        checked += 1
    assert checked > 200


@pytest.mark.parametrize("replaced", [False, True])
@given(text=st.text(max_size=20) | st.sampled_from(["Tom = 5\n", " Tom  =Zoë", "<0x41>"]))
def test_metaspace_tokens_write_the_text(replaced: bool, text: str) -> None:
    """A SentencePiece-like vocabulary: `▁` is a space, `<0x0A>` a byte."""
    tokenizer = wrapped(metaspace(replaced=replaced), unk_token="<unk>", bos_token="<s>")
    vocabulary = Vocabulary.from_tokenizer(tokenizer)
    if "▁" in text:
        return  # the tokenizer itself reads it as a space
    ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    assert vocabulary.decode(ids) == text.encode()
    assert vocabulary.tokens[tokenizer.get_vocab()["▁Tom"]] == b" Tom"
    assert vocabulary.tokens[tokenizer.get_vocab()["<0x0A>"]] == b"\n"
    assert vocabulary.tokens[tokenizer.get_vocab()["<s>"]] == b""


def test_words_are_written_as_they_stand() -> None:
    """A word-level vocabulary writes its words and nothing between them."""
    tokenizer = wrapped(words(), unk_token="<unk>")
    vocabulary = Vocabulary.from_tokenizer(tokenizer)
    assert vocabulary.tokens[:5] == (b"", b"", b"Tom", b"=", b" ")
    ids = tokenizer.encode("Tom = Tom", add_special_tokens=False)
    assert vocabulary.decode(ids) == b"Tom = Tom"


def test_a_hole_in_the_ids_writes_nothing() -> None:
    """Ids without a token are there, and are never text."""
    tokenizer = Tokenizer(models.WordLevel({"</s>": 0, "<unk>": 1, "a": 5}, "<unk>"))
    tokenizer.decoder = decoders.Fuse()
    vocabulary = Vocabulary.from_tokenizer(wrapped(tokenizer, unk_token="<unk>"))
    assert vocabulary.tokens == (b"", b"", b"", b"", b"", b"a")


def test_more_stop_tokens_join_the_tokenizers_own(level: Any) -> None:
    """A model may end a text by tokens that its tokenizer does not name."""
    turn = level.get_vocab()["<|turn|>"]
    assert Vocabulary.from_tokenizer(level, [turn]).stops == {level.eos_token_id, turn}
    tokenizer = wrapped(byte_level(), eos_token=None)
    assert Vocabulary.from_tokenizer(tokenizer, [300]).tokens[300] == b""


def test_a_tokenizer_without_a_stop_token_is_refused() -> None:
    """Without a stop token no trace could end."""
    with pytest.raises(StatelangError, match="has no stop token"):
        Vocabulary.from_tokenizer(wrapped(byte_level(), eos_token=None))


def test_a_slow_tokenizer_is_refused() -> None:
    """A tokenizer whose tokens cannot be read as bytes is named, with a next step."""

    class Slow:
        eos_token_id = 1

    with pytest.raises(StatelangError, match="`Slow` is not a fast tokenizer"):
        Vocabulary.from_tokenizer(Slow())


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=12), st.binary(max_size=6))
def test_the_fewest_tokens_of_a_text(tokens: list[bytes], text: bytes) -> None:
    """`fewest` is the least number of tokens whose bytes, joined, are the text."""
    vocabulary = Vocabulary((b"", *tokens), frozenset({0}))
    reached = {0: 0}
    for end in range(1, len(text) + 1):
        ways = [
            reached[end - len(token)] + 1
            for token in tokens
            if end - len(token) in reached and text[:end].endswith(token)
        ]
        if ways:
            reached[end] = min(ways)
    if len(text) in reached:
        assert vocabulary.fewest(text) == reached[len(text)]
    else:
        with pytest.raises(StatelangError, match="has no tokens for"):
            vocabulary.fewest(text)


@given(st.lists(st.binary(max_size=3), max_size=12))
def test_the_trie_holds_each_token_once(tokens: list[bytes]) -> None:
    """Every token that writes something is found along its bytes; the others nowhere."""
    trie = Vocabulary(tuple(tokens), frozenset({0})).trie
    found: dict[int, bytes] = {}
    todo = [(0, b"")]
    while todo:
        node, written = todo.pop()
        for token in trie.tokens(node):
            assert token not in found
            found[token] = written
        for byte in range(256):
            child = trie.child(node, byte)
            if child >= 0:
                todo.append((child, written + bytes((byte,))))
    assert found == {index: token for index, token in enumerate(tokens) if token}


def test_a_vocabulary_is_saved_and_loaded(level: Any, tmp_path: Path) -> None:
    """What is loaded is what was saved, its tables with it; a damaged file is refused."""
    vocabulary = Vocabulary.from_tokenizer(level)
    vocabulary.save(tmp_path / "new" / "v.npz")
    loaded = Vocabulary.load(tmp_path / "new" / "v.npz")
    assert (loaded.tokens, loaded.stops, loaded.hash) == (
        vocabulary.tokens,
        vocabulary.stops,
        vocabulary.hash,
    )
    assert (loaded.trie.labels == vocabulary.trie.labels).all()
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["v.npz"]
    other = Vocabulary((b"", b"a"), frozenset({0}))
    other.__dict__["hash"] = vocabulary.hash
    other.save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="is damaged"):
        Vocabulary.load(tmp_path / "other.npz")


def test_a_cached_vocabulary_is_that_of_its_tokenizer(level: Any, tmp_path: Path) -> None:
    """The second time a tokenizer is read from the cache; another one is not; nor is rubbish."""
    first = Vocabulary.cached(level, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    assert Vocabulary.cached(level, folder=tmp_path).tokens == first.tokens
    assert Vocabulary.cached(level, [5], folder=tmp_path).stops == first.stops | {5}
    assert len(list(tmp_path.iterdir())) == 2
    file.write_bytes(b"rubbish")
    assert Vocabulary.cached(level, folder=tmp_path).tokens == first.tokens


@given(st.lists(st.binary(max_size=3), max_size=12), st.binary(max_size=6))
def test_without_a_tokenizer_a_text_is_the_longest_tokens(tokens: list[bytes], text: bytes) -> None:
    """Encoding stops where no token fits; what has been encoded decodes to the text before."""
    vocabulary = Vocabulary((b"", *tokens), frozenset({0}))
    ids = vocabulary.encode(text)
    written = vocabulary.decode(ids)
    assert text.startswith(written)
    left = text
    for index in ids:
        fitting = [token for token in tokens if token and left.startswith(token)]
        assert vocabulary.tokens[index] == max(fitting, key=len)
        left = left[len(vocabulary.tokens[index]) :]
    assert not any(token and left.startswith(token) for token in tokens)
