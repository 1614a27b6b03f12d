"""A state space as the text of a diagram language: Mermaid's stateDiagram-v2, Graphviz's DOT."""

from __future__ import annotations

import re
from collections.abc import Iterator

from statelang.space import StateSpace
from statelang.submachines import Submachine, label, shown, submachines


def mermaid(space: StateSpace) -> str:
    """The space as a Mermaid state diagram; called machines are composite states.

    Notation: https://mermaid.js.org/syntax/stateDiagram.html
    """
    ids = _ids(space)
    lines = ["stateDiagram-v2"]
    for number, machine in enumerate(submachines(space)):
        inner = list(_mermaid_machine(space, machine, ids))
        if machine.title:
            lines.append(f'    state "{_entities(machine.title)}" as m{number} {{')
            lines += [f"    {line}" for line in inner]
            lines.append("    }")
        else:
            lines += inner
    return "\n".join(lines) + "\n"


def _mermaid_machine(space: StateSpace, machine: Submachine, ids: dict[str, str]) -> Iterator[str]:
    for name in machine.states:
        yield f'    state "{_entities(shown(name))}" as {ids[name]}'
    for name in machine.entries:
        yield f"    [*] --> {ids[name]}"
    for step in machine.transitions:
        target = ids[step.target] if step.target else "[*]"
        yield f"    {ids[step.source]} --> {target} : {_entities(label(step))}"
    for name in machine.states:
        if name in space.stops:
            yield f"    {ids[name]} --> [*]"


def _entities(text: str) -> str:
    """Mermaid reads `#58;` as a colon; everything that could mean something to it is written so."""
    return re.sub(r"[^A-Za-z0-9_.,()\[\]=+ -]", lambda found: f"#{ord(found[0])};", text)


def dot(space: StateSpace) -> str:
    """The space in Graphviz's DOT; called machines are clusters.

    Notation: https://graphviz.org/doc/info/lang.html
    """
    ids = _ids(space)
    lines = [
        f"digraph {_quoted(space.name)} {{",
        '    node [shape=box, style=rounded, fontname="monospace"]',
        '    edge [fontname="monospace", fontsize=11]',
    ]
    for number, machine in enumerate(submachines(space)):
        lines += [f"    subgraph cluster_{number} {{", f"        label={_quoted(machine.title)}"]
        if not machine.title:
            lines.append("        peripheries=0")
        lines += _dot_machine(space, machine, ids, number)
        lines.append("    }")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_machine(
    space: StateSpace, machine: Submachine, ids: dict[str, str], number: int
) -> Iterator[str]:
    docs = {state.name: state.doc for state in space.states}
    end = f"end{number}"
    if any(step.target is None for step in machine.transitions):
        yield f'        {end} [shape=doublecircle, label="", width=0.15, style=filled]'
    for name in machine.states:
        twice = ", peripheries=2" if name in space.stops else ""
        tooltip = _quoted(docs[name] or name)
        yield f"        {ids[name]} [label={_quoted(shown(name))}, tooltip={tooltip}{twice}]"
    for name in machine.entries:
        yield f'        in_{ids[name]} [shape=point, label=""]'
        yield f"        in_{ids[name]} -> {ids[name]}"
    for step in machine.transitions:
        target = ids[step.target] if step.target else end
        yield f"        {ids[step.source]} -> {target} [label={_quoted(label(step))}]"


def _quoted(text: str) -> str:
    """A quoted DOT text that is shown as it is, whatever it holds."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ids(space: StateSpace) -> dict[str, str]:
    """Names that no diagram language has as a keyword."""
    return {state.name: f"s{number}" for number, state in enumerate(space.states)}
