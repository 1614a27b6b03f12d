"""Which texts a register's values can be: the fields and constants that they come from.

Where every value that a register can hold was read from a terminal, it can be written again where
the terminal's texts can. This looks at a whole program, whatever the order of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from attrs import frozen

from statelang.clauses import expression as ex
from statelang.clauses.values import Type, Undefined, Value, spell, spelled
from statelang.compiling.events import BeginSpan, CloseScope, EndSpan, OpenAction
from statelang.compiling.program import Call, Pass, Program, Read
from statelang.liveness.abstract import AtLeast
from statelang.regular import regex
from statelang.regular.automaton import Regular, TooComplex, both, literal, lives, other_than

Texts = frozenset[Regular] | None  # languages that together hold every spelling; None is unknown
MAX_STATES: Final = 1_000  # of an automaton that is searched for a text
NONE: Final[Texts] = frozenset()
_NATURALS: Final[Texts] = frozenset({regex.parse("0|[1-9][0-9]*")})


@frozen
class Origin:
    """Of a text or a number its texts; of a set or a list those of its members; of a map both."""

    items: Texts = NONE
    keys: Texts = NONE

    def __or__(self, other: Origin) -> Origin:
        return Origin(_join(self.items, other.items), _join(self.keys, other.keys))


UNKNOWN: Final = Origin(None, None)


def _join(first: Texts, second: Texts) -> Texts:
    return None if first is None or second is None else first | second


class Origins:
    """The origins of all registers of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.body_of = _bodies(program)  # position: entry of the body it is in
        self.action_entry = {
            edge.event.action: entry
            for entry, edges in enumerate(program.edges)
            for edge in edges
            if isinstance(edge, Pass) and isinstance(edge.event, OpenAction)
        }
        self.fields = dict(self._fields())  # (body, slot): language
        self.registers = [
            UNKNOWN if initial is None else self._first(initial)
            for _, _, initial in program.registers
        ]
        self._settle()

    def covers(self, expression: ex.Expression, body: int, language: Regular) -> bool:
        """Whether every value that an expression has can be written in a language."""
        if isinstance(expression, ex.Constant):
            return can_write(expression.value, language)
        if isinstance(expression, ex.If):
            return all(self.covers(e, body, language) for e in (expression.yes, expression.no))
        return within(self.of(expression, body).items, language)

    def of(self, expression: ex.Expression, body: int) -> Origin:
        """Where the values of an expression come from."""
        match expression:
            case ex.Constant():
                return self._first(expression)
            case ex.Field(slot=slot):
                found = self.fields.get((body, slot))
                return UNKNOWN if found is None else Origin(frozenset({found}))
            case ex.Last(action=action, slot=slot):
                found = self.fields.get((self.action_entry[action], slot))
                return UNKNOWN if found is None else Origin(frozenset({found}))
            case ex.Register(index=index) | ex.Old(index=index):
                return self.registers[index] if index < len(self.registers) else UNKNOWN
            case ex.If(yes=yes, no=no):
                return self.of(yes, body) | self.of(no, body)
            case ex.SetOf(items=items):
                return _all(self.of(item, body) for item in items)
            case ex.MapOf(pairs=pairs):
                keys = _all(self.of(key, body) for key, _ in pairs)
                return Origin(_all(self.of(value, body) for _, value in pairs).items, keys.items)
            case ex.Apply(name="|" | "[...]", arguments=arguments):
                return _all(self.of(argument, body) for argument in arguments)
            case ex.Apply(name="+", type=Type(name="list"), arguments=arguments):
                return _all(self.of(argument, body) for argument in arguments)
            case ex.Apply(name="-" | "&", type=Type(name="set" | "map"), arguments=arguments):
                return self.of(arguments[0], body)
            case ex.Apply(name="[]" | "values" | "sorted", arguments=arguments):
                return Origin(self.of(arguments[0], body).items)
            case ex.Apply(name="keys", arguments=arguments):
                return Origin(self.of(arguments[0], body).keys)
        return UNKNOWN

    def _first(self, initial: ex.Expression) -> Origin:
        if not isinstance(initial, ex.Constant):
            return UNKNOWN
        if initial.type.name in ("set", "map", "list", "empty"):
            return NOTHING if not initial.value else UNKNOWN
        if initial.type.name not in ("text", "number"):
            return UNKNOWN
        value = initial.value
        try:
            text = value if isinstance(value, str) else spell(value)  # type: ignore[arg-type]
        except Undefined:
            return UNKNOWN
        return Origin(frozenset({literal(text.encode())}))

    def _fields(self) -> Iterator[tuple[tuple[int, int], Regular]]:
        program = self.program
        for place, edges in enumerate(program.edges):
            for edge in edges:
                if isinstance(edge, Pass) and isinstance(edge.event, BeginSpan):
                    found = one_text(program, edge.target)
                    for slot in found[1] if found is not None else ():
                        yield (self.body_of.get(place, -1), slot), found[0]  # type: ignore[index]

    def _settle(self) -> None:
        """Join what every `set` adds, until nothing is added."""
        sets = [
            (index, clause.expression, self.body_of.get(place, -1))
            for place, edges in enumerate(self.program.edges)
            for edge in edges
            if isinstance(edge, Pass) and isinstance(edge.event, CloseScope)
            for index, _, clause in edge.event.sets
        ]
        changed = True
        while changed:
            changed = False
            for index, expression, body in sets:
                more = self.registers[index] | self.of(expression, body)
                if more != self.registers[index]:
                    self.registers[index], changed = more, True


NOTHING: Final = Origin()


def _all(origins: Iterator[Origin]) -> Origin:
    found = NOTHING
    for origin in origins:
        found = found | origin
    return found


def one_text(program: Program, place: int) -> tuple[Regular, tuple[int, ...]] | None:
    """The language of a field that begins at a place, and its slots; None where it is made of
    several texts, or where a field within it has conditions of its own."""
    language, depth = None, 1
    while len(program.edges[place]) == 1:
        (edge,) = program.edges[place]
        event = edge.event if isinstance(edge, Pass) else None
        if isinstance(edge, Read):
            if language is not None:
                return None
            language = edge.language
        elif isinstance(event, BeginSpan) and not event.guards:
            depth += 1
        elif isinstance(event, EndSpan):
            depth -= 1
            if depth == 0:
                slots = tuple(slot for slot, _ in event.slots)
                return None if language is None else (language, slots)
        elif not isinstance(edge, Pass) or event is not None:
            return None
        place = edge.target
    return None


@lru_cache(maxsize=4_096)
def within(texts: Texts, language: Regular) -> bool:
    """Whether every one of the texts is in a language."""
    if texts is None:
        return False
    try:
        return not any(lives(both(text, other_than(language)), MAX_STATES) for text in texts)
    except TooComplex:
        return False


def can_write(value: Value | AtLeast, language: Regular) -> bool:
    """Whether some spelling of a text or a number, or of all that are large, is in a language."""
    if isinstance(value, AtLeast):
        return within(_NATURALS, language)
    try:
        return lives(both(spelled(value), language), MAX_STATES)
    except (Undefined, TooComplex, TypeError):
        return False


def _bodies(program: Program) -> Mapping[int, int]:
    """The entry of the body that each position is in; positions of states are in none."""
    entries = {
        edge.entry
        for edges in program.edges
        for edge in edges
        if isinstance(edge, Call) and edge.entry not in program.states
    }
    found: dict[int, int] = {}
    for entry in entries:
        todo = [entry]
        while todo:
            place = todo.pop()
            if place in found:
                continue
            found[place] = entry
            todo += [edge.target for edge in program.edges[place]]
    return found
