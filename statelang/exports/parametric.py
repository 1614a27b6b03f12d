"""A program as rules of llguidance that carry a parameter; see `as_llguidance`.

llguidance 1.9.1 loses, or stops at, what a rule makes of its parameter where the rule writes
nothing (its `expand_shortcuts`). So every alternative here begins with a text, and the moves of the
parameter are spread over the texts before them: one text for each move.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from attrs import evolve

from statelang.compiling.events import CloseAction, CloseScope, EndSpan, Event, OpenScope
from statelang.compiling.program import Call, Pass, Read
from statelang.exports.conditions import Terms
from statelang.exports.finite import bodies, positions
from statelang.exports.parameter import Move, all_of, held
from statelang.exports.plain import MAX_RULES, Plain, TooManyRules
from statelang.exports.plan import Plan, conditions_of
from statelang.exports.reading import MAX_VALUES, Key, reads
from statelang.exports.way import Cramped, Place, Way, cut, texts
from statelang.space import StateSpace

MAX_ALTERNATIVES: Final = 20_000
_DEEPEST: Final = 50
_ALWAYS: Final = "ge([0:1], 0)"  # rules that do not look at their parameter are refused
_NEVER: Final = "lt([0:1], 0)"


def parametric(space: StateSpace, plan: Plan, plain: str) -> str:
    """The rules; `plain` is the file's text without contracts, for what carries none.

    Raises Cramped and TooManyRules.
    """
    return _Rules(space, plan, plain).text()


class _Rules:
    def __init__(self, space: StateSpace, plan: Plan, plain: str) -> None:
        self.plan, self.layout = plan, plan.layout
        self.program = space.program
        self.bodies = bodies(self.program)
        self.owners = {
            at: action
            for entry, action in self.bodies.items()
            for at in positions(self.program, entry)
            if self.program.edges[at]
        }
        self.involved = {entry for entry in self.bodies if self.is_involved(entry)}
        self.plain = Plain(space, plain)
        self.names: dict[Place, str] = {}
        self.lines: list[str] = []
        self.todo: list[Place] = []
        self.steps: dict[str, str] = {}
        self.alternatives = 0
        self.heads: set[str] = set()  # what texts were cut behind

    def text(self) -> str:
        first = self.name((self.program.entry, ()))
        self.lines.append(f"start : {first}::{self.plan.first:#x}")
        for place in self.todo:  # which grows on the way
            self.rule(place)
        lines = [*self.lines, *self.plain.parts(), "", *self.plain.rules()]
        return cut("\n".join(lines) + "\n", self.heads)

    def name(self, place: Place) -> str:
        if place not in self.names:
            if len(self.names) > MAX_RULES:
                raise TooManyRules
            state, owner = self.program.states.get(place[0]), self.owners.get(place[0])
            base = state or ("_at" if owner is None else f"_{self.program.actions[owner]}")
            name = base if state and state != "start" and not place[1] else self.fresh(base)
            self.names[place] = name
            self.todo.append(place)
        return self.names[place]

    def fresh(self, base: str) -> str:
        """A name that nothing in the file has."""
        name = f"_{base.lstrip('_')}_{len(self.names)}"
        while name in self.plain.definitions:
            name += "_"
        return name

    def is_involved(self, entry: int) -> bool:
        """Whether anything in an action's body looks at the parameter or moves it; the count of
        steps aside, which moves at the end of the step."""
        action = self.bodies[entry]
        if any(key[:2] == ("last", action) for key in self.layout):
            return True
        for at in positions(self.program, entry):
            for edge in self.program.edges[at]:
                event = edge.event if isinstance(edge, Pass) else None
                if event is not None and any(map(self.plan.carries, conditions_of(event))):
                    return True
                if isinstance(event, CloseScope) and any(
                    self.plan.carries(clause) for _, _, clause in event.sets
                ):
                    return True
        return False

    # -- rules with the parameter

    def rule(self, place: Place) -> None:
        options = []
        for way in self.ways(Way(place, began=place), ()):
            option = self.alternative(way)
            if option not in options:
                options.append(option)
            self.alternatives += 1
            if self.alternatives > MAX_ALTERNATIVES:
                raise TooManyRules
        options = options or [f'"" %if {_NEVER}']
        if not any(" %if " in option for option in options):
            options[0] += f" %if {_ALWAYS}"
        self.lines.append(f"{self.names[place]}::_ : " + "\n    | ".join(options))

    def alternative(self, way: Way) -> str:
        """One alternative; the moves but the last one in rules of their own along its texts."""
        condition = "" if way.condition is True else f" %if {way.condition}"
        if way.at is None:
            return (" ".join(way.symbols) or '""') + condition
        moves = list(way.functions)
        symbols, heads = texts(way.symbols, len(moves))
        if len(symbols) < len(moves):
            raise Cramped(way.moved)
        self.heads |= heads
        head, target = list(symbols), self.name(way.at)
        while len(moves) > 1:
            body = f"{head.pop()} {target}::{moves.pop()} %if {_ALWAYS}"
            target = self.along_the_way(body)
        return " ".join([*head, f"{target}::{moves[0] if moves else '_'}"]) + condition

    def along_the_way(self, body: str) -> str:
        if body not in self.steps:
            self.steps[body] = name = self.fresh("then")
            self.names[-len(self.names), ()] = name
            self.lines.append(f"{name}::_ : {body}")
        return self.steps[body]

    def ways(self, way: Way, seen: tuple[Place, ...]) -> Iterator[Way]:
        """The alternatives from a place: on to the next choice after a text, or a move."""
        if way.at is None or way.condition is False:
            if way.condition is not False:
                yield way
            return
        (position, stack) = way.at
        edges = self.program.edges[position]
        if not edges:
            back: Place | None = (stack[0], stack[1:]) if stack else None
            yield from self.ways(evolve(way, at=back), seen)
            return
        is_choice = len(edges) > 1 or position in self.program.states
        writes_after_move = way.moved and not isinstance(edges[0], Pass)
        if (is_choice and way.symbols) or writes_after_move or self.is_wide(way, edges[0]):
            if not way.symbols:
                raise Cramped(way.moved)
            yield self.remembered(way)
            return
        if way.at in seen:
            return  # a repetition of nothing
        if not way.symbols:
            seen = (*seen, way.at)
        for edge in edges:
            for one in self.along(way, edge, stack):
                yield from self.ways(one, seen)

    def remembered(self, way: Way) -> Way:
        """A way that ends within a step: the fields read so far are put into their bits, which are
        clear before."""
        put = 0
        for key, value in way.fixed:
            if key in self.layout:
                put |= self.layout[key].number(value)
        return way.move(Move(put=put), frozenset(key for key, _ in way.fixed)) if put else way

    def along(self, way: Way, edge: Read | Pass | Call, stack: tuple[int, ...]) -> Iterator[Way]:
        target: Place = (edge.target, stack)
        match edge:
            case Read():
                yield from self.read(evolve(way, at=target), edge)
            case Pass(event=None):
                yield evolve(way, at=target)
            case Pass(event=event):
                assert event is not None
                yield from self.happen(evolve(way, at=target), event, self.owner(edge, event))
            case Call(entry=entry) if entry in self.program.states or entry in self.involved:
                after = (edge.target, *stack) if self.program.edges[edge.target] else stack
                if len(after) > _DEEPEST:
                    raise TooManyRules
                yield evolve(way, at=(entry, after))
            case Call(entry=entry) if entry in self.bodies:
                action = self.bodies[entry]
                name = self.plain.rule(self.program.actions[action])
                yield self.counted(evolve(way, at=target, symbols=(*way.symbols, name)), action)
            case Call(entry=entry):
                name = self.plain.call(entry)
                yield evolve(way, at=target, symbols=(*way.symbols, name))

    def owner(self, edge: Pass, event: Event) -> int:
        return event.action if isinstance(event, CloseAction) else self.owners.get(edge.target, -1)

    def field(self, edge: Read) -> tuple[list[Key], list[str]]:
        """What contracts ask for of a text: the fields it is, and each text that it may be."""
        following = self.program.edges[edge.target]
        event = (
            following[0].event if len(following) == 1 and isinstance(following[0], Pass) else None
        )
        action = self.owners.get(edge.target, -1)
        keys: list[Key] = [
            ("slot", action, slot)
            for slot, _ in (event.slots if isinstance(event, EndSpan) else ())
            if ("slot", action, slot) in self.layout
        ]
        values = self.layout[keys[0]].values if keys else ()
        known = [v for v in values if isinstance(v, str) and edge.language.matches(v.encode())]
        return keys, known

    def read(self, way: Way, edge: Read) -> Iterator[Way]:
        """A text; where it is a field that contracts ask for, one way for each text it may be."""
        keys, values = self.field(edge)
        if not keys:
            yield evolve(way, symbols=(*way.symbols, self.plain.terminal(edge)))
        for value in values:
            fixed = {**dict(way.fixed), **dict.fromkeys(keys, value)}
            symbol = json.dumps(value, ensure_ascii=False)
            yield evolve(way, symbols=(*way.symbols, symbol), fixed=frozenset(fixed.items()))

    def is_wide(self, way: Way, edge: Read | Pass | Call) -> bool:
        """Whether a way has fields enough: with one more there would be too many alternatives."""
        if not isinstance(edge, Read) or not way.fixed:
            return False
        count = len(self.field(edge)[1])
        for key, _ in way.fixed:
            count *= len(self.layout[key].values)
        return count > MAX_VALUES

    # -- events

    def happen(self, way: Way, event: Event, action: int) -> Iterator[Way]:
        """An event: its conditions, and what it makes of the parameter."""
        terms = Terms(self.layout, action, dict(way.fixed))
        waiting = isinstance(event, CloseScope)
        clauses = [
            clause
            for clause in conditions_of(event)
            if self.plan.carries(clause) and not (waiting and terms.is_judged(clause))
        ]
        sets = [
            (index, clause)
            for index, _, clause in (event.sets if isinstance(event, CloseScope) else ())
            if self.plan.carries(clause)
        ]
        asked = [clause.expression for clause in (*clauses, *(clause for _, clause in sets))]
        touched = frozenset(key for one in asked for key in reads(one, action) or ())
        if way.moved & touched:
            raise Cramped(way.moved & touched)
        way = evolve(
            way, condition=all_of(way.condition, terms.condition(clauses, waiting=waiting))
        )
        match event:
            case CloseScope() if sets:
                keys = frozenset(("register", 0, index) for index, _ in sets)
                for move in terms.moves(sets):
                    yield way.move(move, keys)
            case OpenScope(slots=slots):
                yield self.cleared(way, [("slot", action, slot) for slot in slots])
            case CloseAction():
                yield from self.closed(way, action)
            case _:
                yield way

    def cleared(self, way: Way, keys: list[Key]) -> Way:
        """Fields forgotten, in their bits too where a way that ended within the step put them."""
        known = [key for key in keys if key in self.layout]
        fixed = frozenset((key, value) for key, value in way.fixed if key not in known)
        within = way.at is not None and self.returns_to(way.at[0])
        mask = sum(self.layout[key].mask for key in known) if within else 0
        way = evolve(way, fixed=fixed)
        return way.move(Move().clear(mask), frozenset(known)) if mask else way

    def closed(self, way: Way, action: int) -> Iterator[Way]:
        """A step ends: fields are kept where `last` asks for them, and forgotten; it is counted."""
        fixed = dict(way.fixed)
        moves = [Move()]
        mask = 0
        for key, bits in self.layout.items():
            if key[:2] != ("slot", action):
                continue
            mask |= bits.mask
            last = self.layout.get(("last", action, key[2]))
            if last is not None:
                values = (fixed[key],) if key in fixed else bits.values
                moves = [
                    move.clear(last.mask)
                    .set(last.number(value))
                    .where(True if key in fixed else held(bits, frozenset((bits.index(value),))))
                    for move in moves
                    for value in values
                ]
        assert way.began is not None
        began_within = mask and self.owners.get(way.began[0]) == action
        keys = frozenset(k for k in self.layout if k[:2] in (("last", action), ("slot", action)))
        for move in moves:
            done = move.clear(mask) if began_within else move
            after = evolve(way, fixed=frozenset())
            if done != Move():
                after = after.move(done, keys)
            yield self.counted(after, action)

    def counted(self, way: Way, action: int) -> Way:
        bits = self.layout.get(("count", 0, action))
        if bits is None:
            return way
        return way.move(Move(steps=(f"incr({bits.range})",)), frozenset((("count", 0, action),)))

    def returns_to(self, position: int) -> bool:
        """Whether a position is within a repetition."""
        todo = [edge.target for edge in self.program.edges[position]]
        seen: set[int] = set()
        while todo:
            at = todo.pop()
            if at == position:
                return True
            if at not in seen and at not in self.program.states:
                seen.add(at)
                todo += [edge.target for edge in self.program.edges[at]]
        return False
