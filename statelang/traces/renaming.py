"""Carry traces over to a changed grammar: the fields stay, the literals around them are rewritten.

The tree of a trace under the old grammar (Lark's, so that every token is at hand) is matched
against the old payloads and written by the new ones, item by item.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from attrs import frozen
from lark import Lark, Token, Tree
from lark.exceptions import LarkError

from statelang.clauses.resolve import near
from statelang.diagnostics import StatelangError
from statelang.language.analysis import table
from statelang.language.syntax import (
    Choice,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
    parse,
)
from statelang.space import StateSpace
from statelang.walking.machine import Blame, Machine

Leaves = tuple[tuple[str, str], ...]  # the old and the new text of each
_Read = tuple[int, Leaves]


@frozen
class _Part:
    """A part that has been read: its leaves, by the name of what it is written as."""

    name: str
    leaves: Mapping[str, Leaves | None]


Node = Token | _Part


@frozen
class Migrated:
    """A trace in the new grammar; `leaves` are its pieces, the old text and the new of each."""

    text: str
    leaves: Leaves

    def place(self, offset: int) -> int:
        """Where a character offset of the old trace lies in the new one: inside a leaf that was
        rewritten, at its end."""
        before = after = 0
        for old, new in self.leaves:
            if offset < before + len(old):
                inside = offset - before
                return after + (inside if old == new else len(new) if inside else 0)
            before, after = before + len(old), after + len(new)
        return after


def migrate(
    old: StateSpace,
    new: StateSpace,
    text: str,
    problem: Mapping[str, Any] | None = None,
    renames: Mapping[str, str] | None = None,
) -> str:
    """A trace of one grammar in another; see `Migrator`, which carries many. Raises as it does."""
    return Migrator(old, new, renames).migrate(text, problem).text


class Migrator:
    """Carries traces from one grammar to another.

    An action of the old grammar becomes the one that `renames` says, else the one of the same name,
    else the one new action whose payload has the same shape, if there is one.

    Raises:
        StatelangError: a rename names what is not there, an action has no counterpart, or the
            payloads of two counterparts differ by more than names and literals.
    """

    def __init__(
        self, old: StateSpace, new: StateSpace, renames: Mapping[str, str] | None = None
    ) -> None:
        self.old, self.new = old, new
        self.before, self.after = table(parse(old.source)), table(parse(new.source))
        self.actions = self._counterparts(dict(renames or {}))
        self.pairs: dict[str, set[str]] = defaultdict(set)  # rules and what they are written as
        for name, other in self.actions.items():
            pairs = {(name, other)}
            if not self._same_shape(self.before[name].body, self.after[other].body, pairs):
                raise StatelangError(
                    f"the payloads of `{name}` in {old.source.name} and of `{other}` in "
                    f"{new.source.name} differ by more than names and literals; make the change in "
                    "two steps, or write the traces anew"
                )
            for one, counterpart in pairs:
                self.pairs[one].add(counterpart)

    def migrate(self, text: str, problem: Mapping[str, Any] | None = None) -> Migrated:
        """The trace in the new grammar.

        Raises:
            StatelangError: the old grammar does not read the trace, or the verdict of the new
                grammar on it is another than that of the old one.
        """
        try:
            tree = _reader(self.old).parse(text)
        except LarkError:
            raise StatelangError(f"the trace does not parse under {self.old.source.name}") from None
        leaves: list[tuple[str, str]] = []
        for step in tree.children:
            name = str(step.data) if isinstance(step, Tree) else ""
            if name not in self.actions or isinstance(step, Token):
                raise StatelangError(f"`{name}` is no action of {self.old.source.name}")
            found = self._step(step)
            if found is None:
                raise StatelangError(
                    f"a step of `{name}` cannot be matched with its payload in "
                    f"{self.old.source.name}; give alternatives that begin alike rules of their own"
                )
            leaves += found
        written = "".join(after for _, after in leaves)
        before, reason = _verdict(self.old, text, problem)
        if before == "grammar":
            raise StatelangError(f"the trace {reason} under {self.old.source.name}")
        after, reason = _verdict(self.new, written, problem)
        if before != after:
            raise StatelangError(f"under {self.new.source.name} the trace {reason}")
        return Migrated(written, tuple(leaves))

    def _step(self, step: Tree[Token]) -> Leaves | None:
        """The leaves of one step, its parts from the innermost outwards."""
        done: dict[int, _Part] = {}
        name = ""
        for tree in step.iter_subtrees():
            name = str(tree.data)
            nodes = [done[id(c)] if isinstance(c, Tree) else c for c in tree.children]
            leaves = {other: self._whole(name, other, nodes) for other in self.pairs[name]}
            done[id(tree)] = _Part(name, leaves)
        return done[id(step)].leaves[self.actions[name]]

    # -- counterparts

    def _counterparts(self, renames: dict[str, str]) -> dict[str, str]:
        """The new name of every action of the old grammar."""
        for name, other in renames.items():
            for one, space in ((name, self.old), (other, self.new)):
                known = [action.name for action in space.actions]
                if one not in known and one not in (state.name for state in space.states):
                    raise StatelangError(
                        f"the rename `{name}={other}` names `{one}`, which is neither an action "
                        f"nor a state of {space.source.name}. {near(one, known)}".rstrip()
                    )
        new = {action.name for action in self.new.actions}
        found = {
            name: renames.get(name, name) for name in (action.name for action in self.old.actions)
        }
        free = sorted(new - set(found.values()))
        lost = [name for name, other in found.items() if other not in new]
        for name in lost:
            fits = [other for other in free if self._fits(name, other)]
            rivals = [n for n in lost if fits and self._fits(n, fits[0])]
            if len(fits) != 1 or len(rivals) != 1:
                why = "several have" if fits else "none has"
                raise StatelangError(
                    f"the action `{name}` of {self.old.source.name} is not in "
                    f"{self.new.source.name}, and of the new actions {why} its shape; "
                    f"say which it became with --rename {name}=NEW"
                )
            found[name] = fits[0]
        return found

    def _fits(self, old: str, new: str) -> bool:
        """Whether an action of each grammar may be counterparts."""
        return self._same_shape(self.before[old].body, self.after[new].body, set())

    def _same_shape(self, old: Item, new: Item, seen: set[tuple[str, str]]) -> bool:
        """Whether two payloads differ by names and literals alone; `seen` are parts compared."""
        match old, new:
            case Reference(), Reference() if old.is_terminal == new.is_terminal:
                pair = old.name, new.name
                if old.is_terminal or pair in seen:
                    return True
                seen.add(pair)
                return self._same_shape(self.before[old.name].body, self.after[new.name].body, seen)
            case Repeat(), Repeat():
                return self._same_shape(old.item, new.item, seen)
            case (Sequence(items=a), Sequence(items=b)) | (Choice(options=a), Choice(options=b)):
                pairs = zip(a, b, strict=False)
                return len(a) == len(b) and all(self._same_shape(x, y, seen) for x, y in pairs)
            case (Literal(), Literal()) | (Regexp(), Regexp()):
                return True
        return False

    # -- writing

    def _written(self, old: Item, new: Item, nodes: list[Node], at: int) -> Iterator[_Read]:
        """Every way to read `old` from the nodes at `at`, written as `new`: where it ends, and its
        leaves."""
        match old, new:
            case Sequence(items=items), Sequence(items=others):
                yield from self._in_order(tuple(zip(items, others, strict=True)), nodes, at)
            case Choice(options=options), Choice(options=others):
                for option, other in zip(options, others, strict=True):
                    yield from self._written(option, other, nodes, at)
            case Repeat(), Repeat():
                yield from self._repeated(old, new, nodes, at)
            case _ if at < len(nodes):
                leaves = self._leaf(old, new, nodes[at])
                if leaves is not None:
                    yield at + 1, leaves

    def _in_order(
        self, pairs: tuple[tuple[Item, Item], ...], nodes: list[Node], at: int
    ) -> Iterator[_Read]:
        if not pairs:
            yield at, ()
            return
        for end, leaves in self._written(*pairs[0], nodes, at):
            for last, more in self._in_order(pairs[1:], nodes, end):
                yield last, leaves + more

    def _repeated(self, old: Repeat, new: Repeat, nodes: list[Node], at: int) -> Iterator[_Read]:
        """As often as it goes first, then less often."""
        ends: list[_Read] = [(at, ())]
        while old.high is None or len(ends) <= old.high:
            end, leaves = ends[-1]
            found = next(self._written(old.item, new.item, nodes, end), None)
            if found is None or found[0] == end:
                break
            ends.append((found[0], leaves + found[1]))
        yield from reversed(ends[old.low :])

    def _leaf(self, old: Item, new: Item, node: Node) -> Leaves | None:
        match old, new, node:
            case Literal(), Literal(), Token() if _reads(old, str(node)):
                same = (old.value, old.ignore_case) == (new.value, new.ignore_case)
                return ((str(node), str(node) if same else new.value),)
            case Reference(), Reference(), Token() if old.name == node.type:
                before, after = self.before[old.name].body, self.after[new.name].body
                return ((str(node), _word(before, after, str(node))),)
            case Reference(), Reference(), _Part() if old.name == node.name:
                return node.leaves[new.name]
            case Regexp(), Regexp(), Token():
                return ((str(node), str(node)),)
        return None

    def _whole(self, name: str, other: str, nodes: list[Node]) -> Leaves | None:
        old, new = self.before[name].body, self.after[other].body
        for end, leaves in self._written(old, new, nodes, 0):
            if end == len(nodes):
                return leaves
        return None


def _reads(literal: Literal, text: str) -> bool:
    if literal.ignore_case:
        return literal.value.casefold() == text.casefold()
    return literal.value == text


def _word(old: Item, new: Item, text: str) -> str:
    """A word of a terminal that lists words, in the terminal that lists as many in its place."""
    before, after = (
        [option for option in (one.options if isinstance(one, Choice) else (one,))]
        for one in (old, new)
    )
    if len(before) == len(after) and all(isinstance(one, Literal) for one in (*before, *after)):
        for one, other in zip(before, after, strict=True):
            if isinstance(one, Literal) and isinstance(other, Literal) and one.value == text:
                return other.value
    return text


@lru_cache(maxsize=16)
def _reader(space: StateSpace) -> Lark:
    return Lark(space.source.text, parser="lalr", keep_all_tokens=True, maybe_placeholders=False)


@lru_cache(maxsize=16)
def _judging(space: StateSpace) -> tuple[Machine, Machine]:
    return Machine(space, contracts=False), Machine(space, guards=False)


def _verdict(space: StateSpace, text: str, problem: Mapping[str, Any] | None) -> tuple[str, str]:
    """What fails first, grammar or contracts or nothing, and that in words."""
    plain, judging = _judging(space)
    data = text.encode(errors="surrogatepass")
    start = judging.start(problem)
    blame = Blame()
    end = judging.advance(start, data, blame)
    if end is not None and judging.ends(end, blame) is not None:
        return "legal", "is legal"
    read = plain.advance(plain.start(problem), data)
    if read is None or plain.ends(read) is None:
        return "grammar", "does not parse"
    offset, broken = max(blame.entries, key=lambda entry: entry[0])
    line = data[:offset].count(b"\n") + 1
    return "contracts", f"breaks `{broken.clause.text}` in line {line}"
