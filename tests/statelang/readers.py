"""Real readers of other notations: each takes an exported text and gives a test of traces."""

from __future__ import annotations

import ctypes
import re
import tempfile
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pytest

Matches = Callable[[str], bool]


def lalr(text: str) -> Matches:
    """Lark's LALR reader."""
    return _lark(text, "lalr")


def earley(text: str) -> Matches:
    """Lark's Earley reader."""
    return _lark(text, "earley")


def _lark(text: str, parser: Any) -> Matches:
    from lark import Lark
    from lark.exceptions import UnexpectedInput

    grammar = Lark(text, parser=parser)

    def matches(trace: str) -> bool:
        try:
            grammar.parse(trace)
        except UnexpectedInput:
            return False
        return True

    return matches


def llguidance_lark(text: str) -> Matches:
    """llguidance, the text read as Lark."""
    return _llguidance(text, "lark")


def llguidance_gbnf(text: str) -> Matches:
    """llguidance, the text read as GBNF."""
    return _llguidance(text, "gbnf")


def llguidance_matcher(text: str, form: Any = "lark") -> Any:
    """llguidance's matcher over single bytes."""
    from llguidance import LLMatcher, grammar_from

    grammar = grammar_from(form, text)
    found: str = LLMatcher.validate_grammar(grammar, _bytes_for_llguidance())
    assert not found, found
    return LLMatcher(_bytes_for_llguidance(), grammar, log_level=0)


def _llguidance(text: str, form: Any) -> Matches:
    matcher = llguidance_matcher(text, form)

    def matches(trace: str) -> bool:
        one = matcher.deep_copy()
        data = list(trace.encode())
        return bool(one.try_consume_tokens(data) == len(data) and one.is_accepting())

    return matches


@cache
def _bytes_for_llguidance() -> Any:
    from llguidance import LLTokenizer
    from llguidance._tokenizer import TokenizerWrapper

    class Bytes:
        eos_token_id = 256
        bos_token_id = None
        tokens = (*(bytes((byte,)) for byte in range(256)), b"<stop>")
        special_token_ids = (256,)

        def __call__(self, text: str | bytes) -> list[int]:
            return list(text.encode() if isinstance(text, str) else text)

    return LLTokenizer(TokenizerWrapper(Bytes()))


def xgrammar_lark(text: str) -> Matches:
    """xgrammar, the text read as Lark."""
    import xgrammar

    return _xgrammar(xgrammar.Grammar.from_lark(text))


def xgrammar_ebnf(text: str) -> Matches:
    """xgrammar, the text read as EBNF."""
    import xgrammar

    return _xgrammar(xgrammar.Grammar.from_ebnf(text))


def _xgrammar(grammar: Any) -> Matches:
    import xgrammar

    vocabulary = [*(bytes((byte,)) for byte in range(256)), b"<stop>"]
    tokens = xgrammar.TokenizerInfo(vocabulary, xgrammar.VocabType.RAW, stop_token_ids=[256])
    compiled = xgrammar.GrammarCompiler(tokens, max_threads=1).compile_grammar(grammar)
    matcher = xgrammar.GrammarMatcher(compiled)

    def matches(trace: str) -> bool:
        matcher.reset()
        return bool(matcher.accept_string(trace.encode()) and matcher.accept_token(256))

    return matches


def llama_cpp(text: str) -> Matches:
    """llama.cpp's own grammar sampler over a vocabulary of single bytes."""
    lib = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    vocabulary = _bytes_for_llama_cpp()
    first = lib.llama_sampler_init_grammar(vocabulary, text.encode(), b"root")
    assert first, "llama.cpp refuses the grammar"
    stop, byte = 2, 3  # as the vocabulary below has them

    def matches(trace: str) -> bool:
        sampler = lib.llama_sampler_clone(first)
        try:
            for token in (*(byte + b for b in trace.encode()), stop):
                row = lib.llama_token_data(id=token, logit=0.0, p=0.0)
                rows = lib.llama_token_data_array(
                    data=ctypes.pointer(row), size=1, selected=-1, sorted=False
                )
                lib.llama_sampler_apply(sampler, ctypes.byref(rows))
                if row.logit < -1e30:
                    return False
                if token != stop:
                    lib.llama_sampler_accept(sampler, token)
        finally:
            lib.llama_sampler_free(sampler)
        return True

    return matches


@cache
def _bytes_for_llama_cpp() -> Any:
    gguf = pytest.importorskip("gguf", reason="gguf is not installed")
    import llama_cpp as lib

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bytes.gguf"
        writer = gguf.GGUFWriter(file, "llama")
        writer.add_context_length(8)
        writer.add_embedding_length(8)
        writer.add_block_count(1)
        writer.add_feed_forward_length(8)
        writer.add_head_count(1)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_tokenizer_model("llama")
        writer.add_token_list(
            [b"<unk>", b"<s>", b"</s>", *(f"<0x{b:02X}>".encode() for b in range(256))]
        )
        writer.add_token_scores([0.0] * 259)
        writer.add_token_types([2, 3, 3, *[6] * 256])  # unknown, control, control, bytes
        writer.add_unk_token_id(0)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        lib.llama_backend_init()
        lib.llama_log_set(_quiet(lib), ctypes.c_void_p(0))
        settings = lib.llama_model_default_params()
        settings.vocab_only = True
        model = lib.llama_model_load_from_file(str(file).encode(), settings)
    return lib.llama_model_get_vocab(model)


@lru_cache(maxsize=1)
def _quiet(lib: Any) -> Any:
    """A log that says nothing; kept for as long as llama.cpp may call it."""
    return lib.llama_log_callback(lambda level, text, data: None)


def python_re(text: str) -> Matches:
    """Python's `re`."""
    pattern = re.compile(text.removesuffix("\n"))
    return lambda trace: pattern.fullmatch(trace) is not None


def outlines_core(text: str) -> Matches:
    """outlines-core's Index over single bytes."""
    from outlines_core import Guide, Index, Vocabulary

    vocabulary = Vocabulary(256, {bytes((byte,)): [byte] for byte in range(256)})
    index = Index(text.removesuffix("\n"), vocabulary)

    def matches(trace: str) -> bool:
        guide = Guide(index)
        for byte in trace.encode():
            if byte not in guide.get_tokens():
                return False
            guide.advance(byte)
        return bool(guide.is_finished())

    return matches
