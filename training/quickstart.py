"""The whole way in a few minutes on a CPU: grammar, rows, SFT, DPO, four decodings, report.

Started again after a stop it goes on: rows and models that are done are not made twice.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from attrs import asdict

import statelang
from statelang.engine import validate
from statelang.space import StateSpace
from statelang.training.formal import WrongPair, right_trace, wrong_pair
from statelang.training.problems import Problem, disjoint
from statelang.training.rows import Pair, Row, as_line, writing
from statelang.training.runs import write_atomically
from statelang.training.sources import verdicts
from statelang.training.trainer import say

HELD_OUT: Final = 128
TRAINING: Final = 4000
PAIRS: Final = 500
SEED: Final = 7
MAX_TOKENS: Final = 240
TEMPERATURE: Final = 0.3


def quickstart(out: Path) -> None:
    """Run every stage under `out`. Raises StatelangError where `out` holds another run."""
    import torch

    # A model this small gains nothing from a second thread, and where the machine is busy two
    # threads wait for each other: a step then takes ten times as long.
    torch.set_num_threads(1)
    started = perf_counter()
    space = statelang.load("kwai_star_formal")
    say(f"1. grammar: {space.name}, {len(space.actions)} actions, {len(space.states)} states")
    for transition in space.transitions:
        say(f"     {transition.source} -- {transition.action} --> {transition.target or 'end'}")
    held_out, training = disjoint([HELD_OUT, TRAINING], SEED)
    say(f"2. problems: {len(training)} to train on, {len(held_out)} held out")
    rows, pairs = make_rows(space, training, out)
    say(f"3. rows: {len(rows)} right traces, {len(pairs)} wrong-then-verified pairs, all validated")
    sft = _sft(space, rows, out / "sft")
    dpo = _dpo(pairs, sft, out / "dpo")
    say("5. generation, four ways on the same weights")
    results: list[dict[str, Any]] = []
    samples: list[dict[str, Any]] = []
    from statelang.training.evaluate import evaluate, table

    for stage, model in (("sft", sft), ("dpo", dpo)):
        found = evaluate(
            space,
            model,
            held_out,
            stage=stage,
            max_tokens=MAX_TOKENS,
            temperature=TEMPERATURE,
            seed=SEED,
        )
        results += found.results
        samples += found.samples
    write_atomically(out / "results.json", json.dumps(results, indent=2) + "\n")
    write_atomically(out / "samples.jsonl", "".join(json.dumps(s) + "\n" for s in samples))
    print(table(results))
    from statelang.training.report import write_report

    report = write_report(space, out)
    say(f"6. report: {report}")
    say(f"done in {perf_counter() - started:.0f} s")


def make_rows(
    space: StateSpace, problems: list[Problem], out: Path
) -> tuple[list[Row], list[Pair]]:
    """sft.jsonl, dpo.jsonl and manifest.json in `out`; every row is judged before it is written."""
    rows: list[Row] = []
    pairs: list[Pair] = []
    for index, problem in enumerate(problems):
        rows.append(_row(space, problem, right_trace(problem)))
        if len(pairs) < PAIRS:
            wrong = wrong_pair(problem, SEED + index)
            if wrong is not None:
                pairs.append(_pair(space, problem, wrong))
    with writing(out, ("sft.jsonl", "dpo.jsonl", "manifest.json")) as files:
        files["sft.jsonl"].writelines(as_line(row) for row in rows)
        files["dpo.jsonl"].writelines(as_line(pair) for pair in pairs)
        manifest = {
            "grammar": space.name,
            "grammar_hash": space.hash,
            "seed": SEED,
            "counts": {"rows": len(rows), "rows_checked": len(rows), "pairs": len(pairs)},
        }
        files["manifest.json"].write(json.dumps(manifest, indent=2) + "\n")
    return rows, pairs


def _row(space: StateSpace, problem: Problem, trace: str) -> Row:
    known = dict(problem)
    verdict = validate(space, trace, known)
    assert verdict.holds, verdict.error  # the writer of traces and the grammar must agree
    return Row(
        prompt=f"{problem['question']}\n",
        completion=trace,
        problem=known,
        grammar=space.name,
        grammar_hash=space.hash,
        verdict=verdicts(verdict),
        checked=True,
    )


def _pair(space: StateSpace, problem: Problem, wrong: WrongPair) -> Pair:
    known = dict(problem)
    chosen = validate(space, wrong.chosen, known)
    rejected = validate(space, wrong.rejected, known)
    assert chosen.holds and rejected.grammar and rejected.answer is False, chosen.error
    return Pair(
        prompt=f"{problem['question']}\n",
        chosen=wrong.chosen,
        rejected=wrong.rejected,
        problem=known,
        grammar=space.name,
        grammar_hash=space.hash,
        verdicts={"chosen": verdicts(chosen), "rejected": verdicts(rejected)},
        kind="content",
        rule=rejected.error.rule if rejected.error else None,
        no_loss={"chosen": (wrong.no_loss,), "rejected": (wrong.no_loss,)},
    )


def _sft(space: StateSpace, rows: list[Row], out: Path) -> Path:
    from statelang.training.model import tiny_llama
    from statelang.training.sft import SftSettings, train_sft
    from statelang.training.tokenizer import train_tokenizer

    texts = [text for row in rows for text in (row.prompt, row.completion)]
    tokenizer = train_tokenizer(texts, space.literals)
    model = tiny_llama(tokenizer, SEED)
    size = sum(weight.numel() for weight in model.parameters())
    say(f"4. training: a Llama of {size:,} weights from scratch, {len(tokenizer)} tokens")
    settings = SftSettings(seed=SEED)
    return train_sft(
        [asdict(row) for row in rows], model=model, tokenizer=tokenizer, out=out, settings=settings
    )


def _dpo(pairs: list[Pair], sft: Path, out: Path) -> Path:
    from statelang.training.dpo import DpoSettings, train_dpo
    from statelang.training.model import load_model

    model, tokenizer = load_model(sft)
    settings = DpoSettings(seed=SEED)
    return train_dpo(
        [asdict(pair) for pair in pairs],
        model=model,
        tokenizer=tokenizer,
        out=out,
        settings=settings,
    )
