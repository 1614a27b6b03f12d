"""llguidance's dialect of Lark: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md

Its rules may carry a parameter of 64 bits that conditions look at
(https://github.com/guidance-ai/llguidance/blob/main/docs/parametric.md). Where contracts fit into
it, states and the steps that the contracts speak of become rules with that parameter, one for each
place in them, because a parameter is handed on and never back; all else stays as in the file.
"""

from __future__ import annotations

from statelang.exports import Dropped, as_lark
from statelang.exports.clauses import enforced
from statelang.exports.parametric import parametric
from statelang.exports.plain import TooManyRules
from statelang.exports.plan import Plan, plan
from statelang.exports.reading import Key
from statelang.exports.way import Cramped
from statelang.space import StateSpace

HEAD = "%llguidance {}\n"


def write(space: StateSpace) -> tuple[str, tuple[Dropped, ...]]:
    """The grammar, and the clauses that are not in it."""
    text, dropped = as_lark.write(space)
    banned: frozenset[Key] = frozenset()
    while (found := plan(space, banned)).layout:
        try:
            rules = parametric(space, found, text)
        except Cramped as cramped:
            banned |= cramped.keys
            continue
        except TooManyRules:
            break
        about = "".join(f"// {line}\n" for line in _about(space, found))
        kept = tuple(one for one in enforced(space) if one.line not in found.lines)
        return f"{HEAD}{about}\n{rules}", kept
    return f"{HEAD}\n{text}", dropped


def _about(space: StateSpace, found: Plan) -> list[str]:
    """What lies where in the parameter."""
    actions = space.program.actions
    lines = [f"{space.name}, grammar {space.hash}; bits of the parameter:"]
    for (what, action, index), bits in sorted(found.layout.items(), key=lambda item: item[1].low):
        if what == "register":
            name = space.program.registers[index][0]
        elif what == "count":
            name = f"count({actions[index]})"
        else:
            name = f"a field of {'the last ' if what == 'last' else ''}{actions[action]}"
        values = ", ".join("-" if value is None else str(value) for value in bits.values)
        lines.append(f"{bits.range} {name}: {values}".replace("\n", " ")[:200])
    return lines
