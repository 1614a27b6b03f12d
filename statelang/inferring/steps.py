"""Steps that are written alike, as one action of a grammar each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from attrs import define, field

from statelang.diagnostics import GrammarError
from statelang.inferring.shapes import Names, joined, plain, quoted, room, shape
from statelang.inferring.tagged import Step
from statelang.loader import loads
from statelang.walking.machine import Machine

_CHECKED: Final = 2_000  # payloads of one action that a shape is tried on, before all traces are

Key = tuple[str, str, str]
Make = Callable[[Sequence[str], str, Names], list[str]]


@define
class Kind:
    """One action: how its steps open and close, the white space behind them, what they say."""

    name: str
    opening: str
    closing: str
    spaces: list[str] = field(factory=list)
    payloads: list[str] = field(factory=list)


def key_of(step: Step, by_tags: bool) -> Key:
    """What steps of one action share: lines also what ends them, as it can be read only so."""
    return step.opening, step.closing, "" if by_tags else step.space


def kinds_of(traces: Sequence[Sequence[Step]], by_tags: bool) -> dict[Key, Kind]:
    """The actions, in the order in which they are first seen."""
    found: dict[Key, Kind] = {}
    taken = {"start"}
    for step in (step for steps in traces for step in steps):
        key = key_of(step, by_tags)
        if key not in found:
            found[key] = Kind(_name(step, taken), step.opening, step.closing)
            taken.add(found[key].name)
        found[key].payloads.append(step.payload)
        if step.space not in found[key].spaces:
            found[key].spaces.append(step.space)
    return found


def _name(step: Step, taken: set[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", step.opening.lower()).strip("_")
    base = words if words[:1].isalpha() else f"step_{words}".strip("_") if words else "text"
    numbered = (f"{base}_{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(name for name in numbered if name not in taken)


def body(kind: Kind, by_tags: bool, names: Names, *, shaped: bool) -> tuple[str, bool]:
    """The right side of an action's rule, and whether its payload is any text.

    Where `shaped` fails on the payloads, or readers would not agree on it, any text is.
    """
    if shaped:
        tried = Names(names.taken, dict(names.known))
        found = _written(kind, by_tags, tried, shape)
        if _fits(kind, found, tried):
            names.known = tried.known
            return found, _is_text(found)
    return _written(kind, by_tags, names, plain), any(kind.payloads)


def _written(kind: Kind, by_tags: bool, names: Names, make: Make) -> str:
    space, gap = _gap(kind, names)
    longest = room(max(map(len, kind.payloads)), 128)
    end = kind.closing + space
    if by_tags and not kind.opening.strip():  # text between tags
        payload = [names.name("TEXT", rf"/[^< \t\r\n][^<]{{0,{longest}}}/")]
    elif by_tags and any("<" in text for text in kind.payloads):
        # Only a terminal with the closing tag in it is read alike by all readers.
        close = re.escape(kind.closing.removeprefix("</"))
        payload = [names.name("UNTIL", rf"/([^<]|<+[^<\/]){{0,{longest}}}<+\/{close}/")]
        end = space
    else:
        payload = make(kind.payloads, "<" if by_tags else "\n", names)
    before, after = (quoted(text) if text else "" for text in (kind.opening, end))
    return joined([item for item in (before, *payload, after, gap) if item])


def _gap(kind: Kind, names: Names) -> tuple[str, str]:
    """The white space behind a step as text, where it is always the same, or as a terminal."""
    if len(kind.spaces) == 1:
        return kind.spaces[0], ""
    longest = room(max(map(len, kind.spaces)), 8)
    name = names.name("GAP", rf"/[ \t\r\n]{{1,{longest}}}/")
    return "", f"{name}?" if "" in kind.spaces else name


def _fits(kind: Kind, found: str, names: Names) -> bool:
    """Whether a rule keeps the rules of the language and reads what its steps say."""
    text = f"start : {kind.name}\n{kind.name} : {found}\n{names.defined(found)}"
    try:
        machine = Machine(loads(text, kind.name))
    except GrammarError:
        return False
    for payload in list(dict.fromkeys(kind.payloads))[:_CHECKED]:
        said = f"{kind.opening}{payload}{kind.closing}{kind.spaces[0]}".encode()
        after = machine.advance(machine.start(), said)
        if after is None or machine.ends(after) is None:
            return False
    return True


def _is_text(found: str) -> bool:
    """Whether nothing but one terminal for any text stands between the literals."""
    return bool(re.fullmatch(r'("(\\.|[^"\\])*" )?(LINE|TEXT|UNTIL)[_0-9?]*( .*)?', found))
