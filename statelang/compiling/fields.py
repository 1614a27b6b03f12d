"""What the names in a contract refer to: the fields of a rule's body, as a tree.

Every part that is not recursive is laid out in place, so each of its uses has fields of its own;
a recursive part is opaque but for its text.
"""

from __future__ import annotations

from attrs import define, field

from statelang.clauses.values import TEXT, Type, list_of
from statelang.compiling.env import Clause
from statelang.source import Span


@define(eq=False)
class Occurrence:
    """One place in a body where a field is read."""

    name: str
    type: Type
    span: Span
    order: int
    depth: int  # repetitions around it, counted from the body's root
    choices: int  # alternatives and options around it: it is not on every path
    slots: list[tuple[int, bool]] = field(factory=list)
    guards: list[tuple[int, Clause]] = field(factory=list)
    clauses: list[Clause] = field(factory=list)
    tied: bool = False  # what is written here decides whether the rest of the step can be written

    @property
    def captured(self) -> bool:
        """Whether anything asks for its text."""
        return bool(self.slots or self.guards or self.clauses)


@define(eq=False)
class Slots:
    """The fields of one body that some clause asks for."""

    types: list[Type] = field(factory=list)

    def new(self, type: Type) -> int:
        """A new slot."""
        self.types.append(type)
        return len(self.types) - 1


@define(eq=False)
class Scope:
    """A rule in place: its own fields and those of its parts, and the contracts on it."""

    rule: str
    body: Slots
    depth: int
    order: int
    choices: int
    members: list[tuple[Occurrence, Scope | None]] = field(factory=list)
    own_slots: list[int] = field(factory=list)
    opening: int | None = None
    gates: list[Clause] = field(factory=list)
    late: list[Clause] = field(factory=list)
    sets: list[tuple[int, Type, Clause]] = field(factory=list)
    mark: Clause | None = None
    restore: Clause | None = None
    _asked: dict[tuple[str, ...], tuple[int, Type]] = field(factory=dict)

    def find(self, path: tuple[str, ...]) -> list[Occurrence]:
        """The occurrences that a path may mean."""
        found = []
        for occurrence, inner in self.members:
            if occurrence.name != path[0]:
                continue
            if len(path) == 1:
                found.append(occurrence)
            elif inner is not None:
                found += inner.find(path[1:])
        return found

    def ask(self, path: tuple[str, ...]) -> tuple[int, Type] | str:
        """The slot and type of a field, or why there is none."""
        if path in self._asked:
            return self._asked[path]
        found = self.find(path)
        name = ".".join(path)
        if not found:
            return f"`{self.rule}` has no field `{name}`, and there is no such register"
        is_list = any(o.depth > self.depth for o in found)
        if len(found) > 1 and not all(o.choices > self.choices for o in found) and not is_list:
            return f"`{name}` occurs more than once in `{self.rule}`; wrap each use in a part"
        type = found[0].type if all(o.type == found[0].type for o in found) else TEXT
        type = list_of(type) if is_list else type
        slot = self.body.new(type)
        self.own_slots.append(slot)
        for occurrence in found:
            occurrence.slots.append((slot, is_list))
        self._asked[path] = slot, type
        return slot, type

    def occurrences(self, slot: int) -> list[Occurrence]:
        """Where a slot is written."""
        found = []
        for occurrence, inner in self.members:
            if any(own == slot for own, _ in occurrence.slots):
                found.append(occurrence)
            if inner is not None:
                found += inner.occurrences(slot)
        return found

    def holds(self, part: Occurrence, slot: int) -> bool:
        """Whether a slot is written inside of a part."""
        for occurrence, inner in self.members:
            if inner is not None and (
                inner.occurrences(slot) if occurrence is part else inner.holds(part, slot)
            ):
                return True
        return False

    @property
    def has_contracts(self) -> bool:
        """Whether entering and leaving this rule means anything."""
        return bool(self.gates or self.late or self.sets or self.own_slots or self.restore)
