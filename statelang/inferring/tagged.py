"""Traces whose steps are marked in the text: by tags, or by how lines begin.

`<solve>3 + 4</solve>`, and text between tags; or lines that begin with `[solve]`, with `solve:` or
with the word `solve`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from attrs import evolve, frozen

from statelang.diagnostics import StatelangError

MAX_STEPS: Final = 300  # of one trace
_FEW: Final = 3  # tags that differ in an attribute are kept apart
_NUMBER: Final = re.compile("[0-9]+")
_TAG: Final = re.compile(r"<([A-Za-z][\w.-]*)[^<>\n]{0,80}>")
_LINE: Final = re.compile(
    r"(\[[^\[\]\n]{1,60}\]|[A-Za-z][\w -]{0,60}:|[A-Za-z][\w-]*(?= |\n|$))([^\n]*)(\n*)"
)
_SPACE: Final = re.compile(r"[ \t\r\n]*")


@frozen
class Step:
    """One step: what opens it, what it says, what closes it, and the white space behind it.

    Text between tags has nothing that opens it; nothing closes lines, nor tags that stand alone.
    """

    opening: str
    payload: str
    closing: str
    space: str


def steps_of(traces: Sequence[str]) -> tuple[bool, list[list[Step]]]:
    """Whether steps are marked by tags (else by lines), and the steps of each trace.

    Raises StatelangError, with the trace and the line, for what is not marked.
    """
    by_tags = any(_TAG.search(trace) for trace in traces)
    found = []
    for number, trace in enumerate(traces, 1):
        steps: list[Step] = []
        for step in _tags(trace, number) if by_tags else _lines(trace, number):
            steps.append(step)
            if len(steps) > MAX_STEPS:
                raise StatelangError(
                    f"trace {number} has more than {MAX_STEPS} steps; give shorter ones to infer "
                    "a grammar from"
                )
        if not steps:
            raise StatelangError(f"trace {number} is empty; leave it out")
        found.append(steps)
    return by_tags, _without_numbers(found)


def _without_numbers(traces: list[list[Step]]) -> list[list[Step]]:
    """Where openings differ in a number, or many in an attribute, that belongs to what is said."""
    openings = {step.opening for steps in traces for step in steps}
    numbered = Counter(_NUMBER.sub("0", opening) for opening in openings)
    tagged = Counter(_tag(opening) for opening in openings)
    stems = {}
    for opening in openings:
        stems[opening] = opening
        if tagged[_tag(opening)] > _FEW:
            stems[opening] = _tag(opening)
        elif numbered[_NUMBER.sub("0", opening)] > 1:
            stems[opening] = _NUMBER.split(opening, maxsplit=1)[0]
    return [[_moved(step, stems[step.opening]) for step in steps] for steps in traces]


def _tag(opening: str) -> str:
    """`<step` of `<step id="1">`; other openings have no attributes."""
    tag = re.match(r"\s*<[A-Za-z][\w.-]*", opening)
    return tag[0] if tag else opening


def _moved(step: Step, stem: str) -> Step:
    """The step with what follows the stem of its opening as a part of what it says."""
    return evolve(step, opening=stem, payload=step.opening[len(stem) :] + step.payload)


def _tags(trace: str, number: int) -> Iterator[Step]:
    at = 0
    while at < len(trace):
        begin = _after_space(trace, at) if at == 0 else at
        tag = _TAG.match(trace, begin)
        if tag is None:
            following = _TAG.search(trace, begin)
            end = following.start() if following else len(trace)
            if "<" in trace[begin:end]:
                raise _unmarked(trace, number, trace.index("<", at), "a `<` that opens no tag")
            if not trace[at:end].strip():
                raise _unmarked(trace, number, at, "white space alone")
            yield Step(trace[at:begin], trace[begin:end], "", "")
            at = end
            continue
        close = f"</{tag[1]}>"
        end = trace.find(close, tag.end())
        if end < 0:  # a tag that stands alone, as `<give up>` does
            after = _after_space(trace, tag.end())
            yield Step(trace[at : tag.end()], "", "", trace[tag.end() : after])
        else:
            after = _after_space(trace, end + len(close))
            space = trace[end + len(close) : after]
            yield Step(trace[at : tag.end()], trace[tag.end() : end], close, space)
        at = after


def _lines(trace: str, number: int) -> Iterator[Step]:
    at = 0
    while at < len(trace):
        line = _LINE.match(trace, at)
        if line is None:
            raise _unmarked(trace, number, at, "a line that begins with no name")
        yield Step(line[1], line[2], "", line[3])
        at = line.end()


def _after_space(trace: str, at: int) -> int:
    found = _SPACE.match(trace, at)
    return found.end() if found else at


def _unmarked(trace: str, number: int, at: int, what: str) -> StatelangError:
    line = trace.count("\n", 0, at) + 1
    return StatelangError(
        f"trace {number} has {what} in line {line}; steps are marked as `<name>...</name>`, or "
        "each line begins with `[name]`, `name:` or a word"
    )
