"""Which constrained decoders can carry a space with a tokenizer, by trying those installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from functools import partial
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import Any, Final

from attrs import field, frozen

from statelang.diagnostics import Diagnostic
from statelang.engine.doctor.findings import finding
from statelang.engine.doctor.sample import Sample
from statelang.engine.doctor.spelling import difference, encoded, quoted
from statelang.engine.doctor.subject import Subject
from statelang.engine.steering.guide import Guide
from statelang.engine.steering.matcher import Matcher
from statelang.exports import export
from statelang.exports.clauses import enforced

_TRACES: Final = 3  # that are tried


@frozen
class Backend:
    """A decoder: what of the space it carries, and why not more.

    `carries` is "contracts" (with the grammar), "grammar", "nothing" or "unknown".
    """

    name: str
    carries: str
    why: str = ""


class Refused(Exception):
    """A decoder does not read the grammar, or rejects a token of a legal trace."""


@frozen
class Trial:
    """What is tried: a space, and traces in the tokens in which the tokenizer writes them."""

    subject: Subject = field(repr=False)
    sample: Sample = field(repr=False)
    guide: Guide = field(repr=False)

    @property
    def written(self) -> Iterator[tuple[str, list[int]]]:
        """Each trace with its tokens, those that are added tokens among them as such."""
        words, tokenizer = self.guide.vocabulary, self.subject.tokenizer
        added = {i: t.content.encode() for i, t in tokenizer.added_tokens_decoder.items()}
        for trace in self.sample.traces[:_TRACES]:
            ids = encoded(tokenizer, trace)
            read = b"".join(added.get(i, words.tokens[i]) for i in ids)
            yield trace, ids if read == trace.encode() else words.encode(trace.encode())

    def follow(
        self, ids: list[int], consume: Callable[[int], bool], allows: Callable[[int], bool]
    ) -> None:
        """Have every token of a trace consumed. Raises Refused."""
        for place, token in enumerate(ids):
            if not consume(token):
                shown = quoted(self.subject.tokenizer.decode([token]))
                before = self.subject.tokenizer.decode(ids[max(place - 6, 0) : place])
                after = f" after {quoted(before)}" if before else ", the first of a legal trace"
                also = "its mask allows" if allows(token) else "it rejects"
                then = ", and then it rejects it" if allows(token) else ""
                raise Refused(f"{also} the token {shown}{after}{then}")

    def compare(self, trace: str, read: bytes) -> None:
        """What a decoder takes the tokens of a trace for. Raises Refused."""
        if read != trace.encode():
            changed = difference(trace, read.decode(errors="replace"))
            raise Refused(f"it takes the tokens of a legal trace for another text: {changed}")


def backends(subject: Subject, sample: Sample, guide: Guide) -> tuple[Backend, ...]:
    """Each decoder with what it carries."""
    trial = Trial(subject, sample, guide)
    clauses = len(enforced(sample.space))
    left = f"{clauses} contract clause{'s' * (clauses != 1)} cannot be written in it"
    found = []
    for name, package, tried in _DECODERS:
        own = package == "statelang"
        if find_spec(package) is None:
            found.append(Backend(name, "unknown", f"`{package}` is not installed"))
            continue
        try:
            tried(trial)
        # Besides our own, what a library raises for a tokenizer or a grammar is its own affair.
        except Exception as refused:
            found.append(Backend(name, "nothing", " ".join(str(refused).split())[:240]))
        else:
            whole = own or not clauses
            found.append(Backend(name, *(("contracts",) if whole else ("grammar", left))))
    return tuple(found)


def findings(found: Sequence[Backend], sample: Sample) -> Iterator[Diagnostic]:
    """The decoders that carry nothing."""
    for backend in found:
        if backend.carries == "nothing":
            yield finding(
                "SD501", sample.place, f"{backend.name} cannot carry the space: {backend.why}"
            )


def _statelang(trial: Trial) -> None:
    words = trial.guide.vocabulary
    for trace in trial.sample.traces[:1]:  # masks for it were made when costs were measured
        matcher = Matcher.of(trial.guide, trial.sample.problem)
        ids = words.encode(trace.encode())
        trial.follow(ids, matcher.consume_token, lambda token: False)
        if not matcher.is_accepting():
            raise Refused("the tokens of a legal trace cannot be written to its end")


def _llguidance(trial: Trial) -> None:
    import llguidance.hf
    from llguidance import LLMatcher

    grammar = LLMatcher.grammar_from_lark(trial.sample.space.source.text)
    wrong, said = LLMatcher.validate_grammar_with_warnings(grammar)
    if wrong:
        raise Refused(_unread(" ".join(said)))
    stops = sorted(trial.subject.stops) or None
    tokenizer = llguidance.hf.from_tokenizer(trial.subject.tokenizer, eos_token=stops)

    def consumes(matcher: Any, token: int) -> bool:
        # `consume_token` would leave the matcher in an error and print a warning.
        return bool(matcher.try_consume_tokens([token]))

    def allows(matcher: Any, token: int) -> bool:
        return bool(matcher.compute_bitmask()[token >> 3] >> (token & 7) & 1)

    for trace, ids in trial.written:
        matcher = LLMatcher(tokenizer, grammar)
        if matcher.is_error():
            raise Refused(_unread(matcher.get_error()))
        trial.follow(ids, partial(consumes, matcher), partial(allows, matcher))
        trial.compare(trace, tokenizer.decode_bytes(ids))
        if not matcher.is_accepting():
            raise Refused("it does not let a legal trace end")


def _xgrammar(trial: Trial) -> None:
    import xgrammar

    space, subject = trial.sample.space, trial.subject
    try:
        info = xgrammar.TokenizerInfo.from_huggingface(
            subject.tokenizer,
            vocab_size=max(subject.width or 0, len(trial.guide.vocabulary.tokens)),
            stop_token_ids=sorted(subject.stops) or None,
        )
        grammar = xgrammar.Grammar.from_lark(space.source.text)
        compiled = xgrammar.GrammarCompiler(info, max_threads=1).compile_grammar(grammar)
        xgrammar.Grammar.from_ebnf(export(space, "ebnf").text)
    except (RuntimeError, ValueError) as error:
        raise Refused(_unread(str(error))) from error

    spelled = info.decoded_vocab  # a copy each time it is asked for

    def allows(matcher: Any, token: int) -> bool:
        row = xgrammar.allocate_token_bitmask(1, info.vocab_size)
        matcher.fill_next_token_bitmask(row)
        return bool(int(row[0, token >> 5]) >> (token & 31) & 1)

    for trace, ids in trial.written:
        matcher = xgrammar.GrammarMatcher(compiled)
        trial.follow(ids, matcher.accept_token, partial(allows, matcher))
        trial.compare(trace, b"".join(spelled[token] for token in ids))
        if not matcher.is_completed():
            raise Refused("it does not let a legal trace end")


def _llama(trial: Trial) -> None:
    """Its reader needs no model, and prints what it has against a grammar."""
    import llama_cpp

    text = export(trial.sample.space, "gbnf").text.encode()
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as file, redirect_stderr(file):
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            made = llama_cpp.llama_sampler_init_grammar(None, text, b"root")
            if made:
                llama_cpp.llama_sampler_free(made)
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        said = file.read()
    if not made or "failed to parse grammar" in said:
        raise Refused(_unread(said))


def _unread(said: str) -> str:
    return f"it does not read the grammar: {' '.join(said.split())[:200]}"


_DECODERS: Final[tuple[tuple[str, str, Callable[[Trial], None]], ...]] = (
    ("statelang (transformers, through Outlines)", "statelang", _statelang),
    ("llguidance (Outlines CFG, vLLM, SGLang)", "llguidance", _llguidance),
    ("xgrammar (vLLM; as EBNF: Outlines, SGLang)", "xgrammar", _xgrammar),
    ("llama.cpp (as GBNF)", "llama_cpp", _llama),
)
