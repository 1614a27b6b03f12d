"""A tokenizer's vocabulary as bytes: what each token writes, and which end a text."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from attrs import field, frozen

from statelang.diagnostics import StatelangError
from statelang.engine.trie import Trie

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@frozen(eq=False, slots=False)
class Vocabulary:
    """Tokens by id as bytes (empty for a token that writes nothing), and the stop tokens.

    Args:
        tokens: The bytes of each token; a special token is empty.
        stops: Ids of the tokens that end a text.
        tokenizer: Writes a text as the model was trained to read it; needed for forced text alone.
    """

    tokens: tuple[bytes, ...]
    stops: frozenset[int]
    tokenizer: Any = field(default=None, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Vocabulary, (self.tokens, self.stops, self.tokenizer)

    @classmethod
    def from_tokenizer(cls, tokenizer: Any, stops: Iterable[int] = ()) -> Vocabulary:
        """The vocabulary of a `transformers` tokenizer.

        Args:
            tokenizer: A fast tokenizer of `transformers`.
            stops: More stop tokens, beside the tokenizer's own.

        Raises:
            StatelangError: the tokenizer has no stop token, or is of a kind whose tokens cannot be
                read as bytes.
        """
        own = tokenizer.eos_token_id
        found = frozenset([*([own] if own is not None else []), *stops])
        if not found:
            raise StatelangError(
                "the tokenizer has no stop token, so a trace could not end; set "
                "`tokenizer.eos_token` to a token of the vocabulary"
            )
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise StatelangError(
                f"`{type(tokenizer).__name__}` is not a fast tokenizer, so its tokens cannot be "
                "read as bytes; load it with `AutoTokenizer.from_pretrained(..., use_fast=True)`"
            )
        state = json.loads(backend.to_str())
        vocabulary = tokenizer.get_vocab()
        size = max(vocabulary.values()) + 1
        spelled = _speller(state)
        added = {t["id"]: t for t in state.get("added_tokens", [])}
        tokens = [b""] * size
        for token, index in vocabulary.items():
            if index in added:
                tokens[index] = b"" if added[index]["special"] else added[index]["content"].encode()
            else:
                tokens[index] = spelled(token)
        for index in found:
            if index < size:
                tokens[index] = b""
        return cls(tuple(tokens), found, tokenizer)

    @classmethod
    def cached(
        cls, tokenizer: Any, stops: Iterable[int] = (), folder: Path | str | None = None
    ) -> Vocabulary:
        """The same, from a file where one has been written for this tokenizer: reading it takes a
        tenth of the time.

        Args:
            tokenizer: A fast tokenizer of `transformers`.
            stops: More stop tokens, beside the tokenizer's own.
            folder: Where the files are; the user's cache folder if None.

        Raises:
            StatelangError: as `from_tokenizer`.
        """
        if folder is None:
            from platformdirs import user_cache_path

            folder = user_cache_path("statelang")
        file = Path(folder) / f"{_identity(tokenizer, stops)}.npz"
        with suppress(OSError, ValueError, KeyError, BadZipFile):
            return cls.load(file, tokenizer)
        vocabulary = cls.from_tokenizer(tokenizer, stops)
        vocabulary.save(file)
        return vocabulary

    def save(self, file: Path | str) -> None:
        """Write the tokens and their tables to a file, whole or not at all."""
        file = Path(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        trie = self.trie
        with NamedTemporaryFile(dir=file.parent, delete=False) as beside:
            np.savez(
                beside,
                tokens=np.frombuffer(b"".join(self.tokens), np.uint8),
                lengths=np.array(self.lengths, np.int32),
                stops=np.array(sorted(self.stops), np.int64),
                labels=trie.labels,
                first=trie.first,
                held=trie.held,
                ids=trie.ids,
                hash=np.array(self.hash),
            )
        os.replace(beside.name, file)

    @classmethod
    def load(cls, file: Path | str, tokenizer: Any = None) -> Vocabulary:
        """Read what `save` wrote. Raises OSError, and ValueError where it is something else."""
        with np.load(file, allow_pickle=False) as saved:
            data, ends = saved["tokens"].tobytes(), np.cumsum(saved["lengths"]).tolist()
            tokens = tuple(data[a:b] for a, b in zip([0, *ends], ends, strict=False))
            result = cls(tokens, frozenset(saved["stops"].tolist()), tokenizer)
            if str(saved["hash"]) != result.hash:
                raise ValueError(f"{file} is damaged: its tokens are not those that were saved")
            trie = Trie(saved["labels"], saved["first"], saved["held"], saved["ids"])
            result.__dict__["trie"] = trie  # where the cached property keeps it
        return result

    @cached_property
    def trie(self) -> Trie:
        """The tokens by their bytes."""
        return Trie.of(self.tokens)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the tokens and the stop tokens, in hexadecimal."""
        result = sha256(repr(sorted(self.stops)).encode())
        result.update(repr(self.lengths).encode())
        result.update(b"".join(self.tokens))
        return result.hexdigest()

    @cached_property
    def lengths(self) -> list[int]:
        """Bytes of each token."""
        return list(map(len, self.tokens))

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest token."""
        return max(self.lengths, default=0)

    @cached_property
    def alphabet(self) -> int:
        """The bytes that have a token of their own, as a 256-bit set."""
        result = 0
        for token in self.tokens:
            if len(token) == 1:
                result |= 1 << token[0]
        return result

    def fewest(self, text: bytes) -> int:
        """The least number of tokens that spell `text`. Raises StatelangError where none do."""
        trie = self.trie
        far = len(text) + 1
        best = [0, *([far] * len(text))]
        for start in range(len(text)):
            if best[start] == far:
                continue
            node, cost = 0, best[start] + 1
            for end in range(start, len(text)):
                node = trie.child(node, text[end])
                if node < 0:
                    break
                if cost < best[end + 1] and trie.spells(node):
                    best[end + 1] = cost
        if best[-1] == far and text:
            raise StatelangError(
                f"the tokenizer has no tokens for `{text[:40].decode(errors='replace')}`"
            )
        return best[-1]

    def encode(self, text: bytes) -> list[int]:
        """A text as the tokenizer writes it; without one, or where it writes another text, by the
        longest token at each place. What no token writes ends it."""
        if self.tokenizer is not None:
            found = self.tokenizer.encode(text.decode(errors="ignore"), add_special_tokens=False)
            if text.startswith(self.decode(found)):
                return list(found)
        result: list[int] = []
        at = 0
        while at < len(text):
            node, longest = 0, -1
            for end in range(at, len(text)):
                node = self.trie.child(node, text[end])
                if node < 0:
                    break
                if self.trie.spells(node):
                    longest = self.trie.tokens(node)[0]
            if longest < 0:
                break
            result.append(longest)
            at += self.lengths[longest]
        return result

    def decode(self, ids: Sequence[int]) -> bytes:
        """What a sequence of tokens writes."""
        return b"".join(self.tokens[i] for i in ids if i < len(self.tokens))


def _identity(tokenizer: Any, stops: Iterable[int]) -> str:
    """SHA-256 of all that a tokenizer's vocabulary is made from, in hexadecimal."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    state = "" if backend is None else backend.to_str()
    return sha256(repr((state, tokenizer.eos_token_id, sorted(set(stops)))).encode()).hexdigest()


