"""A first grammar from tagged traces: a machine over their steps, and a shape for each payload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from statelang.diagnostics import GrammarError, StatelangError
from statelang.inferring.merging import Graph, learn, state_names
from statelang.inferring.shapes import Names
from statelang.inferring.steps import body, key_of, kinds_of
from statelang.inferring.tagged import steps_of
from statelang.language.formatting import fmt
from statelang.loader import loads
from statelang.walking.machine import Machine

MAX_CHARACTERS: Final = 20_000_000
MAX_STEPS: Final = 200_000  # of all traces
MAX_BEGINNINGS: Final = 20_000  # different ones, of all traces
MAX_ACTIONS: Final = 100
MAX_TRANSITIONS: Final = 1_000

Sequences = Sequence[Sequence[str]]


@frozen
class Inference:
    """A grammar inferred from traces, and how much is in it.

    `general` names the actions whose payload shows no structure and is any text.
    """

    grammar: str
    traces: int
    states: int
    actions: int
    general: tuple[str, ...]


def infer(traces: Iterable[str]) -> Inference:
    """A grammar that accepts all the traces, for an author to go on from.

    Args:
        traces: Texts whose steps are marked (see `statelang.inferring.tagged`), at least one.

    Raises:
        StatelangError: there is no trace, one is not marked, there is more than is read, or AALpy
            is missing (the extra `infer`).
    """
    texts = _taken(traces)
    by_tags, steps = steps_of(texts)
    _bound(sum(map(len, steps)), MAX_STEPS, "steps")
    kinds = kinds_of(steps, by_tags)
    _bound(len(kinds), MAX_ACTIONS, "kinds of steps")
    sequences = [[kinds[key_of(step, by_tags)].name for step in row] for row in steps]
    _bound(_beginnings(sequences), MAX_BEGINNINGS, "different beginnings")
    graph = learn(sequences)
    _bound(sum(map(len, graph.edges)), MAX_TRANSITIONS, "transitions between their states")
    refused = ""
    for shaped in (True, False):
        names = Names(frozenset(kind.name for kind in kinds.values()))
        bodies = {k.name: body(k, by_tags, names, shaped=shaped) for k in kinds.values()}
        rules = {name: found for name, (found, _) in bodies.items()}
        grammar = fmt("".join(_written(graph, sequences, rules, names)))
        refused = _refused(grammar, texts)
        if not refused:
            general = tuple(name for name, (_, is_text) in bodies.items() if is_text)
            states = sum(map(bool, graph.edges))
            return Inference(grammar, len(texts), states, len(kinds), general)
    raise StatelangError(
        f"no grammar that all readers would agree on was found: {refused}; mark the steps by tags, "
        "as in `<name>...</name>`, with no other `</` inside"
    )


def _taken(traces: Iterable[str]) -> list[str]:
    """The traces, read as far as the bound."""
    texts: list[str] = []
    characters = 0
    for trace in traces:
        texts.append(trace)
        characters += len(trace)
        _bound(characters, MAX_CHARACTERS, "characters")
        if any("\ud800" <= char <= "\udfff" for char in trace):
            raise StatelangError(f"trace {len(texts)} holds half a character; write it as UTF-8")
    if not texts:
        raise StatelangError("there is no trace to infer a grammar from; give at least one")
    return texts


def _beginnings(sequences: Sequences) -> int:
    """How many different beginnings the sequences have: what learning takes its time for."""
    found: dict[tuple[int, str], int] = {}
    for names in sequences:
        at = 0
        for name in names:
            at = found.setdefault((at, name), len(found) + 1)
    return len(found)


def _bound(found: int, most: int, what: str) -> None:
    if found > most:
        raise StatelangError(
            f"the traces have {found:,} {what} or more, and at most {most:,} are read; give fewer "
            "traces, or give one name to steps that do the same"
        )


def _refused(grammar: str, texts: Sequence[str]) -> str:
    """Why a grammar will not do; empty where it is sound and accepts all texts."""
    try:
        machine = Machine(loads(grammar))
    except GrammarError as error:
        return error.diagnostics[0].message
    for number, trace in enumerate(texts, 1):
        after = machine.advance(machine.start(), trace.encode())
        if after is None or machine.ends(after) is None:
            return f"it would not accept trace {number}"
    return ""


def _written(
    graph: Graph, sequences: Sequences, rules: Mapping[str, str], names: Names
) -> Iterator[str]:
    """The grammar, rule by rule; the documentation says what was seen."""
    states = state_names(graph, sequences)
    seen = Counter(name for names in sequences for name in names)
    before = _before(sequences)
    yield f"/// Inferred from {_times(len(sequences), 'trace')}.\n"
    yield "/// Say here what the method is, and where it comes from.\n\n"
    for number, ways in enumerate(graph.edges):
        if not ways:  # where a trace can only end is no state of a grammar
            continue
        entered = sorted({n for way in graph.edges for n, after in way.items() if after == number})
        yield f"/// After {_any(entered)}.\n" if number else "/// The beginning of a trace.\n"
        options = [f"{name}{_onward(graph, states, after)}" for name, after in ways.items()]
        yield f"{states[number]} : {' | '.join(options)}{' |' * (number in graph.stops)}\n"
    for name, rule in rules.items():
        yield f"\n/// Seen {_times(seen[name], 'time')}, {before[name]}.\n{name} : {rule}\n"
    yield "\n" + names.defined(" ".join(rules.values()))


def _onward(graph: Graph, states: Sequence[str], after: int) -> str:
    """Where a transition leads; nothing where the trace can only end."""
    return f" {states[after]}" if graph.edges[after] else ""


def _before(sequences: Sequences) -> dict[str, str]:
    """For each action, what it was seen after."""
    found: dict[str, set[str]] = {}
    for names in sequences:
        for earlier, name in zip(["", *names], names, strict=False):
            found.setdefault(name, set()).add(earlier)
    return {
        name: " and ".join(
            part
            for part in (
                "at the beginning" if "" in earlier else "",
                f"after {_any(sorted(earlier - {''}))}" if earlier - {""} else "",
            )
            if part
        )
        for name, earlier in found.items()
    }


def _any(names: Sequence[str]) -> str:
    """`a`, `b` or `c`."""
    written = [f"`{name}`" for name in names]
    return " or ".join(part for part in (", ".join(written[:-1]), written[-1]) if part)


def _times(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"
