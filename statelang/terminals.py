"""Terminals of a grammar file as regular languages."""

from __future__ import annotations

from statelang import regex
from statelang.automaton import Regular, either, repeat, then
from statelang.diagnostics import Diagnostic
from statelang.source import Source, Span
from statelang.syntax import (
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
                    self.report("SL111", "an empty text is no terminal", span, "leave it out")
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
                self.report("SL110", message, item.span, "only `i` and `s` are")
                return None
        try:
            return regex.parse(item.pattern, item.flags)
        except regex.RegexError as error:
            at = item.span.start + 1 + error.offset
            message = f"in this regular expression, {error}"
            help_ = "portable are literals, classes, groups, `|`, `*`, `+`, `?` and `{m,n}`"
            self.report("SL110", message, Span(at, at + 1), help_)
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
                self.report("SL112", f"the terminal `{name}` is made of itself", span, "")
            return None
        return self.language(name)
