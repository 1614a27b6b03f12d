"""Every reader of Lark notation, as a function from a grammar to `reads(text) -> bool`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import llguidance
import outlines
import xgrammar
from lark import Lark
from lark.exceptions import LarkError
from llguidance import LLMatcher, LLTokenizer

from statelang import loads
from statelang.walking.machine import Machine

Reads = Callable[[str], bool]


def ours(grammar: str) -> Reads:
    """Our machine, without contracts."""
    machine = Machine(loads(grammar), contracts=False)

    def reads(text: str) -> bool:
        at = machine.advance(machine.start(), text.encode())
        return at is not None and machine.ends(at) is not None

    return reads


def _lark(grammar: str, **options: Any) -> Reads:
    parser = Lark(grammar, **options)

    def reads(text: str) -> bool:
        try:
            parser.parse(text)
        except LarkError:
            return False
        return True

    return reads


def lalr(grammar: str) -> Reads:
    """Lark's LALR reader with its contextual lexer."""
    return _lark(grammar, parser="lalr")


def earley(grammar: str) -> Reads:
    """Lark's Earley reader."""
    return _lark(grammar, parser="earley")


class _Bytes:
    """A tokenizer of single bytes, as llguidance wants it."""

    eos_token_id = 256
    bos_token_id = None
    tokens: Final = [*(bytes((byte,)) for byte in range(256)), b"<eos>"]
    special_token_ids: Final = [256]

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


@cache
def _tokenizer() -> LLTokenizer:
    return LLTokenizer(llguidance.TokenizerWrapper(_Bytes()))


def guidance(grammar: str) -> Reads:
    """llguidance on bytes."""
    matcher = LLMatcher(_tokenizer(), LLMatcher.grammar_from_lark(grammar))
    if matcher.is_error():
        raise ValueError(matcher.get_error())

    def reads(text: str) -> bool:
        walk = matcher.deep_copy()
        data = list(text.encode())
        return walk.try_consume_tokens(data) == len(data) and walk.is_accepting()

    return reads


def outlines_cfg(grammar: str) -> Reads:
    """The definition that `outlines.types.CFG` hands to its backend, read by it."""
    return guidance(outlines.types.CFG(grammar).definition)


@cache
def _compiler() -> Any:
    vocabulary = [bytes((byte,)) for byte in range(256)] + [b"</s>"]
    info = xgrammar.TokenizerInfo(vocabulary, xgrammar.VocabType.RAW, stop_token_ids=[256])
    return xgrammar.GrammarCompiler(info, cache_enabled=False)


def xgrammar_lark(grammar: str) -> Reads:
    """xgrammar's own Lark reader."""
    compiled = _compiler().compile_lark(grammar)

    def reads(text: str) -> bool:
        matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=False)
        return bool(matcher.accept_string(text.encode())) and bool(matcher.is_completed())

    return reads


READERS: Final[dict[str, Callable[[str], Reads]]] = {
    "statelang": ours,
    "Lark LALR": lalr,
    "Lark Earley": earley,
    "llguidance": guidance,
    "outlines CFG": outlines_cfg,
    "xgrammar": xgrammar_lark,
}
