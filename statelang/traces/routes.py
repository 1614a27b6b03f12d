"""Orders of transitions that together take every one, calls of machines run in place."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from statelang.diagnostics import StatelangError
from statelang.space import StateSpace, Transition
from statelang.traces.alignment import control
from statelang.traces.marks import marked
from statelang.traces.tours import shortest, tours

_END: Final = ""  # no state has an empty name
_MOST_TAKEN: Final = 100_000  # transitions in all routes


@frozen
class Routes:
    """Each route is a legal order of transitions, by their indices. `minimal` says whether fewer
    are proved impossible."""

    routes: tuple[tuple[int, ...], ...]
    minimal: bool


def cover(space: StateSpace) -> Routes:
    """Few routes from `start` to the end that take every transition that `start` leads to.

    In each machine by itself the number of runs is the fewest (see `tours`). Runs of a called
    machine are handed to the calls of it in turn; what is left over takes routes of its own. The
    number is proved to be the fewest where no such route is needed and no two machines share a
    state: the machine `start` by itself needs as many.

    Raises StatelangError where the routes are too long to write down.
    """
    return _Cover(marked(space).alternatives, control(space).shortest).routes()


class _Cover:
    def __init__(self, alternatives: tuple[Transition, ...], steps: Mapping[str, int]) -> None:
        self.alternatives = alternatives
        self.steps = steps  # from each state to the end of its machine, at least
        self.leaving: dict[str, list[int]] = defaultdict(list)
        for index, one in enumerate(alternatives):
            self.leaving[one.source].append(index)
        self.members = self._members()
        self.runs = {machine: self._runs(machine) for machine in self.members}
        self.left = _MOST_TAKEN

    def routes(self) -> Routes:
        """All routes, those of the machine `start` first."""
        found = []
        start = self.runs["start"]
        states = [state for members in self.members.values() for state in members]
        minimal = len(states) == len(set(states))
        while start:
            found.append(tuple(self._unfolded(start.pop(0))))
            left = next((machine for machine, runs in self.runs.items() if runs), None)
            if not start and left is not None:
                self._lead_to(left)
                minimal = False
        return Routes(tuple(found), minimal)

    def _members(self) -> dict[str, list[str]]:
        """The machines that `start` runs, with the states of each."""
        found: dict[str, list[str]] = {}
        machines = ["start"]
        for machine in machines:
            states = [machine]
            for state in states:
                for index in self.leaving[state]:
                    one = self.alternatives[index]
                    if one.target is not None and one.target not in states:
                        states.append(one.target)
                    if one.call is not None and one.call not in machines:
                        machines.append(one.call)
            found[machine] = states
        return found

    def _edges(self, machine: str) -> tuple[list[int], list[tuple[str, str]]]:
        own = [index for state in self.members[machine] for index in self.leaving[state]]
        ends = [self.alternatives[index] for index in own]
        return own, [(one.source, one.target or _END) for one in ends]

    def _runs(self, machine: str) -> list[list[int]]:
        """The fewest runs of a machine, those with the most calls first."""
        own, edges = self._edges(machine)
        found = [[own[i] for i in walk] for walk in tours(edges, machine, _END)]
        calls = [sum(self.alternatives[i].call is not None for i in walk) for walk in found]
        order = sorted(range(len(found)), key=lambda number: -calls[number])
        return [found[number] for number in order]

    def _unfolded(self, run: list[int]) -> Iterator[int]:
        """A run with the runs of the machines that it calls in place."""
        stack = [iter(run)]
        while stack:
            index = next(stack[-1], None)
            if index is None:
                stack.pop()
                continue
            self.left -= 1
            if not self.left:
                raise StatelangError(
                    f"traces that visit every transition would take more than {_MOST_TAKEN:,} "
                    "transitions; give the machines that call others shorter ways to their end"
                )
            yield index
            machine = self.alternatives[index].call
            if machine is not None:
                runs = self.runs[machine]
                stack.append(iter(runs.pop(0) if runs else self._quickest(machine)))

    def _quickest(self, state: str) -> Iterator[int]:
        """A run with the fewest steps."""

        def steps(index: int) -> int:
            one = self.alternatives[index]
            first = self.steps[one.call] if one.call else int(one.action is not None)
            return first + (self.steps[one.target] if one.target else 0)

        at: str | None = state
        while at is not None:
            index = min(self.leaving[at], key=steps)
            yield index
            at = self.alternatives[index].target

    def _lead_to(self, machine: str) -> None:
        """Add a run of `start`, and of the machines between, in which a machine is called."""
        came: dict[str, tuple[str, int]] = {}
        todo = deque(["start"])
        while machine not in came:
            at = todo.popleft()
            for index in self._edges(at)[0]:
                call = self.alternatives[index].call
                if call is not None and call not in came:
                    came[call] = at, index
                    todo.append(call)
        while machine != "start" or not self.runs["start"]:
            machine, index = came[machine]
            own, edges = self._edges(machine)
            one = self.alternatives[index]
            before = [own[i] for i in shortest(edges, machine, one.source)]
            after = [own[i] for i in shortest(edges, one.target or _END, _END)]
            self.runs[machine].insert(0, [*before, index, *after])
