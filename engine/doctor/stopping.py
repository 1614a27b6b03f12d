"""Whether a trace can end, and ends nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from statelang.diagnostics import Diagnostic
from statelang.engine.doctor.findings import finding
from statelang.engine.doctor.sample import Sample
from statelang.engine.doctor.spelling import encoded
from statelang.engine.doctor.subject import TOKENIZER, Subject


def findings(subject: Subject, sample: Sample) -> Iterator[Diagnostic]:
    """What is wrong with the stop tokens of a tokenizer and of a generation configuration."""
    tokenizer, own = subject.tokenizer, subject.tokenizer.eos_token_id
    named = subject.place(TOKENIZER, "eos_token")
    configured = subject.option("eos_token_id")
    if not subject.stops:
        yield finding("SD301", named, "there is no stop token, so no trace could end")
        return
    most = min(len(tokenizer), subject.width or len(tokenizer))
    for index in sorted(subject.stops):
        if not 0 <= index < most:
            yield finding(
                "SD302",
                configured if index in subject.configured else named,
                f"the stop token {index} is beyond the {most:,} tokens of the "
                f"{'tokenizer' if most == len(tokenizer) else 'model'}",
            )
    if subject.configured and own is not None and own not in subject.configured:
        yield finding(
            "SD305",
            configured,
            f"`generate` does not stop at the tokenizer's stop token `{tokenizer.eos_token}` "
            f"({own}), but at {_tokens(subject)}",
        )
    if own is not None and tokenizer.pad_token_id in (own, None):
        absent = tokenizer.pad_token_id is None
        yield finding(
            "SD303",
            subject.place(TOKENIZER, "pad_token", "eos_token"),
            "there is no pad token, and the stop token is put in its place"
            if absent
            else f"the pad token is the stop token, `{tokenizer.eos_token}`",
        )
    yield from _inside(subject, sample)
    ids = tokenizer("a")["input_ids"]
    if ids and ids[-1] in subject.stops:
        yield finding(
            "SD306",
            subject.place(TOKENIZER, "add_eos_token", "eos_token"),
            f"the tokenizer ends every text with `{tokenizer.decode(ids[-1:])}`, prompts included",
        )


def _inside(subject: Subject, sample: Sample) -> Iterator[Diagnostic]:
    for text, place in sample.literals.items():
        hit = subject.stops & {*encoded(subject.tokenizer, text)}
        if hit:
            yield finding(
                "SD304",
                place,
                f"a literal of the space holds the stop token "
                f"`{subject.tokenizer.decode([min(hit)])}`",
                label="ends the trace",
            )


def _tokens(subject: Subject) -> str:
    return ", ".join(f"`{subject.tokenizer.decode([i])}` ({i})" for i in subject.configured)
