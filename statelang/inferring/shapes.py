"""What texts of one kind have in common, as part of a grammar: literals, numbers, names, lists.

Kept simple and careful: a field ends at the first place of a character that it never contains, so
that all readers cut it alike, and what shows no structure becomes text of a bounded length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from attrs import define, field

_NUMBER: Final = re.compile(r"-?([0-9]+(\.[0-9]+)?|\.[0-9]+)")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z _-]*")
_LITERAL: Final = re.compile(r'"(\\.|[^"\\])*"|/(\\.|[^/\\])+/')
_ENDS: Final = "=:;|>"  # what may end a field of free text
_TEXTS: Final = ("LINE", "TEXT")
_FEW: Final = 6  # words that are listed, where each is seen often
_OFTEN: Final = 4
_DEEPEST: Final = 12  # fields in a row


@define
class Names:
    """The parts and terminals of a grammar under way: one name for each definition."""

    taken: frozenset[str]  # by actions
    known: dict[str, str] = field(factory=dict)

    def name(self, kind: str, definition: str) -> str:
        """The name of what is defined so; a new one where there is none."""
        if definition not in self.known:
            taken = self.taken.union(self.known.values())
            numbered = (f"{kind}_{number}" for number in range(2, len(taken) + 3))
            free = kind if kind not in taken else next(n for n in numbered if n not in taken)
            self.known[definition] = free
        return self.known[definition]

    def defined(self, bodies: str) -> str:
        """Rules and terminals that the bodies use, as lines of a grammar, parts first."""
        used, todo = dict[str, str](), [bodies]
        while todo:
            words = set(re.findall(r"\w+", _LITERAL.sub("", todo.pop())))
            for definition, name in self.known.items():
                if name in words and name not in used:
                    used[name] = definition
                    todo.append(definition)
        lines = []
        for name, definition in sorted(used.items(), key=lambda item: item[0].isupper()):
            lines += ["//@ type number"] if name.partition("_")[0] == "NUMBER" else []
            lines.append(f"{name} : {definition}")
        return "".join(f"{line}\n" for line in lines)


def quoted(text: str) -> str:
    """A text as a literal of a grammar."""
    return json.dumps(text, ensure_ascii=False)


def joined(items: Sequence[str]) -> str:
    """Items one after the other, literals that touch as one."""
    found: list[str] = []
    for item in items:
        if found and item.startswith('"') and found[-1].startswith('"'):
            item = quoted(json.loads(found.pop()) + json.loads(item))
        found.append(item)
    return " ".join(found)


def shape(values: Sequence[str], stop: str, names: Names) -> list[str]:
    """The items of a rule that all values have, up to a character that none of them contains.

    None where all values are empty.
    """
    filled = [value for value in values if value]
    if not filled:
        return []
    items = _items(filled, stop, names, _DEEPEST)
    return [f"({joined(items)})?"] if len(filled) < len(values) else items


def plain(values: Sequence[str], stop: str, names: Names) -> list[str]:
    """The same without structure: a terminal for any text like these."""
    filled = [value for value in values if value]
    if not filled:
        return []
    name = _text(filled, stop, names)
    return [f"{name}?" if len(filled) < len(values) else name]


def _items(values: Sequence[str], stop: str, names: Names, depth: int) -> list[str]:
    """The items for texts that are not empty."""
    field_ = _field(values, names)
    if field_ or depth == 0:
        return [field_ or _text(values, stop, names)]
    prefix = _prefix(values)
    if prefix:
        rest = [value[len(prefix) :] for value in values]
        return [quoted(prefix), *_items(rest, stop, names, depth - 1)]
    for separator in ("\n", ", "):
        listed = _list(values, separator, stop, names, depth)
        if listed:
            return [listed]
    for separator in _separators(values):
        left, right = zip(*(value.split(separator, 1) for value in values), strict=True)
        first = _field(left, names)
        if not first and separator[0] in _ENDS and len(values) >= _OFTEN:
            first = _text(left, stop + separator[0], names)
        if first:
            return [first, quoted(separator), *_items(right, stop, names, depth - 1)]
    return [_text(values, stop, names)]


def _field(values: Sequence[str], names: Names) -> str:
    """One item for all values, where they are of one plain kind; else nothing."""
    kinds = set(values)
    if len(kinds) == 1 and len(values) > 1:
        return quoted(values[0])
    longest = room(max(map(len, values)), 16)
    if all(_NUMBER.fullmatch(value) for value in values):
        sign = "-?" if any(value.startswith("-") for value in values) else ""
        digits = f"[0-9]{{1,{longest}}}"
        pattern = digits if all("." not in value for value in values) else rf"{digits}(\.{digits})?"
        if any(value.removeprefix("-").startswith(".") for value in values):
            pattern = rf"({pattern}|\.{digits})"
        return names.name("NUMBER", f"/{sign}{pattern}/")
    few = len(kinds) <= _FEW and len(values) >= _OFTEN * len(kinds)
    if few and all(_WORDS.fullmatch(value) for value in values):
        return names.name("WORD", " | ".join(quoted(kind) for kind in sorted(kinds)))
    if all(_NAME.fullmatch(value) for value in values):
        return names.name("ID", f"/{_name_pattern(values, longest)}/")
    return ""


def _name_pattern(values: Sequence[str], longest: int) -> str:
    """What the names look like: `s1`, `Ann`, `total`, or any of these."""
    letters = re.match(r"[A-Za-z]*", values[0])
    head = letters[0] if letters else ""
    if all(re.fullmatch(f"{head}[0-9]+", value) for value in values):
        return f"{head}[0-9]{{1,{longest}}}"
    for first, rest in (("[A-Z]", "[a-z]"), ("[a-z]", "[a-z]")):
        if all(re.fullmatch(f"{first}{rest}*", value) for value in values):
            return f"{first}{rest}{{0,{longest}}}"
    return f"[A-Za-z][A-Za-z0-9_]{{0,{longest}}}"


def _text(values: Sequence[str], stop: str, names: Names) -> str:
    is_line = not any("\n" in value for value in values)
    barred = sorted({*stop, "\n"} if is_line else set(stop))
    pattern = "".join(r"\n" if char == "\n" else re.escape(char) for char in barred)
    longest = room(max(map(len, values)), 128)
    return names.name(_TEXTS[not is_line], f"/[^{pattern}]{{1,{longest}}}/")


def room(length: int, least: int) -> int:
    """A bound with room for longer texts than were seen, rounded so that few differ."""
    return max(least, 1 << (2 * length - 1).bit_length())


def _prefix(values: Sequence[str]) -> str:
    """What all texts begin with, up to the end of a word or a sign."""
    low, high = min(values), max(values)  # what these two share, all between them share
    same = (a == b for a, b in zip(low, high, strict=False))
    size = min(next((at for at, equal in enumerate(same) if not equal), len(low)), len(low) - 1)
    while size and low[size - 1].isalnum():
        size -= 1
    found = low[:size]
    return found if len(values) >= _OFTEN or not any(map(str.isalnum, found)) else ""


def _separators(values: Sequence[str]) -> list[str]:
    """Texts between two fields: all values have it, and its first character not before it."""
    runs = re.findall(r"[^A-Za-z0-9_\n]+", values[0])
    candidates = dict.fromkeys([*runs, *(char for char in values[0] if char in _ENDS)])
    return [
        run
        for run in candidates
        if all(
            0 < (at := value.find(run[0])) and value.startswith(run, at) and value[at + len(run) :]
            for value in values
        )
    ]


def _list(values: Sequence[str], separator: str, stop: str, names: Names, depth: int) -> str:
    """Items of one kind with a separator between them, where some text has several."""
    parts = [value.split(separator) for value in values]
    flat = [part for row in parts for part in row]
    if len(flat) == len(values) or not all(flat) or any(separator[0] in part for part in flat):
        return ""
    known = dict(names.known)
    items = _items(flat, stop + separator[0], names, depth - 1)
    item = items[0] if len(items) == 1 else names.name("item", joined(items))
    is_row = len(set(map(len, parts))) == 1 or item.startswith(_TEXTS)
    if separator != "\n" and is_row:  # the same number of fields, or commas in prose
        names.known = known
        return ""
    return f"{item} ({quoted(separator)} {item})*"
