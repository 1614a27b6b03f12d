"""`statelang generate`: traces from a model, free or under the grammar."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import statelang
from statelang.commands.common import SPACE, Subparsers, positive, temperature, utf8
from statelang.diagnostics import StatelangError
from statelang.space import StateSpace

DECODINGS = ("free", "grammar", "contracts", "retry")


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "generate",
        "let a model write traces",
        "Let a model write traces, each printed with its verdict as one JSON object a line.",
        'statelang generate kwai_star_formal --model runs/quickstart/sft/model --question "..."',
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument(
        "--model", type=Path, required=True, metavar="FOLDER", help="a causal language model"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data", type=Path, metavar="FOLDER", help="take the problems of the rows `data` wrote"
    )
    source.add_argument("--question", type=utf8, metavar="TEXT", help="one problem")
    parser.add_argument(
        "--decoding",
        choices=DECODINGS,
        default="contracts",
        help="free: nothing is masked; grammar: only what the grammar allows; contracts: only what "
        "grammar and contracts allow; retry: sampled again until all verdicts are right "
        "(default: contracts)",
    )
    parser.add_argument(
        "-n", type=positive, default=1, metavar="N", help="traces for each problem (default: 1)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write here (default: standard output)"
    )
    add_sampling(parser)


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Declare how tokens are drawn; `eval` draws them in the same way."""
    parser.add_argument(
        "--max-tokens",
        type=positive,
        default=400,
        metavar="N",
        help="the budget of a trace (default: 400)",
    )
    parser.add_argument(
        "--temperature", type=temperature, default=1.0, metavar="T", help="(default: 1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")


def problems(space: StateSpace, folder: Path) -> list[dict[str, Any]]:
    """The problems of the rows in a folder that `data` wrote for this space."""
    from statelang.training.rows import read_rows

    found = [dict(row.problem) for row in read_rows(folder, space.hash)]
    if not found:
        raise StatelangError(
            f"{folder}: sft.jsonl holds no rows, so there are no problems. Look into refused.jsonl."
        )
    return found


def run(options: argparse.Namespace) -> int:
    """Write the traces."""
    from statelang.training.evaluate import sample
    from statelang.training.runs import write_atomically

    space = statelang.load(options.space)
    asked = problems(space, options.data) if options.data else [{"question": options.question}]
    traces = sample(
        space,
        options.model,
        [problem for problem in asked for _ in range(options.n)],
        decoding=options.decoding,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        seed=options.seed,
    )
    lines = (json.dumps(trace) + "\n" for trace in traces)
    if options.out:
        write_atomically(options.out, "".join(lines))
        print(f"the traces are in {options.out}")
    else:
        sys.stdout.writelines(lines)
    return 0
