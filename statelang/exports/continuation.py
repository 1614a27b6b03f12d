"""What may follow a prefix of a trace, as rules: exact for the next few texts, plain behind them.

A reader of grammars knows no registers. But at one place of one trace the registers have values,
and with them the gates that are open, the names that may be written and the results that are due
are known: they are written out, text by text, for as long as there are few of them. Behind that
stands the grammar without contracts, entered where those texts lead: all that is legal is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Final

from attrs import define, field

from statelang.compiling.env import Env
from statelang.compiling.events import OpenAction
from statelang.compiling.program import Call, Pass, Read
from statelang.exports import as_gbnf
from statelang.exports.rules import All, Chars, Node, OneOf, Text, Times, Use, join, node, rules
from statelang.language.syntax import Choice, Item, Literal, Regexp, Repeat, Sequence, parse
from statelang.regular import regex
from statelang.regular.automaton import NOTHING, Regular, lowest
from statelang.space import StateSpace
from statelang.walking.machine import Configuration, Machine
from statelang.walking.places import Exit, Return, Stack, live
from statelang.walking.search import Search

_FEW: Final = 24  # texts of one field that are written out
_SHARE: Final = 128  # texts written out in all, about
_DEEPEST: Final = 48  # texts written out one behind the other
_MOST_STATES: Final = 200  # of a field's automaton that is written as rules


def continuation(search: Search, configuration: Configuration) -> str | None:
    """A grammar of what may follow a configuration between two texts, as GBNF.

    llama.cpp reads it, and so do llguidance and xgrammar, where they read EBNF.

    Args:
        search: Over the machine of the space, with contracts.
        configuration: Where the trace stands; no text is half read.

    Returns:
        The grammar, or None where nothing may follow.
    """
    writer = _Writer(search)
    first = writer.exact(configuration, _SHARE, 0)
    if first is None:
        return None
    return as_gbnf.text(writer.reached(first), writer.root)


@define
class _Writer:
    search: Search
    machine: Machine = field(init=False)
    known: dict[str, Node] = field(init=False)
    root: str = field(init=False)
    made: dict[str, Callable[[], Node]] = field(factory=dict)  # rules within a step, once asked for
    calls: dict[Return, str] = field(factory=dict)  # the rules behind calls

    def __attrs_post_init__(self) -> None:
        self.machine = self.search.machine
        self.known = dict(_rules(self.machine.space))
        self.root = "_x"
        while any(name.startswith(self.root) for name in self.known):
            self.root += "x"

    # -- with contracts

    def exact(self, configuration: Configuration, share: int, depth: int) -> Node | None:
        """What may follow, text by text; None for nothing."""
        at, options, texts = configuration, list[Node](), dict[bytes, None]()
        for thread, env in at.alive:
            if thread.left is not None and not thread.left.nullable:
                continue
            for exit_ in self.machine.exits(thread):
                if exit_.read is None:
                    if self.machine.apply(exit_.events, env, at.text, len(at.text), at.base):
                        options.append(Text(""))
                    continue
                way = self._way(exit_, env, at)
                if isinstance(way, tuple):
                    texts |= dict.fromkeys(way)
                else:
                    options.append(way)
        count = len(options) + len(texts)
        for text in texts:
            behind = self._behind(at, text, share // count, depth + 1)
            if behind is not None:
                options.append(join(Text(text.decode()), behind))
        return _one_of(options) if options else None

    def _way(self, exit_: Exit, env: Env, at: Configuration) -> tuple[bytes, ...] | Node:
        """The texts that a way on admits, if they are few; else what it admits, and the plain
        grammar behind that."""
        assert exit_.read is not None
        language, guards = exit_.read.language, exit_.guards
        if exit_.dynamic:
            entered = self.machine.entered(exit_, env, at.text, len(at.text), at.base)
            if entered is None:
                return ()
            _, language, guards = entered
        elif self.machine.apply(exit_.events, env, at.text, len(at.text), at.base) is None:
            return ()
        texts = _few(language, guards)
        if texts is not None:
            return texts
        narrowed = None if language is exit_.read.language else self._automaton(language)
        return join(narrowed or self._text(exit_.read), self._tail(exit_.read.target, exit_.stack))

    def _behind(self, at: Configuration, text: bytes, share: int, depth: int) -> Node | None:
        """What may follow a text that has been written out."""
        after = self.machine.advance(at, text)
        if after is None:
            return None
        alive = tuple((t, e) for t, e in after.alive if t.left is None or t.left.nullable)
        after = Configuration(alive, after.text, after.base)
        if share > 0 and depth < _DEEPEST:
            return self.exact(after, share, depth)
        if not self.search.step(after):
            return None
        return _one_of([self._tail(thread.place, thread.stack) for thread, _ in alive])

    # -- without

    def _tail(self, place: int, stack: Stack) -> Node:
        """The plain grammar from a position to the end of the trace."""
        if stack is None:
            return self._use(place)
        name = self.calls.setdefault(stack, f"{self.root}_{len(self.calls)}r")
        self.made[name] = partial(self._tail, stack.place, stack.below)
        return join(self._use(place), Use(name))

    def _use(self, place: int) -> Node:
        program = self.machine.program
        if not program.edges[place]:
            return Text("")
        name = _named(self.machine.space).get(place)
        if name is not None:
            return Use(name)
        name = f"{self.root}_{place}"
        self.made[name] = partial(self._inside, place)
        return Use(name)

    def _inside(self, place: int) -> Node:
        return _one_of(list(self._ways(place)))

    def _ways(self, place: int) -> Iterator[Node]:
        """The ways on from a position, those that read nothing gone through."""
        todo, seen = [place], set()
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            edges = self.machine.program.edges[at]
            if not edges:
                yield Text("")
            for edge in edges:
                match edge:
                    case Pass():
                        todo.append(edge.target)
                    case Read():
                        yield join(self._text(edge), self._use(edge.target))
                    case Call():
                        yield join(self._use(edge.entry), self._use(edge.target))

    def _text(self, edge: Read) -> Node:
        """A text as the file has it."""
        return _texts(self.machine.space)[edge.language]

    def _automaton(self, language: Regular) -> Node | None:
        """A narrowed field as rules, a rule for each state; None for what is large or not ASCII."""
        states = {language: f"{self.root}_{language.order}f"}
        found: dict[str, Node] = {}
        todo = [language]
        while todo:
            state = todo.pop()
            options: list[Node] = [Text("")] if state.nullable else []
            for kind in state.classes:
                after = state.step(lowest(kind))
                if not live(after):
                    continue
                if kind >> 0x80:
                    return None
                if after not in states:
                    states[after] = f"{self.root}_{after.order}f"
                    todo.append(after)
                options.append(join(_chars(kind), Use(states[after])))
            if len(states) > _MOST_STATES:
                return None
            found[states[state]] = _one_of(options)
        self.known.update(found)
        return Use(states[language])

    # -- all of it

    def reached(self, first: Node) -> dict[str, Node]:
        """The rules that are used from `first` on, which is the rule `root`."""
        result, todo = {self.root: first}, list(_uses(first))
        while todo:
            name = todo.pop()
            if name in result:
                continue
            result[name] = self.made[name]() if name in self.made else self.known[name]
            todo += _uses(result[name])
        return result


def _few(language: Regular, guards: tuple[Regular, ...]) -> tuple[bytes, ...] | None:
    """All texts of a language, as far as guards let them be begun; None where they are not few."""
    found: list[bytes] = []
    todo: list[tuple[bytes, Regular, tuple[Regular, ...]]] = [(b"", language, guards)]
    while todo:
        text, state, held = todo.pop()
        if state.nullable:
            found.append(text)
        if len(found) + len(todo) > _FEW or len(text) > 200:
            return None
        for kind in state.classes:
            if state.step(lowest(kind)) is NOTHING:
                continue
            if kind.bit_count() > _FEW:
                return None
            for byte in (b for b in range(256) if kind >> b & 1):
                stepped = tuple(guard.step(byte) for guard in held)
                if all(guard is not NOTHING for guard in stepped):
                    todo.append((text + bytes((byte,)), state.step(byte), stepped))
    return tuple(found)


def _chars(kind: int) -> Node:
    """One ASCII character of a set of bytes."""
    ranges: list[tuple[int, int]] = []
    for byte in (b for b in range(0x80) if kind >> b & 1):
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1] = (ranges[-1][0], byte)
        else:
            ranges.append((byte, byte))
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return Text(chr(ranges[0][0]))
    return Chars(tuple(ranges))


def _one_of(options: list[Node]) -> Node:
    options = list(dict.fromkeys(options))
    return options[0] if len(options) == 1 else OneOf(tuple(options))


def _uses(node: Node) -> Iterator[str]:
    match node:
        case Use(name):
            yield name
        case All(items) | OneOf(items):
            for item in items:
                yield from _uses(item)
        case Times(item, _, _):
            yield from _uses(item)


# ---- what a space gives, once -----------------------------------------------------------------


@lru_cache(maxsize=16)
def _rules(space: StateSpace) -> dict[str, Node]:
    return rules(space)


@lru_cache(maxsize=16)
def _named(space: StateSpace) -> dict[int, str]:
    """The positions where states and actions begin."""
    found = dict(space.program.states)
    for place, edges in enumerate(space.program.edges):
        for edge in edges:
            if isinstance(edge, Pass) and isinstance(edge.event, OpenAction):
                found[place] = edge.event.name
    return found


@lru_cache(maxsize=16)
def _texts(space: StateSpace) -> dict[Regular, Node]:
    """How the file writes each language that is read at once."""
    found: dict[Regular, Node] = {}
    for definition in parse(space.source).definitions:
        for item in _items(definition.body):
            if isinstance(item, Literal):
                found[regex.text(item.value, ignore_case=item.ignore_case)] = node(item)
            else:
                found[regex.parse(item.pattern, item.flags)] = node(item)
    found.update({t.language: Use(t.name) for t in space.terminals})
    return found


def _items(item: Item) -> Iterator[Literal | Regexp]:
    match item:
        case Literal() | Regexp():
            yield item
        case Sequence(items, _):
            for one in items:
                yield from _items(one)
        case Choice(options, _):
            for one in options:
                yield from _items(one)
        case Repeat(inner, _, _, _):
            yield from _items(inner)
