"""The other engines: how each is made, as a user would write it and in the best form we found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from benchmarks import languages, machines
from benchmarks.engines import (
    Engine,
    LLGuidance,
    LMFormatEnforcer,
    OutlinesCore,
    XGrammar,
)
from statelang.engine import Vocabulary

SLICES: Final = [r"[^<\n]{1,10}", r"[^<\n]{1,30}", r"[^<\n]+"]


class Peer(NamedTuple):
    """An engine of others: a name, what makes the tables of a vocabulary and then the engine, and
    how many tokens of one trace it replays, where all the traces would take it minutes."""

    name: str
    prepare: Callable[[Vocabulary], Callable[[], Engine]]
    most: int | None = None


def peers(bound: str, *, best_only: bool = False) -> list[Peer]:
    """The other engines that are installed, each as a user would write it and in the best form
    that we found; or those alone that can be the fastest."""
    is_bounded, text = bound == "bounded", languages.lark(bound)
    written, factored = (languages.ebnf(bound, factored=f) for f in (False, True))
    found = []
    if find_spec("llguidance"):
        found.append(Peer("llguidance, slices tuned", partial(_llguidance, text, SLICES)))
        found.append(Peer("llguidance", partial(_llguidance, text, None)))
    if find_spec("xgrammar"):
        most = 120 if is_bounded else None
        found.append(Peer("xgrammar, left-factored", partial(_xgrammar, factored)))
        found.append(Peer("xgrammar", partial(_xgrammar, written), most))
    if find_spec("outlines_core") and not is_bounded:  # an index of minutes and gigabytes
        found.append(Peer("outlines-core", partial(_outlines_core, bound)))
    if find_spec("lmformatenforcer") and not is_bounded:  # seconds for each state in a text
        found.append(Peer("lm-format-enforcer", partial(_lmformatenforcer, bound), 30))
    best = ["llguidance, slices tuned", *([] if is_bounded else ["xgrammar, left-factored"])]
    return [peer for peer in found if peer.name in best or not best_only]


def of_machine(states: int, actions: int, degree: int) -> list[Peer]:
    """Those that can be the fastest, over a machine of `benchmarks.machines`."""
    text, rules = (f(states, actions, degree) for f in (machines.lark, machines.ebnf))
    found = []
    if find_spec("llguidance"):
        found.append(Peer("llguidance, slices tuned", partial(_llguidance, text, SLICES)))
    if find_spec("xgrammar"):
        found.append(Peer("xgrammar", partial(_xgrammar, rules)))
    return found


def _llguidance(
    text: str, slices: list[str] | None, vocabulary: Vocabulary
) -> Callable[[], Engine]:
    from llguidance import LLMatcher

    tokenizer = _llguidance_tokenizer(vocabulary, slices)
    return lambda: LLGuidance(tokenizer, str(LLMatcher.grammar_from_lark(text)))


def _xgrammar(text: str, vocabulary: Vocabulary) -> Callable[[], Engine]:
    info = _xgrammar_info(vocabulary)
    return lambda: XGrammar(info, text)


def _outlines_core(bound: str, vocabulary: Vocabulary) -> Callable[[], Engine]:
    table, pattern = _outlines_vocabulary(vocabulary), languages.regex(bound)
    return lambda: OutlinesCore(table, pattern)


def _lmformatenforcer(bound: str, vocabulary: Vocabulary) -> Callable[[], Engine]:
    from lmformatenforcer import TokenEnforcerTokenizerData

    numbered = enumerate(vocabulary.tokens)
    written = [(i, token.decode(errors="replace")) for i, token in numbered if token]
    texts = [(i, text, "\ufffd" not in text) for i, text in written]  # True: stands by itself
    size, stop = len(vocabulary.tokens), min(vocabulary.stops)

    def decoded(ids: list[int]) -> str:
        return vocabulary.decode(ids).decode(errors="replace")

    data = TokenEnforcerTokenizerData(texts, decoded, stop, True, size)
    return lambda: LMFormatEnforcer(data, languages.regex(bound))


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
