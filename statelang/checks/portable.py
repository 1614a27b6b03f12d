"""How other readers of Lark will take the file.

Lark's own LALR reader is asked, for real. What it does not notice is looked for here: readers cut a
text into terminals in different ways (longest match, byte by byte, without a lexer), and agree only
where at each place the next byte already tells which terminal goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from statelang.analysis import leaves, table
from statelang.automaton import (
    NOTHING,
    Regular,
    TooComplex,
    both,
    either,
    lowest,
    repeat,
    then,
)
from statelang.diagnostics import Diagnostic
from statelang.machine import Machine, Stack, Thread
from statelang.program import Read
from statelang.readers import TooMany, refusal
from statelang.snippet import Label
from statelang.source import Span
from statelang.space import StateSpace
from statelang.syntax import (
    Choice,
    File,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
)

_MAX_PLACES: Final = 3_000
_ASCII: Final = (1 << 128) - 1
_MAX_WAYS: Final = 2_000
_MAX_PAIRS: Final = 2_000
_FAR: Final = 6  # bounds beyond this many characters do not change which terminals touch


def findings(file: File, space: StateSpace) -> list[Diagnostic]:
    """What Lark's LALR reader says against the file, and terminals that cannot be told apart."""
    return list(_multiplied(file)) or list(_lark(file)) or list(_separation(file, space))


def _multiplied(file: File) -> Iterator[Diagnostic]:
    """Lark writes every way through a rule out, so what may be left out doubles it each time."""
    for definition in file.definitions:
        if not definition.is_terminal:
            apart: list[int] = []
            most = max(_ways(definition.body, apart), *apart, 0)
            if most > _MAX_WAYS:
                message = f"Lark writes `{definition.name}` out as more than {_MAX_WAYS:,} rules"
                yield Diagnostic(
                    "SL004", message, file.source, definition.span,
                    label="every `?`, `*` and group multiplies them",
                    help="name the groups as parts of their own",
                )  # fmt: skip


def _ways(item: Item, apart: list[int]) -> int:
    """The alternatives of an item written out, at most a few more than _MAX_WAYS; `apart` takes
    those of what is repeated without end, which Lark makes a rule of its own."""
    match item:
        case Sequence(items, _):
            product = 1
            for part in items:
                product = min(product * _ways(part, apart), _MAX_WAYS + 1)
            return product
        case Choice(choices, _):
            return sum(_ways(choice, apart) for choice in choices)
        case Repeat(inner, low, None, _):
            apart.append(_ways(inner, apart))
            return 2 - min(low, 1)
        case Repeat(inner, low, int() as high, _):
            ways, total = _ways(inner, apart), 0
            for count in range(low, min(high, 50) + 1):  # longer ones are made of short ones
                total += min(ways, _MAX_WAYS + 1) ** min(count, 12)
            return min(max(total, 1), _MAX_WAYS + 1)
    return 1


def _lark(file: File) -> Iterator[Diagnostic]:
    try:
        message = refusal(file.source.text)
    except TooMany:
        yield Diagnostic(
            "SL004", "Lark would need too many states to read this", file.source, Span(0, 1),
            help="let actions lead to one state each, and begin alternatives differently",
        )  # fmt: skip
        return
    if message:
        yield _refused(file, message)


def _refused(file: File, message: str) -> Diagnostic:
    """Lark's message with the rules that it names, each at its place."""
    known = table(file)
    named = dict.fromkeys(n for n in re.findall(r"<(\w+) :", message) if n in known)
    spans = sorted((known[n].span for n in named), key=lambda s: s.start) or [Span(0, 1)]
    also = tuple(Label(span, "and this one") for span in spans[1:3])
    if message.startswith("Reduce/Reduce"):
        return Diagnostic(
            "SL304", "two rules read the same text here, and Lark cannot tell which", file.source,
            spans[0], label="this rule", also=also,
            help="begin the two differently, or make one rule of them",
        )  # fmt: skip
    if message.startswith("Shift/Reduce"):
        return Diagnostic(
            "SL305", "Lark cannot tell whether this rule ends here or goes on", file.source,
            spans[0], note=f"the next piece is {_terminal(message)} in both cases",
            help="let what repeats or may be left out differ from what follows it",
        )  # fmt: skip
    help_ = "Lark reads one piece ahead; give alternatives different beginnings"
    first = message.split("\n")[0].strip(": ")
    return Diagnostic(
        "SL301", f"Lark's LALR reader refuses the grammar: {first}", file.source, spans[0],
        also=also, help=help_,
    )  # fmt: skip


def _terminal(message: str) -> str:
    name = message.split("terminal ")[-1].split(".")[0]
    return "a quoted text" if name.startswith("__") else f"`{name}`"


def _separation(file: File, space: StateSpace) -> Iterator[Diagnostic]:
    machine = Machine(space, contracts=False)
    reported: set[frozenset[str]] = set()
    checked: dict[tuple[Regular, Regular, int], bool] = {}
    for reads in _places(machine):
        for first, after in reads:
            for second, _ in reads:
                names = frozenset((first.name, second.name))
                if names in reported or len(checked) > _MAX_PAIRS:
                    continue
                key = first.language, second.language, after
                if key not in checked:
                    checked[key] = _touch(first.language, second.language, after)
                overlap = first.language is not second.language and _overlap(first, second)
                if not (checked[key] or overlap):
                    continue
                reported.add(names)
                far = not overlap and not _touch(first.language, second.language, after & _ASCII)
                yield _finding(file, first.name, second.name, overlap=overlap, far=far)


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


def _places(machine: Machine) -> Iterator[list[tuple[Read, int]]]:
    """What can be read at each place, each with the first bytes of what may follow it.

    Places that the same pieces lead to are one: a reader that has not decided between them yet
    looks for the pieces of all.
    """
    start = frozenset({machine.thread(machine.program.entry, None, (), None)})
    seen, todo = {start}, [start]
    begins: dict[Thread, int] = {}
    while todo and len(seen) < _MAX_PLACES:
        found: list[tuple[Read, int]] = []
        leads: dict[Regular, set[Thread]] = {}
        for exit_ in (exit_ for thread in todo.pop() for exit_ in machine.exits(thread)):
            if exit_.read is None:
                continue
            after = machine.thread(exit_.read.target, None, (), exit_.stack)
            if after not in begins:
                begins[after] = _first_bytes(machine, after)
            found.append((exit_.read, begins[after]))
            if _depth(after.stack) < _FAR:
                leads.setdefault(exit_.read.language, set()).add(after)
        for place in map(frozenset, leads.values()):
            if place not in seen:
                seen.add(place)
                todo.append(place)
        yield found


def _depth(stack: Stack) -> int:
    depth = 0
    while stack is not None:
        depth, stack = depth + 1, stack[1]
    return depth


def _first_bytes(machine: Machine, thread: Thread) -> int:
    result = 0
    for exit_ in machine.exits(thread):
        if exit_.read is not None:
            for kind in exit_.read.language.classes:
                if exit_.read.language.step(lowest(kind)) is not NOTHING:
                    result |= kind
    return result


def _overlap(first: Read, second: Read) -> bool:
    try:
        return both(_cut(first.language), _cut(second.language)).live
    except TooComplex:
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


@cache
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
