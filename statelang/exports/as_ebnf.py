"""xgrammar's EBNF, which SGLang and older vLLM take. Names stay as they are in the file."""

from __future__ import annotations

from statelang.exports import Dropped
from statelang.exports.bnf import written
from statelang.exports.clauses import enforced
from statelang.exports.rules import rules
from statelang.space import StateSpace


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The grammar, its first rule named `root`, and every clause as dropped."""
    found = rules(space)
    names = {name: name for name in found} | {"start": "root"}
    while list(names.values()).count("root") > 1:
        names["root"] += "_"
    lines = [f"{names[name]} ::= {written(node, names)}\n" for name, node in found.items()]
    return "".join(lines), enforced(space)
