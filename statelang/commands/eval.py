"""`statelang eval`: one table of the four decodings of a model."""

import argparse
import json
from pathlib import Path
from typing import Any

import statelang
from statelang.commands import tools
from statelang.commands.common import SPACE, Subparsers, positive
from statelang.commands.generate import add_sampling, problems
from statelang.diagnostics import StatelangError


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "eval",
        "measure a model, decoded in four ways",
        "Let a model solve problems under each decoding, with the same prompts, temperature and "
        "budget. The rows of the table go into --out, which keeps the rows of other stages, and "
        "the traces into samples.jsonl beside it.",
        "statelang eval kwai_star --model runs/gsm8k/sft/model --data runs/held_out "
        "--out runs/gsm8k/results.json",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument(
        "--model", type=Path, required=True, metavar="FOLDER", help="a causal language model"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="what `data` wrote from problems that were not trained on",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the table, as results.json"
    )
    parser.add_argument(
        "-n", type=positive, default=100, metavar="N", help="the first N problems (default: 100)"
    )
    tools.add_tools(parser)
    add_sampling(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, write and print the table."""
    from statelang.training.evaluate import evaluate, table
    from statelang.training.runs import write_atomically

    space = statelang.load(options.space)
    asked = problems(space, options.data)[: options.n]
    stage = _stage(options.model)
    samples_file = options.out.parent / "samples.jsonl"
    kept = _others(options.out, stage)
    kept_samples = _others(samples_file, stage)
    found = evaluate(
        space,
        options.model,
        asked,
        stage=stage,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        seed=options.seed,
        tools=tools.named(options.tools),
    )
    results, samples = kept + found.results, kept_samples + found.samples
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(samples_file, "".join(json.dumps(sample) + "\n" for sample in samples))
    write_atomically(options.out, json.dumps(results, indent=2) + "\n")
    print(table(results))
    return 0


def _stage(model: Path) -> str:
    """The stage that made the model, as its run says; "given" for a model from elsewhere."""
    try:
        run = json.loads((model.resolve().parent / "run.json").read_text(encoding="utf-8"))
        return str(run["stage"])
    except (OSError, ValueError, KeyError, TypeError):
        return "given"


def _others(file: Path, stage: str) -> list[dict[str, Any]]:
    """The objects of an earlier evaluation that belong to other stages."""
    if not file.is_file():
        return []
    try:
        text = file.read_text(encoding="utf-8")
        lines = file.suffix == ".jsonl"
        rows = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
        return [row for row in rows if row["stage"] != stage]
    except (ValueError, KeyError, TypeError) as error:
        raise StatelangError(
            f"{file} is not what an evaluation wrote ({error}). Choose another --out."
        ) from error
