"""How other readers of Lark will take the file.

Lark's own LALR reader is asked, for real. What it does not notice is looked for here: readers cut a
text into terminals in different ways (longest match, byte by byte, without a lexer), and agree only
where at each place the next byte already tells which terminal goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lark.exceptions import LarkError

from statelang.analysis import leaves, table
from statelang.automaton import NOTHING, Regular, TooComplex, both, clamp, lowest
from statelang.diagnostics import Diagnostic
from statelang.machine import Machine, Stack, Thread
from statelang.program import Read
from statelang.readers import reader
from statelang.snippet import Label
from statelang.source import Span
from statelang.space import StateSpace
from statelang.syntax import File, Literal, Reference, Regexp

_MAX_PLACES: Final = 3_000
_ASCII: Final = (1 << 128) - 1
_MAX_PAIRS: Final = 2_000
_FAR: Final = 6  # bounds beyond this many characters do not change which terminals touch


def findings(file: File, space: StateSpace) -> list[Diagnostic]:
    """What Lark's LALR reader says against the file, and terminals that cannot be told apart."""
    return list(_lark(file)) or list(_separation(file, space))


def _lark(file: File) -> Iterator[Diagnostic]:
    try:
        reader(file.source.text, strict=True)
    except LarkError as error:
        yield _refused(file, str(error).strip())


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
    """What can be read at each place, each with the first bytes of what may follow it."""
    start = machine.thread(machine.program.entry, None, (), None)
    seen: set[tuple[int, Stack]] = {(start.place, start.stack)}
    todo: list[Thread] = [start]
    while todo and len(seen) < _MAX_PLACES:
        found = []
        for exit_ in machine.exits(todo.pop()):
            if exit_.read is None:
                continue
            after = machine.thread(exit_.read.target, None, (), exit_.stack)
            found.append((exit_.read, _first_bytes(machine, after)))
            if (after.place, after.stack) not in seen and _depth(after.stack) < _FAR:
                seen.add((after.place, after.stack))
                todo.append(after)
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
        return both(clamp(first.language, _FAR), clamp(second.language, _FAR)).live
    except TooComplex:
        return True


def _touch(first: Regular, second: Regular, after: int) -> bool:
    """Whether a whole text of `first` and a byte that follows it begin a text of `second`."""
    start = clamp(first, _FAR), clamp(second, _FAR)
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


def _alive(language: Regular) -> bool:
    return language is not NOTHING
