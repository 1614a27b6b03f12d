"""Plain Lark: the grammar file itself without its contract lines."""

from __future__ import annotations

import re

from statelang.exports import Dropped
from statelang.exports.as_regex import written
from statelang.exports.clauses import comments, enforced
from statelang.exports.rules import MAKER
from statelang.language.syntax import File, parse
from statelang.regular.regex import read
from statelang.space import StateSpace

_TERMINAL = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"|/(?:\\.|[^/\\\n])+/[a-z]*')


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The text without contracts, its comments and layout kept, and every clause as dropped."""
    return without_contracts(parse(space.source)), enforced(space)


def without_contracts(file: File) -> str:
    """The file's text without its contract lines; the documentation of a register goes with it."""
    lines = file.source.text.splitlines()
    removed = set()
    for block, _ in file.comments:
        docs: list[int] = []
        for comment in block:
            docs.append(comment.line)
            if comment.contract:
                removed |= set(docs)
                docs.clear()
    for contract in comments(file):
        number, column = file.source.position(contract.span.start)
        before = lines[number - 1][: column - 1].rstrip()
        lines[number - 1] = before
        if not before:
            removed.add(number)
    kept = [line for number, line in enumerate(lines, 1) if number not in removed]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept).strip("\n"))
    return _TERMINAL.sub(_respelled, text) + "\n"


def _respelled(found: re.Match[str]) -> str:
    """A regular expression with its classes in order, anything else as it is.

    xgrammar 0.2.8 loses the ASCII members of a class that begins with others (`[à-öA-C]`).
    """
    terminal = found.group()
    if not terminal.startswith("/") or terminal.startswith("//"):
        return terminal
    if terminal.isascii() and r"\u" not in terminal:
        return terminal
    body, _, flags = terminal[1:].rpartition("/")
    pattern = written(read(body, flags, MAKER), {})
    return "/" + pattern.replace("/", r"\/") + "/"
