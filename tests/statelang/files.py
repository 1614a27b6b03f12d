"""Grammar files as strategies: written in odd ways, with comments in odd places."""

from __future__ import annotations

from importlib.resources import files
from random import Random

from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark
from lark.lexer import PatternStr

from statelang.language.lexing import Kind, clause_tokens, tokens

_GAPS = ["", " ", "  ", "\t"]
_BROKEN = " // |\n |"  # a comment inside a group


def messy(text: str, chance: Random) -> str:
    """A file in normal form, spaced in another way that means the same."""
    found = list(tokens(text))
    written = ""
    newlines = 0
    for index, token in enumerate(found):
        behind = found[index + 1].text if index + 1 < len(found) else ""
        if token.kind is Kind.NEWLINE:
            newlines += 1
            written += chance.choice(["\n", " \n", "\t\n", "\r\n"]) * chance.randint(1, newlines)
            continue
        if token.kind is Kind.CONTRACT:
            written += "//@" + chance.choice(_GAPS) + _messy_clause(token.text[3:].strip(), chance)
        elif token.kind is Kind.SPACE:
            before = found[index - 1].text if index else ""
            loose = {before, behind} & {"|", ":", "("}
            written += chance.choice(_GAPS if loose else _GAPS[1:])
        elif token.kind is Kind.SIGN:
            written += chance.choice(_GAPS) + token.text + chance.choice(_GAPS)
        else:
            written += token.text
        newlines = 0
    return written


def _messy_clause(text: str, chance: Random) -> str:
    written = ""
    for token in clause_tokens(text):
        if token.kind is Kind.SPACE:
            written += chance.choice(_GAPS[1:])
        elif token.kind is Kind.SIGN:
            written += chance.choice(_GAPS) + token.text + chance.choice(_GAPS)
        else:
            written += token.text
    return written


def clauses() -> st.SearchStrategy[str]:
    """Contract clauses drawn from the grammar of clauses itself, spaced in odd ways."""
    text = files("statelang.clauses").joinpath("contracts.lark").read_text(encoding="utf-8")
    grammar = Lark(text, start="clause")
    gap = st.sampled_from(_GAPS)
    written: dict[str, st.SearchStrategy[str]] = {
        "NAME": st.sampled_from([" n ", " ID\t", " plan_of "]),
        "NUMBER": st.just("1.50"),
        "INTEGER": st.sampled_from(["0", "12"]),
        "STRING": st.sampled_from(['"a  b"', '"\\"é"']),
    }
    for terminal in grammar.terminals:
        if isinstance(terminal.pattern, PatternStr):
            value = terminal.pattern.value
            strategy = st.just(f" {value} ") if value.isalpha() else gap.map(value.__add__)
            written[terminal.name] = strategy
    return from_lark(grammar, start="clause", explicit=written).map(str.strip)


@st.composite
def odd_files(draw: st.DrawFn) -> str:
    """Files that Lark reads, of every construct of its notation, most of them meaningless."""
    parts = draw(st.lists(_comments() | _definitions() | st.sampled_from(["", " ", "%ignore  X"])))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return draw(st.sampled_from(["", "\n\n"])) + "".join(
        f"{part}{end * draw(st.integers(1, 3))}".replace("\n", end) for part in parts
    ).replace("\r\r", "\r")


def _comments() -> st.SearchStrategy[str]:
    words = st.sampled_from(["", " ", "a", " why? ", "/", "  1. é", "@"])
    clause = st.sampled_from(["requires  ID in open", " set x=-1", "?", "limit a  3 ", ""])
    return st.one_of(words.map("// ".__add__), words.map("///".__add__), clause.map("//@".__add__))


@st.composite
def _definitions(draw: st.DrawFn) -> str:
    gap = st.sampled_from(["", " ", "   ", "\t"])
    head = draw(st.sampled_from(["a", "_b", "start", "N", "?c", "!_d", "a.2", "a . 2", "t{x , y}"]))
    if head.startswith("N"):
        head = draw(st.sampled_from(["N", "_N", "N.1"]))
    alternatives = draw(st.lists(_sequences(), min_size=1, max_size=4))
    written = head + draw(gap) + ":"
    for number, alternative in enumerate(alternatives):
        if number:
            trailing = draw(st.none() | _comments())
            lines = draw(st.sampled_from(["\n", "\n \n"])) if trailing else ""
            if trailing is not None and trailing.startswith("///"):
                trailing, lines = None, draw(st.sampled_from(["", "\n"]))
            written += f"{trailing or ''}{lines}{draw(gap)}|"
        written += f"{draw(gap)}{alternative}{draw(gap)}"
    return written + draw(st.just("") | _comments())


def _sequences() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(
        ["a", "_b", "N", '"x"', '"|  "i', "/a  |\\/[/]*/i", '"a" .. "f"', "t{ a|N }", '""']
    )
    items = st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda i: f"({' '.join(i)})"),
            st.lists(inner, min_size=2, max_size=3).map(lambda i: f"[ {'|'.join(i)} ]"),
            st.lists(inner, min_size=2, max_size=3).map(lambda i: "(" + _BROKEN.join(i) + ")"),
            st.tuples(inner, st.sampled_from(["*", " +", "? ", "~2", " ~ 1 .. 3"])).map("".join),
        ),
        max_leaves=6,
    )
    alias = st.sampled_from(["", "", "", " ->  n"])
    return st.tuples(st.lists(items, max_size=3).map(" ".join), alias).map("".join)
