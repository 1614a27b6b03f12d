"""Terminals of a grammar file as regular languages."""

from __future__ import annotations

import re
from typing import Final

from statelang.diagnostics import Diagnostic
from statelang.language.syntax import (
    Choice,
    Definition,
    Item,
    Literal,
    Outside,
    Reference,
    Regexp,
    Repeat,
    Sequence,
)
from statelang.regular import regex
from statelang.regular.automaton import Regular, either, repeat, then
from statelang.source import Source, Span

_MAX_FOLDED: Final = 500  # each character of a class is looked up in all its cases
_FLAGS = {
    "m": "it has no meaning without anchors",
    "l": "it depends on the machine's locale",
    "x": "xgrammar does not read it",
    "u": "it is the default",
}


class Terminals:
    """Compiles terminals on demand; what is wrong with one is in `findings`."""

    def __init__(self, source: Source, definitions: dict[str, Definition]) -> None:
        self.source = source
        self.definitions = definitions
        self.languages: dict[str, Regular | None] = {}
        self.findings: list[Diagnostic] = []

    def compile(self) -> dict[str, Regular]:
        """Every terminal that can be compiled."""
        for definition in self.definitions.values():
            if definition.is_terminal:
                self.language(definition.name)
        return {name: found for name, found in self.languages.items() if found is not None}

    def report(self, code: str, message: str, span: Span, help: str = "") -> None:
        self.findings.append(Diagnostic(code, message, self.source, span, help=help))

    def language(self, name: str) -> Regular | None:
        """The language of a named terminal; None where it is broken."""
        if name not in self.languages:
            definition = self.definitions[name]
            self.languages[name] = None  # while it is under way: a terminal inside itself is broken
            found = self.of(definition.body)
            if found is not None and found.nullable:
                help_ = "let it be one character or more, and write `?` where it is used"
                message = f"the terminal `{name}` can be empty"
                self.report("SL111", message, definition.span, help_)
                found = None
            self.languages[name] = found
        return self.languages[name]

    def of(self, item: Item) -> Regular | None:
        """The language of one item of a terminal or of a quoted text in a rule."""
        match item:
            case Literal(value, ignore_case, span):
                if not value:
                    self.report("SL120", "an empty text is no terminal", span, "leave it out")
                    return None
                return regex.text(value, ignore_case=ignore_case)
            case Regexp():
                return self.regexp(item)
            case Sequence(items, _):
                return self.all(items, then)
            case Choice(options, _):
                return self.all(options, either)
            case Repeat(inner, low, high, _):
                found = self.of(inner)
                return None if found is None else repeat(found, low, high)
            case Reference(name, span):
                return self.reference(name, span)
            case Outside():
                return None

    def all(self, items: tuple[Item, ...], join: object) -> Regular | None:
        parts = [self.of(item) for item in items]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return then(*known) if join is then else either(*known)

    def regexp(self, item: Regexp) -> Regular | None:
        for flag in item.flags:
            if flag not in "is":
                reason = _FLAGS[flag]
                message = f"the flag `{flag}` is not portable: {reason}"
                self.report("SL119", message, item.span, "only `i` and `s` are")
                return None
        if "i" in item.flags and len(item.pattern) > _MAX_FOLDED:
            message = f"an expression with the flag `i` has at most {_MAX_FOLDED} characters"
            self.report("SL002", message, item.span, "write both cases as classes, or shorten it")
            return None
        try:
            return regex.parse(item.pattern, item.flags)
        except regex.RegexError as error:
            at = item.span.start + 1 + error.offset
            code, width, help_ = _trap(item.pattern, error.offset)
            message = f"in this regular expression, {error}"
            self.report(code, message, Span(at, at + width), help_)
            return None

    def reference(self, name: str, span: Span) -> Regular | None:
        if name not in self.definitions:
            return None  # reported where names are checked
        if not self.definitions[name].is_terminal:
            help_ = "terminals are made of texts, regular expressions and terminals"
            self.report("SL112", f"a terminal cannot hold the rule `{name}`", span, help_)
            return None
        if name in self.languages and self.languages[name] is None:
            if not self.findings:
                help_ = "write the repetition out with `*` or `+`"
                self.report("SL121", f"the terminal `{name}` is made of itself", span, help_)
            return None
        return self.language(name)


# What readers take differently inside an expression: how it is written, its rule, its cure.
_TRAPS: Final = (
    (
        re.compile(r"\(\?<?[=!]"), "SL113",
        "say with classes what may stand there; let free text end at a text of its own, as `<`",
    ),
    (
        re.compile(r"\\[bBAZz]|[\^$]"), "SL114",
        "remove it: a terminal is always matched as a whole",
    ),
    (
        re.compile(r"(?:[*+?]|\{[0-9,]*\})[?+]"), "SL115",
        "write a class that leaves out what follows, such as `[^<]+`",
    ),
    (
        re.compile(r"\\[dDwWsS]"), "SL116",
        "write the characters as a class: `[0-9]`, `[A-Za-z0-9_]`, `[ \\t\\n]`",
    ),
    (
        re.compile(r"\\[pP](?:\{[^}]*\})?"), "SL117",
        "write the characters as a class: `[A-Za-zÀ-ÿ]`",
    ),
    (re.compile(r"\\[<>]"), "SL118", "write `<` and `>` without a backslash"),
)  # fmt: skip


def _trap(pattern: str, offset: int) -> tuple[str, int, str]:
    """The rule that an expression breaks at an offset, how long it is there, and the cure."""
    for written, code, cure in _TRAPS:
        found = written.match(pattern, offset)
        if found:
            return code, len(found[0]), cure
    return "SL110", 1, "portable are literals, classes, groups, `|`, `*`, `+`, `?` and `{m,n}`"
