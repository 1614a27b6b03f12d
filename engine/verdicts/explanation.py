"""Explain a trace: its first illegal step, what was legal there, and the cheapest repair.

The fitness is that of alignments in process mining (W. van der Aalst, A. Adriansyah, B. van Dongen,
Replaying history on process models for conformance checking and performance analysis, WIREs Data
Mining and Knowledge Discovery 2(2), 2012).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from attrs import asdict, frozen

from statelang.engine.verdicts.fault import Fault, find_fault
from statelang.engine.verdicts.verdict import Verdict, validate
from statelang.space import StateSpace
from statelang.traces.alignment import Alignment, align
from statelang.traces.repair import Edit, Repairer


@frozen
class Explanation:
    """Whether a trace is legal, why not, and the way back.

    `edits` lead to `repaired`, a text that validates. Where none was found `repaired` is None and
    they set right the order of the steps alone. `cost` counts edits (0 for a legal trace), `worst`
    the edits of deleting the whole trace and writing the shortest one. `pieces` is the number of
    steps that the trace was cut into, what no action reads counted as one between two that are
    read. `order` is the least number
    of edits by which the order of the steps becomes legal; `cut` says that the text was too long
    or too broken to prove it, so that it may be less.
    """

    verdict: Verdict
    fault: Fault | None
    edits: tuple[Edit, ...]
    repaired: str | None
    cost: int
    order: int
    worst: int
    pieces: int
    cut: bool

    @property
    def legal(self) -> bool:
        """Whether grammar and contracts hold."""
        return self.fault is None

    @property
    def fitness(self) -> float:
        """1 - cost / worst, from 0 to 1; 1 exactly for legal traces."""
        return 1 - self.cost / self.worst if self.cost else 1.0

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain values, for JSON."""
        plain = asdict(self)
        del plain["verdict"]
        return {"legal": self.legal, "fitness": self.fitness, **plain}


@lru_cache(maxsize=32)
def _repairer(space: StateSpace) -> Repairer:
    return Repairer(space)


def explain(space: StateSpace, text: str, problem: Mapping[str, Any] | None = None) -> Explanation:
    """Why a trace is illegal, and how it becomes legal.

    Time is bounded: `align` and `Repairer.repair` say how far they search.

    Args:
        space: The state space.
        text: The whole trace, without a stop token.
        problem: The space's inputs.

    Raises:
        StatelangError: an input that the space declares is missing or of another type.
    """
    verdict = validate(space, text, problem)
    if verdict.grammar and verdict.contracts:
        return Explanation(verdict, None, (), text, 0, 0, 0, len(verdict.steps), False)
    data = _bytes(text)
    alignment = align(space, data)
    fault = find_fault(space, verdict, data, problem)
    repair = _repairer(space).repair(data, alignment.pieces, problem)
    edits = repair.edits if repair.text is not None else tuple(_order_edits(alignment, data))
    worst = max(alignment.worst, 1)
    cost = min(max(repair.cost, alignment.cost, 1), worst)
    return Explanation(
        verdict,
        fault,
        edits,
        repair.text,
        cost,
        order=alignment.cost,
        worst=worst,
        pieces=len(alignment.pieces),
        cut=alignment.cut,
    )


def fitness(space: StateSpace, text: str, problem: Mapping[str, Any] | None = None) -> float:
    """How near a trace is to a legal one, from 0 to 1: 1 - cost / worst.

    `cost` counts the edits of a known repair (a step inserted, deleted, replaced or rewritten),
    `worst` those of deleting every step and writing the shortest order of steps. 1 exactly where
    grammar and contracts hold, so it can serve as a shaped reward. Raises as `explain` does.
    """
    return explain(space, text, problem).fitness


def _bytes(text: str) -> bytes:
    """UTF-8, up to the first lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError as surrogate:
        return text[: surrogate.start].encode() + b"\xff"


def _order_edits(alignment: Alignment, data: bytes) -> Iterator[Edit]:
    """The edits of an alignment, without the texts that only contracts decide."""
    step = 1
    for move in alignment.moves:
        piece = move.piece
        if move.edits and piece is None:
            yield Edit("insert", step, move.action, "", "")
        elif move.edits and piece is not None:
            old = data[piece.start : piece.end].decode(errors="replace")
            yield Edit("replace" if move.action else "delete", step, move.action, old, "")
        step += piece is not None
