"""How other readers will cut a text into terminals.

They do it in different ways (longest match, byte by byte, without a lexer), and agree only where at
each place the next byte already tells which terminal goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import inf
from typing import Final

from statelang.compiling.program import Pass, Read
from statelang.diagnostics import Diagnostic
from statelang.language.analysis import leaves
from statelang.language.syntax import File, Literal, Reference, Regexp
from statelang.regular.automaton import (
    ALL_BYTES,
    NOTHING,
    Regular,
    TooComplex,
    both,
    either,
    lowest,
    repeat,
    then,
)
from statelang.snippet import Label
from statelang.source import Span
from statelang.space import StateSpace
from statelang.walking.machine import Machine
from statelang.walking.places import Stack, Thread

_MAX_PLACES: Final = 3_000
_ASCII: Final = (1 << 128) - 1
_MAX_READ: Final = 50_000
_MAX_PAIRS: Final = 2_000
_FAR: Final = 6  # bounds beyond this many characters do not change which terminals touch

Reads = dict[tuple[Read, int], None]


def findings(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    """Terminals that readers cannot tell apart, or cut differently."""
    machine = Machine(space, contracts=False)
    reported: set[frozenset[str]] = set()
    checked: dict[tuple[Regular, Regular, int], bool] = {}
    for reads in _places(machine):
        for first, second, after in _near(reads):
            names = frozenset((first.name, second.name))
            if names in reported or len(checked) > _MAX_PAIRS:
                continue
            key = first.language, second.language, after
            if key not in checked:
                checked[key] = _touch(first.language, second.language, after)
            overlap = _overlap(first.language, second.language)
            if not (checked[key] or overlap):
                if _hides(first.language, second.language):
                    reported.add(names)
                    yield _hidden(file, first.name, second.name)
                continue
            reported.add(names)
            far = not overlap and not _touch(first.language, second.language, after & _ASCII)
            yield _finding(file, first.name, second.name, overlap=overlap, far=far)


def _near(reads: Reads) -> Iterator[tuple[Read, Read, int]]:
    """The pairs of pieces to compare, each with what may follow the first: of quoted texts only
    those of which one begins the other, of the others all."""
    texts = [(read.language.text, read, after) for read, after in reads if read.language.text]
    texts.sort(key=lambda each: each[0])
    plain = [(read, after) for read, after in reads if not read.language.text]
    for at, (text, first, after) in enumerate(texts, 1):
        while at < len(texts) and texts[at][0].startswith(text):
            yield first, texts[at][1], after
            at += 1
    for first, after in plain:
        for second, _ in reads:
            yield first, second, after
    for _, first, after in texts:
        for second, _ in plain:
            yield first, second, after


def _finding(file: File, first: str, second: str, *, overlap: bool, far: bool) -> Diagnostic:
    one, other = (f"`{name}`".replace("\n", "\\n") for name in (first, second))
    span = _place(file, second)
    also = (Label(_place(file, first), one),) if first != second else ()
    if overlap:
        message = f"{one} and {other} can both be read here, and some text is both"
        help_ = "make them disjoint: begin one with a character that the other cannot begin with"
        return Diagnostic("SL302", message, file.source, span, help=help_, also=also)
    message = f"where {one} ends, {other} may go on with what follows: readers cut it differently"
    if far:
        message = f"what follows {one} begins with a byte that {other} may go on with"
        help_ = "begin what follows with an ASCII character, such as `<`: some readers go by bytes"
        return Diagnostic("SL306", message, file.source, span, help=help_, also=also)
    help_ = "end the text with a character that cannot occur in it, such as `<`"
    return Diagnostic("SL303", message, file.source, span, help=help_, also=also)


def _hidden(file: File, first: str, second: str) -> Diagnostic:
    one, other = (f"`{name}`".replace("\n", "\\n") for name in (first, second))
    message = f"{one} takes the beginning of {other} from Lark's lexer, which tries the wider first"
    help_ = "begin one with a character that the other cannot begin with"
    also = (Label(_place(file, first), one),)
    return Diagnostic("SL307", message, file.source, _place(file, second), help=help_, also=also)


@lru_cache(maxsize=10_000)
def _hides(first: Regular, second: Regular) -> bool:
    """Whether Lark's lexer tries one terminal before another and a text of it begins one of the
    other: it takes the first that matches, not the longest."""
    return _widest(first) > _widest(second) and _touch(first, second, ALL_BYTES)


def _widest(language: Regular) -> float:
    match language.kind, language.parts:
        case "bytes", _:
            return 1
        case "repeat", (Regular() as item, int(), high):
            return inf if high is None else _widest(item) * int(str(high))
        case ("then" | "either") as kind, parts:
            inner = [_widest(part) for part in parts if isinstance(part, Regular)]
            return sum(inner) if kind == "then" else max(inner)
    return 0 if language.is_empty else inf


def _place(file: File, name: str) -> Span:
    for definition in file.definitions:
        if definition.name == name:
            return definition.span
    for definition in file.definitions:
        for leaf in leaves(definition.body):
            if isinstance(leaf, Literal) and leaf.value == name:
                return leaf.span
            if isinstance(leaf, Regexp) and leaf.pattern == name:
                return leaf.span
            if isinstance(leaf, Reference) and leaf.name == name:
                return leaf.span
    return Span(0, 1)


def _places(machine: Machine) -> Iterator[Reads]:
    """What can be read at each place, each with the first bytes of what may follow it.

    Places that the same pieces lead to are one: a reader that has not decided between them yet
    looks for the pieces of all.
    """
    start = frozenset({_settled(machine, machine.program.entry, None)})
    seen, todo, read = {start}, [start], 0
    begins: dict[Thread, int] = {}
    while todo and read < _MAX_READ:
        found: Reads = {}
        leads: dict[Regular, set[Thread]] = {}
        for exit_ in (exit_ for thread in todo.pop() for exit_ in machine.exits(thread)):
            read += 1
            if exit_.read is None:
                continue
            after = _settled(machine, exit_.read.target, exit_.stack)
            if after not in begins:
                begins[after] = _first_bytes(machine, after)
            found[exit_.read, begins[after]] = None
            if _depth(after.stack) < _FAR:
                leads.setdefault(exit_.read.language, set()).add(after)
        for place in map(frozenset, leads.values()):
            if place not in seen:
                seen.add(place)
                todo.append(place)
        yield found


def _settled(machine: Machine, place: int, stack: Stack) -> Thread:
    """The place where something is read or chosen next: many actions may lead to one."""
    while True:
        edges = machine.program.edges[place]
        if not edges and stack is not None:
            place, stack = stack.place, stack.below
        elif len(edges) == 1 and isinstance(edges[0], Pass):
            place = edges[0].target
        else:
            return machine.thread(place, None, (), stack)


def _depth(stack: Stack) -> int:
    depth = 0
    while stack is not None:
        depth, stack = depth + 1, stack.below
    return depth


def _first_bytes(machine: Machine, thread: Thread) -> int:
    result = 0
    for exit_ in machine.exits(thread):
        if exit_.read is not None:
            for kind in exit_.read.language.classes:
                if exit_.read.language.step(lowest(kind)) is not NOTHING:
                    result |= kind
    return result


@lru_cache(maxsize=10_000)  # machines ask of the same pairs at many places
def _overlap(first: Regular, second: Regular) -> bool:
    """Whether some text is of two terminals."""
    if first is second:
        return False
    for one, other in ((first, second), (_cut(first), _cut(second))):
        try:
            return both(one, other).live
        except TooComplex:
            continue
    return True


def _touch(first: Regular, second: Regular, after: int) -> bool:
    """Whether a whole text of `first` and a byte that follows it begin a text of `second`."""
    start = _cut(first), _cut(second)
    seen, todo = {start}, [start]
    while todo:
        left, right = todo.pop()
        for kind in right.classes:
            if left.nullable and left is not start[0] and kind & after:
                if _alive(right.step(lowest(kind))):
                    return True
        for kind in left.classes:
            for other in right.classes:
                if kind & other:
                    byte = lowest(kind & other)
                    pair = left.step(byte), right.step(byte)
                    if NOTHING not in pair and pair not in seen and len(seen) < _MAX_PLACES:
                        seen.add(pair)
                        todo.append(pair)
    return False


@lru_cache(maxsize=10_000)
def _cut(language: Regular) -> Regular:
    """The language with every bound cut to _FAR, the inner ones too: those multiply."""
    match language.kind, language.parts:
        case "repeat", (Regular() as item, int() as low, high):
            most = None if high is None else min(int(str(high)), _FAR)
            return repeat(_cut(item), min(low, _FAR), most)
        case ("then" | "either") as kind, parts:
            inner = [_cut(part) for part in parts if isinstance(part, Regular)]
            return then(*inner) if kind == "then" else either(*inner)
    return language


def _alive(language: Regular) -> bool:
    return language is not NOTHING
