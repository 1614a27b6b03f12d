"""`statelang prompt`: the instructions that teach a model a space."""

import argparse
import sys
from typing import Any

import statelang
from statelang.commands.common import SPACE, Subparsers, json_lines, text_of
from statelang.diagnostics import StatelangError


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "prompt",
        "print the instructions that teach a model a space",
        "Print what a model has to know to write traces: the steps and their forms, their order, "
        "the contracts in words, an example. With a problem, what is asked of the model follows.\n"
        "A student is asked to solve the problem; a teacher to rewrite as a trace what is known "
        "of it.",
        "statelang prompt kwai_star --for teacher --problem problem.json",
        run,
    )
    parser.add_argument("space", metavar="SPACE", help=SPACE)
    parser.add_argument(
        "--for",
        dest="role",
        choices=("student", "teacher"),
        default="student",
        help="whom the prompt is for (default: student)",
    )
    parser.add_argument(
        "--problem",
        metavar="FILE",
        help='one JSON object on one line: its "question" and the inputs of the space; for a '
        'teacher also the gold "answer", a "solution", or an "attempt" that went wrong; - is '
        "standard input",
    )
    parser.add_argument(
        "--example",
        metavar="FILE",
        help='a good trace to show: one JSON object on one line with "text" and "problem"',
    )


def run(options: argparse.Namespace) -> int:
    """Print the prompt."""
    from statelang.teaching.worked import Example

    space = statelang.load(options.space)
    problem = example = None
    if options.problem:
        _, problem = _only(options.problem)
    elif options.role == "teacher":
        raise StatelangError(
            "a teacher rewrites what is known of a problem; give the problem with --problem"
        )
    if options.example:
        place, row = _only(options.example)
        given = row.get("problem") or {}
        if not isinstance(given, dict):
            raise StatelangError(f'{place} has a "problem" that is no object. Give one as {{...}}.')
        example = Example(text_of(row, place), given)
    sys.stdout.write(statelang.prompt(space, problem, role=options.role, example=example))
    return 0


def _only(file: str) -> tuple[str, dict[str, Any]]:
    """The one object of a file, with its place."""
    first, *more = json_lines(file)
    if more:
        raise StatelangError(f"{more[0][0]} is one object too many. Give a file with one line.")
    return first
