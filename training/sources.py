"""One line of an input file -> a row and a pair for a space, or a refusal.

Decides by the line's fields: `prompt` and `completion` hold a trace of any space; `question` and
`answer` are a GSM8K problem, for the space `kwai_star` alone. Nothing is kept that the engine has
not accepted. Knows neither files nor folders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from attrs import frozen

from statelang import StatelangError, StateSpace
from statelang.engine import Verdict, validate
from statelang.training import gsm8k
from statelang.training.corrupt import near_miss
from statelang.training.gsm8k_lines import Refused
from statelang.training.gsm8k_pairs import wrong_then_verified
from statelang.training.rows import Pair, Row, Span

NO_READER = "no reader for this form"
_UNCHECKED = "<parent unchecked>"
_SHOWN = 200  # characters of an unreadable line that a refusal repeats


@frozen
class Reader:
    """How a file's lines are read: for which space, whether as GSM8K too, from which seed."""

    space: StateSpace
    source: str
    reads_gsm8k: bool
    seed: int


@frozen
class Refusal:
    """A line that gave no row: its number from 1, its question or text, and why."""

    line: int
    problem: str
    reason: str
    detail: str


@frozen
class Outcome:
    """What one line gave: a row and perhaps a pair, or a refusal."""

    row: Row | None = None
    pair: Pair | None = None
    refusal: Refusal | None = None


def read_line(reader: Reader, number: int, line: bytes) -> Outcome:
    """Read line `number` (from 1) of a file; whatever is wrong with it is a refusal."""
    shown = line.decode("utf-8", "backslashreplace").strip()[:_SHOWN]
    try:
        value = _object(line)
        if isinstance(value.get("question"), str):
            shown = value["question"].encode("utf-8", "backslashreplace").decode()
        if "completion" in value or "prompt" in value:
            return _from_trace(reader, number, value)
        if "question" in value or "answer" in value:
            return _from_gsm8k(reader, number, value)
        raise Refused("unknown form", "neither prompt and completion nor question and answer")
    except Refused as refused:
        reason, detail = refused.refusal.reason, refused.refusal.detail
    except StatelangError as error:
        reason, detail = "problem", str(error)
    return Outcome(refusal=Refusal(number, shown, reason, detail))


def verdicts(verdict: Verdict) -> dict[str, bool | None]:
    """The three verdicts as a row keeps them."""
    return {
        "grammar": verdict.grammar,
        "contracts": verdict.contracts,
        "answer": verdict.answer,
    }


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused("not UTF-8", str(error)) from error
    except (ValueError, RecursionError) as error:
        raise Refused("not JSON", str(error)) from error
    if not isinstance(value, dict):
        raise Refused("not an object", f"the line is a JSON {type(value).__name__}")
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:  # half of a surrogate pair, `\ud83d` alone
        raise Refused("not Unicode", str(error)) from error
    return value


def _from_gsm8k(reader: Reader, number: int, value: Mapping[str, Any]) -> Outcome:
    if not reader.reads_gsm8k:
        raise Refused(
            NO_READER,
            f"space {reader.space.name} reads no question and answer; give rows with prompt and "
            "completion",
        )
    solution = gsm8k.read(value)
    if not isinstance(solution, gsm8k.Solution):
        raise Refused(solution.reason, solution.detail)
    problem = {
        "id": f"{reader.source}:{number}",
        "question": value["question"],
        "answer": solution.answer,
    }
    prompt = f"{value['question']}\n"
    row = _row(reader, prompt, solution.trace(), problem, ())
    pair = wrong_then_verified(solution, _rng(reader, number))
    if pair is None:
        return Outcome(row)
    chosen = validate(reader.space, pair.chosen, problem)
    rejected = validate(reader.space, pair.rejected, problem)
    if not _right(chosen) or not rejected.grammar or rejected.contracts or rejected.answer:
        return Outcome(row)
    no_loss = (pair.wrong_step,)
    return Outcome(
        row,
        Pair(
            prompt=prompt,
            chosen=pair.chosen,
            rejected=pair.rejected,
            problem=problem,
            grammar=reader.space.name,
            grammar_hash=reader.space.hash,
            verdicts={"chosen": verdicts(chosen), "rejected": verdicts(rejected)},
            kind="content",
            rule=rejected.error.rule if rejected.error else None,
            no_loss={"chosen": no_loss, "rejected": no_loss},
        ),
    )


def _from_trace(reader: Reader, number: int, value: Mapping[str, Any]) -> Outcome:
    prompt, completion = _text(value, "prompt"), _text(value, "completion")
    problem = value.get("problem", {})
    if not isinstance(problem, dict):
        raise Refused("problem", "the field `problem` is not an object")
    problem = {"id": f"{reader.source}:{number}", "question": prompt.rstrip("\n"), **problem}
    no_loss = _spans(value.get("no_loss", []), len(completion))
    row = _row(reader, prompt, completion, problem, no_loss)
    miss = near_miss(reader.space, completion, _rng(reader, number), problem)
    if miss is None:
        return Outcome(row)
    return Outcome(
        row,
        Pair(
            prompt=prompt,
            chosen=completion,
            rejected=miss.text,
            problem=problem,
            grammar=reader.space.name,
            grammar_hash=reader.space.hash,
            verdicts={"chosen": row.verdict, "rejected": verdicts(miss.verdict)},
            kind="form",
            rule=miss.rule,
            no_loss={"chosen": no_loss, "rejected": ()},
        ),
    )


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise Refused(f"no {name}", f"the field `{name}` is missing or not text")
    return text


def _row(
    reader: Reader,
    prompt: str,
    completion: str,
    problem: Mapping[str, Any],
    no_loss: tuple[Span, ...],
) -> Row:
    """The row of an accepted trace; a verdict that does not hold is the refusal's reason."""
    verdict = validate(reader.space, completion, problem)
    if not _right(verdict):
        error = verdict.error
        where = ""
        if error:
            said = error.message.removeprefix(f"step {error.step}, ")
            where = f"step {error.step}, line {error.line}: {said}"
        failed = next(name for name, holds in verdicts(verdict).items() if not holds)
        raise Refused(failed, where or "the trace's answer is not the problem's")
    return Row(
        prompt=prompt,
        completion=completion,
        problem=problem,
        grammar=reader.space.name,
        grammar_hash=reader.space.hash,
        verdict=verdicts(verdict),
        checked=_UNCHECKED not in completion,
        no_loss=no_loss,
    )


def _right(verdict: Verdict) -> bool:
    return verdict.grammar and verdict.contracts is True and verdict.answer is not False


def _spans(value: object, length: int) -> tuple[Span, ...]:
    """Spans as a row of ours has them, so that such rows can be read again."""
    if not isinstance(value, list) or not all(_is_span(span, length) for span in value):
        raise Refused("no_loss", "the field `no_loss` holds no [start, end] in the completion")
    return tuple((start, end) for start, end in value)


def _is_span(span: object, length: int) -> bool:
    return (
        isinstance(span, list)
        and [type(end) for end in span] == [int, int]
        and 0 <= span[0] <= span[1] <= length
    )


def _rng(reader: Reader, number: int) -> Random:
    """Each line has its own stream, so a row does not depend on the lines before it."""
    return Random(f"{reader.seed}:{number}")
