"""What the tokens of a tokenizer write, read off its decoder.

A decoder of the library `tokenizers` is a chain of steps from the tokens of a text to the text.
Here are those that keep every token's text in one piece, wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any, Final

from statelang.diagnostics import StatelangError

Step = Callable[[str], str | bytes]

_BYTE_TOKEN: Final = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SAMPLES: Final = 64
_LOSES_SPACE: Final = "does not keep the white space between its tokens"


def _byte_level() -> dict[str, int]:
    """The printable stand-ins of GPT-2's byte-level tokenizers."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    result = {chr(b): b for b in printable}
    for extra, byte in enumerate(b for b in range(256) if b not in printable):
        result[chr(256 + extra)] = byte
    return result


_BYTE_LEVEL: Final = _byte_level()


def speller(state: dict[str, Any]) -> Callable[[str], bytes]:
    """How a tokenizer writes a token, inside a text.

    Args:
        state: The tokenizer, as `tokenizers` writes it to a file.

    Raises:
        StatelangError: its decoder has a step after which a token is not one piece of text.
    """
    found = [_step(part) for part in _flat(state.get("decoder"))]
    if not found:
        raise _refused("no decoder", "writes spaces between its tokens")
    return partial(_spelled, [step for step in found if step is not None])


def _spelled(steps: Sequence[Step], token: str) -> bytes:
    written: str | bytes = token
    for step in steps:
        if isinstance(written, bytes):
            return written
        written = step(written)
    return written.encode() if isinstance(written, str) else written


def _flat(part: Any) -> list[dict[str, Any]]:
    """The steps of a decoder, in order."""
    if not part:
        return []
    inner = part.get("decoders")
    return [step for item in inner for step in _flat(item)] if inner is not None else [part]


def _step(part: dict[str, Any]) -> Step | None:
    """What a step makes of one token; None where it only acts on the ends of a text."""
    match part:
        case {"type": "ByteLevel"}:
            return _from_byte_level
        case {"type": "ByteFallback"}:
            return _from_fallback
        case {"type": "Metaspace", "replacement": space}:
            return partial(_replaced, space, " ")
        case {"type": "Replace", "pattern": {"String": old}, "content": new}:
            return partial(_replaced, old, new)
        case {"type": "Fuse" | "Strip"}:
            return None
        case {"type": "WordPiece" | "BPEDecoder" | "CTC" as kind}:
            raise _refused(f"a {kind} decoder", _LOSES_SPACE)
    kind = part.get("type")
    raise _refused(f"a decoder of type {kind}", "may write a token in several ways")


def _refused(what: str, why: str) -> StatelangError:
    return StatelangError(
        f"a tokenizer with {what} {why}, so a trace cannot be written with it as it stands; use a "
        "model with a byte-level or SentencePiece tokenizer, or give the bytes of each token to "
        "`Vocabulary(tokens, stops)`"
    )


def _from_byte_level(token: str) -> bytes:
    try:
        return bytes(_BYTE_LEVEL[char] for char in token)
    except KeyError:  # an added token, as it stands
        return token.encode()


def _from_fallback(token: str) -> str | bytes:
    match = _BYTE_TOKEN.fullmatch(token)
    return bytes((int(match[1], 16),)) if match else token


def _replaced(old: str, new: str, token: str) -> str:
    return token.replace(old, new)


def confirm(decode: Callable[[list[int]], str], tokens: Sequence[bytes]) -> None:
    """Compare the bytes of tokens with what the tokenizer writes after another token, on a sample.

    Args:
        decode: The tokenizer's own.
        tokens: The bytes of each token.

    Raises:
        StatelangError: they differ.
    """
    chance = Random(0)
    whole = [index for index, token in enumerate(tokens) if _is_text(token)]
    for _ in range(_SAMPLES if whole else 0):
        first, *ids = chance.choices(whole, k=6)
        due = b"".join(tokens[i] for i in ids).decode()
        before, found = decode([first]), decode([first, *ids])
        if found != before + due:
            raise StatelangError(
                f"the tokenizer writes {found!r} for its tokens {[first, *ids]}, and its parts say "
                f"{before + due!r}: it changes text as it decodes, so a trace cannot be written "
                "with it; use another tokenizer, or give the bytes of each token to "
                "`Vocabulary(tokens, stops)`"
            )


def _is_text(token: bytes) -> bool:
    try:
        return bool(token.decode())
    except UnicodeDecodeError:
        return False
