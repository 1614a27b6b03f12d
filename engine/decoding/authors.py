"""Who wrote each token of a trace: the model, the grammar, a contract, or a tool.

What a token may hold is known from the program: the places inside a field that a contract
determines are found once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from statelang.clauses.expression import Written
from statelang.compiling.events import BeginSpan, EndSpan
from statelang.compiling.program import Call, Program, Read
from statelang.regular.automaton import NOTHING
from statelang.walking.machine import Configuration, Machine
from statelang.walking.places import Thread

MODEL: Final = "model"
GRAMMAR: Final = "grammar"
CONTRACTS: Final = "contracts"
TOOL: Final = "tool "  # and its name


def author(machine: Machine, configuration: Configuration, text: bytes) -> str:
    """Who determines a text that comes next: a tool, where one byte of it is the tool's; else a
    contract, where one byte of it is in a field with a contract; else the grammar.

    Args:
        machine: The machine.
        configuration: Where the text begins; it must be legal there.
        text: The text, not empty.
    """
    fields = _fields(machine.program) if machine.contracts else {}
    found = GRAMMAR
    for byte in text:
        for thread, _ in configuration.alive:
            writer = _author(machine, fields, thread, byte)
            if writer.startswith(TOOL):
                return writer
            if writer == CONTRACTS:
                found = writer
        following = machine.advance(configuration, bytes((byte,)))
        assert following is not None, "a text that is not legal has no author"
        configuration = following
    return found


def _author(machine: Machine, fields: dict[int, str], thread: Thread, byte: int) -> str:
    """Whose field a byte is in, if a thread takes it."""
    inside = []
    if thread.left is not None and thread.left.step(byte) is not NOTHING:
        inside.append((thread.place, thread.stack))
    elif thread.left is None or thread.left.nullable:
        for exit_ in machine.exits(thread):
            if exit_.read is not None and exit_.read.language.step(byte) is not NOTHING:
                inside.append((exit_.read.target, exit_.stack))
    for place, stack in inside:
        while place not in fields and stack is not None:
            place, stack = stack.place, stack.below
        if place in fields:
            return fields[place]
    return GRAMMAR


@lru_cache(maxsize=32)
def _fields(program: Program) -> dict[int, str]:
    """The places after each text of a field that a contract looks at, and the returns into one,
    with who determines it."""
    found: dict[int, str] = {}
    for edges in program.edges:
        for edge in edges:
            event = None if isinstance(edge, Read) else edge.event
            if isinstance(event, BeginSpan) and event.guards:
                writer = _writer(event)
                for place in _inside(program, edge.target):
                    if writer != CONTRACTS or place not in found:
                        found[place] = writer
    return found


def _writer(event: BeginSpan) -> str:
    for _, clause in event.guards:
        if isinstance(clause.expression, Written):
            return TOOL + clause.expression.function
    return CONTRACTS


def _inside(program: Program, begin: int) -> set[int]:
    """The places of the field that begins at one, up to its end."""
    found: set[int] = set()
    seen: set[tuple[int, int]] = set()
    todo = [(begin, 1)]  # and the fields around it that have not ended
    while todo:
        at, depth = todo.pop()
        if (at, depth) in seen or not depth:
            continue
        seen.add((at, depth))
        for edge in program.edges[at]:
            if isinstance(edge, (Read, Call)):
                found.add(edge.target)
                todo.append((edge.target, depth))
                continue
            begins, ends = isinstance(edge.event, BeginSpan), isinstance(edge.event, EndSpan)
            todo.append((edge.target, depth + begins - ends))
    return found
