"""`statelang generate`: traces from a model, free or under the grammar."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TextIO

import statelang
from statelang.commands import tools
from statelang.commands.common import SPACE, Subparsers, json_object, positive, temperature, utf8
from statelang.diagnostics import StatelangError
from statelang.space import StateSpace

DECODINGS = ("free", "grammar", "contracts", "retry")
KINDS = ("llama.cpp", "vllm", "sglang", "plain")
_REPORTED = 16  # traces between two lines of progress


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "generate",
        "let a model write traces",
        "Let a model write traces, each as one JSON object a line: its text and verdicts, why it "
        "finished (stop, budget, length, locked), its tokens and, in runs of them, who wrote them "
        "(model, grammar, contracts, tool NAME).\n"
        "The model is in a folder, or behind a server that completes texts: the grammar goes with "
        "the request, the contracts are checked as the answer comes, and a line tells how many "
        "tokens came and were kept, how often the server was asked, how often something wrong was "
        "sampled again, the ending that was written here where the tokens ran out, and, where a "
        "trace could not be ended, what it is stuck at.\n"
        "A run into --out that is broken off goes on where it stopped when it is started again, "
        "and draws what it would have drawn.",
        'statelang generate kwai_star_formal --model runs/quickstart/sft/model --question "..."\n'
        "  statelang generate kwai_star_formal --server http://localhost:8000/v1 "
        '--served-model NAME --kind vllm --question "..."',
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--model", type=Path, metavar="FOLDER", help="a causal language model")
    model.add_argument(
        "--server", metavar="URL", help="an OpenAI-compatible server, as http://localhost:8000/v1"
    )
    parser.add_argument(
        "--served-model", type=utf8, metavar="NAME", help="the name that --server has for the model"
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        default="llama.cpp",
        help="how --server takes a grammar; plain: not at all (default: llama.cpp)",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data", type=Path, metavar="FOLDER", help="take the problems of the rows `data` wrote"
    )
    source.add_argument("--question", type=utf8, metavar="TEXT", help="one problem")
    source.add_argument(
        "--problem",
        type=json_object,
        metavar="JSON",
        help='one problem with the space\'s inputs: its "question" and they, as one JSON object',
    )
    parser.add_argument(
        "--decoding",
        choices=DECODINGS,
        default="contracts",
        help="free: nothing is masked; grammar: only what the grammar allows; contracts: only what "
        "grammar and contracts allow, and a step that fails its `checks` is written again; retry: "
        "sampled again until all verdicts are right (default: contracts)",
    )
    parser.add_argument(
        "-n", type=positive, default=1, metavar="N", help="traces for each problem (default: 1)"
    )
    tools.add_tools(parser)
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
        help="the budget of a trace; under a mask it ends, complete, within it (default: 400)",
    )
    parser.add_argument(
        "--temperature",
        type=temperature,
        default=1.0,
        metavar="T",
        help="0 takes the likeliest token (default: 1)",
    )
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")


def problems(space: StateSpace, folder: Path) -> list[dict[str, Any]]:
    """The problems of the rows in a folder that `data` wrote for this space, and their prompts: a
    model is asked as it was taught."""
    from statelang.training.rows import read_rows

    found = [{**row.problem, "prompt": row.prompt} for row in read_rows(folder, space.hash)]
    if not found:
        raise StatelangError(
            f"{folder}: sft.jsonl holds no rows, so there are no problems. Look into refused.jsonl."
        )
    return found


def run(options: argparse.Namespace) -> int:
    """Write the traces."""
    from statelang.training.continued import held
    from statelang.training.trainer import say

    space = statelang.load(options.space)
    one = {"question": options.question} if options.problem is None else options.problem
    rows = problems(space, options.data) if options.data else [one]
    asked = [problem for problem in rows for _ in range(options.n)]
    by = {"grammar": space.name, "grammar_hash": space.hash, **_drawn(options)}
    done = held(options.out, by, asked) if options.out else 0
    if done:
        say(f"{options.out} holds {done} of {len(asked)} traces; the run goes on from there")
    traces = _traces(options, space, asked[done:], done) if asked[done:] else iter(())
    with _opened(options.out) as file:
        for count, trace in enumerate(traces, done + 1):
            file.write(json.dumps({**trace, **by}) + "\n")
            file.flush()
            if count % _REPORTED == 0:
                say(f"{count} of {len(asked)} traces", last=False)
    if options.out:
        print(f"the traces are in {options.out}")
    return 0


def _drawn(options: argparse.Namespace) -> dict[str, Any]:
    """What the traces are drawn with. Raises StatelangError for options that do not go together."""
    if options.server is None and options.served_model is not None:
        raise StatelangError("--served-model is the name of a model behind a server. Add --server.")
    if options.server is not None and options.served_model is None:
        raise StatelangError(
            f"--server {options.server}: which of its models is to write? Add --served-model NAME."
        )
    if options.server is not None and options.decoding != "contracts":
        raise StatelangError(
            f"--decoding {options.decoding} is for a model in a folder. With --server leave it "
            "out; --kind plain sends no grammar."
        )
    by = {"model": str(options.model), "decoding": options.decoding}
    if options.server is not None:
        by = {"model": options.served_model, "server": options.server, "kind": options.kind}
    if options.tools:
        by["tools"] = options.tools
    how = {name: getattr(options, name) for name in ("max_tokens", "temperature", "seed")}
    return {**by, **how}


def _traces(
    options: argparse.Namespace, space: StateSpace, asked: Sequence[dict[str, Any]], first: int
) -> Iterator[dict[str, Any]]:
    """A trace for each problem, the number of the first being `first`, as JSON-able values."""
    how: dict[str, Any] = {
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "seed": options.seed,
        "tools": tools.named(options.tools),
        "first": first,
    }
    if options.server is None:
        from statelang.training.evaluate import sample

        yield from sample(space, options.model, asked, decoding=options.decoding, **how)
        return
    from statelang.engine.serving.served import generate_served
    from statelang.engine.serving.server import Server

    server = Server(options.server, options.served_model, options.kind)
    for served in generate_served(space, server, asked, **how):
        yield {
            "problem": {key: value for key, value in served.problem.items() if key != "prompt"},
            "text": served.text,
            "verdict": served.verdict.as_dict(),
            "tokens": served.tokens,
            "kept": served.kept,
            "requests": served.requests,
            "again": served.again,
            "finish_reason": served.finish_reason,
            "ending": served.ending,
            "stuck": served.stuck,
        }


def _opened(out: Path | None) -> AbstractContextManager[TextIO]:
    """The file that traces are added to, or standard output. Raises StatelangError."""
    if out is None:
        return nullcontext(sys.stdout)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return out.open("a", encoding="utf-8", newline="\n")
    except OSError as error:
        raise StatelangError(
            f"{out} cannot be written: {error.strerror}. Choose another --out."
        ) from error
