"""Words that nothing has named before. Where contracts do no more with texts than compare them and
look them up, one new word does as well as another that begins the same terminals: one is tried for
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial, reduce
from typing import Any, Final

from statelang.clauses import expression as ex
from statelang.clauses.values import NUMBER, Value
from statelang.compiling.env import Env
from statelang.compiling.events import BeginSpan, CloseScope, EndSpan
from statelang.compiling.program import Pass, Program, Read
from statelang.liveness.clauses import all_clauses
from statelang.regular.automaton import Regular
from statelang.walking.machine import Configuration

_NEW: Final = "\0"  # stands for a new word
_BLIND: Final = frozenset("+ - * / | & [] [...] {...} keys values div mod digits".split())


def new_word(
    program: Program, before: Configuration
) -> Callable[[Configuration], object | None] | None:
    """What tells of a configuration after `before` what it shares with all others that differ from
    it in one new word alone: None where it has no such word.

    None where the contracts of the program may tell new words apart.
    """
    languages = compared(program)
    return None if languages is None else partial(_shared, _known(program, before), languages)


def _shared(
    known: frozenset[bytes], languages: frozenset[Regular], after: Configuration
) -> object | None:
    shared: list[object] = []
    words: set[bytes] = set()
    for thread, env in after.alive:
        begun = [after.text[start:] for start in env.starts]  # a part, what is in it, ...
        if not known.isdisjoint(begun):
            return None
        words.update(text for text in begun[-1:] if text)
        slots = [_NEW if _is_new(slot, known) else slot for slot in env.slots]
        words.update(str(slot).encode() for slot in env.slots if _is_new(slot, known))
        shared += [thread, *read_before(env, slots)]
        shared += [_after(text, language) for text in begun for language in languages]
    if len(words) != 1:
        return None  # which of two are equal matters
    (word,) = words
    shared += [_after(word, language) for language in languages]
    return tuple(shared) if word.isalpha() else None


def read_before(env: Env, slots: Iterable[Value | None]) -> Iterator[object]:
    """What has been read before, for comparisons among the ways on from one place: they share the
    objects that nothing has happened to."""
    yield id(env.registers), env.counts, id(env.lasts), id(env.frames), len(env.starts)
    for slot in slots:
        yield slot if isinstance(slot, str) else id(slot)


def _is_new(slot: Value | None, known: frozenset[bytes]) -> bool:
    return isinstance(slot, str) and slot.isalpha() and slot.encode() not in known


def _after(text: bytes, language: Regular) -> Regular:
    return reduce(Regular.step, text, language)


# ---- what words may be compared with ---------------------------------------------------------


def _known(program: Program, configuration: Configuration) -> frozenset[bytes]:
    """The beginnings of all texts in registers, fields and clauses."""
    values: list[Any] = [_constants(program)]
    for _, env in configuration.alive:
        values += [env.registers, env.slots, *env.lasts.values()]
        frames = env.frames
        while frames is not None:
            values.append(frames.slots)
            frames = frames.outer
    texts = {text.encode() for text in _texts(tuple(values))}
    return frozenset(text[:end] for text in texts for end in range(1, len(text) + 1))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts((*value.keys(), *value.values()))
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _texts(item)


@lru_cache(maxsize=32)
def _constants(program: Program) -> tuple[Value, ...]:
    return tuple(p.value for p in ex.parts(_expressions(program)) if isinstance(p, ex.Constant))


def _expressions(program: Program) -> Iterator[ex.Expression]:
    for edge in _passes(program):
        if isinstance(edge.event, CloseScope) and (keeping := edge.event.keeping):
            yield from (each.expression for each in (keeping.mark, keeping.restore) if each)
    yield from (clause.expression for clause in all_clauses(program))


def _passes(program: Program) -> Iterator[Pass]:
    return (edge for edges in program.edges for edge in edges if isinstance(edge, Pass))


@lru_cache(maxsize=32)
def compared(program: Program) -> frozenset[Regular] | None:
    """The languages of the fields that conditions narrow: a text that must be another is one of
    them. None where a clause sees more of a text than what it equals, or waits for one that it does
    not narrow, or narrows more than one terminal."""
    if not all(map(_is_blind, ex.parts(_expressions(program)))):
        return None
    narrowing: set[int] = set()
    languages: set[Regular] = set()
    for edge in _passes(program):
        if isinstance(edge.event, BeginSpan) and edge.event.guards:
            language = _terminal(program, edge, edge.event)
            if language is None:
                return None
            languages.add(language)
            guards = edge.event.guards
            narrowing |= {id(c) for slot, c in guards if ex.enforceable(c.expression, slot)}
    conditions = (clause for clause in all_clauses(program) if clause.kind != "set")
    if any(clause.expression.slots and id(clause) not in narrowing for clause in conditions):
        return None
    return frozenset(languages)


def _is_blind(part: ex.Expression) -> bool:
    """Whether a part of a clause tells of texts only which are equal."""
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


def _terminal(program: Program, edge: Pass, begin: BeginSpan) -> Regular | None:
    """The language of a field that is one terminal; None where it is more."""
    at, language, depth = edge.target, None, int(not begin.is_terminal)
    while language is None or depth:
        match program.edges[at]:
            case [Read(language=found, target=at)] if language is None:
                language = found
            case [Pass(event=BeginSpan(guards=guards, is_terminal=False), target=at)] if guards:
                depth += 1
            case [Pass(event=EndSpan(pops_guard=True), target=at)]:
                depth -= 1
            case [Pass(target=at)]:
                pass
            case _:
                return None
    return language
