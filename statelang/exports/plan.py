"""Which contracts of a space fit into llguidance's 64-bit parameter, and where in it."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from statelang.clauses import expression as ex
from statelang.clauses.values import Undefined, Value
from statelang.compiling.env import Clause, Env
from statelang.compiling.events import CloseScope, EndSpan, Event, Gate, OpenScope
from statelang.exports.conditions import Layout, Terms
from statelang.exports.finite import Site, fields, sites, values_of
from statelang.exports.parameter import Bits, Unsaid
from statelang.exports.reading import MAX_VALUES, Key, compared_counts, reads
from statelang.space import StateSpace

BITS = 64
_ACTION = 0  # bits of fields begin here: those of one action lie over those of another


@frozen(eq=False)
class Plan:
    """What is carried: `layout` the values, `clauses` the conditions and assignments, by identity;
    `lines` the lines of the file whose clauses are carried everywhere."""

    layout: Layout
    clauses: frozenset[int]
    lines: frozenset[int]
    first: int

    def carries(self, clause: Clause) -> bool:
        return id(clause) in self.clauses


def plan(space: StateSpace, without: frozenset[Key]) -> Plan:
    """The contracts to carry: as many as fit, registers of many bits let go first."""
    found = tuple(sites(space.program))
    banned: set[Key] = set(without)
    while True:
        values, sets = _values(space, found, banned)
        layout = _layout(values, sets)
        unsaid = {key for key in layout if key[0] == "register"} & _unsaid(found, layout)
        if unsaid:
            banned |= unsaid
            continue
        needed = _needed(found, layout)
        if len(needed) < len(layout):
            banned |= layout.keys() - needed
            continue
        if max((bits.high for bits in layout.values()), default=0) <= BITS:
            return _plan(space, found, layout)
        largest = max(layout, key=lambda key: (layout[key].high - layout[key].low, key))
        banned.add(largest)


def conditions_of(event: Event) -> tuple[Clause, ...]:
    """The conditions that an event judges."""
    match event:
        case Gate(clauses=clauses) | EndSpan(clauses=clauses) | CloseScope(clauses=clauses):
            return clauses
        case OpenScope(gates=gates):
            return gates
    return ()


def _assignments(found: tuple[Site, ...]) -> Iterator[tuple[Site, int, Clause]]:
    for site in found:
        if isinstance(site.event, CloseScope):
            for index, _, clause in site.event.sets:
                yield site, index, clause


# ---- values ----------------------------------------------------------------------------------


def _values(
    space: StateSpace, found: tuple[Site, ...], banned: set[Key]
) -> tuple[dict[Key, tuple[Value | None, ...]], dict[Key, tuple[Value, ...]]]:
    """The values of all that is finite, and the elements of sets."""
    program = space.program
    values: dict[Key, tuple[Value | None, ...]] = {}
    for key, texts in fields(program).items():
        if key not in banned:  # what the last step wrote is taken from the field
            values[key] = values["last", key[1], key[2]] = (None, *texts)
    largest: dict[Key, int] = {}
    for site in found:
        for clause in conditions_of(site.event):
            for key, number in compared_counts(clause.expression).items():
                largest[key] = max(largest.get(key, 0), number or 0)
    for key, number in largest.items():
        values[key] = tuple(range(1 << (number + 1).bit_length()))
    values = {key: row for key, row in values.items() if key not in banned}
    first = _first_values(space)
    restored = any(isinstance(s.event, CloseScope) and s.event.keeping for s in found)
    usable = {
        ("register", 0, index): value
        for index, value in first.items()
        if ("register", 0, index) not in banned
        and not (restored and index not in program.kept)
        and not any(s.recursive and index == i for s, i, _ in _assignments(found))
    }
    sets: dict[Key, tuple[Value, ...]] = {}
    for key, value in usable.items():
        if isinstance(value, bool):
            values[key] = (value, not value)
    for _ in usable:  # a register may take the values of another
        for key, value in usable.items():
            if isinstance(value, (str, int)) and key not in values:
                row = values_of(program, key[2], value, values)
                if row is not None:
                    values[key] = tuple(sorted(row))  # type: ignore[type-var]
    for key, value in usable.items():
        if isinstance(value, frozenset):
            elements = _elements(found, key[2], value, values)
            if elements is not None:
                sets[key] = elements
    return values, sets


def _first_values(space: StateSpace) -> dict[int, Value]:
    """The registers that begin alike for every problem."""
    row: list[Value] = []
    known: dict[int, Value] = {}
    for index, (_, type, initial) in enumerate(space.program.registers):
        value: Value = ""
        try:
            if initial is not None and not _reads_inputs(initial, known):
                value = initial.evaluate(Env(tuple(row), (), {}))
                if type.name in ("truth", "text", "number", "set"):
                    known[index] = value
        except (Undefined, IndexError):
            pass
        row.append(value)
    return known


def _reads_inputs(initial: ex.Expression, known: dict[int, Value]) -> bool:
    read = reads(initial, -1)
    return read is None or any(key[0] != "register" or key[2] not in known for key in read)


def _elements(
    found: tuple[Site, ...],
    register: int,
    first: frozenset[Value],
    values: dict[Key, tuple[Value | None, ...]],
) -> tuple[Value, ...] | None:
    """All that a set may ever hold; None where it cannot be told, or is too much."""
    layout = _layout(values, {})
    elements: dict[Value, None] = dict.fromkeys(sorted(first, key=repr))
    for site, index, clause in _assignments(found):
        if index != register:
            continue
        terms = Terms(layout, site.action)
        todo: list[ex.Expression] = [clause.expression]
        while todo:
            node = todo.pop()
            match node:
                case ex.Register():
                    continue
                case ex.If(yes=yes, no=otherwise):
                    todo += [yes, otherwise]
                    continue
                case ex.Apply(name="|" | "-", arguments=(left, right)):
                    todo += [left, right]
                    continue
            try:
                for _, chosen in terms.cases((node,)):
                    try:
                        elements |= dict.fromkeys(sorted(terms.evaluate(node, chosen), key=repr))
                    except Undefined:
                        continue
            except Unsaid:
                return None
            if len(elements) > MAX_VALUES:
                return None
    return tuple(elements)


# ---- the layout ------------------------------------------------------------------------------


def _layout(
    values: dict[Key, tuple[Value | None, ...]], sets: dict[Key, tuple[Value, ...]]
) -> dict[Key, Bits]:
    found: dict[Key, Bits] = {}
    at: dict[int, int] = {}
    for key, row in values.items():
        if key[0] == "slot":
            low = at.get(key[1], _ACTION)
            at[key[1]] = low + max(1, (len(row) - 1).bit_length())
            found[key] = Bits(low, at[key[1]], row)
    end = max(at.values(), default=_ACTION)
    for key, row in values.items():
        if key[0] != "slot":
            width = max(1, (len(row) - 1).bit_length())
            found[key] = Bits(end, end + width, row)
            end += width
    for key, elements in sets.items():
        width = max(1, len(elements))
        found[key] = Bits(end, end + width, elements, is_set=True)
        end += width
    return found


def _unsaid(found: tuple[Site, ...], layout: Layout) -> set[Key]:
    """The registers with an assignment that cannot be said."""
    bad: set[Key] = set()
    for site, index, clause in _assignments(found):
        key = ("register", 0, index)
        if key in layout:
            try:
                Terms(layout, site.action).moves(((index, clause),))
            except Unsaid:
                bad.add(key)
    return bad


def _said(site: Site, layout: Layout) -> list[Clause]:
    """The conditions at an event that can be said."""
    result = []
    for clause in conditions_of(site.event):
        try:
            Terms(layout, site.action).holds(clause.expression)
        except Unsaid:
            continue
        if not site.recursive:
            result.append(clause)
    return result


def _needed(found: tuple[Site, ...], layout: Layout) -> set[Key]:
    """What conditions read, and what that is made from."""
    needed: set[Key] = set()
    todo = [
        key
        for site in found
        for clause in _said(site, layout)
        for key in reads(clause.expression, site.action) or ()
    ]
    while todo:
        key = todo.pop()
        if key in needed or key not in layout:
            continue
        needed.add(key)
        if key[0] == "last":
            todo.append(("slot", key[1], key[2]))
        if key[0] == "register":
            for site, index, clause in _assignments(found):
                if index == key[2]:
                    todo += reads(clause.expression, site.action) or ()
    return needed


def _plan(space: StateSpace, found: tuple[Site, ...], layout: Layout) -> Plan:
    carried: set[int] = set()
    good: set[int] = set()
    bad: set[int] = set()

    def note(clause: Clause, is_carried: bool) -> None:
        line = space.source.position(clause.span.start)[0]
        (good if is_carried else bad).add(line)
        if is_carried:
            carried.add(id(clause))

    for site in found:
        said = {id(clause) for clause in _said(site, layout)}
        for clause in conditions_of(site.event):
            note(clause, id(clause) in said)
    for _, index, clause in _assignments(found):
        note(clause, ("register", 0, index) in layout)
    first = 0
    for index, value in _first_values(space).items():
        if (bits := layout.get(("register", 0, index))) is not None:
            first |= bits.number(value)
    return Plan(layout, frozenset(carried), frozenset(good - bad), first)
