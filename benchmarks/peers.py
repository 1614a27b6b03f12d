"""Every engine behind one shape: a session fills one row of a bitmask and goes on by a token."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

from benchmarks import languages
from statelang.engine import Matcher, Vocabulary
from statelang.engine.guide import Guide

SLICES = [r"[^<\n]{1,10}", r"[^<\n]{1,30}", r"[^<\n]+"]


class Session(NamedTuple):
    """One sequence: `fill()` writes the mask into its row, `consume(token)` goes on."""

    fill: Callable[[], Any]
    consume: Callable[[int], Any]


class Engine(Protocol):
    """A grammar compiled for a vocabulary."""

    def session(self, bitmask: Any, index: int = 0) -> Session:
        """A new sequence that fills one row of a bitmask (numpy int32, shape (rows, words))."""
        ...

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        """A new sequence: one call that masks logits (torch float32, shape (1, tokens)) by the
        engine's own means, and one that goes on by a token."""
        ...


class _LLGuidance:
    def __init__(self, tokenizer: Any, grammar: str) -> None:
        from llguidance import LLMatcher

        self.first = LLMatcher(tokenizer, grammar, log_level=0)
        if self.first.is_error():
            raise ValueError(self.first.get_error())

    def session(self, bitmask: Any, index: int = 0) -> Session:
        matcher = self.first.deep_copy()
        row = bitmask[index]
        fill = partial(matcher.unsafe_compute_mask_ptr, row.ctypes.data, row.nbytes)
        return Session(_keeping(row, fill), matcher.consume_token)

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        from llguidance.numpy import apply_token_bitmask_inplace

        return _filled(self.session(bitmask), apply_token_bitmask_inplace, logits.numpy(), bitmask)


class _XGrammar:
    def __init__(self, info: Any, grammar: str) -> None:
        import xgrammar

        self.compiled = xgrammar.GrammarCompiler(info, cache_enabled=False).compile_grammar(grammar)

    def session(self, bitmask: Any, index: int = 0) -> Session:
        import torch
        import xgrammar

        matcher = xgrammar.GrammarMatcher(self.compiled)
        tensor = torch.from_numpy(bitmask)
        fill = partial(matcher.fill_next_token_bitmask, tensor, index)
        return Session(fill, matcher.accept_token)

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        import torch
        import xgrammar

        apply = xgrammar.apply_token_bitmask_inplace
        return _filled(self.session(bitmask), apply, logits, torch.from_numpy(bitmask))


class _OutlinesCore:
    def __init__(self, vocabulary: Any, pattern: str) -> None:
        import outlines_core

        self.index = outlines_core.Index(pattern, vocabulary)

    def session(self, bitmask: Any, index: int = 0) -> Session:
        import outlines_core

        guide = outlines_core.Guide(self.index)
        row = bitmask[index]
        fill = partial(guide.write_mask_into, row.ctypes.data, row.size, row.itemsize)
        return Session(_keeping(row, fill), partial(guide.advance, return_tokens=False))

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        import torch
        from outlines_core.kernels.torch import apply_token_bitmask_inplace

        apply = apply_token_bitmask_inplace
        return _filled(self.session(bitmask), apply, logits, torch.from_numpy(bitmask))


def _keeping(row: Any, fill: partial[Any]) -> partial[Any]:
    """A call that writes to an address, and holds the memory there."""
    fill.row = row  # type: ignore[attr-defined]  # a partial has attributes of its own
    return fill


def _filled(
    session: Session, apply: Callable[[Any, Any], Any], logits: Any, bitmask: Any
) -> tuple[Callable[[], Any], Callable[[int], Any]]:
    def step() -> None:
        session.fill()
        apply(logits, bitmask)

    return step, session.consume


