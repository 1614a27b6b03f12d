"""`statelang doctor`: all between a space and a model that will go wrong, before a run."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import statelang
from statelang.commands.common import SPACE, Subparsers, json_object, tally
from statelang.diagnostics import render

if TYPE_CHECKING:
    from statelang.engine.doctor.diagnosis import Diagnosis


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "doctor",
        "find what will go wrong between a space and a model, before a run",
        "Examine a space with a model in seconds: tags that are special tokens, texts that the "
        "tokenizer cannot write or changes, what a chat template does to traces, stop tokens, "
        "options of generation that fight the mask, other constrained decoders tried with the "
        "same tokens, and what a trace costs. Weights are not loaded; a folder with a tokenizer "
        "alone will do, and what could not be asked is listed. --explain tells of a finding why "
        "it matters and what to do.\n"
        "Exit status: 0 no errors (warnings and notes allowed), 1 errors, or a space with inputs "
        "and no --problem, of which most cannot be asked, 2 the space or the tokenizer could not "
        "be read.",
        "statelang doctor kwai_star_formal --model runs/quickstart/sft/model\n"
        "  statelang doctor --explain SD102",
        run,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("space", nargs="?", metavar="SPACE", help=SPACE)
    what.add_argument("--explain", metavar="CODE", help="print the page of a finding and exit")
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a folder that save_pretrained wrote, or the name of a model on a hub",
    )
    parser.add_argument(
        "--problem",
        type=json_object,
        metavar="JSON",
        help="the space's inputs, as one JSON object (default: those of the shipped example)",
    )
    parser.add_argument(
        "--format",
        choices=("terminal", "json", "github", "sarif"),
        default="terminal",
        help="as `check` has them; json is one object, with what was measured (default: terminal)",
    )


def run(options: argparse.Namespace) -> int:
    """Examine, and print."""
    if options.explain:
        from statelang.engine.doctor.findings import kind

        print(kind(options.explain).page, end="")
        return 0
    if not options.model:
        raise statelang.StatelangError(
            "doctor needs a model to examine; name its folder with --model"
        )
    from statelang.engine.doctor.diagnosis import diagnose

    space = statelang.load(options.space)
    found = diagnose(space, options.model, options.problem)
    if options.format == "json":
        print(json.dumps(as_dict(found), indent=2))
    elif options.format == "github":
        from statelang.formats import github

        for finding in found.findings:
            print(github(finding))
    elif options.format == "sarif":
        from statelang.engine.doctor.findings import kinds
        from statelang.formats import sarif

        print(json.dumps(sarif(found.findings, (), kinds()), indent=2))
    else:
        _terminal(found, options)
    if not found.is_asked:
        reason = f"most was not examined: {found.skipped[0]}"
        print(f"statelang: {reason}, with --problem", file=sys.stderr)
    return 0 if found.is_sound and found.is_asked else 1


def as_dict(found: Diagnosis) -> dict[str, Any]:
    """A diagnosis as plain values, for JSON."""
    from attrs import asdict

    findings = [finding.as_dict() for finding in found.findings]
    return {**asdict(found, filter=lambda part, _: part.name != "findings"), "findings": findings}


def _terminal(found: Diagnosis, options: argparse.Namespace) -> None:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(render(found.findings, colour=colour), end="\n\n" if found.findings else "")
    for name, said in _facts(found):
        print(f"{name:<10} {said}")
    print(f"{options.space} with {options.model}: {tally(found.findings)}")


def _facts(found: Diagnosis) -> Iterator[tuple[str, str]]:
    """What was measured, a line each."""
    doubled = f", {found.doubled:,} of them with the text of another" if found.doubled else ""
    yield "tokenizer", f"{found.tokenizer}, {found.size:,} tokens{doubled}"
    if found.literals:
        single = sum(count == 1 for count in found.literals.values())
        longest = max(found.literals, key=lambda text: found.literals[text])
        yield (
            "literals",
            f"{single} of {len(found.literals)} are one token, the longest takes "
            f"{found.literals[longest]} ({json.dumps(longest, ensure_ascii=False)})",
        )
    if found.costs:
        costs = found.costs
        drawn = f", {costs.tokens[0]} to {costs.tokens[-1]} drawn at random" if costs.tokens else ""
        within = f"; the context is {found.context:,}" if found.context else ""
        yield "traces", f"at least {costs.fewest} tokens{drawn}{within}"
        yield (
            "masks",
            f"the first {costs.first:.1f} ms, new ones {costs.cold:.1f} ms each, known ones "
            f"{costs.warm:.1f} us; {costs.memory / 2**20:.0f} MB for {costs.steps} tokens",
        )
    for number, backend in enumerate(found.backends):
        why = f" ({backend.why})" if backend.why else ""
        yield "" if number else "backends", f"{backend.name}: {backend.carries}{why}"
    for number, reason in enumerate(found.skipped):
        yield "" if number else "skipped", reason
