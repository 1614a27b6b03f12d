"""What is told about a name when the author points at it, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from statelang.editor import vocabulary
from statelang.editor.clauses import Role
from statelang.editor.indexing import Index
from statelang.editor.lines import Definition, Name

LANGUAGE: Final = "statelang"  # of the blocks of code, as editors know it
_LINES: Final = 12  # of a definition that are shown


def hover(index: Index, offset: int) -> tuple[Name, str] | None:
    """The name at an offset and what is to say about it; None where there is nothing to say."""
    name = index.at(offset)
    said = "" if name is None else _said(index, name)
    return (name, said) if name is not None and said else None


def _said(index: Index, name: Name) -> str:
    match name.role:
        case Role.RULE if name.text in index.definitions:
            return _definition(index, index.definitions[name.text])
        case Role.REGISTER if name.text in index.registers:
            return _register(index, name.text)
        case Role.CLAUSE:
            return _word(vocabulary.clauses().get(name.text))
        case Role.TYPE:
            return vocabulary.TYPES.get(name.text, "")
        case Role.WORD:
            return vocabulary.WORDS.get(name.text, vocabulary.COMPARISONS.get(name.text, ""))
        case Role.FUNCTION:
            return _word(vocabulary.functions().get(name.text))
    return ""


def _word(word: vocabulary.Word | None) -> str:
    return _paragraphs(_code(word.form), word.meaning) if word else ""


def _definition(index: Index, definition: Definition) -> str:
    kind = index.kind(definition.name)
    if definition.is_terminal:
        kind += f" of type `{_type(definition)}`"
    clauses = [f"//@ {clause.text}" for clause in definition.clauses]
    body = index.text[definition.span.start : definition.span.end].splitlines()
    users = [d.name for d in index.definitions.values() if definition.name in d.uses]
    lines = [*clauses, *body]
    shown = lines if len(lines) <= _LINES else [*lines[:_LINES], "..."]
    return _paragraphs(
        f"{kind} `{definition.name}`",
        _prose(definition.doc),
        _code("\n".join(shown)),
        _list("used by", users),
    )


def _type(definition: Definition) -> str:
    declared = [c.text.split() for c in definition.clauses if c.word == "type"]
    return next((words[1] for words in declared if len(words) == 2), "text")


def _register(index: Index, name: str) -> str:
    clause = index.registers[name]
    uses = [n for n in index.names if n.text == name and n.role is Role.REGISTER and n.home]
    setting = {n.start for n in uses if _is_set(index, n)}
    kind = "input" if clause.word == "input" else "register"
    return _paragraphs(
        f"{kind} `{name}`",
        _prose(clause.doc),
        _code(f"//@ {clause.text}"),
        _list("set by", (n.home for n in uses if n.start in setting)),
        _list("read by", (n.home for n in uses if n.start not in setting)),
    )


def _is_set(index: Index, name: Name) -> bool:
    clause = index.clause_at(name.start)
    return clause is not None and index.text[clause.start : name.start].split() == ["set"]


def _list(title: str, names: Iterable[str]) -> str:
    found = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
    return f"{title} {found}" if found else ""


def _prose(text: str) -> str:
    """A stranger's documentation: its `code` is Markdown, its links, images and tags are not."""
    text = text.replace("`", "'") if "``" in text else text  # where spans begin would be a riddle
    return re.sub(r"(`[^`]*`)|([\\\[<])", lambda m: m[1] or f"\\{m[2]}", text)


def _code(text: str) -> str:
    return f"```{LANGUAGE}\n{text}\n```"


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
