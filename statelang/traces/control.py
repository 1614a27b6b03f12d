"""The control graph: where a trace may stand by the order of its actions alone, calls included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from statelang.space import StateSpace, Transition

_FAR: Final = 1 << 30
_MOST_PLACES: Final = 256  # ways to read one order of actions, kept side by side


class Place:
    """A state, and the place to come back to after its machine; None stands for the end.

    `left` is the least number of steps from here to the end of the trace. Made by `Control` only:
    places of one control graph that are equal are the same object.
    """

    __slots__ = ("below", "left", "state")

    def __init__(self, state: str, below: Place | None, left: int) -> None:
        self.state = state
        self.below = below
        self.left = left


Step = tuple[str, Place | None]  # an action, and where it leads


class Control:
    """Walks the transitions of a space without payloads, registers and gates."""

    def __init__(self, space: StateSpace) -> None:
        self.stops = space.stops
        self.transitions: dict[str, list[Transition]] = defaultdict(list)
        for transition in space.transitions:
            self.transitions[transition.source].append(transition)
        self.shortest = _shortest(space)
        self._places: dict[tuple[str, Place | None], Place] = {}
        self._steps: dict[Place, tuple[tuple[Step, ...], bool]] = {}
        self.start = self.place("start", None)

    def place(self, state: str | None, below: Place | None) -> Place | None:
        """The one place of a state above another; a target of None leads back to `below`."""
        if state is None:
            return below
        found = self._places.get((state, below))
        if found is None:
            left = self.shortest[state] + (below.left if below else 0)
            found = self._places[state, below] = Place(state, below, left)
        return found

    def steps(self, place: Place | None) -> tuple[Step, ...]:
        """Every action that may come next, in the order of the file, and where it leads."""
        return self._closed(place)[0] if place else ()

    def ends(self, place: Place | None) -> bool:
        """Whether the trace may end here."""
        return self._closed(place)[1] if place else True

    def after(self, actions: Iterable[str]) -> tuple[Place | None, ...]:
        """Where a trace may stand after these actions; nowhere if no order allows them."""
        places: tuple[Place | None, ...] = (self.start,)
        for action in actions:
            found = {to: None for at in places for name, to in self.steps(at) if name == action}
            places = tuple(found)[:_MOST_PLACES]
        return places

    def _closed(self, place: Place) -> tuple[tuple[Step, ...], bool]:
        """Steps after any number of calls and returns, which write nothing."""
        found = self._steps.get(place)
        if found is not None:
            return found
        steps: dict[Step, None] = {}
        ends = False
        todo: list[Place | None] = [place]
        seen: set[Place | None] = {place}
        while todo:
            at = todo.pop()
            if at is None:
                ends = True
                continue
            silent: list[Place | None] = [at.below] if at.state in self.stops else []
            for transition in self.transitions[at.state]:
                target = self.place(transition.target, at.below)
                if transition.action is not None:
                    steps[transition.action, target] = None
                else:
                    silent.append(self.place(transition.call, target))
            for other in reversed(silent):
                if other not in seen and len(seen) < _MOST_PLACES:
                    seen.add(other)
                    todo.append(other)
        result = self._steps[place] = tuple(steps), ends
        return result


def _shortest(space: StateSpace) -> dict[str, int]:
    """Least number of steps from each state to the end of its own machine."""
    result = {state.name: 0 if state.name in space.stops else _FAR for state in space.states}
    changed = True
    while changed:
        changed = False
        for one in space.transitions:
            first = 1 if one.action is not None else result[one.call or ""]
            total = first + (result[one.target] if one.target is not None else 0)
            if total < result[one.source]:
                result[one.source] = total
                changed = True
    return result
