"""One language, the Kwai-STaR traces over annotated prose, in the form that each engine reads.

It is the plain grammar of `grammars/kwai_star.lark` with calculations as flat text, so that engines
for regular languages can take part. `text` is the free text: without a bound or with one.
"""

from __future__ import annotations

import re
from typing import Final

TEXTS: Final = {"unbounded": r"[^<\n]+", "bounded": r"[^<\n]{1,256}"}

_LARK: Final = r"""
start : formalize _formalized
_formalized : decompose _open
            | solve_parent _answered
_open : solve_subproblem _solved
      | solve_parent _answered
_solved : verify _verified
        | solve_subproblem _solved
        | solve_parent _answered
_verified : backtrack _open
          | solve_subproblem _solved
          | solve_parent _answered
_answered : summarize

formalize : "<formalize>" LINE "</formalize>\n"
decompose : "<decompose>" item (NL item)* "</decompose>\n"
item : ID " = " PLAN ": " LINE
solve_subproblem : "<solve>" ID ": " LINE? equation LINE? "</solve>\n"
equation : "<<" SUM "=" NUMBER ">>"
verify : "<verify>" ID ": " VERDICT "</verify>\n"
backtrack : "<backtrack>" ID "</backtrack>\n"
solve_parent : "<parent>" ID " = " NUMBER "</parent>\n"
             | "<parent unchecked>" NUMBER ": " LINE "</parent>\n"
summarize : "<summarize>" NUMBER "</summarize>\n"

ID : /s[1-9][0-9]?/
NUMBER : /-?[0-9.]+/
PLAN : /[-+*\/.()s0-9]+/
SUM : /[-+*\/.()0-9]+/
VERDICT : "right" | "wrong"
LINE : /TEXT/
NL : "\n"
"""

_TERMINALS: Final = r"""
id ::= "s" [1-9] [0-9]?
number ::= "-"? [0-9.]+
plan ::= [-+*/.()s0-9]+
sum ::= [-+*/.()0-9]+
verdict ::= "right" | "wrong"
line ::= TEXT
item ::= id " = " plan ": " line
equation ::= "<<" sum "=" number ">>"
"""

_WRITTEN: Final = (
    r"""
root ::= formalize formalized
formalized ::= decompose open | parent answered
open ::= solve solved | parent answered
solved ::= verify verified | solve solved | parent answered
verified ::= backtrack open | solve solved | parent answered
answered ::= "<summarize>" number "</summarize>\n"
formalize ::= "<formalize>" line "</formalize>\n"
decompose ::= "<decompose>" item ("\n" item)* "</decompose>\n"
solve ::= "<solve>" id ": " line? equation line? "</solve>\n"
verify ::= "<verify>" id ": " verdict "</verify>\n"
backtrack ::= "<backtrack>" id "</backtrack>\n"
parent ::= "<parent>" id " = " number "</parent>\n"
         | "<parent unchecked>" number ": " line "</parent>\n"
"""
    + _TERMINALS
)

# One byte decides everywhere, no rule ends inside another (each goes on by its last reference), and
# the terminals stand in their places: then no token waits for what surrounds a rule.
_FACTORED: Final = r"""
root ::= "<formalize>" TEXT "</formalize>\n<" formalized
formalized ::= "decompose>" items | "parent" parent
items ::= ID " = " [-+*/.()s0-9]+ ": " TEXT ("\n" items | "</decompose>\n<" open)
open ::= "solve>" solve | "parent" parent
solve ::= ID ": " MAYBE "<<" [-+*/.()0-9]+ "=" NUMBER ">>" MAYBE "</solve>\n<" solved
solved ::= "verify>" verify | "solve>" solve | "parent" parent
verify ::= ID ": " ("right" | "wrong") "</verify>\n<" verified
verified ::= "backtrack>" ID "</backtrack>\n<" open | "solve>" solve | "parent" parent
parent ::= ">" ID " = " NUMBER answered | " unchecked>" NUMBER ": " TEXT answered
answered ::= "</parent>\n<summarize>" NUMBER "</summarize>\n"
"""


def lark(bound: str) -> str:
    """For statelang and llguidance."""
    return _LARK.replace("TEXT", TEXTS[bound])


def ebnf(bound: str, *, factored: bool) -> str:
    """For xgrammar: as a user would write it, or with common prefixes taken out by hand."""
    maybe = {"unbounded": r"[^<\n]*", "bounded": r"[^<\n]{0,256}"}[bound]
    parts = {"TEXT": TEXTS[bound], "MAYBE": maybe}
    parts |= {"ID": '"s" [1-9] [0-9]?', "NUMBER": '"-"? [0-9.]+'}
    text = _FACTORED if factored else _WRITTEN
    for name, part in parts.items():
        text = text.replace(name, part)
    return text


def regex(bound: str) -> str:
    """For outlines-core and lm-format-enforcer."""
    line, number, name = TEXTS[bound], r"-?[0-9.]+", r"s[1-9][0-9]?"
    item = rf"{name} = [-+*/.()s0-9]+: {line}"
    formalize = rf"<formalize>{line}</formalize>\n"
    decompose = rf"<decompose>{item}(\n{item})*</decompose>\n"
    equation = rf"<<[-+*/.()0-9]+={number}>>"
    solve = rf"<solve>{name}: ({line})?{equation}({line})?</solve>\n"
    judged = rf"(<verify>{name}: (right|wrong)</verify>\n(<backtrack>{name}</backtrack>\n)?)?"
    parent = rf"<parent(>{name} = {number}| unchecked>{number}: {line})</parent>\n"
    summarize = rf"<summarize>{number}</summarize>\n"
    steps = rf"({solve}({judged}{solve})*{judged})?"
    return rf"{formalize}({decompose}{steps})?{parent}{summarize}"


def long(size: int) -> str:
    """The beginning of a trace, at least `size` characters: one step again and again."""
    plan = "<decompose>s1 = 16 - 3: the eggs</decompose>\n"
    solve = "<solve>s1: She eats 3, so <<16-3=13>> are left.</solve>\n"
    step = f"{solve}<verify>s1: right</verify>\n"
    return f"<formalize>How many?</formalize>\n{plan}{step * (size // len(step) + 1)}"


# Where the contracts of `grammars/kwai_star.lark` bear on a trace: the texts of the groups.
POSITIONS: Final = {
    "gates and counts at the opening of a step": re.compile(rb"\n(<\w+)"),
    "membership: ID in open, ID in bad": re.compile(rb"<(?:solve|backtrack)>(s[0-9]+)"),
    "computed value: NUMBER == result": re.compile(rb"<summarize>([0-9.-]+)"),
    "rounded value: NUMBER ~ value(sum)": re.compile(rb"=([0-9.-]+)>>"),
    "one of two words: VERDICT == ...": re.compile(rb"<verify>s[0-9]+: (\w+)"),
}
