"""The machines of a space: states that transitions join, entered at `start` or by a call."""

from __future__ import annotations

from attrs import frozen

from statelang.space import StateSpace, Transition


@frozen
class Submachine:
    """States joined by transitions. `entries` are `start` or the states that calls begin at."""

    entries: tuple[str, ...]
    states: tuple[str, ...]
    transitions: tuple[Transition, ...]

    @property
    def title(self) -> str:
        """How calls of it are written on transitions; empty for the machine of the trace."""
        return "" if "start" in self.entries else ", ".join(map(called, self.entries))


def submachines(space: StateSpace) -> tuple[Submachine, ...]:
    """The machine that begins at `start`, then those it calls. Machines that share states are one.

    A state that nothing enters is a machine of its own.
    """
    leader = {state.name: state.name for state in space.states}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]
        return name

    for step in space.transitions:
        if step.target is not None:
            leader[find(step.target)] = find(step.source)
    calls = {step.call for step in space.transitions if step.call}
    members: dict[str, list[str]] = {}
    for state in space.states:
        members.setdefault(find(state.name), []).append(state.name)
    leaving: dict[str, list[Transition]] = {name: [] for name in members}
    for step in space.transitions:
        leaving[find(step.source)].append(step)
    return tuple(
        Submachine(
            tuple(name for name in names if name == "start" or name in calls),
            tuple(names),
            tuple(leaving[name]),
        )
        for name, names in members.items()
    )


def shown(state: str) -> str:
    """The name of a state for readers: the underscore only tells Lark what kind it is."""
    return state.removeprefix("_")


def called(state: str) -> str:
    """A call of the machine that begins at a state."""
    return f"{shown(state)}()"


def label(step: Transition) -> str:
    """What stands on a transition: its action or call, and what gates it, in brackets."""
    name = step.action or called(step.call or "")
    gates = " and ".join(gate.removeprefix("requires ") for gate in step.gates)
    return f"{name} [{gates}]" if gates else name
