"""llama.cpp's GBNF. https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from statelang.exports import Dropped
from statelang.exports.bnf import written
from statelang.exports.clauses import enforced
from statelang.exports.rules import Node, is_state, rules
from statelang.space import StateSpace


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The grammar, its first rule named `root`, and every clause as dropped."""
    return text(rules(space), "start"), enforced(space)


def text(rules: Mapping[str, Node], root: str) -> str:
    """Rules, the one called `root` first."""
    names = _names(rules, root)
    return "".join(f"{names[name]} ::= {written(node, names)}\n" for name, node in rules.items())


def _names(rules: Iterable[str], root: str) -> dict[str, str]:
    """Names of letters, digits and hyphens, for GBNF has no underscore; states are `at-...`.

    Names that differ in case alone are told apart too: llguidance's reader of GBNF needs it.
    """
    names = {root: "root"}
    taken = {"root"}
    for name in rules:
        if name == root:
            continue
        plain = f"at{name}" if is_state(name) else name.lstrip("_")
        plain = plain.replace("_", "-")
        while plain.lower() in taken:
            plain += "-"
        taken.add(plain.lower())
        names[name] = plain
    return names
