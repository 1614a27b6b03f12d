"""What a state space declares, as tables of text: for terminals and for pages."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from statelang.space import StateSpace
from statelang.written import Rule, clauses, rules


@frozen
class Table:
    """A head and rows of as many cells; the last cell of a row is prose and may be wrapped."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(space: StateSpace) -> tuple[Table, ...]:
    """States, transitions, actions, then the clauses of the file; none of them is empty."""
    found = (
        Table(("state", "what it means"), tuple((s.name, s.doc) for s in space.states)),
        _transitions(space),
        Table(("action", "what it does"), tuple((a.name, a.doc) for a in space.actions)),
        *_clauses(space),
    )
    return tuple(table for table in found if table.rows)


def payloads(space: StateSpace) -> tuple[Rule, ...]:
    """The rules and terminals that are no states: what actions write, as the file has it."""
    return tuple(rule for rule in rules(space) if not rule.is_state)


def _transitions(space: StateSpace) -> Table:
    order = {state.name: number for number, state in enumerate(space.states)}
    moves = [
        (step.source, step.action or f"{step.call} (a machine)", step.target or "(end)", step.gates)
        for step in space.transitions
    ]
    moves += [(name, "", "(may stop here)", ()) for name in sorted(space.stops)]
    moves.sort(key=lambda move: order[move[0]])
    head: tuple[str, ...] = ("from", "action", "to")
    if not any(gates for *_, gates in moves):
        return Table(head, tuple(_without_repeats([move[:3] for move in moves])))
    gated = [(*names, "; ".join(gates)) for *names, gates in moves]
    return Table((*head, "only where"), tuple(_without_repeats(gated)))


def _without_repeats(rows: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """The rows, a first cell written only where it changes."""
    before = None
    for first, *rest in rows:
        yield ("" if first == before else first, *rest)
        before = first


def _clauses(space: StateSpace) -> Iterator[Table]:
    named = {"ghost": "register", "input": "input"}
    found: dict[str, list[tuple[str, str]]] = {"register": [], "input": [], "clause": []}
    for clause in clauses(space):
        if clause.word in named:
            found[named[clause.word]].append((clause.text, clause.doc))
        else:
            found["clause"].append((f"{clause.word} {clause.text}", clause.doc))
    for title, rows in found.items():
        yield Table((title, "what it means"), tuple(rows))
