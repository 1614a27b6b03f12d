"""Every engine behind one shape: a session fills one row of a bitmask and goes on by a token."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

from statelang.engine import Matcher, Vocabulary
from statelang.engine.steering.guide import Guide


class Session(NamedTuple):
    """One sequence: `fill()` writes the mask into its row, `consume(token)` goes on."""

    fill: Callable[[], Any]
    consume: Callable[[int], Any]


# From a bitmask and logits to what masks the logits and what goes on by a token.
Begin = Callable[[Any, Any], tuple[Callable[[], Any], Callable[[int], Any]]]


class Engine(Protocol):
    """A grammar compiled for a vocabulary."""

    def session(self, bitmask: Any, index: int = 0) -> Session:
        """A new sequence that fills one row of a bitmask (numpy int32, shape (rows, words))."""
        ...

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        """A new sequence: one call that masks logits (torch float32, shape (1, tokens)) by the
        engine's own means, and one that goes on by a token."""
        ...


class LLGuidance:
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


class XGrammar:
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


class OutlinesCore:
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


class LMFormatEnforcer:
    """It keeps what it found by the tokens so far, so a second visit is a look-up of them all."""

    def __init__(self, data: Any, pattern: str) -> None:
        from lmformatenforcer import RegexParser, TokenEnforcer

        self.enforcer = TokenEnforcer(data, RegexParser(pattern))

    def session(self, bitmask: Any, index: int = 0) -> Session:
        tokens: list[int] = []
        row, allowed = bitmask[index], self.enforcer.get_allowed_tokens

        def fill() -> None:
            row[:] = allowed(tokens).allowed_tokens.numpy()

        return Session(fill, tokens.append)

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        import torch
        import xgrammar  # it has no means of its own for packed masks

        apply = xgrammar.apply_token_bitmask_inplace
        return _filled(self.session(bitmask), apply, logits, torch.from_numpy(bitmask))


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

    def gathered(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        """The same, but where few tokens are legal only their logits are taken."""
        matcher = self.first.copy()
        array = logits.numpy()
        row = array[0]

        def step() -> Any:
            legal = matcher.legal_tokens()
            return matcher.mask_logits(array) if legal is None else row[legal]

        return step, matcher.consume_token


class ZeroCopy:
    """The same engine, the mask not copied: `fill` gives the row that is kept."""

    def __init__(self, engine: Statelang) -> None:
        self.engine = engine

    def session(self, bitmask: Any, index: int = 0) -> Session:
        matcher = self.engine.first.copy()
        return Session(matcher.compute_bitmask, matcher.consume_token)

    def masked(self, bitmask: Any, logits: Any) -> tuple[Callable[[], Any], Callable[[int], Any]]:
        """As the engine does: nothing is copied there."""
        return self.engine.masked(bitmask, logits)
