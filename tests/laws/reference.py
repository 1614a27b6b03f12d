"""All texts of a state space, by writing out its rules: slow, and meant to be plainly right.

The tree of the file is expanded from left to right, alternative by alternative and text by text. A
`World` is one way that this can go: what has been written, the registers, the rules that are open.
Every clause is judged where the reference of contracts says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from attrs import evolve, field, frozen

from statelang.language.syntax import (
    Alternative,
    Choice,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
)
from tests.laws.language import Language, Rule, TooMany, spelled, used
from tests.laws.meaning import Names, Path, Undefined, Written, holds, value

_MOST: Final = 12_000  # texts tried, after which a space is too large for this


def texts(language: Language, longest: int) -> set[str]:
    """Every complete text of at most so many characters. Raises TooMany."""
    return {world.text for world in _Writing(language, longest, None).all()}


def accepts(language: Language, text: str) -> bool:
    """Whether a text is complete and legal."""
    return any(world.text == text for world in _Writing(language, len(text), text).all())


@frozen(eq=False)
class Open:
    """A rule that is being written: its fields so far, and the conditions judged already."""

    rule: Rule
    step: str | None  # its name among the fields of the rule around it; None for an alternative
    opening: Mapping[str, Any]
    fields: Mapping[Path, Any] = field(factory=dict)
    judged: frozenset[int] = frozenset()


@frozen(eq=False)
class World:
    """One way to write the space out, so far."""

    text: str
    registers: Mapping[str, Any]
    counts: Mapping[str, int] = field(factory=dict)
    lasts: Mapping[str, Mapping[Path, Any]] = field(factory=dict)
    marks: Mapping[Any, Mapping[str, Any]] = field(factory=dict)
    rules: tuple[Open, ...] = ()  # the outermost, an action or a recursive rule, first
    inside: tuple[str, ...] = ()  # calls to come back from


Worlds = Iterator[World]


class _Writing:
    """One run: worlds no longer than `longest`, along `wanted` where a text is given."""

    def __init__(self, space: Language, longest: int, wanted: str | None) -> None:
        self.space = space
        self.longest = longest
        self.wanted = wanted
        self.tried = 0

    def all(self) -> Worlds:
        """Every world in which the trace has ended."""
        yield from self.state("start", World("", self.space.registers))

    # -- states and calls

    def state(self, name: str, world: World) -> Worlds:
        for alternative in self.space.definitions[name].alternatives:
            rule = self.space.alternatives.get(alternative.span.start)
            if rule and self.space.contracts and not self._all_hold(rule.gates, world):
                continue
            names = list(used(alternative.body))
            if not names:
                yield world
                continue
            for after in self.run(names[0], world):
                yield from self.state(names[1], after) if names[1:] else iter((after,))

    def run(self, name: str, world: World) -> Worlds:
        """An action, or a machine that is called."""
        if self.space.definitions[name].is_state:
            yield from self.nested(name, world, lambda inner: self.state(name, inner))
            return
        limits = [most for action, most in self.space.limits if action == name]
        count = world.counts.get(name, 0)
        if self.space.contracts and any(count >= most for most in limits):
            return
        for after, fields in self.alone(name, world):
            counts = {**after.counts, name: count + 1}
            yield evolve(after, counts=counts, lasts={**after.lasts, name: fields})

    def nested(self, name: str, world: World, run: Callable[[World], Worlds]) -> Worlds:
        most = self.space.deepest(name)
        if self.space.contracts and most is not None and world.inside.count(name) >= most:
            return
        for after in run(evolve(world, inside=(*world.inside, name))):
            yield evolve(after, inside=world.inside)

    def alone(self, name: str, world: World) -> Iterator[tuple[World, Mapping[Path, Any]]]:
        """An action or a recursive rule: fields of its own, those around it out of sight."""
        definition = self.space.definitions[name]
        for opened in self.opened(self.space.rules[name], name, evolve(world, rules=())):
            for written in self.alternatives(definition.alternatives, opened):
                for after in self.closed(written):
                    yield evolve(after, rules=world.rules), written.rules[-1].fields

    # -- rules

    def opened(self, rule: Rule, step: str | None, world: World) -> Worlds:
        inner = evolve(world, rules=(*world.rules, Open(rule, step, world.registers)))
        if not self.space.contracts or self._all_hold(rule.gates, inner):
            yield inner

    def closed(self, world: World) -> Worlds:
        """The innermost rule is complete."""
        done, rule = world.rules[-1], world.rules[-1].rule
        after = evolve(world, rules=world.rules[:-1])
        if not self.space.contracts:
            yield after
            return
        names = self._names(world)
        unjudged = [c for all in rule.ended.values() for c in all if id(c) not in done.judged]
        if not all(holds(condition, names) for condition in (*unjudged, *rule.late)):
            return
        try:
            key = value(rule.mark, names) if rule.mark else None
            if rule.restore:
                saved = world.marks.get(value(rule.restore, names))
                if saved is None:
                    return
                unmoved = {n: world.registers[n] for n in self.space.unmoved}
                after = evolve(after, registers={**saved, **unmoved})
                names = evolve(names, registers=after.registers)
            new = {register: value(tree, names) for register, tree in rule.sets}
        except Undefined:
            return
        after = evolve(after, registers={**after.registers, **new})
        if rule.mark:
            after = evolve(after, marks={**after.marks, key: done.opening})
        yield after

    def alternatives(self, options: tuple[Alternative, ...], world: World) -> Worlds:
        for option in options:
            rule = self.space.alternatives.get(option.span.start)
            if rule is None:
                yield from self.item(option.body, world)
                continue
            for opened in self.opened(rule, None, world):
                for written in self.item(option.body, opened):
                    yield from self.closed(written)

    def item(self, item: Item, world: World) -> Worlds:
        match item:
            case Literal(value=text, ignore_case=False):
                yield from self.written(world, text)
            case Regexp(pattern=pattern):
                for text in spelled(pattern):
                    yield from self.written(world, text)
            case Sequence(items=items):
                yield from self.row(items, world)
            case Choice(options=options):
                for option in options:
                    yield from self.item(option, world)
            case Repeat(low=low, high=high):
                yield from self.times(item, low, high, world)
            case Reference(name=name) if item.is_terminal:
                for text in self.space.terminal(name):
                    for after in self.written(world, text):
                        yield from self.ended(name, text, after)
            case Reference(name=name):
                yield from self.part(name, world)
            case _:
                raise NotImplementedError(item)

    def row(self, items: tuple[Item, ...], world: World) -> Worlds:
        if not items:
            yield world
            return
        for after in self.item(items[0], world):
            yield from self.row(items[1:], after)

    def times(self, item: Repeat, low: int, high: int | None, world: World) -> Worlds:
        if low <= 0:
            yield world
        if high == 0:
            return
        for after in self.item(item.item, world):
            yield from self.times(item, low - 1, None if high is None else high - 1, after)

    def part(self, name: str, world: World) -> Worlds:
        start = len(world.text)
        if self.space.is_recursive(name):
            done: Worlds = self.nested(
                name, world, lambda inner: (after for after, _ in self.alone(name, inner))
            )
        else:
            options = self.space.definitions[name].alternatives
            done = (
                after
                for opened in self.opened(self.space.rules[name], name, world)
                for written in self.alternatives(options, opened)
                for after in self.closed(written)
            )
        for after in done:
            yield from self.ended(name, after.text[start:], after)

    # -- texts and fields

    def written(self, world: World, text: str) -> Worlds:
        self.tried += 1
        if self.tried > _MOST:
            raise TooMany
        whole = world.text + text
        fits = len(whole) <= self.longest if self.wanted is None else self.wanted.startswith(whole)
        if fits:
            yield evolve(world, text=whole)

    def ended(self, name: str, text: str, world: World) -> Worlds:
        """A field is complete: every rule around it has it, and judges what waited for it."""
        field_ = Written(text, self.space.means_number(name))
        rules = list(world.rules)
        path: Path = (name,)
        for index in range(len(rules) - 1, -1, -1):
            rule, had = rules[index].rule, rules[index]
            now = (*had.fields.get(path, ()), field_) if path in rule.lists else field_
            fields = {**had.fields, path: now}
            due = [c for c in rule.ended.get(path, ()) if self.space.contracts]
            judged = had.judged | {id(c) for c in due}
            rules[index] = evolve(had, fields=fields, judged=judged)
            names = self._names(evolve(world, rules=tuple(rules[: index + 1])))
            if not all(holds(condition, names) for condition in due):
                return
            if had.step is not None:
                path = (had.step, *path)
        yield evolve(world, rules=tuple(rules))

    def _names(self, world: World) -> Names:
        innermost = world.rules[-1] if world.rules else None
        return Names(
            world.registers,
            innermost.opening if innermost else {},
            innermost.fields if innermost else {},
            world.counts,
            world.lasts,
            innermost.rule.paths if innermost else frozenset(),
        )

    def _all_hold(self, conditions: tuple[Any, ...], world: World) -> bool:
        names = self._names(world)
        return all(holds(condition, names) for condition in conditions)
