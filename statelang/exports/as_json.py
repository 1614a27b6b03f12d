"""Everything about a space as data. `space.schema.json` says what each member is."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from lark import Token, Tree

from statelang.clauses import parsing
from statelang.exports import Dropped
from statelang.language.syntax import (
    Choice,
    Comment,
    Definition,
    Item,
    Literal,
    Reference,
    Regexp,
    Repeat,
    Sequence,
    parse,
)
from statelang.space import StateSpace

FORMAT: Final = 1


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what this target writes."""
    text = files("statelang.exports").joinpath("space.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The space as JSON; no clause is dropped."""
    return json.dumps(as_data(space), ensure_ascii=False, indent=2) + "\n", ()


def as_data(space: StateSpace) -> dict[str, Any]:
    """The space as plain values."""
    file = parse(space.source)
    declared = {d.name: d for d in file.definitions}
    named = {action.name for action in space.actions}
    gates = {
        option.contract.text: option.contract
        for definition in file.definitions
        if definition.is_state
        for option in definition.alternatives
        if option.contract
    }
    file_clauses = [c for block, _ in file.comments for c in block if c.contract]
    answer = space.answer
    return {
        "format": FORMAT,
        "name": space.name,
        "hash": space.hash,
        "doc": space.doc,
        "states": [
            {"name": s.name, "doc": s.doc, "may_stop": s.name in space.stops} for s in space.states
        ],
        "transitions": [
            {
                "source": t.source,
                "action": t.action,
                "call": t.call,
                "target": t.target,
                "gates": [_clause(gates[gate]) for gate in t.gates],
            }
            for t in space.transitions
        ],
        "actions": [_rule(declared[action.name]) for action in space.actions],
        "parts": [
            _rule(d)
            for d in file.definitions
            if not d.is_terminal and not d.is_state and d.name not in named
        ],
        "terminals": [{**_rule(declared[t.name]), "type": str(t.type)} for t in space.terminals],
        "registers": [
            {
                "name": r.name,
                "type": str(r.type),
                "doc": r.doc,
                "input": r.initial is None,
                "hidden": r.hidden,
            }
            for r in space.registers
        ],
        "answer": None
        if answer is None
        else {
            "action": space.program.actions[answer.action],
            "field": answer.path,
            "comparison": answer.comparison,
        },
        "clauses": [_clause(comment) for comment in file_clauses],
    }


def _rule(definition: Definition) -> dict[str, Any]:
    """A rule or a terminal: what it writes, and the clauses above it."""
    return {
        "name": definition.name,
        "doc": definition.doc,
        "body": _item(definition.body),
        "clauses": [
            *(_clause(comment) for comment in definition.contracts),
            *(
                _clause(option.contract, number)
                for number, option in enumerate(definition.alternatives)
                if option.contract
            ),
        ],
    }


def _item(item: Item) -> dict[str, Any]:
    match item:
        case Literal(value, ignore_case, _):
            return {"kind": "text", "value": value, "ignore_case": ignore_case}
        case Regexp(pattern, flags, _):
            return {"kind": "regex", "pattern": pattern, "flags": flags}
        case Reference(name, _):
            return {"kind": "terminal" if item.is_terminal else "rule", "name": name}
        case Sequence(items, _):
            return {"kind": "sequence", "items": [_item(i) for i in items]}
        case Choice(options, _):
            return {"kind": "choice", "options": [_item(o) for o in options]}
        case Repeat(inner, low, high, _):
            return {"kind": "repeat", "item": _item(inner), "low": low, "high": high}
    raise TypeError(f"`{item}` is outside the portable profile and is never loaded")


def _clause(comment: Comment, alternative: int | None = None) -> dict[str, Any]:
    """A clause; `alternative` counts from 0 where it binds to one alternative of a payload."""
    return {
        "line": comment.line,
        "text": comment.text,
        "tree": _tree(parsing.parse(comment.text)),
        "alternative": alternative,
    }


def _tree(node: Tree[Token] | Token) -> dict[str, Any]:
    """A node of a clause's tree, as the grammar of contracts names it, or a word of it."""
    if isinstance(node, Token):
        return {"word": node.type, "text": str(node)}
    return {"node": str(node.data), "children": [_tree(child) for child in node.children]}
