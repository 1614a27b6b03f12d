"""Rename a state, an action, a part, a terminal or a register everywhere it is meant."""

from __future__ import annotations

import re
from typing import Final

from lark import Tree

from statelang.clauses import parsing
from statelang.diagnostics import StatelangError
from statelang.editor import vocabulary
from statelang.editor.clauses import Role
from statelang.editor.indexing import Index
from statelang.editor.lines import Name
from statelang.source import Span

_FORMS: Final = {
    "state": (r"_[a-z][a-z0-9_]*", "a state begins with `_` and goes on in lower case: `_open`"),
    "action": (r"[a-z][a-z0-9_]*", "an action is written in lower case: `verify`"),
    "part": (r"[a-z][a-z0-9_]*", "a part is written in lower case: `equation`"),
    "terminal": (r"_?[A-Z][A-Z0-9_]*", "a terminal is written in capitals: `NUMBER`"),
    "register": (r"[a-z][a-z0-9_]*", "a register is written in lower case: `known`"),
}


def renamable(index: Index, offset: int) -> Name:
    """The name at an offset. Raises StatelangError where it is not the author's to change."""
    name = index.at(offset)
    if name is None:
        raise StatelangError("there is no name here; point at a state, an action or a register")
    if name.text == "start" and name.role is Role.RULE:
        raise StatelangError("`start` is where every trace begins; it keeps its name")
    if name.role not in (Role.RULE, Role.REGISTER):
        raise StatelangError(f"`{name.text}` is a word of the language; it keeps its name")
    if name.text not in (index.definitions if name.role is Role.RULE else index.registers):
        raise StatelangError(f"`{name.text}` is not defined in this file; define it first")
    return name


def rename(index: Index, offset: int, new: str) -> list[Span]:
    """Every place where `new` is to be written. Raises StatelangError where it does not fit."""
    name = renamable(index, offset)
    kind = "register" if name.role is Role.REGISTER else index.kind(name.text)
    form, rule = _FORMS[kind]
    if not re.fullmatch(form, new):
        raise StatelangError(f"`{new}` is no name for a {kind}; {rule}")
    if new == "start" or new in vocabulary.WORDS or not _reads_as_name(new):
        raise StatelangError(f"`{new}` is a word of the language; choose another name")
    if new != name.text and (new in index.definitions or new in index.registers):
        what = "a register" if new in index.registers else f"the {index.kind(new)}"
        raise StatelangError(f"`{new}` is taken: {what} has that name; choose another")
    return [place.span for place in index.same(name)]


def _reads_as_name(new: str) -> bool:
    """Whether clauses can use the name: to them some words are none."""
    try:
        condition = parsing.parse(f"requires {new}").children[0]
    except parsing.ContractError:
        return False
    return isinstance(condition, Tree) and condition.data == "name"
