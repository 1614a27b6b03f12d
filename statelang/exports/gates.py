"""Contracts over counts and numbers that steps alone decide, in words that other languages share.

A register belongs here where its first value is a whole number and every `set` of it stands on an
action and reads nothing but such registers and counts. Comparisons, `+ - *`, `and`, `or` of those
mean the same in ECMAScript and in Python (the latter two as `&` and `|`, between comparisons).
"""

from __future__ import annotations

import re
from typing import Final

from lark import Token, Tree

from statelang.clauses import parsing
from statelang.exports.clauses import comments, enforced
from statelang.language.syntax import Comment, File, parse
from statelang.space import StateSpace, Transition

_SIGNS: Final = {"+", "-", "*"}
_RELATIONS: Final = {"==", "!=", "<", "<=", ">", ">="}


class Gates:
    """`data` are the numbers with their first values, `assigns` what each action makes of them,
    `of_action` its conditions, `dropped` every clause that is not carried."""

    def __init__(self, space: StateSpace) -> None:
        file = parse(space.source)
        self.actions = {action.name for action in space.actions}
        self.data = _numbers(file, space)
        self._count = "count_"
        while any(register.name.startswith(self._count) for register in space.registers):
            self._count += "_"
        self.assigns: dict[str, list[tuple[str, str]]] = {}
        self.of_action: dict[str, tuple[str, ...]] = {}
        self._gates: dict[str, tuple[str, ...]] = {}
        carried: set[int] = set()
        while self._forget(file):
            pass
        for definition in file.definitions:
            for comment in definition.contracts:
                if definition.name in self.actions and self._read(definition.name, comment):
                    carried.add(comment.line)
            for alternative in definition.alternatives:
                if alternative.contract and definition.is_state:
                    if self._gate(alternative.contract):
                        carried.add(alternative.contract.line)
        for comment in comments(file):
            if comment.text.startswith("limit ") and self._limit(comment):
                carried.add(comment.line)
        self.dropped = tuple(d for d in enforced(space) if d.line not in carried)
        self._count_what_is_asked_for()

    def of_transition(self, step: Transition) -> tuple[str, ...]:
        """The conditions of one transition."""
        return tuple(text for gate in step.gates for text in self._gates.get(gate, ()))

    # -- clauses

    def _forget(self, file: File) -> bool:
        """Let go of one register that something else than steps and numbers moves."""
        for definition in file.definitions:
            for alternative in definition.alternatives:
                tree = parsing.parse(alternative.contract.text) if alternative.contract else None
                if tree is not None and tree.data == "set" and str(tree.children[0]) in self.data:
                    del self.data[str(tree.children[0])]
                    return True
            before: list[str] = []  # assignments follow each other there, and are at once here
            for comment in definition.contracts:
                tree = parsing.parse(comment.text)
                name = str(tree.children[0])
                if tree.data != "set" or name not in self.data:
                    continue
                value = self.number(tree.children[1])
                again = any(re.search(rf"\b{other}\b", value or "") for other in before)
                if definition.name not in self.actions or value is None or again:
                    del self.data[name]
                    return True
                before.append(name)
        return False

    def _read(self, action: str, comment: Comment) -> bool:
        """A clause of an action; whether it is carried, whole."""
        tree = parsing.parse(comment.text)
        if tree.data == "set":
            name = str(tree.children[0])
            value = self.number(tree.children[1])
            if name not in self.data or value is None:
                return False
            self.assigns.setdefault(action, []).append((name, value))
            return True
        if tree.data != "requires":
            return False
        parts = [self.truth(part) for part in _conjuncts(tree.children[0])]
        self.of_action[action] = (*self.of_action.get(action, ()), *filter(None, parts))
        return None not in parts

    def _gate(self, comment: Comment) -> bool:
        tree = parsing.parse(comment.text)
        parts = [self.truth(part) for part in _conjuncts(tree.children[0])]
        self._gates[comment.text] = tuple(filter(None, parts))
        return None not in parts

    def _limit(self, comment: Comment) -> bool:
        action, most = map(str, parsing.parse(comment.text).children)
        before = self.of_action.get(action, ())
        self.of_action[action] = (*before, f"{self._count}{action} < {most}")
        return True

    def _count_what_is_asked_for(self) -> None:
        """Steps are counted where a condition or an assignment reads their count."""
        texts = [
            *(text for row in (*self.of_action.values(), *self._gates.values()) for text in row),
            *(value for row in self.assigns.values() for _, value in row),
        ]
        for action in sorted(self.actions):
            name = f"{self._count}{action}"
            if any(re.search(rf"\b{name}\b", text) for text in texts):
                self.data[name] = "0"
                self.assigns.setdefault(action, []).append((name, f"{name} + 1"))

    # -- expressions

    def number(self, node: Tree[Token] | Token) -> str | None:
        """A number in the shared words, or None."""
        assert isinstance(node, Tree)
        match node.data:
            case "number" if str(node.children[0]).isdigit():  # fractions are exact here alone
                return str(node.children[0])
            case "count":
                return f"{self._count}{node.children[0]}"
            case "name":
                path = node.children[0]
                assert isinstance(path, Tree)
                name = ".".join(map(str, path.children))
                return name if name in self.data else None
            case "negative":
                inner = self.number(node.children[0])
                return None if inner is None else f"(-{inner})"
            case "arithmetic" if str(node.children[1]) in _SIGNS:
                left, right = self.number(node.children[0]), self.number(node.children[2])
                return None if None in (left, right) else f"({left} {node.children[1]} {right})"
        return None

    def truth(self, node: Tree[Token] | Token) -> str | None:
        """A condition in the shared words, or None."""
        assert isinstance(node, Tree)
        match node.data:
            case "compare" if str(node.children[1]) in _RELATIONS:
                left, right = self.number(node.children[0]), self.number(node.children[2])
                return None if None in (left, right) else f"{left} {node.children[1]} {right}"
            case "and" | "or":
                one, other = (self.truth(child) for child in node.children)
                sign = "&" if node.data == "and" else "|"
                return None if None in (one, other) else f"({one}) {sign} ({other})"
        return None


def _numbers(file: File, space: StateSpace) -> dict[str, str]:
    """Ghost registers that begin as a number written out."""
    if any(comment.text.startswith("restore ") for comment in comments(file)):
        return {}
    numbers = {r.name for r in space.registers if str(r.type) == "number"}
    found = {}
    for comment in comments(file):
        if comment.text.startswith("ghost "):
            tree = parsing.parse(comment.text)
            name = str(next(c for c in tree.children if getattr(c, "type", "") == "NAME"))
            value = tree.children[-1]
            assert isinstance(value, Tree)
            if name in numbers and value.data == "number" and str(value.children[0]).isdigit():
                found[name] = str(value.children[0])
    return found


def _conjuncts(node: Tree[Token] | Token) -> list[Tree[Token]]:
    assert isinstance(node, Tree)
    if node.data == "and":
        return [part for child in node.children for part in _conjuncts(child)]
    return [node]