def _byte_level() -> dict[str, int]:
    """The printable stand-ins of GPT-2's byte-level tokenizers."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    result = {chr(b): b for b in printable}
    for extra, byte in enumerate(b for b in range(256) if b not in printable):
        result[chr(256 + extra)] = byte
    return result


_BYTE_LEVEL: Final = _byte_level()


def _kinds(part: Any) -> list[dict[str, Any]]:
    """The steps of a decoder or pre-tokenizer, flat."""
    if not part:
        return []
    inner = part.get("decoders") or part.get("pretokenizers") or part.get("normalizers")
    return [step for item in inner for step in _kinds(item)] if inner else [part]


def _speller(state: dict[str, Any]) -> Any:
    """How this kind of tokenizer writes bytes in its tokens."""
    steps = _kinds(state.get("decoder")) + _kinds(state.get("pre_tokenizer"))
    names = {step["type"] for step in steps}
    kind = state.get("model", {}).get("type")
    if "ByteLevel" in names:
        return _from_byte_level
    spaces = [s for s in steps if s["type"] == "Metaspace"]
    replaced = any(
        s["type"] == "Replace" and s.get("content") == " " for s in _kinds(state.get("decoder"))
    )
    if spaces or replaced or "ByteFallback" in names:
        return _from_metaspace
    if kind == "WordPiece":
        raise StatelangError(
            "a WordPiece tokenizer does not keep white space, so a trace cannot be written with "
            "it; use a model with a byte-level or SentencePiece tokenizer"
        )
    return str.encode


def _from_byte_level(token: str) -> bytes:
    try:
        return bytes(_BYTE_LEVEL[char] for char in token)
    except KeyError:
        return token.encode()


def _from_metaspace(token: str) -> bytes:
    match = _BYTE_TOKEN.fullmatch(token)
    if match:
        return bytes((int(match[1], 16),))
    return token.replace("▁", " ").encode()
