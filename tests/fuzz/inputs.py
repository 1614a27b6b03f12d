"""Inputs for the readers of grammar files, made from a seed, and a table of hostile ones."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import Final

import statelang
from tests.differential.generated import grammar
from tests.strategies import OWN, SHIPPED

PIECES: Final = re.compile(r"//@?/?|\w+|\s+|.")
CLAUSES: Final = (
    "ghost open: set[text] = {}", "ghost m: map[text, number] = {}", "input hidden n: number",
    "answer a.NUMBER as number", "limit a 3", "requires ID in open and size(open) > 0",
    "checks value(sum, m) == NUMBER", "set open = open - {ID}", "type number",
    "requires if a then not b else c[d].e ~ 1.5 + -x * 2 / y", "set m = m | {ID: last(a).N}",
    "invariant old(n) <= n", "writes OUTPUT = python(CODE)", "mark ID", "restore ID",
)  # fmt: skip


@cache
def _seeds() -> tuple[str, ...]:
    shipped = [statelang.load(name).source.text for name in SHIPPED]
    return (*shipped, *(text for text, _ in OWN.values()))


def fuzzed(seed: int) -> tuple[str, bytes]:
    """Which reader gets it (`file`, `text` or `clause`), and the input."""
    chance = random.Random(f"fuzz {seed}")
    kind = chance.random()
    if kind < 0.1:
        return "file", chance.randbytes(chance.randrange(400))
    if kind < 0.2:
        letters = "start:_ab|\"/\\[](){}*+?~.,@#%=<>\n\t 019éα\u2028\0-'&;"
        text = "".join(chance.choices(letters, k=chance.randrange(200)))
        return chance.choice(("file", "text")), text.encode()
    if kind < 0.45:
        return "clause", edited(chance.choice(CLAUSES), chance).encode()
    text = grammar(seed) if kind < 0.6 else chance.choice(_seeds())
    data = edited(text, chance).encode()
    if chance.random() < 0.2:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(3) + data[at + chance.randrange(4) :]
        return "file", data
    return "text", data


def edited(text: str, chance: random.Random) -> str:
    """A text with some of its words and signs left out, doubled, exchanged or replaced."""
    pieces = PIECES.findall(text) or [" "]
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        match chance.randrange(6):
            case 0:
                pieces[at] = ""
            case 1:
                pieces[at] *= chance.choice((2, 2, 40))
            case 2:
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case 3:
                pieces[at] = pieces[other]
            case 4:
                pieces[at] = chance.choice(("(", ")", "|", "~1000", "{1,1000}", "*", "999999", "i"))
            case 5:
                start, end = sorted((at, other))
                pieces[start:end] = pieces[start : min(end, start + 60)] * 2
    return "".join(pieces)


def _with(terminal: str) -> str:
    return f'start : a\na : "<" T ">"\nT : {terminal}\n'


def _contract(clause: str) -> str:
    return (
        f'//@ ghost n: number = 0\n\nstart : a\n//@ {clause}\na : "<" T ">"\nT : /[0-9]{{1,3}}/\n'
    )


def _rules(count: int) -> str:
    chain = "\n".join(f'a{i} : "x" a{i + 1}' for i in range(count))
    return f'start : a0\n{chain}\na{count} : "y"\n'


def _doubling(depth: int) -> str:
    parts = "\n".join(f'p{i} : p{i + 1} "," p{i + 1}' for i in range(depth))
    return f'start : a\na : p0\n{parts}\np{depth} : "x"\n'


HOSTILE: Final = {
    "nested repetition": _with("/((a{1,1000}){1,1000}){1,1000}/"),
    "nested stars": _with("/((((a*)*)*)*)*b/"),
    "nested options": _with("/(((((((a?)?b?)?c?)?){1,50}){1,50}){1,50})x/"),
    "huge bound": _with("/a{1,999999999999}/"),
    "huge bound of a class": _with("/[^<]{1,100000}/"),
    "huge bounds beside each other": _with("/(a{1,90000}|a{2,90000}|[ab]{3,90000})c/"),
    "a bound with many digits": _with("/a{" + "9" * 50_000 + "}/"),
    "repetition of a rule": 'start : a\na : ((("x"~1..1000)~1..1000)~1..1000)\n',
    "repetition of a part": 'start : a\na : b~1..1000\nb : c~1..1000\nc : "x"\n',
    "deep groups": "start : a\na : " + "(" * 5_000 + '"x"' + ")" * 5_000 + "\n",
    "deep groups in a regex": _with("/" + "(" * 5_000 + "x" + ")" * 5_000 + "/"),
    "groups never closed": "start : a\na : " + "(" * 20_000 + "\n",
    "many rules": _rules(3_900),
    "rules of one state": "start : a0 _s\n_s : " + " | ".join(f"a{n} _s" for n in range(900)) + " | z\n"
    + "".join(f'a{n} : "<a{n}>" T "</a{n}>"\n' for n in range(900)) + 'z : "<z>"\nT : /[^<]{1,300}/\n',
    "states from the last": "start : a _s1900\n_s0 : a\n"
    + "".join(f"_s{n + 1} : a _s{n}\n" for n in range(1_900)) + 'a : "x"\n',
    "rules without an end": "start : a0\n"
    + "".join(f'a{n} : "x" a{n + 1} | "z" a{n // 2}\n' for n in range(1_900)) + 'a1900 : "x" a0\n',
    "rules that nothing uses": 'start : a\na : "x"\n' + "".join(f'u{n} : "x" b0\n' for n in range(1_900))
    + "".join(f'b{n} : "x" b{n + 1}\n' for n in range(1_900)) + 'b1900 : "x"\n',
    "ways that begin alike": "start : " + " | ".join(f"a{n}" for n in range(500)) + "\n"
    + "".join(f'a{n} : "<" "{n}>" T ("," T)* ";"? T? "<"\n' for n in range(500)) + "T : /[a-z]{1,4}/\n",
    "a register for each line": "".join(f"//@ ghost r{n}: number = {n}\n" for n in range(1_900))
    + '\nstart : a\na : "x"\n',
    "contracts of one letter": "//@ ghost n: number = 0\n\nstart : a\n"
    + ("//@ requires " + "n+" * 980 + "n==2\n") * 40 + 'a : "x"\n',
    "very many rules": _rules(20_000),
    "parts that double": _doubling(40),
    "many alternatives": "start : a\na : " + " | ".join(f'"x{i}"' for i in range(3_000)) + "\n",
    "many states": "".join(
        f"_s{i} : a _s{(i * 7) % 400} | b _s{(i * 3) % 400} | a\n" for i in range(400)
    )
    + 'start : a _s0\na : "a"\nb : "b"\n',
    "options that multiply": 'start : a\na : "<"' + ' ("x" | "y")? ("z" | "w")?' * 40 + ' ">"\n',
    "exponential automaton": _with("/(a|b)*a(a|b){1,60}/"),
    "exponential union": _with("/(" + "|".join(f"[a-z]{{{i}}}b[a-z]*" for i in range(40)) + ")/"),
    "whole of unicode without case": _with("/[^a]{1,1000}/i"),
    "a long text": f'start : a\na : "{"x" * 150_000}"\n',
    "a file too long": "// " + "x" * 2_000_000 + '\nstart : a\na : "x"\n',
    "a long contract": _contract("requires " + " + ".join(["1"] * 20_000) + " == 2"),
    "a contract of many words": _contract("requires " + " and ".join(["n == 1"] * 180)),
    "parentheses in a contract": _contract("requires " + "(" * 900 + "n" + ")" * 900 + " == 1"),
    "many negations": _contract("requires " + "not " * 400 + "n == 1"),
    "many minus signs": _contract("requires " + "-" * 1_500 + "n == 1"),
    "an enormous number": _contract("requires n == " + "9" * 1_900),
    "numbers that grow": _contract("set n = " + " * ".join(["99999999"] * 150)),
    "many indexes": _contract("requires n" + "[1]" * 500 + " == 1"),
    "deep types": "//@ ghost m: " + "list[" * 300 + "text" + "]" * 300 + ' = {}\n\nstart : a\na : "x"\n',
    "many registers": "".join(f"//@ ghost r{i}: number = {i}\n" for i in range(2_000))
    + '\nstart : a\na : "x"\n',
    "registers that double": "//@ ghost r0: number = 9\n"
    + "".join(f"//@ ghost r{i}: number = r{i - 1} * r{i - 1}\n" for i in range(1, 60))
    + '\nstart : a\na : "x"\n',
    "many clauses": 'start : a\n' + "//@ requires count(a) < 9\n" * 3_000 + 'a : "x"\n',
    "null characters": "\0" * 10_000,
    "a line separator": 'start : a\u2028a : "x"\n',
    "an open text": 'start : a\na : "' + "\\" * 9_999 + "\n",
    "slashes": "start : a\na : " + "/" * 9_999 + "\n",
    "many bars": "start : a\na : " + "|" * 9_999 + "\n",
    "colons": ":" * 9_999 + "\n",
    "a limit with many digits": '//@ limit a ' + "9" * 1_900 + '\n\nstart : a _b\n_b : a _b\n   | a\na : "x"\n',
    "recursion through options": 'start : a\na : b "x"\nb : c?\nc : "(" b ")" | d\nd : "[" c "]"\n',
    "alternatives of a state": "start : a" + " | a" * 240_000 + '\na : "x"\n',
    "many words": "start : a\na : " + " | ".join(f'"{n}"' for n in range(4900)) + "\n",
    "parts that double to the end": "start : a\na : b0\n" + "".join(f"b{n} : b{n + 1} b{n + 1}\n" for n in range(40)),
    "very deep groups": "start : a\na : " + "(" * 90_000 + '"x"' + ")" * 90_000 + "\n",
    "many options": "start : a\na : " + '"x"? ' * 400 + '"y"\n',
    "choices that multiply": 'start : a\na : ("x" | "y")~40\n',
    "bounds that multiply": 'start : a\na : ("x"~1000)~99\n',
    "states that branch": "start : a _s0\n" + "".join(f"_s{n} : a _s{n + 1} | a _s{n + 2}\n" for n in range(300))
    + '_s300 : a\n_s301 : a\na : "x"\n',
    "repetition before a text": "start : a\na : N\nN : /((a{0,1000}){0,1000}){0,1000}b/\n",
    "terminals that overlap far away": 'start : a\na : N "b" | M "a"\nN : /[ab]*a[ab]{60}/\nM : /[ab]*b[ab]{61}/\n',
    "classes in both cases": "start : a\na : N\nN : /" + r"[\u0100-\uffff]{1,50}" * 200 + "/i\n",
    "terminals that double": "start : a\na : N0\n" + "".join(f"N{n} : N{n + 1} N{n + 1}\n" for n in range(60))
    + 'N60 : "x"\n',
    "many missing names": "start : a\na : " + " ".join(f"b{n}" for n in range(2000)) + "\n",
    "many syntax errors": "start : a\n" + "".join(f"r{n} : 'x'\n" for n in range(900)),
    "many comments": "// requires n == 1\n" * 5_000 + 'start : a\na : "x"\n',
    "equal clauses": "start : a\n" + "//@ requires count(a) < 3\n" * 990 + 'a : "x"\n',
}  # fmt: skip
