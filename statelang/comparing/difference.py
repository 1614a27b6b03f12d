"""How two state spaces differ: in what they declare, in their texts, in their legal traces."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict, frozen

from statelang.comparing.changes import Change, changes
from statelang.comparing.inclusion import Side, compare
from statelang.comparing.quotient import quotient, simulation
from statelang.diagnostics import StatelangError
from statelang.space import StateSpace
from statelang.walk import walk
from statelang.walking.machine import Blame, Machine

_WALKS: Final = 12  # random legal traces that are tried on the other space


@frozen
class Texts:
    """What one grammar accepts and the other does not, contracts aside.

    `shortest` is a shortest such text. Without it, `below` is a number of bytes under which there
    is none, and None where there is none at all.
    """

    shortest: str | None
    below: int | None


@frozen
class Trace:
    """A legal trace of one space, and what it breaks in the other: a contract line or `grammar`."""

    text: str
    broken: str


@frozen
class Difference:
    """What `diff` found. `only_a` is about texts that `a` accepts and `b` does not, and so on.

    `legal_a` is a trace that keeps every contract of `a` and is no legal one of `b`. None says
    little: a few random traces were tried, or none, where contracts need a problem's inputs.
    """

    a: str
    b: str
    changes: tuple[Change, ...]
    only_a: Texts
    only_b: Texts
    legal_a: Trace | None
    legal_b: Trace | None

    @property
    def same(self) -> bool:
        """Whether the two declare the same, order and layout aside."""
        return not self.changes

    @property
    def same_texts(self) -> bool:
        """Whether it is certain that both grammars accept the same texts, contracts aside."""
        return self.only_a == self.only_b == Texts(None, None)

    def as_dict(self) -> dict[str, Any]:
        """The difference as plain values, for JSON."""
        found = asdict(self)
        for change, plain in zip(self.changes, found["changes"], strict=True):
            plain["what"] = change.what
        return {"same": self.same, **found}


def diff(a: StateSpace, b: StateSpace) -> Difference:
    """Compare two state spaces.

    The languages without contracts are compared exactly where that ends within bounds, else for
    all texts below a length. Contracts are compared by their lines, and on random legal traces.
    """
    found = changes(a, b)
    machines = [Machine(space, contracts=False) for space in (a, b)]
    shape = quotient([machine.program for machine in machines])
    ours, theirs = (Side(m, c) for m, c in zip(machines, shape.classes, strict=True))
    simulated = simulation(shape.ways)
    only_a, only_b = (
        Texts(result.witness, None if result.witness else result.below)
        for result in (compare(ours, theirs, simulated), compare(theirs, ours, simulated))
    )
    legal = (_legal(a, b, only_a), _legal(b, a, only_b)) if found else (None, None)
    return Difference(a.source.name, b.source.name, found, only_a, only_b, *legal)


def _legal(own: StateSpace, other: StateSpace, texts: Texts) -> Trace | None:
    """The shortest legal trace of one space, among the few tried, that is none of the other."""
    if own.inputs or other.inputs:
        return None
    tried = [texts.shortest] if texts.shortest else []
    try:
        tried += [walk(own, seed) for seed in range(_WALKS)]
    except StatelangError:  # no legal trace is found: nothing more to try
        pass
    for text in sorted(tried, key=len):
        if broken(own, text) is None and (reason := broken(other, text)):
            return Trace(text, reason)
    return None


def broken(space: StateSpace, text: str) -> str | None:
    """The contract line that a text breaks, `grammar` where it does not parse, None if legal."""
    machine = Machine(space, guards=False)  # so that every clause is judged, and can be named
    blame = Blame()
    after = machine.advance(machine.start(), text.encode(), blame)
    if after is not None and machine.ends(after, blame) is not None:
        return None
    plain = Machine(space, contracts=False)
    parsed = plain.advance(plain.start(), text.encode())
    if parsed is None or plain.ends(parsed) is None or not blame.entries:
        return "grammar"
    return max(blame.entries, key=lambda entry: entry[0])[1].clause.text
