"""The whole examination of a space with a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from statelang.diagnostics import Diagnostic, Severity, StatelangError
from statelang.engine.doctor import backends, costs, options, spelling, stopping, templates
from statelang.engine.doctor.backends import Backend
from statelang.engine.doctor.costs import Costs
from statelang.engine.doctor.sample import Sample, draw
from statelang.engine.doctor.subject import CONFIG, GENERATION, Subject, read
from statelang.engine.steering.guide import Guide
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.space import StateSpace


@frozen
class Diagnosis:
    """What was found, errors first; what was measured; and what could not be asked, with why.

    `size` counts the tokens of the tokenizer, `doubled` those that write the same as another, and
    `literals` the tokens of each; `costs` is None where no trace could be written. Of a space with
    inputs and no problem (`is_asked` is false) most could not be asked.
    """

    findings: tuple[Diagnostic, ...]
    skipped: tuple[str, ...]
    tokenizer: str
    size: int
    context: int | None
    doubled: int = 0
    literals: Mapping[str, int] = field(factory=dict)
    costs: Costs | None = None
    backends: tuple[Backend, ...] = ()
    is_asked: bool = True

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
    found = [*stopping.findings(subject, sample), *templates.findings(subject, sample)]
    skipped = [*_skipped(subject, sample)]
    rest = "texts, masks, options, backends"
    if all(stop >= len(subject.tokenizer) for stop in subject.stops):
        return _diagnosis(subject, found, [*skipped, f"{rest}: there is no stop token"])
    words = spelling.vocabulary(subject)
    if isinstance(words, Diagnostic):
        said = f"{rest}: the tokenizer cannot be used"
        return _diagnosis(subject, [*found, words], [*skipped, said])
    found += spelling.findings(subject, sample, words)
    found += costs.fitting(subject, words)
    known: dict[str, Any] = {
        "is_asked": sample.is_asked,
        "doubled": _doubled(words),
        "literals": {text: len(words.encode(text.encode())) for text in sample.literals},
    }
    if sample.is_asked:
        guide = Guide(space, words)
        try:
            known["costs"] = costs.costs(sample, guide)
            found += costs.findings(subject, known["costs"])
            found += options.findings(subject, sample, guide)
        except StatelangError as error:
            found.append(costs.impossible(sample, error))
        known["backends"] = backends.backends(subject, sample, guide)
        found += backends.findings(known["backends"], sample)
    return _diagnosis(subject, found, skipped, **known)


def _doubled(words: Vocabulary) -> int:
    texts = [text for text in words.tokens if text]
    return len(texts) - len({*texts})


def _diagnosis(
    subject: Subject, found: Iterable[Diagnostic], skipped: Iterable[str], **known: Any
) -> Diagnosis:
    order = [*Severity].index
    return Diagnosis(
        tuple(sorted(found, key=lambda each: (order(each.severity), each.code))),
        tuple(skipped),
        type(subject.tokenizer).__name__,
        len(subject.tokenizer),
        subject.context,
        **known,
    )


def _skipped(subject: Subject, sample: Sample) -> Iterator[str]:
    if sample.why:
        yield f"traces, masks, options, backends: {sample.why}"
    if CONFIG in subject.absent:
        yield f"logits and context: no configuration of a model ({subject.absent[CONFIG]})"
    if subject.generation is None:
        yield f"options of generation: no {GENERATION}"
    if not subject.tokenizer.chat_template:
        yield "chat template: the tokenizer has none"
