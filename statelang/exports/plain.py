"""What a grammar with a parameter takes over without it: terminals, rules of the file, and parts
that are in themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from statelang.compiling.program import Call, Program, Read
from statelang.language.syntax import parse
from statelang.regular import regex
from statelang.regular.automaton import Regular
from statelang.source import Source
from statelang.space import StateSpace
from statelang.teaching.forms import references

MAX_RULES: Final = 5_000


class TooManyRules(Exception):
    """More rules than are worth writing."""


class Plain:
    """Remembers what is used; `text` is the file's text without contracts."""

    def __init__(self, space: StateSpace, text: str) -> None:
        self.program: Program = space.program
        self.source = Source(text, "")
        self.definitions = {d.name: d for d in parse(self.source).definitions}
        self.terminals = {t.name: t.language for t in space.terminals}
        self.used: set[str] = set()
        self.entries: list[int] = []

    def call(self, entry: int) -> str:
        """A part that is in itself, by the position where it is entered."""
        self.entries.append(entry)
        return f"_part_{entry}"

    def rule(self, name: str) -> str:
        """A rule of the file, used as it is."""
        self.used.add(name)
        return name

    def terminal(self, edge: Read) -> str:
        """A text: the name of a terminal, a quoted text or a regular expression."""
        if self.terminals.get(edge.name) is edge.language:
            self.used.add(edge.name)
            return edge.name
        return _quoted(edge.name, edge.language)

    def parts(self) -> Iterator[str]:
        """The parts that were called, a rule for each position: no contract in them is carried."""
        todo, seen = list(dict.fromkeys(self.entries)), set(self.entries)
        for number, at in enumerate(todo):
            if number > MAX_RULES:
                raise TooManyRules
            options: dict[str, None] = {}
            for edge in self.program.edges[at]:
                symbols = [self.terminal(edge)] if isinstance(edge, Read) else []
                called = [edge.entry] if isinstance(edge, Call) else []
                after = [edge.target] if self.program.edges[edge.target] else []
                for place in (*called, *after):
                    symbols.append(f"_part_{place}")
                    if place not in seen:
                        seen.add(place)
                        todo.append(place)
                options[" ".join(symbols) or '""'] = None
            yield f"_part_{at} : " + " | ".join(options)

    def rules(self) -> Iterator[str]:
        """The rules and terminals of the file that are used."""
        todo, used = [*self.used], set[str]()
        while todo:
            name = todo.pop()
            if name not in used:
                used.add(name)
                todo += references(self.definitions[name].body)
        for name, definition in self.definitions.items():
            if name in used:
                end = max(alternative.span.end for alternative in definition.alternatives)
                yield self.source.text[definition.span.start : end].rstrip()


def _quoted(shown: str, language: Regular) -> str:
    for flag, ignore_case in (("", False), ("i", True)):
        if regex.text(shown, ignore_case=ignore_case) is language:
            return json.dumps(shown, ensure_ascii=False) + flag
    return f"/{shown}/"
