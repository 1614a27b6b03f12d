"""Contract clauses in plain English, for prompts and for readers who do not know the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen
from lark import Token, Tree

from statelang.clauses import parsing
from statelang.compiling.compiler import Register
from statelang.space import StateSpace

Node = Tree[Token] | Token

_LONG: Final = 110  # characters of English beyond which the clause itself says it better
_DOC: Final = 70  # characters of a register's documentation that still fit into a sentence
_RELATIONS: Final = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_CALLS: Final = {
    "size": "the number of {0}",
    "keys": "the keys of {0}",
    "values": "the values of {0}",
    "sorted": "{0} in order",
    "names": "the names in {0}",
    "fill": "{0} with the values of {1} put in",
    "value": "the value of {0}",
    "div": "{0} divided by {1}, rounded down",
    "mod": "the remainder of {0} divided by {1}",
    "digits": "the digits of {0}",
}


class _NoWords(Exception):
    """An expression that is said best in the language itself."""


def in_words(space: StateSpace, clause: str) -> str:
    """One contract clause as a phrase without a full stop.

    Where English would be clumsy the clause follows in backquotes, or stands alone.
    """
    tree = parsing.parse(clause)
    words = _Words({register.name: register for register in space.registers})
    try:
        text = words.clause(tree)
    except _NoWords:
        return f"`{clause}`"
    clumsy = len(text) > _LONG or text.count(" what `") + text.count(" if ") > 1
    return f"{text} (`{clause}`)" if clumsy else text


def phrase(register: Register) -> str:
    """A register as a noun: by its documentation where that is short, else by its name."""
    doc = register.doc.removesuffix(".")
    if not doc or len(doc) > _DOC or ". " in doc or ";" in doc:
        return f"`{register.name}`"
    first = doc.split(" ")[0]
    doc = doc if first.isupper() else doc[0].lower() + doc[1:]
    return doc if first.lower() in ("the", "a", "an", "how", "what", "whether") else f"the {doc}"


@frozen
class _Words:
    registers: Mapping[str, Register]

    def clause(self, tree: Tree[Token]) -> str:
        children = tree.children
        match tree.data:
            case "requires" | "checks":
                return self.condition(children[0])
            case "limit":
                count = int(str(children[1]))
                return f"at most {count} `{children[0]}` step{'s' * (count != 1)} in one trace"
            case "set":
                return self.change(str(children[0]), children[1])
            case "writes":
                return f"{_field(_path_of(children[0]))} is written for you by `{children[1]}`"
            case "mark":
                return f"all that is kept track of is saved under {self.value(children[0])}"
            case "restore":
                return f"all is put back as it was saved under {self.value(children[0])}"
            case "depth":
                return f"it stands in itself at most {children[0]} deep"
        raise _NoWords

    # -- what a step changes

    def change(self, name: str, value: Node) -> str:
        register = self.registers[name]
        value = _tree(value)
        if value.data == "conditional":
            test, yes, no = value.children
            condition = self.condition(test)
            if self.is_register(yes, name):
                return f"{self.change(name, no)}, unless {condition}"
            if self.is_register(no, name):
                return f"if {condition}, {self.change(name, yes)}"
            return f"if {condition}, {self.change(name, yes)}; else {self.change(name, no)}"
        if value.data == "arithmetic" and self.is_register(value.children[0], name):
            _, sign, other = value.children
            other = _tree(other)
            if other.data == "set_of" and str(sign) in "|-":
                verb = "counts among" if sign == "|" else "no longer counts among"
                return f"{self.several(other)} {verb} {phrase(register)}"
            if other.data == "map_of" and sign == "|":
                key, kept = _tree(other.children[0]).children
                if len(other.children) == 1:
                    return f"{self.value(kept)} is kept in `{name}` for {self.value(key)}"
            if register.type.name == "number" and str(sign) in "+-":
                way = "up" if sign == "+" else "down"
                return f"{phrase(register)} goes {way} by {self.value(other)}"
            if register.type.name == "map" and sign == "-" and other.data == "set_of":
                return f"nothing is kept in `{name}` for {self.several(other)} any more"
        return f"{phrase(register)} becomes {self.value(value)}"

    def is_register(self, node: Node, name: str) -> bool:
        return _is(node, "name") and name == _path(node)

    # -- conditions

    def condition(self, node: Node) -> str:
        children = _tree(node).children
        match _tree(node).data:
            case "and" | "or":
                word = str(_tree(node).data)
                return f"{self.condition(children[0])}, {word} {self.condition(children[1])}"
            case "not":
                return f"it is not so that {self.condition(children[0])}"
            case "contains" | "excludes":
                return self.membership(children[0], children[1], _is(node, "contains"))
            case "compare":
                return self.comparison(children[0], str(children[1]), children[2])
            case "name":
                return f"{self.value(node)} is true"
        raise _NoWords

    def membership(self, item: Node, container: Node, inside: bool) -> str:
        container = _tree(container)
        what, negation = self.value(item), "" if inside else "not "
        if container.data == "set_of":
            return f"{what} is {negation}{self.several(container, 'or')}"
        register = self.registers.get(_path(container)) if container.data == "name" else None
        if register is not None and register.type.name == "map":
            return f"there is {'an' if inside else 'no'} entry for {what} in {phrase(register)}"
        return f"{what} is {negation}one of {self.value(container)}"

    def comparison(self, left: Node, sign: str, right: Node) -> str:
        left, right = _tree(left), _tree(right)
        if left.data == "count" and right.data == "number":
            return self.counted(str(left.children[0]), sign, str(right.children[0]))
        is_zero = right.data == "number" and str(right.children[0]) == "0"
        if right.data == "empty" or (_is_call(left, "size") and is_zero):
            inner = self.value(left.children[1] if is_zero else left).removeprefix("the ")
            if sign in ("==", "!=", ">"):
                return f"there are {'no ' * (sign == '==')}{inner}"
        if sign == "~":
            return f"{self.value(left)} is {self.value(right)}, rounded to the places written"
        if sign == "<=" and (self.is_set(left) or self.is_set(right)):
            return f"{self.value(left)} are all among {self.value(right)}"
        if sign not in ("==", "!=") and (self.is_set(left) or self.is_set(right)):
            raise _NoWords
        if right.data == "conditional":
            test, yes, no = right.children
            first, other = self.value(yes), self.value(no)
            return f"{self.value(left)} is {first} if {self.condition(test)}, else {other}"
        return f"{self.value(left)} {_RELATIONS[sign]} {self.value(right)}"

    def counted(self, action: str, sign: str, number: str) -> str:
        amount = {
            "<": "fewer than {0}",
            "<=": "at most {0}",
            ">": "more than {0}",
            ">=": "at least {0}",
            "==": "exactly {0}",
            "!=": "not exactly {0}",
        }
        return f"there have been {amount[sign].format(number)} `{action}` steps"

    def is_set(self, node: Tree[Token]) -> bool:
        if node.data in ("set_of", "empty") or any(_is_call(node, n) for n in ("keys", "names")):
            return True
        if node.data == "name" and (register := self.registers.get(_path(node))):
            return register.type.name == "set"
        return node.data == "arithmetic" and str(node.children[1]) in "|&"

    # -- values

    def value(self, node: Node) -> str:
        children = _tree(node).children
        match _tree(node).data:
            case "number":
                return str(children[0])
            case "text":
                return str(children[0])
            case "true" | "false":
                return str(_tree(node).data)
            case "name":
                return self.name(_path(node))
            case "count":
                return f"the number of `{children[0]}` steps so far"
            case "last":
                return f"the {_field(_path_of(children[1]))} of the last `{children[0]}`"
            case "old":
                return f"{self.name(str(children[0]))} before this step"
            case "index" if _is(children[0], "name"):
                return f"what `{_path(children[0])}` holds for {self.value(children[1])}"
            case "set_of":
                return self.several(_tree(node))
            case "negative":
                return f"-{self.value(children[0])}"
            case "arithmetic":
                return self.calculation(children[0], str(children[1]), children[2])
            case "call" if str(children[0]) in _CALLS:
                return self.call(str(children[0]), children[1:])
        raise _NoWords

    def call(self, function: str, nodes: list[Node]) -> str:
        arguments = [self.map_name(node) or self.value(node) for node in nodes]
        text = _CALLS[function].format(*arguments)
        return f"{text} with {arguments[1]}" if function == "value" and nodes[1:] else text

    def map_name(self, node: Node) -> str | None:
        """A map by its name: what is said of its keys does not go with its documentation."""
        register = self.registers.get(_path(node)) if _is(node, "name") else None
        return f"`{register.name}`" if register and register.type.name == "map" else None

    def name(self, path: str) -> str:
        register = self.registers.get(path)
        return phrase(register) if register else _field(path)

    def calculation(self, left: Node, sign: str, right: Node) -> str:
        first, second = self.value(left), self.value(right)
        words = {"|": f"{first} and {second} together", "&": f"what {first} and {second} share"}
        if sign == "-" and self.is_set(_tree(left)):
            return f"{first} without {second}"
        return words.get(sign) or f"{first} {sign} {second}"

    def several(self, node: Tree[Token], word: str = "and") -> str:
        items = [self.value(child) for child in node.children]
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def _tree(node: Node) -> Tree[Token]:
    if not isinstance(node, Tree):
        raise _NoWords
    return node


def _is_call(node: Tree[Token], name: str) -> bool:
    return node.data == "call" and str(node.children[0]) == name


def _is(node: Node, kind: str) -> bool:
    return isinstance(node, Tree) and node.data == kind


def _path(node: Node) -> str:
    return _path_of(_tree(node).children[0])


def _path_of(node: Node) -> str:
    return ".".join(map(str, _tree(node).children))


def _field(path: str) -> str:
    *parts, last = path.split(".")
    return f"`{last}`" + "".join(f" of `{part}`" for part in reversed(parts))
