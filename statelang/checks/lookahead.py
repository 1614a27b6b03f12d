"""Whether the next piece decides every turn of a file: then Lark's LALR reader has nothing against
it, and need not be asked, which takes longer than all else that is done to a file.

A grammar is LL(1) where, at each choice, no piece that may come next is shared by two of the ways
on. If no rule of it reads the empty text alone, it is LALR(1) as well (Beatty, J. ACM 29(4), 1982).
What Lark makes of repetitions and of what may be left out keeps that: from one place in a rule the
pieces read lead to one place, so a state of its automaton is one place, at whose turns the next
piece decides. Longer counted repetitions, for which Lark makes rules of its own, are left to it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final

from attrs import define, field

from statelang.language.analysis import nullable, table
from statelang.language.syntax import (
    Choice,
    File,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
)
from statelang.language.terminals import Terminals
from statelang.regular.automaton import Regular
from statelang.space import StateSpace

_WRITTEN_OUT: Final = 49  # repetitions; more of them are rules of their own in Lark
_END: Final = 1  # the bit for the end of a trace; every piece has another
_MAX_ROUNDS: Final = 20  # times that each rule may be looked at again

Way = tuple[int, bool]  # the pieces that lead to it, as bits; whether what follows the rule does


class _Undecided(Exception):
    """There may be a turn that the next piece does not decide."""


def decides(file: File, space: StateSpace) -> bool:
    """Whether a file is LL(1), and what Lark makes of it therefore LALR(1)."""
    definitions = table(file)
    languages = {terminal.name: terminal.language for terminal in space.terminals}
    rules = {name: d.body for name, d in definitions.items() if not d.is_terminal}
    terminals = Terminals(file.source, definitions)
    try:
        _Turns(rules, nullable(definitions), terminals, languages).decide()
    except _Undecided:
        return False
    return True


@define(eq=False)
class _Turns:
    rules: dict[str, Item]
    empty: set[str]
    terminals: Terminals
    languages: dict[str, Regular]
    bits: dict[Regular, int] = field(factory=dict)  # pieces of one meaning are one to Lark
    first: dict[str, int] = field(factory=dict)  # what a rule begins with
    after: dict[str, int] = field(factory=dict)  # what may come after it
    last: dict[str, list[str]] = field(factory=lambda: defaultdict(list))  # what a rule ends with
    turns: list[tuple[str, list[Way]]] = field(factory=list)  # each with its rule

    def decide(self) -> None:
        """Raises _Undecided."""
        heads: dict[str, list[str]] = defaultdict(list)
        for name, body in self.rules.items():
            self.first[name], begun = self._heads(body)
            for other in begun:
                heads[other].append(name)
        _spread(self.first, heads)
        if not all(self.first.values()):  # some rule reads the empty text alone
            raise _Undecided
        self.after = dict.fromkeys(self.rules, 0)
        self.after["start"] = _END
        for name, body in self.rules.items():
            self._walk(name, body, 0, True)
        _spread(self.after, self.last)
        for name, ways in self.turns:
            met = 0
            for pieces, at_end in ways:
                found = pieces | self.after[name] if at_end else pieces
                if met & found:
                    raise _Undecided
                met |= found

    def _bit(self, piece: Literal | Regexp | Reference) -> int:
        if isinstance(piece, Reference):
            language: Regular | None = self.languages[piece.name]
        else:
            language = self.terminals.of(piece)
        if language is None:
            raise _Undecided
        return self.bits.setdefault(language, _END << (len(self.bits) + 1))

    def _heads(self, item: Item) -> tuple[int, list[str]]:
        """The pieces and the rules that an item may begin with."""
        bits, begun, todo = 0, [], [item]
        while todo:
            match todo.pop():
                case Sequence(items, _):
                    for part in items:
                        todo.append(part)
                        if not self._may_be_empty(part):
                            break
                case Choice(options, _):
                    todo += options
                case Repeat(inner, _, _, _):
                    todo.append(inner)
                case Reference(name, _) if name in self.rules:
                    begun.append(name)
                case Literal() | Regexp() | Reference() as piece:
                    bits |= self._bit(piece)
        return bits, begun

    def _may_be_empty(self, item: Item) -> bool:
        match item:
            case Sequence(items, _):
                return all(map(self._may_be_empty, items))
            case Choice(options, _):
                return any(map(self._may_be_empty, options))
            case Repeat(inner, low, _, _):
                return low == 0 or self._may_be_empty(inner)
            case Reference(name, _):
                return name in self.empty
        return False

    def _begins(self, item: Item) -> Way:
        """What an item begins with, and whether it may be empty."""
        bits, begun = self._heads(item)
        for name in begun:
            bits |= self.first[name]
        return bits, self._may_be_empty(item)

    def _walk(self, rule: str, item: Item, ahead: int, ends: bool) -> None:
        """Note the turns in an item. `ahead` may follow it in its rule; the rule `ends` with it."""
        match item:
            case Sequence(items, _):
                for part in reversed(items):
                    self._walk(rule, part, ahead, ends)
                    bits, may_be_empty = self._begins(part)
                    ahead, ends = bits | ahead * may_be_empty, ends and may_be_empty
            case Choice(options, _):
                begun = [self._begins(option) for option in options]
                ways = [(b | ahead * empty, empty and ends) for b, empty in begun]
                self.turns.append((rule, ways))
                for option in options:
                    self._walk(rule, option, ahead, ends)
            case Repeat(inner, _, high, _):
                bits, may_be_empty = self._begins(inner)
                if may_be_empty or (high or 0) > _WRITTEN_OUT:
                    raise _Undecided
                self.turns.append((rule, [(bits, False), (ahead, ends)]))
                self._walk(rule, inner, ahead | bits, ends)
            case Reference(name, _) if name in self.rules:
                self.after[name] |= ahead
                if ends:
                    self.last[rule].append(name)


def _spread(bits: dict[str, int], to: dict[str, list[str]]) -> None:
    """Give every rule also the bits of those before it. Raises _Undecided if it takes too long."""
    todo, left = deque(bits), _MAX_ROUNDS * len(bits)
    while todo:
        name = todo.popleft()
        for other in to.get(name, ()):
            left -= 1
            if bits[name] & ~bits[other]:
                bits[other] |= bits[name]
                todo.append(other)
        if left < 0:
            raise _Undecided
