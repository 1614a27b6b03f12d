"""How steps are written, for readers: literal text as it is, the rest in the grammar's notation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from statelang.language.syntax import (
    Choice,
    Definition,
    Item,
    Literal,
    Reference,
    Repeat,
    Sequence,
    parse,
)
from statelang.space import StateSpace
from statelang.teaching.wording import in_words


class Forms:
    """The forms of a space's actions; each part is explained where it is first used."""

    def __init__(self, space: StateSpace) -> None:
        self.space = space
        self.file = parse(space.source)
        self.definitions = {d.name: d for d in self.file.definitions}
        self.explained: set[str] = set()

    def of(self, action: str) -> Iterator[str]:
        """The paragraphs that say how an action is written, and its rules."""
        definition = self.definitions[action]
        options = [self.line(alternative.body) for alternative in definition.alternatives]
        yield "\n\nor\n\n".join(map(fenced, options))
        parts = list(self.parts(definition))
        yield "\n".join([*self.rules(definition, ""), *(line for part in parts for line in part)])

    def parts(self, definition: Definition) -> Iterator[list[str]]:
        """Each part that is used here for the first time: what it is, and its rules."""
        for name in references(definition.body):
            part = self.definitions[name]
            if part.is_terminal or name in self.explained:
                continue
            self.explained.add(name)
            doc = f" {part.doc}" if part.doc else ""
            yield [f"- «{name}» is {self.notation(part)}.{doc}", *self.rules(part, "  ")]
            yield from self.parts(part)

    def rules(self, definition: Definition, indent: str) -> list[str]:
        """The contract clauses of a rule, in words; what must hold comes before what changes."""
        lines = [("", comment.text) for comment in definition.contracts]
        lines += [
            (f"Where it is {_quoted(self.source(option.body))}: ", option.contract.text)
            for option in definition.alternatives
            if option.contract
        ]
        lines.sort(key=lambda line: line[1].startswith("set "))
        return [
            f"{indent}- {where}{'Afterwards' if line.startswith('set ') else 'Must hold'}: "
            f"{in_words(self.space, line)}."
            for where, line in lines
        ]

    def terminals(self) -> Iterator[str]:
        """What each terminal may be."""
        lines = [
            f"- «{d.name}» is {self.notation(d)}.{f' {d.doc}' if d.doc else ''}"
            for d in self.definitions.values()
            if d.is_terminal
        ]
        if lines:
            yield "### What is filled in"
            yield (
                "In the notation of Lark: texts stand in quotes, regular expressions between "
                "slashes, `|` is a choice, `?`, `*`, `+` and `~` repeat."
            )
            yield "\n".join(lines)

    def line(self, item: Item) -> str:
        """A form: texts as they are written, anything else between «»."""
        items = item.items if isinstance(item, Sequence) else (item,)
        return "".join(self.shown(one) for one in items)

    def shown(self, item: Item) -> str:
        text = self.literal(item)
        return f"«{self.source(item)}»" if text is None else text

    def literal(self, item: Item) -> str | None:
        """The one text that an item stands for, if it is one."""
        if isinstance(item, Literal):
            return None if item.ignore_case else item.value
        if isinstance(item, Reference) and item.is_terminal:
            return self.literal(self.definitions[item.name].body)
        return None

    def notation(self, definition: Definition) -> str:
        options = (self.source(alternative.body) for alternative in definition.alternatives)
        return _quoted(" | ".join(options))

    def source(self, item: Item) -> str:
        """An item as the file has it, on one line."""
        text = self.file.source.text[item.span.start : item.span.end]
        return re.sub(r"\s*\n\s*", " ", text)


def references(item: Item) -> Iterator[str]:
    """The names used in an item, in its order, each once."""

    def every(item: Item) -> Iterator[str]:
        match item:
            case Reference(name, _):
                yield name
            case Sequence(parts, _) | Choice(parts, _):
                for part in parts:
                    yield from every(part)
            case Repeat(inner, _, _, _):
                yield from every(inner)

    yield from dict.fromkeys(every(item))


def fenced(text: str) -> str:
    """A text as a code block of Markdown, its fence longer than any run of backquotes in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.removesuffix(chr(10))}\n{fence}"


def _quoted(text: str) -> str:
    """Code within a line of Markdown."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * (longest + 1)
    return f"{marks} {text} {marks}" if longest else f"{marks}{text}{marks}"
