"""One regular expression, in the notation that Python's `re` and Rust's `regex` share.

States are eliminated one by one (Brzozowski and McCluskey, IEEE Trans. Electron. Comput. 12(2),
1963); parts and called machines are written out in place, so a part that uses itself is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from statelang.diagnostics import StatelangError
from statelang.exports import Dropped
from statelang.exports.clauses import enforced
from statelang.exports.rules import All, Chars, Node, OneOf, Text, Times, Use, is_state, rules
from statelang.space import StateSpace

MAX_CHARACTERS: Final = 100_000
_END: Final = ""
_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"} | {
    c: f"\\{c}" for c in r".^$*+?{}[]()|\-"
}
_BOUNDS: Final = {(0, None): "*", (1, None): "+", (0, 1): "?"}


class _TooLong(Exception):
    """A pattern beyond the bound."""


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The pattern, to be matched against a whole trace, and every clause as dropped.

    Raises StatelangError where a part or a machine uses itself, and for a pattern that would be
    longer than 100,000 characters.
    """
    found = rules(space)
    patterns: dict[str, str] = {}
    try:
        for name in _innermost_first(found, space.name):
            machine = is_state(name)
            patterns[name] = (
                _machine(found, name, patterns) if machine else _beside(found[name], patterns)
            )
    except _TooLong:
        raise StatelangError(
            f"the space `{space.name}` as one regular expression is longer than "
            f"{MAX_CHARACTERS:,} characters; export it to `gbnf`, `ebnf` or `lark`, which share "
            "what is used twice"
        ) from None
    return patterns["start"] + "\n", enforced(space)


# ---- what is written out in what -------------------------------------------------------------


def _innermost_first(found: Mapping[str, Node], space: str) -> list[str]:
    """What the pattern of `start` is made of, each after all that is written out in it."""
    order: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_:
            raise StatelangError(
                f"the space `{space}` is not regular: `{name}` uses itself, and a regular "
                "expression has no recursion; export it to `gbnf`, `ebnf` or `lark`"
            )
        open_.append(name)
        inner = (
            [used for _, _, label in _transitions(found, name) for used in _uses(label)]
            if is_state(name)
            else _uses(found[name])
        )
        for used in dict.fromkeys(inner):
            visit(used)
        open_.pop()
        order.append(name)

    visit("start")
    return order


def _uses(node: Node) -> Iterator[str]:
    match node:
        case Use(name):
            yield name
        case All(parts) | OneOf(parts):
            for part in parts:
                yield from _uses(part)
        case Times(item, _, _):
            yield from _uses(item)


# ---- the machine of states -------------------------------------------------------------------


def _transitions(found: Mapping[str, Node], start: str) -> list[tuple[str, str, Node]]:
    """The transitions of the machine that begins at a state: from, to, what is written."""
    result, seen, todo = [], {start}, [start]
    while todo:
        source = todo.pop()
        body = found[source]
        for option in body.options if isinstance(body, OneOf) else (body,):
            first, *rest = option.items if isinstance(option, All) else (option,)
            target = _END
            for following in rest:
                assert isinstance(following, Use)
                target = following.name
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
            result.append((source, target, first))
    return result


class _Edges:
    """Labels between states, each a pattern that stands beside others as it is."""

    def __init__(self) -> None:
        self.out: dict[str, dict[str, str]] = defaultdict(dict)
        self.into: dict[str, set[str]] = defaultdict(set)

    def add(self, source: str, target: str, label: str) -> None:
        known = self.out[source].get(target)
        self.out[source][target] = _short(label if known is None else f"(?:{known}|{label})")
        self.into[target].add(source)

    def degree(self, state: str) -> int:
        return len(self.out[state]) * len(self.into[state])

    def eliminate(self, state: str) -> None:
        """Replace a state by the ways through it."""
        loop = self.out[state].pop(state, None)
        self.into[state].discard(state)
        around = "" if loop is None else f"(?:{loop})*"
        after = self.out.pop(state)
        for target in after:
            self.into[target].remove(state)
        for source in sorted(self.into.pop(state)):
            before = self.out[source].pop(state)
            for target, label in after.items():
                self.add(source, target, before + around + label)


def _machine(found: Mapping[str, Node], start: str, patterns: Mapping[str, str]) -> str:
    """All traces of the machine that begins at a state."""
    edges = _Edges()
    before = f"before {start}"
    edges.add(before, start, "")
    for source, target, label in _transitions(found, start):
        edges.add(source, target, _beside(label, patterns))
    states = set(edges.out) - {start, before}
    while states:
        state = min(states, key=lambda state: (edges.degree(state), state))
        states.remove(state)
        edges.eliminate(state)
    edges.eliminate(start)
    return edges.out[before][_END]


# ---- patterns --------------------------------------------------------------------------------


def _short(pattern: str) -> str:
    if len(pattern) > MAX_CHARACTERS:
        raise _TooLong
    return pattern


def written(node: Node, patterns: Mapping[str, str]) -> str:
    """The pattern of a node; `patterns` are those of the rules that it uses."""
    match node:
        case Text(value):
            return "".join(map(_escaped, value))
        case Chars():
            negated, spans = node.shorter()
            return f"[{'^' if negated else ''}{''.join(map(_span, spans))}]"
        case Use(name):
            return patterns[name]
        case All(items):
            return _short("".join(_beside(item, patterns) for item in items))
        case OneOf(options):
            return _short("|".join(written(option, patterns) for option in options))
        case Times(item, low, high):
            inner = written(item, patterns)
            if not isinstance(item, Chars):
                inner = f"(?:{inner})"
            return inner + (_BOUNDS.get((low, high)) or f"{{{low},{'' if high is None else high}}}")
    raise AssertionError(node)


def _beside(node: Node, patterns: Mapping[str, str]) -> str:
    """A pattern that may stand beside others: a choice is grouped."""
    pattern = written(node, patterns)
    return f"(?:{pattern})" if isinstance(node, OneOf) else pattern


def _span(span: tuple[int, int]) -> str:
    low, high = (_escaped(chr(code)) for code in span)
    return low if span[0] == span[1] else f"{low}-{high}"


def _escaped(char: str) -> str:
    code = ord(char)
    if char.isprintable() or char in _ESCAPES:
        return _ESCAPES.get(char, char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
