"""Words that nothing has named before. Where contracts cannot tell them apart, one does as well as
another that the terminals treat alike: one is tried for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from statelang.clauses import expression as ex
from statelang.clauses.values import Value
from statelang.compiling.env import Env
from statelang.compiling.program import Program
from statelang.engine.masks.blindness import Effects, effects, expressions, is_plain
from statelang.walking.machine import Configuration

_NEW: Final = "\udcff"  # stands for a new word, and is in no text
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # a name, as arithmetic has it


def new_word(
    program: Program, before: Configuration
) -> Callable[[Configuration], object | None] | None:
    """What tells of a configuration after `before` what it shares with all others that differ from
    it in one new word alone: None where it has no such word.

    None where the contracts of the program may tell new words apart.
    """
    telling = effects(program)
    return None if telling is None else partial(_shared, program, telling, _known(program, before))


def _shared(
    program: Program, telling: Effects, known: frozenset[str], after: Configuration
) -> object | None:
    shared: list[object] = []
    words: set[str] = set()
    for thread, env in after.alive:
        trail = env.trail
        if trail is None or trail.end >= 0 or not is_plain(program, trail.action):
            return None
        begun = [after.text[s:].decode(errors="surrogateescape") for s in env.starts]
        if any(_last_word(text) in known for text in begun):
            return None  # it may still become another
        texts = [*begun, *(slot for slot in env.slots if isinstance(slot, str))]
        words.update(word for text in texts for word in _WORD.findall(text) if word not in known)
        if len(words) != 1:
            return None  # which of two are equal matters
        (word,) = words
        slots = [_renamed(slot, word) if isinstance(slot, str) else slot for slot in env.slots]
        shared += [thread, *read_before(env, slots), *(_renamed(text, word) for text in begun)]
    effect = telling.of(word.encode()) if word.isalpha() else None
    return None if effect is None else (effect, *shared)


def _renamed(text: str, word: str) -> str:
    return _WORD.sub(lambda found: _NEW if found[0] == word else found[0], text)


def _last_word(text: str) -> str:
    """The word that a text ends in, empty where it ends in none."""
    last = ""
    for found in _WORD.finditer(text):
        last = found[0] if found.end() == len(text) else ""
    return last


def read_before(env: Env, slots: Iterable[Value | None]) -> Iterator[object]:
    """What has been read before, for comparisons among the ways on from one place: they share the
    objects that nothing has happened to."""
    yield id(env.registers), env.counts, id(env.lasts), id(env.frames), len(env.starts)
    for slot in slots:
        yield slot if isinstance(slot, str) else id(slot)


# ---- what words may be compared with ---------------------------------------------------------


def _known(program: Program, configuration: Configuration) -> frozenset[str]:
    """The beginnings of all words in registers, fields and clauses."""
    values: list[Any] = [_constants(program)]
    for _, env in configuration.alive:
        values += [env.registers, env.slots, *env.lasts.values()]
        frames = env.frames
        while frames is not None:
            values.append(frames.slots)
            frames = frames.outer
    words = {word for text in _texts(tuple(values)) for word in _WORD.findall(text)}
    return frozenset(word[:end] for word in words for end in range(1, len(word) + 1))


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
    return tuple(p.value for p in ex.parts(expressions(program)) if isinstance(p, ex.Constant))
