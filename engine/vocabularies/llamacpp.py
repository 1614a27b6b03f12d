"""The vocabulary of a model of llama.cpp (`llama-cpp-python`)."""

from __future__ import annotations

import sys
from typing import Any, Final
from weakref import WeakKeyDictionary

from statelang.diagnostics import StatelangError
from statelang.engine.vocabularies.vocabulary import Vocabulary

_KNOWN: Final = WeakKeyDictionary[Any, Vocabulary]()  # a model holds gigabytes: not kept for this


def is_llama(model: Any) -> bool:
    """Whether something is a `llama_cpp.Llama`."""
    library = sys.modules.get("llama_cpp")  # not loaded, no such model
    return library is not None and isinstance(model, library.Llama)


def vocabulary(model: Any) -> Vocabulary:
    """The tokens of a `llama_cpp.Llama` as it writes them, and those that end its texts.

    Control, unknown and unused tokens write nothing; so do pieces above 32 bytes, which
    `llama-cpp-python` (0.3) leaves out of its texts.

    Raises:
        StatelangError: no token ends a text, or the model drafts: `llama-cpp-python` then shows a
            processor other tokens than those before the one that is drawn.
    """
    if model.draft_model is not None:
        raise StatelangError(
            "a `llama_cpp.Llama` with a `draft_model` cannot be steered, because it does not show "
            "a processor the tokens before the one that is drawn; make it without a `draft_model`"
        )
    if model not in _KNOWN:
        _KNOWN[model] = _read(model)
    return _KNOWN[model]


def _read(model: Any) -> Vocabulary:
    from llama_cpp import llama_vocab_is_eog

    count, handle = model.n_vocab(), model._model.vocab
    stops = frozenset(token for token in range(count) if llama_vocab_is_eog(handle, token))
    tokenizer = getattr(model.tokenizer_, "hf_tokenizer", None)
    if tokenizer is not None:
        return Vocabulary.from_tokenizer(tokenizer, stops)
    if not stops:
        raise StatelangError(
            "the model has no stop token, so a trace could not end; convert it again with an "
            "`eos` token (`tokenizer.ggml.eos_token_id`)"
        )
    written = (b"" if token in stops else model.detokenize([token]) for token in range(count))
    return Vocabulary(tuple(written), stops)
