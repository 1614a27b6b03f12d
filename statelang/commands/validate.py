"""`statelang validate`: the verdict on each trace of a file."""

import argparse
import json

import statelang
from statelang.commands import tools
from statelang.commands.common import SPACE, Subparsers, json_lines, problem_of, text_of

_PIECE = 1 << 20  # characters


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "validate",
        "judge traces",
        'Judge each line of a JSON lines file: the trace is its "text" or "completion", its '
        '"problem" (with "question", the known "answer" and the space\'s inputs) may stand beside '
        'it. Print one JSON object a line: "grammar", "contracts", "answer" (true, false, or null '
        'where it cannot be judged) and "error", the first offending step.\n'
        "With --tools, what a trace says that a tool wrote is compared with what the tool says now."
        "\n"
        "Exit status: 0 nothing is false, 1 something is, 2 a line could not be read.",
        "statelang walk kwai_star -n 5 | statelang validate kwai_star -",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument("file", metavar="FILE", help="a JSON lines file; - is standard input")
    tools.add_tools(parser)


def run(options: argparse.Namespace) -> int:
    """Print a verdict for each line, as they are read."""
    from statelang.engine import Validator

    space, writers = statelang.load(options.space), tools.named(options.tools)
    status = 0
    for place, row in json_lines(options.file):
        text = text_of(row, place)
        validator = Validator(space, problem_of(row, place), writers)
        for start in range(0, len(text), _PIECE):  # steps are not kept: a trace may have any length
            validator.feed(text[start : start + _PIECE])
        verdict = validator.close()
        print(json.dumps(verdict.as_dict()))
        if False in (verdict.grammar, verdict.contracts, verdict.answer):
            status = 1
    return status
