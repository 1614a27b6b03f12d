"""Words that nothing has named before: a contract can tell them apart only by what they are made
of, so of many that may be written into a field some stand for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from statelang.env import Env
from statelang.expression import Constant, parts
from statelang.liveness.clauses import all_clauses
from statelang.machine import Configuration
from statelang.program import Program
from statelang.values import Value

_NEW: Final = "\0"  # stands for a new word


def new_word(after: Configuration, known: frozenset[bytes]) -> object | None:
    """What two configurations share that have read the same but for one word each that nothing has
    named before; None where no such word has been read. A contract can tell such words apart only
    by what they are made of; numbers and known texts are not among them."""
    if not known:
        return None
    shared: list[object] = []
    for thread, env in after.alive:
        begun = after.text[env.starts[-1] :] if env.starts else b""
        if begun and not _is_new(begun, known):
            return None
        slots = [
            slot if not isinstance(slot, str) or not _is_new(slot.encode(), known) else _NEW
            for slot in env.slots
        ]
        if not begun and _NEW not in slots:
            return None
        shared += [thread, *read_before(env, slots)]
    return tuple(shared)


def read_before(env: Env, slots: Iterable[Value | None]) -> Iterator[object]:
    """What has been read before, for comparisons among the ways on from one place: they share the
    objects that nothing has happened to."""
    yield id(env.registers), env.counts, id(env.lasts), id(env.frames), len(env.starts)
    for slot in slots:
        yield slot if isinstance(slot, str) else id(slot)


def _is_new(text: bytes, known: frozenset[bytes]) -> bool:
    return text.isalpha() and text not in known


def beginnings(program: Program, configuration: Configuration) -> frozenset[bytes]:
    """The beginnings of all texts in registers, fields and clauses."""
    env = configuration.alive[0][1]
    texts = {text.encode() for text in _texts((env.registers, env.slots, _constants(program)))}
    return frozenset(text[:end] for text in texts for end in range(1, len(text) + 1))


@lru_cache(maxsize=32)
def _constants(program: Program) -> tuple[Value, ...]:
    expressions = (clause.expression for clause in all_clauses(program))
    return tuple(part.value for part in parts(expressions) if isinstance(part, Constant))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts((*value.keys(), *value.values()))
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _texts(item)
