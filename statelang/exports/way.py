"""One alternative of a rule with a parameter, while it is put together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from attrs import evolve, frozen

from statelang.exports.parameter import WHOLE, Condition, Move, all_of
from statelang.exports.reading import Key

# A regular expression, or a text with what repeats it.
_LEXEME: Final = re.compile(r'/(?:\\.|[^/\\\n])+/|(?P<text>"(?:\\.|[^"\\])*")(?P<more>\s*[?*+~])?')

Place = tuple[int, tuple[int, ...]]  # a position, and the positions to come back at


class Cramped(Exception):
    """The parameter would have to move where nothing is written; `keys` are what moves there."""

    def __init__(self, keys: frozenset[Key]) -> None:
        super().__init__()
        self.keys = keys


@frozen
class Way:
    """One alternative under way: what is written, when it is open, what is known of the fields of
    the step, and how the parameter moves at its end."""

    at: Place | None
    symbols: tuple[str, ...] = ()
    condition: Condition = True
    fixed: frozenset[tuple[Key, str | None]] = frozenset()
    keep: int = WHOLE
    put: int = 0
    counted: tuple[str, ...] = ()
    moved: frozenset[Key] = frozenset()
    began: Place | None = None

    def move(self, move: Move, keys: frozenset[Key]) -> Way:
        """The same after one more move."""
        return evolve(
            self,
            condition=all_of(self.condition, move.condition),
            keep=self.keep & move.keep,
            put=(self.put & move.keep) | move.put,
            counted=(*self.counted, *move.steps),
            moved=self.moved | keys,
        )

    @property
    def functions(self) -> tuple[str, ...]:
        """The moves, each in llguidance's notation."""
        return (*Move(True, self.keep, self.put).functions, *self.counted)


def texts(symbols: tuple[str, ...], wanted: int) -> tuple[list[str], set[str]]:
    """The symbols, quoted texts cut until there are as many as wanted; and what is before a cut."""
    found, heads = list(symbols), set[str]()
    for at in range(len(found) - 1, -1, -1):
        is_text = found[at].startswith('"') and found[at].endswith('"')
        pieces = [json.loads(found[at])] if is_text else []
        while pieces and len(pieces[0]) > 1 and len(found) + len(pieces) - 1 < wanted:
            pieces[:1] = pieces[0][:-1], pieces[0][-1]
        heads.update(pieces[:-1])
        found[at : at + 1] = [_quoted(piece) for piece in pieces] or [found[at]]
    return found, heads


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def cut(rules: str, heads: Iterable[str]) -> str:
    """The same rules with every text cut behind the heads that it begins with: where one text
    begins another, llguidance's lexer reads the longer one and forgets the other."""
    shortest_first = sorted(heads, key=len)

    def pieces(found: re.Match[str]) -> str:
        if not found["text"] or found.string.startswith("i", found.end()):
            return found[0]
        try:
            rest: str = json.loads(found["text"])
        except ValueError:
            return found[0]  # an escape that Lark alone knows
        read: list[str] = []
        while (head := next((h for h in shortest_first if rest.startswith(h)), rest)) != rest:
            read.append(head)
            rest = rest.removeprefix(head)
        if not read:
            return found[0]
        whole = " ".join(map(_quoted, (*read, rest)))
        return f"({whole}){found['more']}" if found["more"] else whole

    return _LEXEME.sub(pieces, rules) if shortest_first else rules