class Statelang:
    """Ours: `fill` copies the row, or only looks it up where the mask is not copied."""

    def __init__(self, space: Any, vocabulary: Vocabulary, *, contracts: bool = False) -> None:
        self.first = Matcher.of(Guide(space, vocabulary, contracts=contracts))

    def session(self, bitmask: Any, index: int = 0) -> Session:
        matcher = self.first.copy()
        fill = partial(matcher.fill_next_token_bitmask, bitmask, index)
        return Session(fill, matcher.consume_token)

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        matcher = self.first.copy()
        return partial(matcher.mask_logits, logits.numpy()), matcher.consume_token


class ZeroCopy:
    """The same engine, the mask not copied: `fill` gives the row that is kept."""

    def __init__(self, engine: Statelang) -> None:
        self.engine = engine

    def session(self, bitmask: Any, index: int = 0) -> Session:
        matcher = self.engine.first.copy()
        return Session(matcher.compute_bitmask, matcher.consume_token)

    masked = Statelang.masked


class Peer(NamedTuple):
    """A name and how the engine is made; `passes` is how often slow ones are measured."""

    name: str
    make: Callable[[], Engine]
    is_slow: bool = False


def peers(vocabulary: Vocabulary, bound: str, *, best_only: bool = False) -> list[Peer]:
    """The other engines that are installed, each as a user would write it and in the best form
    that we found; or in the best form alone."""
    found = []
    with suppress(ImportError):
        plain, tuned = (
            _llguidance_tokenizer(vocabulary, None),
            _llguidance_tokenizer(vocabulary, SLICES),
        )
        grammar = _llguidance_grammar(languages.lark(bound))
        found += [
            Peer("llguidance", lambda: _LLGuidance(plain, grammar), True),
            Peer("llguidance, slices tuned", lambda: _LLGuidance(tuned, grammar)),
        ]
    with suppress(ImportError):
        info = _xgrammar_info(vocabulary)
        written, factored = (languages.ebnf(bound, factored=f) for f in (False, True))
        found += [
            Peer("xgrammar", lambda: _XGrammar(info, written), bound == "bounded"),
            Peer("xgrammar, left-factored", lambda: _XGrammar(info, factored), bound == "bounded"),
        ]
    if bound == "unbounded":  # bounded, its index takes minutes and gigabytes
        with suppress(ImportError):
            table = _outlines_vocabulary(vocabulary)
            pattern = languages.regex(bound)
            found.append(Peer("outlines-core", lambda: _OutlinesCore(table, pattern), True))
    return [peer for peer in found if not best_only or peer.name not in ("llguidance", "xgrammar")]


def _llguidance_tokenizer(vocabulary: Vocabulary, slices: list[str] | None) -> Any:
    import llguidance

    class Tokens:
        def __init__(self) -> None:
            self.eos_token_id = self.bos_token_id = min(vocabulary.stops)
            numbered = list(enumerate(vocabulary.tokens))
            self.tokens = [token or b"\xff[%d]" % i for i, token in numbered]
            self.special_token_ids = [i for i, token in numbered if not token]

        def __call__(self, text: str) -> list[int]:
            return vocabulary.encode(text.encode())

    wrapped = llguidance.TokenizerWrapper(Tokens())
    return llguidance.LLTokenizer(wrapped, n_vocab=len(vocabulary.tokens), slices=slices)


def _llguidance_grammar(text: str) -> str:
    from llguidance import LLMatcher

    return str(LLMatcher.grammar_from_lark(text))


def _xgrammar_info(vocabulary: Vocabulary) -> Any:
    import xgrammar

    return xgrammar.TokenizerInfo(
        list(vocabulary.tokens), xgrammar.VocabType.RAW, stop_token_ids=sorted(vocabulary.stops)
    )


def _outlines_vocabulary(vocabulary: Vocabulary) -> Any:
    import outlines_core

    table: dict[bytes, list[int]] = {}
    for index, token in enumerate(vocabulary.tokens):
        if token:
            table.setdefault(token, []).append(index)
    return outlines_core.Vocabulary(min(vocabulary.stops), table)
