"""Machines of any size, to see what a grammar costs by its number of actions and transitions.

`degree` actions lead on from each state, each action writes text of one kind, as in the Kwai-STaR
language, and every state may end the trace.
"""

from __future__ import annotations


def _ways(state: int, states: int, actions: int, degree: int) -> list[tuple[int, int]]:
    """The actions that lead on from a state, each with the state after it: one for all of them, or
    Lark's reader would need more states than we let it have."""
    taken = [(state * degree + way) % actions for way in range(degree)]
    return [(action, (state * 7 + 1) % states) for action in taken]


def lark(states: int, actions: int, degree: int) -> str:
    """For statelang and llguidance: `states + actions + 3` rules."""
    lines = ["start : open _s0", 'open : "<open>\\n"', 'stop : "<stop>"', "TEXT : /[^<\\n]+/"]
    for state in range(states):
        ways = [f"a{action} _s{to}" for action, to in _ways(state, states, actions, degree)]
        lines.append(f"_s{state} : {' | '.join(ways)} | stop")
    lines += [f'a{n} : "<a{n}>" TEXT "</a{n}>\\n"' for n in range(actions)]
    return "\n".join(lines) + "\n"


def ebnf(states: int, actions: int, degree: int) -> str:
    """For xgrammar, as a user would write it."""
    lines = [r'root ::= "<open>\n" s0', r"text ::= [^<\n]+"]
    for state in range(states):
        ways = [f"a{action} s{to}" for action, to in _ways(state, states, actions, degree)]
        lines.append(f's{state} ::= {" | ".join(ways)} | "<stop>"')
    lines += [f'a{n} ::= "<a{n}>" text "</a{n}>\\n"' for n in range(actions)]
    return "\n".join(lines) + "\n"
