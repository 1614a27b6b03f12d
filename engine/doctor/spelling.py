"""Whether a tokenizer can write a space, and gives back what it wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from statelang.diagnostics import Diagnostic, StatelangError
from statelang.engine.doctor.findings import finding
from statelang.engine.doctor.sample import Sample
from statelang.engine.doctor.subject import TOKENIZER, Subject
from statelang.engine.verdicts.verdict import validate
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.snippet import visible

_NEVER: Final = {0xC0, 0xC1, *range(0xF5, 0x100)}  # bytes that no UTF-8 text has
_AROUND: Final = 12  # characters shown on each side of a difference


def vocabulary(subject: Subject) -> Vocabulary | Diagnostic:
    """The vocabulary of a model, or why it cannot be used."""
    try:
        return Vocabulary.from_tokenizer(subject.tokenizer, subject.stops)
    except StatelangError as error:
        place = subject.place(TOKENIZER, "tokenizer_class")
        return finding("SD101", place, f"the tokenizer cannot be used: {error}")


def findings(subject: Subject, sample: Sample, words: Vocabulary) -> Iterator[Diagnostic]:
    """What goes wrong between texts and tokens, in both directions."""
    special = list(_special(subject, sample))
    unwritten = list(_unwritten(sample, words))
    yield from (*special, *unwritten)
    if not special and not unwritten:  # else every trace would be changed by them
        yield from _changed(subject, sample, words)
    yield from _spaced(subject, sample, words)
    yield from _lost(subject, sample, words)
    yield from _uncovered(subject, words)


def encoded(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text that stands in the middle."""
    return list(tokenizer.encode(text, add_special_tokens=False))


def specials(tokenizer: Any) -> frozenset[int]:
    """The tokens that decoding leaves out where it is asked to, but for that of unknown text."""
    found = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(found - {tokenizer.unk_token_id})


def _special(subject: Subject, sample: Sample) -> Iterator[Diagnostic]:
    found = {
        text: sorted(specials(subject.tokenizer) & {*encoded(subject.tokenizer, text)})
        for text in sample.literals
    }
    hit = {text: ids for text, ids in found.items() if ids}
    if hit:
        first, *others = (sample.literals[text] for text in hit)
        names = _named(
            dict.fromkeys(subject.tokenizer.decode([i]) for ids in hit.values() for i in ids)
        )
        yield finding(
            "SD102",
            first,
            f"{_count(len(hit), 'literal')} of the space {'is' if len(hit) == 1 else 'are'} "
            f"written with special tokens: {names}",
            label="dropped from the text that is decoded",
            also=others,
        )


def _unwritten(sample: Sample, words: Vocabulary) -> Iterator[Diagnostic]:
    hit = []
    for text in sample.literals:
        try:
            words.fewest(text.encode())
        except StatelangError:
            hit.append(text)
    if hit:
        first, *others = (sample.literals[text] for text in hit)
        yield finding(
            "SD103",
            first,
            f"the tokenizer has no tokens for {_count(len(hit), 'literal')} of the space: "
            f"{_named(hit)}",
            label="cannot be written",
            also=others,
        )


def _changed(subject: Subject, sample: Sample, words: Vocabulary) -> Iterator[Diagnostic]:
    for trace in sample.traces:
        ids = encoded(subject.tokenizer, trace)
        read = words.decode(ids).decode(errors="replace")
        if read in (trace, f" {trace}") or subject.tokenizer.unk_token_id in ids:
            continue  # `_spaced` and `_uncovered` tell of the others
        legal = validate(sample.space, read, sample.problem).contracts is True
        steps = _named(_normalizers(subject.tokenizer))
        yield finding(
            "SD104",
            subject.place(TOKENIZER, "tokenizer_class"),
            f"the tokenizer changes the text of a trace: {difference(trace, read)}",
            note=f"what it makes of the trace is {'still' if legal else 'no longer'} legal"
            + (f"; its normalizers are {steps}" if steps else ""),
        )
        return


def _spaced(subject: Subject, sample: Sample, words: Vocabulary) -> Iterator[Diagnostic]:
    for text in sample.literals:
        ids = encoded(subject.tokenizer, text)
        if words.decode(ids) == b" " + text.encode():
            yield finding(
                "SD106",
                subject.place(TOKENIZER, "add_prefix_space", "legacy", "tokenizer_class"),
                f"a text that stands alone is written with a space before it: {quoted(text)} "
                f"becomes the token {quoted(words.tokens[ids[0]].decode(errors='replace'))} and "
                f"{len(ids) - 1} more",
            )
            return


def _lost(subject: Subject, sample: Sample, words: Vocabulary) -> Iterator[Diagnostic]:
    for trace in sample.traces:
        ids = words.encode(trace.encode())
        if words.decode(ids) != trace.encode():
            continue
        read = subject.tokenizer.decode(ids, skip_special_tokens=True)
        if read != trace:
            yield finding(
                "SD105",
                subject.place(TOKENIZER, "clean_up_tokenization_spaces", "tokenizer_class"),
                f"decoding changes the text of a trace: {difference(trace, read)}",
            )
            return


def _uncovered(subject: Subject, words: Vocabulary) -> Iterator[Diagnostic]:
    missing = [b for b in range(256) if not words.alphabet >> b & 1 and b not in _NEVER]
    if missing:
        plain = [chr(byte) for byte in missing if byte < 0x80]
        shown = f", among them {_named(plain[:8])}" if plain else ", all beyond ASCII"
        yield finding(
            "SD107",
            subject.place(TOKENIZER, "tokenizer_class"),
            f"{len(missing)} of the 243 bytes of UTF-8 have no token of their own{shown}",
        )


def _normalizers(tokenizer: Any) -> list[str]:
    """The steps by which a tokenizer changes a text before it writes it."""
    part = json.loads(tokenizer.backend_tokenizer.to_str()).get("normalizer") or {}
    return [step["type"] for step in part.get("normalizers", [part] if part else [])]


def difference(text: str, other: str) -> str:
    """The first place where two texts differ, with some characters around it."""
    at = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), None)
    at = min(len(text), len(other)) if at is None else at
    low = max(at - _AROUND, 0)
    return f"{quoted(text[low : at + _AROUND])} becomes {quoted(other[low : at + _AROUND])}"


def quoted(text: str) -> str:
    """A text between backticks, in one line."""
    return f"`{visible(json.dumps(text, ensure_ascii=False)[1:-1])}`"


def _named(texts: Iterable[str]) -> str:
    listed = [quoted(text) for text in texts]
    more = f" and {len(listed) - 6} more" if len(listed) > 6 else ""
    return ", ".join(listed[:6]) + more


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
