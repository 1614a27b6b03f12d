"""What a chat template makes of a prompt and a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen

from statelang.diagnostics import Diagnostic
from statelang.engine.doctor.findings import Place, finding
from statelang.engine.doctor.sample import Sample
from statelang.engine.doctor.spelling import difference, encoded, quoted
from statelang.engine.doctor.subject import TEMPLATE, TOKENIZER, Subject

_MARKED: Final = re.compile(r"\{%-?\s*generation\s*-?%\}")
_USER: Final = {"role": "user", "content": "Tom has 3 pens. How many pens has he?"}


@frozen
class Turn:
    """A trace in a conversation: what generation asks, and what training would show."""

    trace: str
    asked: str
    shown: str

    @property
    def rest(self) -> str | None:
        """What stands behind the trace; None where the trace is not there."""
        _, found, rest = self.shown.rpartition(self.trace)
        return rest if found else None


def findings(subject: Subject, sample: Sample) -> Iterator[Diagnostic]:
    """What goes wrong between the template and the traces; nothing where there is no template."""
    if not subject.tokenizer.chat_template:
        yield from _joined(subject, sample.traces[:1], f"{_USER['content']}\n")
        return
    place = _place(subject)
    try:
        turns = [_turn(subject.tokenizer, trace) for trace in sample.traces]
        longer = _applied(subject.tokenizer, _USER, _said("a"), _USER)
        shorter = _applied(subject.tokenizer, _USER, _said("a"))
    except Exception as error:  # what a template raises is its own affair
        yield finding("SD201", place, f"the chat template cannot be applied: {error}")
        return
    yield finding(
        "SD209", place, "Outlines asks through the chat template; `train` and `generate` do not"
    )
    yield from _first(_altered(turn, place) for turn in turns)
    yield from _first(_parted(turn, place) for turn in turns)
    if not longer.startswith(shorter):
        yield finding(
            "SD204",
            place,
            f"a turn changes once another follows it: {difference(shorter, longer)}",
        )
    yield from _first(_unended(subject, turn, place) for turn in turns)
    if isinstance(subject.tokenizer.chat_template, str):
        yield from _unlearnt(subject, place)
    asked = _applied(subject.tokenizer, _USER, asks=True)
    ids = subject.tokenizer(asked)["input_ids"]
    bos = subject.tokenizer.bos_token_id
    if bos is not None and ids[:2] == [bos, bos]:
        yield finding(
            "SD207",
            place,
            f"template and tokenizer both begin the prompt with `{subject.tokenizer.bos_token}`",
        )
    yield from _joined(subject, sample.traces[:1], asked)


def _place(subject: Subject) -> Place:
    if subject.files[TEMPLATE].text:
        return subject.place(TEMPLATE)
    return subject.place(TOKENIZER, "chat_template")


def _said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _applied(tokenizer: Any, *messages: dict[str, str], asks: bool = False) -> str:
    return str(
        tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=asks)
    )


def _turn(tokenizer: Any, trace: str) -> Turn:
    asked = _applied(tokenizer, _USER, asks=True)
    return Turn(trace, asked, _applied(tokenizer, _USER, _said(trace)))


def _first(found: Iterator[Diagnostic | None]) -> Iterator[Diagnostic]:
    """The first finding of several traces: the others would say the same."""
    yield from [each for each in found if each is not None][:1]


def _altered(turn: Turn, place: Place) -> Diagnostic | None:
    if turn.rest is not None:
        return None
    if turn.trace.strip() and turn.trace.strip() in turn.shown:
        how = "takes the white space at its ends away"
    elif "</think>" in turn.trace and turn.trace.split("</think>")[-1].strip() in turn.shown:
        how = "drops what stands before `</think>`"
    else:
        how = "writes another text"
    return finding("SD202", place, f"the chat template changes a trace: it {how}")


def _parted(turn: Turn, place: Place) -> Diagnostic | None:
    if turn.rest is None:
        return None
    before = turn.shown[: -len(turn.rest) or None].removesuffix(turn.trace)
    if before == turn.asked:
        return None
    if before.startswith(turn.asked):
        said = f"between the prompt and the trace stands {quoted(before[len(turn.asked) :])}"
    else:
        said = f"the prompt is written in another way: {difference(turn.asked, before)}"
    return finding("SD203", place, f"training would not show the prompt of generation: {said}")


def _unended(subject: Subject, turn: Turn, place: Place) -> Diagnostic | None:
    if turn.rest is None or not subject.stops:
        return None
    if subject.stops & {*encoded(subject.tokenizer, turn.rest)}:
        return None
    end = f"with {quoted(turn.rest)}" if turn.rest else "with nothing"
    stops = ", ".join(f"`{subject.tokenizer.decode([i])}`" for i in sorted(subject.stops))
    return finding(
        "SD205",
        place,
        f"the chat template ends a turn {end}, in which there is no stop token ({stops})",
    )


def _unlearnt(subject: Subject, place: Place) -> Iterator[Diagnostic]:
    """Whether the loss mask of `{% generation %}` reaches the stop token, as TRL asks."""
    if not _MARKED.search(subject.tokenizer.chat_template):
        return
    found = subject.tokenizer.apply_chat_template(
        [_USER, _said("a"), _USER],
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    learnt = [
        token
        for token, mask in zip(found["input_ids"], found["assistant_masks"], strict=True)
        if mask
    ]
    while learnt and not subject.tokenizer.decode(learnt[-1:]).strip():
        learnt.pop()
    if not learnt or learnt[-1] not in subject.stops:
        last = quoted(subject.tokenizer.decode(learnt[-1:])) if learnt else "nothing at all"
        yield finding("SD206", place, f"the loss mask of the chat template ends with {last}")


def _joined(subject: Subject, traces: tuple[str, ...], asked: str) -> Iterator[Diagnostic]:
    """Whether the tokens of the prompt stay the same with a trace behind it."""
    for trace in traces:
        alone = list(subject.tokenizer(asked)["input_ids"])
        if alone and alone[-1] == subject.tokenizer.eos_token_id:
            alone.pop()
        together = list(subject.tokenizer(asked + trace)["input_ids"])
        if together[: len(alone)] != alone:
            at = next(i for i, token in enumerate(alone) if together[i : i + 1] != [token])
            yield finding(
                "SD208",
                _place(subject),
                "the end of the prompt and the beginning of the trace become one token: "
                f"{quoted(subject.tokenizer.decode(together[at : at + 1]))}",
            )
