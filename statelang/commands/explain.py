"""`statelang explain`: why a trace is illegal, and the cheapest way back."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import statelang
from statelang.commands.common import TRACES, Subparsers, add_traces, traces

if TYPE_CHECKING:
    from statelang.engine.verdicts.explanation import Explanation
    from statelang.engine.verdicts.fault import Fault
    from statelang.space import StateSpace
    from statelang.traces.repair import Edit

_MOST_EDITS = 8
_WIDTH = 60  # characters of a text or of a documentation that are shown
_WORD = re.compile(r"[\w.-]+|.", re.DOTALL)


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "explain",
        "say why traces are illegal and how they become legal",
        "For each trace: the first illegal step with its line and column, the state there, what "
        "was legal, the clause that breaks with the values it saw, and the cheapest repair. "
        "`fitness` is 1 for a legal trace, else 1 - edits / (steps of the trace + steps of the "
        "shortest one).\n"
        f"{TRACES}\n"
        "Exit status: 0 every trace is legal, 1 some are not, 2 a line could not be read.",
        "statelang explain kwai_star_formal traces.jsonl",
        run,
    )
    add_traces(
        parser,
        terminal="a block for each illegal trace",
        as_json="one object a line for every trace",
    )


def run(options: argparse.Namespace) -> int:
    """Explain each trace, as they are read."""
    from statelang.engine import explain

    space = statelang.load(options.space)
    legal = illegal = 0
    for place, text, problem in traces(options.file):
        found = explain(space, text, problem)
        legal, illegal = legal + found.legal, illegal + (not found.legal)
        if options.format == "json":
            print(json.dumps(found.as_dict()))
        elif found.fault is not None:
            print(block(space, place, text, found, found.fault), end="\n\n")
    if options.format == "terminal":
        print(f"{legal} legal, {illegal} not")
    return 1 if illegal else 0


def block(space: StateSpace, place: str, text: str, found: Explanation, fault: Fault) -> str:
    """One illegal trace as a compiler prints an error."""
    lines = text.split("\n")
    shown = lines[fault.line - 1][:400] if fault.line <= len(lines) else ""
    gutter = " " * len(str(fault.line))
    rows = [
        f"{place}: {fault.message}",
        f"{gutter}--> line {fault.line}, column {fault.column}",
        f"{gutter} |",
        f"{fault.line} | {shown}".rstrip(),
        f"{gutter} | {' ' * (fault.column - 1)}^" if fault.column <= 400 else f"{gutter} |",
    ]
    notes = [*_notes(space, fault), ("repair", _repair(found))]
    rows += [f"{gutter} = {name}: {note}" for name, note in notes]
    return "\n".join(rows)


def _notes(space: StateSpace, fault: Fault) -> Iterator[tuple[str, str]]:
    if fault.place is not None:
        line = space.source.line(fault.place).strip()
        yield "clause", f"{space.source.name}:{fault.place}: {line}"
    if fault.saw:
        yield "saw", ", ".join(f"{name} = {value}" for name, value in fault.saw)
    docs = {state.name: state.doc for state in space.states}
    for state in fault.states:
        yield "state", _with_doc(state, docs)
    docs = {action.name: action.doc for action in space.actions}
    for action in fault.legal:
        yield "legal", _with_doc(action, docs)


def _with_doc(name: str, docs: dict[str, str]) -> str:
    doc = _short(docs.get(name, "").partition(". ")[0].rstrip("."))
    quoted = f"`{name}`" if name in docs else name
    return f"{quoted} ({doc})" if doc else quoted


def _repair(found: Explanation) -> str:
    count = "1 edit" if found.cost == 1 else f"{found.cost} edits"
    if found.repaired is None:
        number = "1 edit" if found.order == 1 else f"{found.order} edits"
        head = "no text that keeps the contracts was found; by the order of steps " + (
            f"{number} from legal: " if found.edits else "nothing is wrong"
        )
    else:
        head = f"{count} from legal: "
    shown = list(_described(found))
    if len(shown) > _MOST_EDITS:
        shown[_MOST_EDITS:] = ["and more"]
    cut = "; not proved to be the fewest: the search was cut" if found.cut else ""
    return f"{head}{'; '.join(shown)}{cut} (fitness {found.fitness:.2f})"


def _described(found: Explanation) -> Iterator[str]:
    """The edits in words, deletions of steps in a row as one."""
    for kind, group in groupby(found.edits, key=lambda edit: edit.kind):
        edits = list(group)
        if kind == "delete" and len(edits) > 1:
            yield f"delete steps {edits[0].step} to {edits[-1].step}"
        else:
            yield from (_words(edit, found) for edit in edits)


def _words(edit: Edit, found: Explanation) -> str:
    text = f" as `{_short(edit.text)}`" if edit.text else ""
    match edit.kind:
        case "insert" if edit.step > found.pieces:
            return f"insert `{edit.action}` at the end{text}"
        case "insert":
            return f"insert `{edit.action}` before step {edit.step}{text}"
        case "delete":
            return f"delete step {edit.step}"
        case "replace":
            return f"replace step {edit.step} by `{edit.action}`{text}"
    old, new, after = _difference(edit.old, edit.text)
    if not new:
        return f"in step {edit.step} leave `{_short(old)}` out"
    place = (
        f"in place of `{_short(old)}`" if old else f"before `{after}`" if after else "at its end"
    )
    return f"in step {edit.step} write `{_short(new)}` {place}"


def _difference(old: str, new: str) -> tuple[str, str, str]:
    """The words in which two texts differ, up to those they share at both ends, and the next."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    following = ""
    while before and after and before[-1] == after[-1]:
        following = before.pop()
        del after[-1]
    return "".join(before), "".join(after), following.strip()


def _short(text: str) -> str:
    shown = text.strip("\n").replace("\n", "\\n") or text.replace("\n", "\\n")
    return shown if len(shown) <= _WIDTH else shown[: _WIDTH - 3] + "..."
