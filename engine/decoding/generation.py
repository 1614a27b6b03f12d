"""Generate traces with a model: free, under the grammar, or under its contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any, Literal

from attrs import evolve, frozen

from statelang.diagnostics import StatelangError
from statelang.engine.asking import prompt, prompt_ids
from statelang.engine.decoding.judging import Judge, has_checks, unchecked
from statelang.engine.decoding.loop import decode
from statelang.engine.decoding.sequences import Finish, Free, Steered
from statelang.engine.processors.processor import model_vocabulary
from statelang.engine.steering.guide import Guide, NoTrace, guide
from statelang.engine.steering.matcher import Matcher
from statelang.engine.verdicts.locking import locked_verdict
from statelang.engine.verdicts.verdict import Verdict, validate
from statelang.space import StateSpace
from statelang.tools import Function

Mask = Literal["free", "grammar", "contracts"]


@frozen
class Generation:
    """One trace: its text and its verdicts, its tokens, and how it came about.

    `ids` are its tokens, stop token included, and `authors` says of each who wrote it: "model";
    "grammar" or "contracts", where nothing else could stand there and the model was not asked;
    "tool NAME", where a part of the token is what that function wrote.

    `finish_reason` is "stop" where the model ended the trace, "budget" where the budget closed
    tokens on the way to the end that would have been legal, "length" where the tokens of a free
    trace ran out, "locked" where nothing legal could follow, or no legal trace is known for the
    problem: the trace is as it stood, and the verdict's error names the clause that closed the way
    on. `tokens` counts all that were written: of all tries, and of steps that were taken back.
    """

    problem: Mapping[str, Any]
    text: str
    tokens: int
    verdict: Verdict
    tries: int = 1
    ids: tuple[int, ...] = ()
    authors: tuple[str, ...] = ()
    finish_reason: Finish = "stop"


def generate(
    space: StateSpace,
    model: Any,
    problems: Sequence[Mapping[str, Any]],
    *,
    mask: Mask = "contracts",
    max_tokens: int = 400,
    temperature: float = 1.0,
    seed: int = 0,
    batch: int = 64,
    first: int = 0,
    tools: Mapping[str, Function] | None = None,
) -> Iterator[Generation]:
    """One trace for each problem, in order, judged.

    Text that is determined is appended without asking the model. A step that fails its `checks` is
    taken back and written again, 8 times at most; then it stays, and the verdict names it. A text
    that repeats itself is ended (`statelang.engine.decoding.stalling` has the rule).

    Args:
        space: The state space.
        model: An Outlines model (`outlines.from_transformers(...)`).
        problems: Each with a `question`, the space's inputs, and perhaps the gold `answer`, which
            is used for the verdict alone.
        mask: "contracts" holds the model to grammar and contracts, "grammar" to the grammar,
            "free" to nothing.
        max_tokens: Tokens a trace may take, stop token included; under a mask every trace ends,
            complete, within it.
        temperature: 0 takes the likeliest token.
        seed: Makes the sampling repeatable. What is drawn for a problem depends on the seed and on
            the number of the problem, not on the batch.
        batch: Problems decoded together.
        first: The number of the first problem, where a run goes on that was broken off.
        tools: The functions that `writes` clauses name (`statelang.engine.tools` has some); they
            write during generation, and again for the verdict.

    Raises:
        StatelangError: an input or a tool is missing, the budget is too small (the least known is
            named), the tokenizer cannot write the space, the model is of a kind whose cache cannot
            hold rows of different lengths, or a tool cannot be used (what else a tool raises is
            written as `error: ...`).
    """
    for start in range(0, len(problems), batch):
        chunk = problems[start : start + batch]
        yield from sample_until(
            space, model, chunk, mask, max_tokens, temperature, seed, 1, tools, first + start
        )


def sample_until(
    space: StateSpace,
    model: Any,
    problems: Sequence[Mapping[str, Any]],
    mask: Mask,
    max_tokens: int,
    temperature: float,
    seed: int,
    tries: int,
    tools: Mapping[str, Function] | None = None,
    first: int = 0,
) -> list[Generation]:
    """One batch, the traces whose grammar or contracts fail sampled again, `tries` in all.

    The gold answer plays no part in what is sampled again.
    """
    if not hasattr(model, "hf_tokenizer"):
        raise StatelangError(
            f"`{type(model).__name__}` is not a model of `outlines.from_transformers`, which "
            "`generate` needs; steer it with `outlines.Generator(model, processor=constrain(...))`"
        )
    steered = _Steering(space, model, mask, max_tokens, temperature, tools)
    found: list[Generation | None] = [None] * len(problems)
    waiting = list(range(len(problems)))
    for attempt in range(tries):
        rows = []
        for index in waiting:
            chance = Random(f"{seed} {first + index} {attempt}")
            rows.append(steered.row(problems[index], chance))
        decode(model.model, rows)
        for index, row in zip(waiting, rows, strict=True):
            before = found[index]
            made = steered.generation(problems[index], row)
            spent = made.tokens + (before.tokens if before else 0)
            found[index] = evolve(made, tokens=spent, tries=attempt + 1)
        waiting = [i for i in waiting if not (g := found[i]) or g.verdict.contracts is not True]
        if not waiting:
            break
    return [generation for generation in found if generation is not None]


@frozen
class _Steering:
    """How the traces of one run are begun, and what they become."""

    space: StateSpace
    model: Any
    mask: Mask
    max_tokens: int
    temperature: float
    tools: Mapping[str, Function] | None

    def row(self, problem: Mapping[str, Any], chance: Random) -> Free:
        """A trace at its beginning."""
        vocabulary = model_vocabulary(self.model)
        ids = prompt_ids(self.model.hf_tokenizer, prompt(self.space, problem))
        if not ids:
            raise StatelangError("a prompt is empty, so the model has nothing to go on from")
        begun = (ids, vocabulary.stops, self.max_tokens, self.temperature, chance)
        if self.mask == "free":
            return Free(*begun)
        contracts = self.mask == "contracts"
        guide_ = guide(self.space, vocabulary, contracts)
        judge = None
        if contracts and has_checks(self.space):
            guide_, judge = _without_checks(guide_), Judge.of(self.space, problem)
        try:
            matcher = Matcher.of(guide_, problem, self.max_tokens, self.tools)
        except NoTrace:
            # Unless the tokenizer cannot write the grammar either: that is no trace's own fault.
            Matcher.of(guide(self.space, vocabulary, False), problem, None, self.tools)
            locked = Free(*begun)
            locked.finish = "locked"
            return locked
        has_tools = contracts and self.tools is not None and bool(self.space.program.functions)
        return Steered(*begun, matcher=matcher, judge=judge, forces=True, has_tools=has_tools)

    def generation(self, problem: Mapping[str, Any], row: Free) -> Generation:
        """What a trace that has ended became."""
        vocabulary = model_vocabulary(self.model)
        ids = tuple(row.ids[row.begin :])
        written = [token for token in ids if token not in vocabulary.stops]
        text = vocabulary.decode(written).decode(errors="replace")
        assert row.finish is not None
        judged = locked_verdict if row.finish == "locked" else validate
        verdict = judged(self.space, text, problem, self.tools)
        authors = tuple(row.authors)
        return Generation(problem, text, row.spent, verdict, 1, ids, authors, row.finish)


@lru_cache(maxsize=8)
def _without_checks(checked: Guide) -> Guide:
    return Guide(unchecked(checked.space), checked.vocabulary)
