"""The whole examination of a space with a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen

from statelang.diagnostics import Diagnostic, Severity, StatelangError
from statelang.engine.doctor import backends, costs, options, spelling, stopping, templates
from statelang.engine.doctor.backends import Backend
from statelang.engine.doctor.costs import Costs
from statelang.engine.doctor.sample import Sample, draw
from statelang.engine.doctor.subject import CONFIG, GENERATION, Subject, read
from statelang.engine.guide import Guide
from statelang.engine.vocabulary import Vocabulary
from statelang.space import StateSpace

_ORDER: Final = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


@frozen
class Diagnosis:
    """What was found, errors first; what was measured; and what could not be asked, with why.

    `tags` counts the tokens of each literal; `costs` is None where no trace could be written.
    """

    findings: tuple[Diagnostic, ...]
    tokenizer: str
    tags: Mapping[str, int]
    costs: Costs | None
    context: int | None
    backends: tuple[Backend, ...]
    skipped: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there is no error among the findings."""
        return all(found.severity is not Severity.ERROR for found in self.findings)


def diagnose(space: StateSpace, model: str, problem: Mapping[str, Any] | None = None) -> Diagnosis:
    """Everything between a space and a model that will go wrong, before a run.

    Args:
        space: The state space.
        model: A folder or a name, as `from_pretrained` takes it; weights are not read.
        problem: The space's inputs; without it, those of the example that ships with the space.

    Raises:
        StatelangError: there is no tokenizer that can be loaded.
    """
    subject = read(str(model))
    sample = draw(space, problem)
    found: list[Diagnostic] = [*stopping.findings(subject, sample)]
    skipped = list(_skipped(subject, sample))
    found += templates.findings(subject, sample)
    if all(stop >= len(subject.tokenizer) for stop in subject.stops):
        skipped.append("texts, traces, masks, backends: there is no stop token")
        return _diagnosis(subject, found, "", {}, None, (), skipped)
    words = spelling.vocabulary(subject)
    if isinstance(words, Diagnostic):
        found.append(words)
        skipped.append("texts, traces, masks, backends: the tokenizer cannot be used")
        return _diagnosis(subject, found, "", {}, None, (), skipped)
    found += spelling.findings(subject, sample, words)
    found += costs.fitting(subject, words)
    guide, measured = Guide(space, words), None
    try:
        measured = costs.costs(sample, guide)
        found += costs.findings(subject, measured)
        found += options.findings(subject, sample, guide)
    except StatelangError as error:
        found.append(costs.impossible(sample, error))
    tried = backends.backends(subject, sample, guide)
    found += backends.findings(tried, sample)
    tags = {text: len(words.encode(text.encode())) for text in sample.literals}
    return _diagnosis(subject, found, _twice(words), tags, measured, tried, skipped)


def _twice(words: Vocabulary) -> str:
    texts = [text for text in words.tokens if text]
    count = len(texts) - len({*texts})
    return f", {count:,} of them with the text of another" if count else ""


def _diagnosis(
    subject: Subject,
    found: Iterable[Diagnostic],
    twice: str,
    tags: Mapping[str, int],
    measured: Costs | None,
    tried: tuple[Backend, ...],
    skipped: list[str],
) -> Diagnosis:
    ordered = sorted(found, key=lambda each: (_ORDER.index(each.severity), each.code))
    name = f"{type(subject.tokenizer).__name__}, {len(subject.tokenizer):,} tokens{twice}"
    return Diagnosis(tuple(ordered), name, tags, measured, subject.context, tried, tuple(skipped))


def _skipped(subject: Subject, sample: Sample) -> Iterable[str]:
    if sample.why:
        yield f"traces, masks, options, backends: {sample.why}"
    if CONFIG in subject.absent:
        yield f"logits and context: no configuration of a model ({subject.absent[CONFIG]})"
    if subject.generation is None:
        yield f"options of generation: no {GENERATION}"
    if not subject.tokenizer.chat_template:
        yield "chat template: the tokenizer has none"
