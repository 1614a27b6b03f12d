"""`statelang train sft` and `train dpo`: fine-tune on the folder that `data` wrote."""

import argparse
from pathlib import Path
from typing import Any

import statelang
from statelang.commands.common import SPACE, Subparsers, positive


def add(verbs: Subparsers) -> None:
    """Declare the verb and its two stages."""
    parser = verbs.add(
        "train",
        "fine-tune on rows or on pairs",
        "Fine-tune a model on what `statelang data` wrote. A run that was stopped goes on when the "
        "same command is given again.",
        "statelang train sft kwai_star --data runs/gsm8k --out runs/gsm8k/sft",
        None,
    )
    stages = Subparsers(parser, "STAGE")
    sft = stages.add(
        "sft",
        "supervised, on right traces",
        "Train on the traces in sft.jsonl: a small model from scratch, or the one in --model.",
        "statelang train sft kwai_star --data runs/gsm8k --out runs/gsm8k/sft",
        run_sft,
    )
    dpo = stages.add(
        "dpo",
        "by preference, on pairs of traces",
        "Train on the pairs in dpo.jsonl, with LoRA, from the model in --model.",
        "statelang train dpo kwai_star --data runs/gsm8k --model runs/gsm8k/sft/model "
        "--out runs/gsm8k/dpo",
        run_dpo,
    )
    for stage in (sft, dpo):
        stage.add_argument("space", metavar="SPACE", help=SPACE)
        stage.add_argument(
            "--data", type=Path, required=True, metavar="FOLDER", help="what `data` wrote"
        )
        stage.add_argument(
            "--model",
            type=Path,
            required=stage is dpo,
            metavar="FOLDER",
            help="a causal language model with its tokenizer"
            + ("" if stage is dpo else " (default: a small one from scratch)"),
        )
        stage.add_argument(
            "--out", type=Path, required=True, metavar="FOLDER", help="log.jsonl and model/ go here"
        )
        stage.add_argument("--steps", type=positive, metavar="N", help="optimiser steps")
        stage.add_argument("--seed", type=int, default=0, help="(default: 0)")


def run_sft(options: argparse.Namespace) -> int:
    """Train on the rows and say where the model is."""
    from attrs import asdict, evolve

    from statelang.training.model import load_model, tiny_llama
    from statelang.training.rows import read_rows
    from statelang.training.sft import FINE_TUNING, SftSettings, train_sft
    from statelang.training.tokenizer import train_tokenizer

    space = statelang.load(options.space)
    rows = [asdict(row) for row in read_rows(options.data, space.hash)]
    if options.model:
        model, tokenizer = load_model(options.model)
    else:
        texts = (row[part] for row in rows for part in ("prompt", "completion"))
        tokenizer = train_tokenizer(texts, space.literals)
        model = tiny_llama(tokenizer, options.seed)
    # The rate that suits random weights would wreck trained ones.
    settings = evolve(FINE_TUNING if options.model else SftSettings(), **_given(options))
    folder = train_sft(rows, model=model, tokenizer=tokenizer, out=options.out, settings=settings)
    print(f"the model is in {folder}")
    return 0


def run_dpo(options: argparse.Namespace) -> int:
    """Train on the pairs and say where the model is."""
    from attrs import asdict

    from statelang.training.dpo import DpoSettings, train_dpo
    from statelang.training.model import load_model
    from statelang.training.rows import read_pairs

    space = statelang.load(options.space)
    pairs = [asdict(pair) for pair in read_pairs(options.data, space.hash)]
    model, tokenizer = load_model(options.model)
    settings = DpoSettings(**_given(options))
    folder = train_dpo(pairs, model=model, tokenizer=tokenizer, out=options.out, settings=settings)
    print(f"the model is in {folder}")
    return 0


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """The settings named on the command line; the others keep each stage's own defaults."""
    given = {"seed": options.seed}
    return given | {"steps": options.steps} if options.steps else given
