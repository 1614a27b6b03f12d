"""A state chart in W3C SCXML (https://www.w3.org/TR/scxml/): its events are the actions.

Called machines are written out in place, so one that calls itself is refused: SCXML has no
recursion. Where a trace may stop, the event `trace.end` ends it. Payloads are outside what a state
chart says; of the contracts it carries the gates over counts and numbers that steps alone decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Comment, Element, SubElement, indent, tostring

from statelang.diagnostics import StatelangError
from statelang.exports import Dropped
from statelang.exports.gates import Gates
from statelang.space import StateSpace

MAX_STATES: Final = 2_000
_NAMESPACE: Final = "http://www.w3.org/2005/07/scxml"
_STOP: Final = "trace.end"
_END: Final = "end"

Place = tuple[str, tuple[str, ...]]  # a state, and the states to go on at after the calls it is in
Move = tuple[str, Place | None, tuple[str, ...]]  # the event, where it leads, conditions


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The document, and the clauses that are not in it.

    Raises StatelangError where a machine calls itself, directly or not, and for a document of more
    than 2,000 states.
    """
    gates = Gates(space)
    root = Element("scxml", xmlns=_NAMESPACE, version="1.0", initial="start")
    root.append(Comment(_comment(f"{space.name}, grammar {space.hash}. {space.doc}")))
    if gates.data:
        model = SubElement(root, "datamodel")
        for name, value in gates.data.items():
            SubElement(model, "data", id=name, expr=value)
    docs = {state.name: state.doc for state in space.states}
    start: Place = ("start", ())
    seen, todo = {start}, [start]
    for place in todo:
        if len(todo) > MAX_STATES:
            raise StatelangError(
                f"the space `{space.name}` as a state chart has more than {MAX_STATES:,} states: "
                "its calls are nested too deep, or a machine calls itself; export it to `json`"
            )
        state = SubElement(root, "state", id=_id(place))
        if docs[place[0]]:
            state.append(Comment(_comment(docs[place[0]])))
        for event, target, conditions in dict.fromkeys(_moves(space, gates, place)):
            transition = SubElement(state, "transition", event=event, target=_id(target))
            if conditions:
                transition.set("cond", " & ".join(f"({text})" for text in conditions))
            for name, value in gates.assigns.get(event, ()):
                SubElement(transition, "assign", location=name, expr=value)
            if target is not None and target not in seen:
                seen.add(target)
                todo.append(target)
    SubElement(root, "final", id=_END)
    indent(root)
    return tostring(root, encoding="unicode") + "\n", gates.dropped


def _moves(space: StateSpace, gates: Gates, place: Place) -> Iterator[Move]:
    """Every event that may come at a place: those of machines it calls, and after it returns."""
    todo: list[tuple[Place, tuple[str, ...]]] = [(place, ())]
    seen: set[Place] = set()
    while todo:
        (state, after), held = todo.pop()
        if (state, after) in seen or len(seen) > MAX_STATES:
            continue
        seen.add((state, after))
        if state in space.stops:
            if after:
                todo.append(((after[0], after[1:]), held))
            else:
                yield _STOP, None, held
        for step in space.transitions:
            if step.source != state:
                continue
            conditions = held + gates.of_transition(step)
            rest = after if step.target is None else (step.target, *after)
            if step.call is not None:
                todo.append(((step.call, rest), conditions))
            else:
                assert step.action is not None
                conditions += gates.of_action.get(step.action, ())
                yield step.action, (rest[0], rest[1:]) if rest else None, conditions


def _id(place: Place | None) -> str:
    """The name of a place; no state has a dot in its name, and none is called `end`."""
    return _END if place is None else ".then.".join((place[0], *place[1]))


def _comment(text: str) -> str:
    """Text as an XML comment may hold it: no double hyphen, no control characters."""
    plain = "".join(c for c in text if c >= " ")
    return f" {plain.replace('--', '- -').rstrip('-')} "
