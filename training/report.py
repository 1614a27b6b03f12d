"""One self-contained page about a run: the space, the curves, the results, traces step by step.

Knows nothing of how the run was made; it reads `results.json`, `samples.jsonl`, `sft/log.jsonl`
and `dpo/log.jsonl` from the run's folder. What is not there is left out, and the page says so.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from attrs import frozen
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from statelang.diagnostics import StatelangError
from statelang.drawing.colours import PALETTE
from statelang.drawing.diagram import draw, hues
from statelang.engine import TraceError, Verdict, validate
from statelang.language.syntax import parse
from statelang.space import StateSpace
from statelang.submachines import shown
from statelang.training.plots import COLOURS, Bar, bars, loss_curve
from statelang.training.runs import write_atomically

STAGES = ("sft", "dpo")
DECODINGS = {
    "free": "free",
    "grammar": "grammar mask",
    "contracts": "grammar and contracts",
    "retry": "verified retry",
}
_OF_THE_TRACE = ("ghost", "input", "answer", "limit", "invariant")


@frozen
class Block:
    """A piece of a trace as it is shown: `kind` is "" for a sound step, "bad" or "after"."""

    text: str
    kind: str = ""
    action: str | None = None
    number: int | None = None
    why: str | None = None


@frozen
class Trace:
    """One generated trace with its problem and its verdicts."""

    stage: str
    decoding: str
    question: str
    gold: str | None
    verdicts: tuple[tuple[str, bool | None], ...]
    blocks: tuple[Block, ...]

    @property
    def right(self) -> bool:
        """Whether no verdict is against it."""
        return all(value is not False for _, value in self.verdicts)


def write_report(space: StateSpace, run: Path, out: Path | None = None) -> Path:
    """Write the page to `out` (`report.html` in the run's folder) and return where it lies.

    Raises StatelangError where the folder or a file in it cannot be read.
    """
    if not run.is_dir():
        raise StatelangError(
            f"run {run}: there is no such folder. Name the folder that `statelang quickstart`, "
            "or `train` and `eval`, wrote."
        )
    _refuse_other_grammar(space, run)
    page = render(space, run)
    out = out or run / "report.html"
    try:
        write_atomically(out, page)
    except OSError as error:
        raise StatelangError(
            f"report {out}: cannot be written ({error.strerror}). Choose another --out."
        ) from error
    return out


def _refuse_other_grammar(space: StateSpace, run: Path) -> None:
    """Rows and runs name their grammar; a page about another one would explain nothing."""
    for pattern in ("manifest.json", "*/manifest.json", "*/run.json"):
        for file in sorted(run.glob(pattern)):
            try:
                found = json.loads(file.read_text(encoding="utf-8"))
                name, digest = str(found["grammar"]), str(found["grammar_hash"])
            except (ValueError, KeyError, TypeError) as error:
                raise StatelangError(
                    f"run {run}: {file.name} in {file.parent} is not readable ({error!r}). Make "
                    "the run again in another folder."
                ) from error
            if digest != space.hash:
                raise StatelangError(
                    f"run {run}: it was made with the grammar {name} ({digest[:12]}), as {file} "
                    f"says, and not with {space.name} ({space.hash[:12]}). Name the grammar file "
                    "it was made with."
                )


def render(space: StateSpace, run: Path) -> str:
    """Return the page as text."""
    results = _results(run / "results.json")
    curves, missing = _curves(run)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "shown": shown}
    template = files("statelang.training").joinpath("report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        space=space,
        about=space.doc or "A reasoning method as one grammar file.",
        source=space.source.text,
        palette=PALETTE,
        hue=hues(space),
        diagram=Markup(draw(space)),  # drawn here from escaped names
        contracts=_contracts(space),
        curves=[Markup(curve) for curve in curves],
        missing_curves=missing,
        results=results,
        chart=Markup(_chart(results)) if results else "",
        series=[(f"after {name.upper()}", colour) for name, colour in _series(results)],
        names=DECODINGS,
        traces=_chosen(_traces(space, run / "samples.jsonl")),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _contracts(space: StateSpace) -> list[tuple[str, list[str]]]:
    """Every rule that has contracts, with them; those of the whole trace first."""
    file = parse(space.source)
    whole: list[str] = []
    rules = []
    blocks = [block for block, _ in file.comments]
    for name, comments in [("", b) for b in blocks] + [
        (d.name, d.contracts) for d in file.definitions
    ]:
        clauses = [comment.text for comment in comments if comment.contract]
        own = [clause for clause in clauses if clause.split(" ")[0] not in _OF_THE_TRACE]
        whole += [clause for clause in clauses if clause not in own]
        if own and name:
            rules.append((name, own))
    return ([("(the whole trace)", whole)] if whole else []) + rules


def _curves(run: Path) -> tuple[list[str], list[str]]:
    """Draw the losses of both stages; a sentence for each stage that has none."""
    curves, missing = [], []
    for stage in STAGES:
        rows = _lines(run / stage / "log.jsonl")
        points = [(row["step"], row["loss"]) for row in rows if math.isfinite(row["loss"])]
        if points:
            curves.append(loss_curve(points, f"{stage.upper()} loss"))
        else:
            missing.append(
                f"No losses were found in {stage}/log.jsonl, so the curve of {stage.upper()} "
                "is left out."
            )
    return curves, missing


def _results(file: Path) -> list[dict[str, Any]]:
    """The rows of results.json, SFT before DPO, the decodings from free to verified retry."""
    if not file.is_file():
        return []
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return sorted(rows, key=lambda row: (_at(row["stage"], STAGES), _at(row["decoding"])))
    except (ValueError, KeyError, TypeError) as error:
        raise StatelangError(
            f"results {file}: not a list of results ({error}). Let `statelang eval` write it again."
        ) from error


def _at(name: str, order: Sequence[str] = tuple(DECODINGS)) -> int:
    """The place of a name among the known ones; what is not known comes last."""
    return order.index(name) if name in order else len(order)


def _series(results: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The stages there are, each with the colour of its bars."""
    stages = dict.fromkeys(row["stage"] for row in results)
    return list(zip(stages, COLOURS, strict=False))


def _chart(results: Sequence[Mapping[str, Any]]) -> str:
    """Draw accuracy, legality and right steps, a group of bars for each decoding."""
    found = {(row["stage"], row["decoding"]): row for row in results}
    groups = [name for name in DECODINGS if any(name == decoding for _, decoding in found)]
    panels: dict[str, dict[str, list[Bar | None]]] = {}
    for key, title in (
        ("accuracy", "Accuracy"),
        ("legal", "Legal traces"),
        ("steps_right", "Every step right"),
    ):
        panels[title] = {
            stage: [
                Bar(row[key], row["stderr"] if key == "accuracy" else 0.0) if row else None
                for row in (found.get((stage, name)) for name in groups)
            ]
            for stage, _ in _series(results)
        }
    return bars(panels, groups, "Results")


def _traces(space: StateSpace, file: Path) -> Iterator[Trace]:
    for row in _lines(file):
        problem = row.get("problem") or {}
        verdict = validate(space, row["text"], problem=problem)
        gold = problem.get("answer")
        yield Trace(
            stage=row["stage"],
            decoding=row["decoding"],
            question=str(problem.get("question", "")),
            gold=None if gold is None else str(gold),
            verdicts=(
                ("grammar", verdict.grammar),
                ("contracts", verdict.contracts),
                ("answer", verdict.answer),
            ),
            blocks=tuple(_blocks(row["text"], verdict)),
        )


def _blocks(text: str, verdict: Verdict) -> Iterator[Block]:
    """Cut a trace into its steps; the first wrong one says which rule it breaks."""
    error = verdict.error
    end = 0
    for number, step in enumerate(verdict.steps, 1):
        piece = text[step.start : step.end].rstrip("\n")
        if error is None or number < error.step:
            yield Block(piece, "", step.action, number)
        elif not verdict.grammar:
            # Nothing after this can be told apart into steps, so it is all shown here.
            yield Block(text[step.start :].rstrip("\n"), "bad", step.action, number, _why(error))
            return
        elif number == error.step:
            yield Block(piece, "bad", step.action, number, _why(error))
        else:
            yield Block(piece, "after", step.action, number)
        end = step.end
    rest = text[end:].strip("\n")
    if error and error.step > len(verdict.steps):
        yield Block(rest or "(the text ends here)", "bad", None, error.step, _why(error))
    elif rest:
        yield Block(rest, "after")
    elif error is None and verdict.answer is False:
        why = "every step follows from what was written before, but this is not the known answer"
        yield Block("", "bad", why=why)


def _why(error: TraceError) -> str:
    """The message, with the rule and what was legal where it does not name them itself."""
    why = error.message if error.rule in error.message else f"{error.rule}: {error.message}"
    if error.expected and "legal" not in why:
        why += f"; legal here: {', '.join(error.expected)}"
    return why


def _chosen(traces: Iterable[Trace]) -> list[Trace]:
    """A few to look at: of every decoding the first right and the first wrong one, newest stage."""
    found: dict[tuple[str, bool], Trace] = {}
    for trace in traces:
        key = trace.decoding, trace.right
        if key not in found or found[key].stage != trace.stage == STAGES[-1]:
            found[key] = trace
    return sorted(found.values(), key=lambda trace: (_at(trace.decoding), trace.right))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file; nothing where there is no such file."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise StatelangError(
                    f"report: {file} line {number} is not JSON ({error}). Remove the file, or "
                    "write it again."
                ) from error
