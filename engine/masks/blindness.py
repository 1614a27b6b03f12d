"""Steps whose contracts cannot tell new words apart.

Let a renaming exchange words (names, as arithmetic has them) that no clause and no register holds.
A clause that is blind means the same on renamed values: equality, membership and look-ups see only
which texts are equal, which a renaming, being one to one, keeps; `names`, `fill` and `value` cut a
text into words exactly where the renaming does, and look those up; the other functions read numbers
or count. A text of a terminal stays one where every place of every terminal is left alike by the
words exchanged (`Effect`), and the words of a text are those of its terminals where no two
terminals make one word together. So what completes a step, renamed, completes the renamed step.
Where a condition of the step narrows its field, or reads none, a search does not have to guess a
word, and finds the one where it finds the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from statelang.clauses import expression as ex
from statelang.clauses.values import NUMBER
from statelang.compiling.events import BeginSpan, CloseAction, CloseScope, EndSpan, OpenAction
from statelang.compiling.program import Call, Edge, Pass, Program, Read
from statelang.liveness.clauses import all_clauses, clauses_of
from statelang.regular.automaton import NOTHING, Regular, lowest

_BLIND: Final = frozenset(
    "+ - * / | & [] [...] {...} keys values div mod digits names fill value".split()
)
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_OF_WORDS: Final = _LETTERS + b"_0123456789"
_MAX_PLACES: Final = 5_000  # in the terminals of a program
_MAX_EFFECTS: Final = 1_000  # 8 bytes for each place


class Effect:
    """What a text does to the places in terminals: `after` it, where each has come to."""

    __slots__ = ("after", "following")

    def __init__(self, after: tuple[Regular, ...]) -> None:
        self.after = after
        self.following: dict[int, Effect] = {}


class Effects:
    """The effects of words on the terminals of a program: two that are alike are one object."""

    def __init__(self, places: Iterable[Regular]) -> None:
        self._none = Effect(tuple(places))
        self._known: dict[tuple[Regular, ...], Effect] = {}

    def of(self, word: bytes) -> Effect | None:
        """What a word does; None where there are too many effects to tell."""
        effect: Effect | None = self._none
        for byte in word:
            if effect is None:
                return None
            before = effect
            effect = before.following.get(byte)
            if effect is None and len(self._known) < _MAX_EFFECTS:
                after = tuple(place.step(byte) for place in before.after)
                effect = self._known.setdefault(after, Effect(after))
                before.following[byte] = effect
        return effect


@lru_cache(maxsize=8)
def effects(program: Program) -> Effects | None:
    """Those of a program; None where a clause sees more of a text than which words in it are equal,
    or where the terminals have too many places."""
    if not all(map(is_blind, ex.parts(expressions(program)))):
        return None
    languages = {e.language for edges in program.edges for e in edges if isinstance(e, Read)}
    places: dict[Regular, None] = {}
    for language in sorted(languages, key=lambda language: language.order):
        within = _places(language, _MAX_PLACES - len(places))
        if within is None:
            return None
        places.update(dict.fromkeys(within))
    return Effects(p for p in places if any(p.step(b) is not NOTHING for b in _LETTERS))


def expressions(program: Program) -> Iterator[ex.Expression]:
    """All that clauses say."""
    for edges in program.edges:
        for edge in edges:
            event = getattr(edge, "event", None)
            if isinstance(event, CloseScope) and (keeping := event.keeping):
                yield from (each.expression for each in (keeping.mark, keeping.restore) if each)
    yield from (clause.expression for clause in all_clauses(program))


def is_blind(part: ex.Expression) -> bool:
    """Whether a part of a clause tells of texts only which words in them are equal."""
    match part:
        case ex.Compare(relation=relation, left=left):
            return relation in ("==", "!=") or left.type.name in ("number", "set", "empty")
        case ex.Apply(name="size", arguments=(whole,)):
            return whole.type.name in ("set", "map", "list")
        case ex.Apply(name="sorted", arguments=(whole,)):
            return whole.type.arguments == (NUMBER,)
        case ex.Apply(name=name):
            return name in _BLIND or name.startswith(".")
    return True


def _places(language: Regular, most: int) -> list[Regular] | None:
    """The places in a terminal; None where they are more than `most`."""
    found = {language: None}
    todo = [language]
    while todo:
        at = todo.pop()
        for kind in at.classes:
            after = at.step(lowest(kind))
            if after is not NOTHING and after not in found:
                if len(found) >= most:
                    return None
                found[after] = None
                todo.append(after)
    return list(found)


# ---- one step ----------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def is_plain(program: Program, action: int) -> bool:
    """Whether each condition of a step that reads fields narrows one of them, a terminal, and no
    two terminals in a row make one word."""
    edges = [(edge, at) for at in _within(program, action) for edge in program.edges[at]]
    ends = {edge.target for edge, _ in edges if isinstance(edge, Call)}
    narrowing: set[int] = set()
    conditions: set[int] = set()
    for edge, _ in edges:
        event = None if isinstance(edge, Read) else edge.event
        if isinstance(event, BeginSpan) and event.guards:
            if not isinstance(edge, Pass) or not _is_terminal(program, edge, event):
                return False
            guards = event.guards
            narrowing |= {id(c) for slot, c in guards if ex.enforceable(c.expression, slot)}
        conditions |= {id(c) for c in clauses_of(event) if c.kind != "set" and c.expression.slots}
    return conditions <= narrowing and not any(
        _may_end_in_word(edge.language)
        and any(map(_may_begin_word, _next(program, edge.target, ends)))
        for edge, _ in edges
        if isinstance(edge, Read)
    )


def _within(program: Program, action: int) -> set[int]:
    """The positions of a step."""
    opening = (
        edge.target
        for edges in program.edges
        for edge in edges
        if isinstance(edge, Pass)
        and isinstance(edge.event, OpenAction)
        and edge.event.action == action
    )
    found, todo = set[int](), list(opening)
    while todo:
        at = todo.pop()
        if at not in found:
            found.add(at)
            for edge in program.edges[at]:
                todo += _targets(edge)
    return found


def _targets(edge: Edge) -> list[int]:
    if isinstance(edge, Call):
        return [edge.entry, edge.target]
    is_last = isinstance(edge, Pass) and isinstance(edge.event, CloseAction)
    return [] if is_last else [edge.target]


def _next(program: Program, at: int, ends: set[int]) -> Iterator[Regular]:
    """The terminals that may come next from a position of a step; `ends` is where calls return."""
    found, todo = set[int](), [at]
    while todo:
        at = todo.pop()
        if at in found:
            continue
        found.add(at)
        for edge in program.edges[at]:
            if isinstance(edge, Read):
                yield edge.language
                if not edge.language.nullable:
                    continue
            todo += _targets(edge)
        if not program.edges[at]:
            todo += ends


def _may_begin_word(language: Regular) -> bool:
    return any(language.step(byte) is not NOTHING for byte in _OF_WORDS)


@lru_cache(maxsize=1_000)
def _may_end_in_word(language: Regular) -> bool:
    places = _places(language, _MAX_PLACES)
    return places is None or any(p.step(b).nullable for p in places for b in _OF_WORDS)


def _is_terminal(program: Program, edge: Pass, begin: BeginSpan) -> bool:
    """Whether a field is one terminal."""
    at, is_read, depth = edge.target, False, int(not begin.is_terminal)
    while not is_read or depth:
        match program.edges[at]:
            case [Read(target=at)] if not is_read:
                is_read = True
            case [Pass(event=BeginSpan(guards=guards, is_terminal=False), target=at)] if guards:
                depth += 1
            case [Pass(event=EndSpan(pops_guard=True), target=at)]:
                depth -= 1
            case [Pass(target=at)]:
                pass
            case _:
                return False
    return True
