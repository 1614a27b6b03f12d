"""A tokenizer's vocabulary as bytes: what each token writes, and which end a text."""

from __future__ import annotations

import json
import os
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
from statelang.engine.vocabularies.decoders import confirm, speller
from statelang.engine.vocabularies.trie import Trie

_INSIDE: Final = ("", "\n", "a")  # before a text, so that its beginning is read as inside one
_READING: Final = 2  # changed when tokens are read otherwise, so that no older file is taken


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

        A token writes what it adds inside a text. Tokenizers of the SentencePiece kind leave out a
        space at the beginning of a text; a trace follows a prompt, so its first token keeps it.

        Args:
            tokenizer: A fast tokenizer of `transformers`.
            stops: More stop tokens, beside the tokenizer's own.

        Raises:
            StatelangError: the tokenizer has no stop token, or is of a kind whose tokens cannot be
                read as bytes, or writes something else than they say.
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
                "read as bytes; load it with `AutoTokenizer.from_pretrained(..., use_fast=True)`, "
                "or give the bytes of each token to `Vocabulary(tokens, stops, tokenizer)`"
            )
        state = json.loads(backend.to_str())
        vocabulary = tokenizer.get_vocab()
        size = max(vocabulary.values()) + 1
        if min(found) >= size:
            raise StatelangError(
                f"the stop tokens {sorted(found)} are not among the {size} tokens of the "
                "tokenizer, so no trace could end; set `tokenizer.eos_token` to one of them"
            )
        spelled = speller(state)
        added = {t["id"]: t["special"] for t in state.get("added_tokens", [])}
        tokens = [b""] * size
        for token, index in vocabulary.items():
            if index in found or added.get(index):
                continue  # a special token writes nothing
            # An added token may be written otherwise than it is named: with a space before it.
            tokens[index] = spelled(backend.id_to_token(index) if index in added else token)
        confirm(backend.decode, tokens)
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
        trie = self.trie
        return sum(1 << byte for byte, node in trie.children(0) if trie.spells(node))

    def fewest(self, text: bytes) -> int:
        """The least number of tokens that spell `text`. Raises StatelangError where none do."""
        return len(self.shortest(text))

    def shortest(self, text: bytes) -> tuple[int, ...]:
        """The fewest tokens that write `text`. Raises StatelangError where none do."""
        trie, size = self.trie, len(text)
        far = size + 1
        counts = [0, *([far] * size)]
        lasts = [0] * (size + 1)  # the token that ends here
        for start in range(size):
            if counts[start] == far:
                continue
            node, count = 0, counts[start] + 1
            for end in range(start + 1, size + 1):
                node = trie.child(node, text[end - 1])
                if node < 0:
                    break
                if count < counts[end] and trie.spells(node):
                    counts[end], lasts[end] = count, trie.tokens(node)[0]
        if size and counts[-1] == far:
            raise StatelangError(
                f"the tokenizer has no tokens for `{text[:40].decode(errors='replace')}`"
            )
        found, end = [], size
        while end:
            found.append(lasts[end])
            end -= self.lengths[lasts[end]]
        return tuple(reversed(found))

    def encode(self, text: bytes) -> list[int]:
        """A text as the tokenizer writes it inside another; without one, or where it writes another
        text, by the longest token at each place. What no token writes ends it."""
        if self.tokenizer is not None:
            found = self._encoded(text.decode(errors="ignore"))
            if found is not None and text.startswith(self.decode(found)):
                return found
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

    def _encoded(self, text: str) -> list[int] | None:
        """The tokenizer's own tokens of a text, where they write that text."""
        for before in _INSIDE:
            first, both = (
                list(self.tokenizer.encode(part, add_special_tokens=False)) if part else []
                for part in (before, before + text)
            )
            found = both[len(first) :]
            if both[: len(first)] == first and self.decode(found) == text.encode():
                return found
        return None

    def decode(self, ids: Sequence[int]) -> bytes:
        """What a sequence of tokens writes."""
        return b"".join(self.tokens[i] for i in ids if i < len(self.tokens))


def _identity(tokenizer: Any, stops: Iterable[int]) -> str:
    """SHA-256 of all that a tokenizer's vocabulary is made from, in hexadecimal."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    state = "" if backend is None else backend.to_str()
    return sha256(
        repr((_READING, state, tokenizer.eos_token_id, sorted(set(stops)))).encode()
    ).hexdigest()
