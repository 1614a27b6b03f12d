"""llama.cpp's GBNF. https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md"""

from __future__ import annotations

from collections.abc import Iterable

from statelang.exports import Dropped
from statelang.exports.bnf import written
from statelang.exports.clauses import enforced
from statelang.exports.rules import is_state, rules
from statelang.space import StateSpace


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The grammar, its first rule named `root`, and every clause as dropped."""
    found = rules(space)
    names = _names(found)
    lines = [f"{names[name]} ::= {written(node, names)}\n" for name, node in found.items()]
    return "".join(lines), enforced(space)


def _names(rules: Iterable[str]) -> dict[str, str]:
    """Names of letters, digits and hyphens, for GBNF has no underscore; states are `at-...`.

    Names that differ in case alone are told apart too: llguidance's reader of GBNF needs it.
    """
    names = {"start": "root"}
    taken = {"root"}
    for name in rules:
        if name == "start":
            continue
        plain = f"at{name}" if is_state(name) else name.lstrip("_")
        plain = plain.replace("_", "-")
        while plain.lower() in taken:
            plain += "-"
        taken.add(plain.lower())
        names[name] = plain
    return names
