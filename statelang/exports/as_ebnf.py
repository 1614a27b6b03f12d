"""xgrammar's EBNF, which SGLang and older vLLM take. Names stay as they are in the file."""

from __future__ import annotations

from collections.abc import Mapping

from statelang.exports import Dropped
from statelang.exports.bnf import written
from statelang.exports.clauses import enforced
from statelang.exports.rules import Node, rules
from statelang.space import StateSpace


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The grammar, its first rule named `root`, and every clause as dropped."""
    return text(rules(space), "start"), enforced(space)


def text(rules: Mapping[str, Node], root: str) -> str:
    """Rules, the one called `root` first."""
    names = {name: name for name in rules} | {root: "root"}
    while list(names.values()).count("root") > 1:
        names["root"] += "_"
    return "".join(f"{names[name]} ::= {written(node, names)}\n" for name, node in rules.items())
