"""The answer of a trace: where it stands, and whether it agrees with the gold answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from statelang.clauses.values import Number, Undefined, read_number
from statelang.compiling.env import Env
from statelang.space import StateSpace


def found_answer(space: StateSpace, env: Env) -> str | None:
    """The answer in the last step that holds it, or None."""
    answer = space.answer
    if answer is None or answer.action not in env.lasts:
        return None
    found = env.lasts[answer.action][answer.slot]
    return found if isinstance(found, str) else None


def judge_answer(
    space: StateSpace, found: str | None, problem: Mapping[str, Any] | None
) -> bool | None:
    """Whether an answer is the gold one; None without one, or where the space declares none."""
    gold = (problem or {}).get("answer")
    if gold is None or space.answer is None:
        return None
    if found is None:
        return False
    return same_answer(found, gold, space.answer.comparison)


def same_answer(found: str, gold: Any, comparison: str) -> bool:
    """Whether two answers agree: numbers by value, choices without case, texts as they stand.

    Rows are lines of cells with `|` between them, or a list of lists; cells compare by value where
    both are numbers, and the order of the rows counts only for `ordered rows`.
    """
    if comparison in ("rows", "ordered rows"):
        ours, theirs = _rows(found), _rows(gold)
        if comparison == "ordered rows":
            return ours == theirs
        return Counter(ours) == Counter(theirs)
    gold_text = str(gold)
    if comparison == "number":
        try:
            return read_number(found.strip()) == read_number(gold_text.strip())
        except Undefined:
            return False
    if comparison == "choice":
        return found.strip().casefold() == gold_text.strip().casefold()
    return found == gold_text


def _rows(table: Any) -> list[tuple[Number | str, ...]]:
    if isinstance(table, str):
        table = [line.split("|") for line in table.splitlines() if line.strip()]
    if not isinstance(table, Sequence):
        return [(str(table),)]
    rows = (row if isinstance(row, (list, tuple)) else (row,) for row in table)
    return [tuple(_cell(str(cell).strip()) for cell in row) for row in rows]


def _cell(text: str) -> Number | str:
    try:
        return read_number(text)
    except Undefined:
        return text
