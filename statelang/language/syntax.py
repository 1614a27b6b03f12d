"""A grammar file as a tree: rules, terminals, their documentation and contract lines, with places.

Says nothing about whether the tree makes sense; `analysis` and `space` do.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from attrs import field, frozen
from lark import Lark, Token, Transformer, Tree, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError
from lark.tree import Meta

from statelang.diagnostics import Diagnostic, GrammarError
from statelang.language.bounds import excess
from statelang.language.mistakes import mistake
from statelang.readers import reader
from statelang.source import Source, Span

MAX_COUNT: Final = 1_000
_BOUND: Final = "write `item~2..5`, the smaller number first"
_MAX_REFUSALS: Final = 100
_DEFINITION: Final = re.compile(
    r"^[ \t]*[?!]*_?[A-Za-z]\w*(?:\{[^}\n]*\}|\.\d+)?[ \t]*:", re.MULTILINE
)


@frozen
class Comment:
    """One `///` or `//@` line, without its marker."""

    text: str
    span: Span
    contract: bool
    line: int

    @property
    def word(self) -> str:
        """The word that says which clause a contract line is."""
        return self.text.split(None, 1)[0] if self.text else ""


@frozen
class Literal:
    """A quoted text; `ignore_case` for the flag `i`."""

    value: str
    ignore_case: bool
    span: Span


@frozen
class Regexp:
    """A regular expression between slashes."""

    pattern: str
    flags: str
    span: Span


@frozen
class Reference:
    """The use of a rule or a terminal."""

    name: str
    span: Span

    @property
    def is_terminal(self) -> bool:
        """Terminals are written in capitals."""
        return self.name.upper() == self.name


@frozen
class Sequence:
    """One item after the other."""

    items: tuple[Item, ...]
    span: Span


@frozen
class Choice:
    """One of several alternatives."""

    options: tuple[Item, ...]
    span: Span


@frozen
class Repeat:
    """`low` to `high` times; `None` is without bound."""

    item: Item
    low: int
    high: int | None
    span: Span


@frozen
class Outside:
    """Something Lark knows and the portable profile does not have; `code` is its rule."""

    what: str
    help: str
    span: Span
    code: str = "SL010"


Item = Literal | Regexp | Reference | Sequence | Choice | Repeat | Outside


@frozen
class Alternative:
    """One alternative of a rule, with the contract that trails on its line."""

    body: Item
    span: Span
    contract: Comment | None = None


@frozen
class Definition:
    """A rule or a terminal with what stands directly above it."""

    name: str
    span: Span
    alternatives: tuple[Alternative, ...]
    line: int
    docs: tuple[Comment, ...] = ()
    contracts: tuple[Comment, ...] = ()
    outside: tuple[Outside, ...] = ()

    @property
    def is_terminal(self) -> bool:
        """Terminals are written in capitals."""
        return self.name.upper() == self.name

    @property
    def is_state(self) -> bool:
        """States begin with an underscore; `start` is one too."""
        return not self.is_terminal and (self.name == "start" or self.name.startswith("_"))

    @property
    def body(self) -> Item:
        """All alternatives as one item."""
        if len(self.alternatives) == 1:
            return self.alternatives[0].body
        return Choice(tuple(a.body for a in self.alternatives), self.span)

    @property
    def doc(self) -> str:
        """The documentation as one paragraph."""
        return " ".join(comment.text for comment in self.docs)


@frozen
class File:
    """A whole grammar file."""

    source: Source
    definitions: tuple[Definition, ...]
    comments: tuple[tuple[tuple[Comment, ...], int], ...] = field(repr=False)
    outside: tuple[Outside, ...] = ()


@cache
def _parser() -> Lark:
    text = files("statelang.language").joinpath("syntax.lark").read_text(encoding="utf-8")
    return reader(text, propagate_positions=True, maybe_placeholders=False)


def parse(source: Source) -> File:
    """The tree of a grammar file.

    Raises GrammarError where the text is not Lark notation: one finding for each definition that
    cannot be read.
    """
    found = excess(source)
    if found is not None:
        raise GrammarError([found])
    text = source.text.replace("\r\n", " \n")  # same length: places stay true
    try:
        return _assemble(source, _read(text, source))
    except GrammarError as error:
        raise GrammarError(_all_refusals(text, source) or error.diagnostics) from None


def _all_refusals(text: str, source: Source) -> tuple[Diagnostic, ...]:
    """One finding for each definition that cannot be read, of a name only the first."""
    starts = [0, *(match.start() for match in _DEFINITION.finditer(text)), len(text)]
    found: dict[str | Span, Diagnostic] = {}
    for start, end in pairwise(starts):
        for finding in _refusals(text, start, end, source):
            key = finding.message if finding.code == "SL016" else finding.span
            found.setdefault(key, finding)
        if len(found) >= _MAX_REFUSALS:
            break
    return tuple(found.values())


def _refusals(text: str, start: int, end: int, source: Source) -> tuple[Diagnostic, ...]:
    """What cannot be read between two places."""
    try:
        _read(text[start:end], source, start)
    except GrammarError as error:
        return error.diagnostics
    return ()


def _read(text: str, source: Source, base: int = 0) -> list[Any]:
    """The items of a text that stands at `base` in the source. Raises GrammarError."""
    try:
        tree = _parser().parse(text + "\n")
        items: list[Any] = _Builder().transform(tree)
    except UnexpectedInput as error:
        raise GrammarError([_syntax_error(source, text, base, error)]) from None
    except VisitError as error:
        if isinstance(error.orig_exc, _Refused):
            raise GrammarError([error.orig_exc.at(source, base)]) from None
        raise
    return items


class _Refused(ValueError):
    def __init__(self, code: str, message: str, span: Span, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.span = span
        self.help = help

    def at(self, source: Source, base: int) -> Diagnostic:
        """The finding, in a source where the text stands at `base`."""
        span = Span(self.span.start + base, self.span.end + base)
        return Diagnostic(self.code, str(self), source, span, help=self.help)


def _syntax_error(source: Source, text: str, base: int, error: UnexpectedInput) -> Diagnostic:
    at, width, rule_form = error.pos_in_stream or 0, 1, False
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            at = len(text.rstrip()) - 1
        width = (error.token.end_pos or 0) - (error.token.start_pos or 0)
        rule_form = "_NL" not in error.accepts
    at = min(max(at, 0), max(len(text) - 1, 0))
    return mistake(source, base + at, width, rule_form=rule_form)


def _span(meta: Meta) -> Span:
    return Span(meta.start_pos, meta.end_pos) if not meta.empty else Span(0, 1)


def _of(token: Token) -> Span:
    start = token.start_pos or 0
    return Span(start, start + len(token))


def _number(token: Token) -> int:
    if len(token) > 6 or int(token) > MAX_COUNT:
        raise _Refused(
            "SL005", f"a count above {MAX_COUNT} is not allowed here", _of(token), _BOUND
        )
    return int(token)


def _comment(token: Token) -> Comment:
    contract = token.startswith("//@")
    return Comment(str(token)[3:].strip(), _of(token), contract, token.line or 1)


@v_args(meta=True)
class _Builder(Transformer[Token, Any]):
    """Turns Lark's parse tree into the classes above."""

    def start(self, meta: Meta, children: list[Any]) -> list[Any]:
        return [child for child in children if not isinstance(child, Token)]

    def _item(self, meta: Meta, children: list[Any]) -> Any:
        return children[0]

    def comment(self, meta: Meta, children: list[Any]) -> Comment:
        return _comment(children[0])

    def rule(self, meta: Meta, children: list[Any]) -> Definition:
        name: Token | None = None
        outside: list[Outside] = []
        trailing: Comment | None = None
        alternatives: tuple[Alternative, ...] = ()
        for child in children:
            if isinstance(child, Token) and child.type == "CONTRACT":
                trailing = _comment(child)
            elif isinstance(child, Token) and child.type in ("RULE", "TERMINAL"):
                name = child
            elif isinstance(child, Outside):
                outside.append(child)
            elif isinstance(child, Tree):
                alternatives = tuple(c for c in child.children if isinstance(c, Alternative))
        assert name is not None
        if trailing:
            last = alternatives[-1]
            alternatives = (*alternatives[:-1], Alternative(last.body, last.span, trailing))
        line = name.line or 1
        return Definition(str(name), _of(name), alternatives, line, outside=tuple(outside))

    terminal = rule

    def parameters(self, meta: Meta, children: list[Any]) -> Outside:
        return Outside("a template", "write the rule out for each use", _span(meta), "SL013")

    def priority(self, meta: Meta, children: list[Any]) -> Outside:
        return Outside("a priority", "make the alternatives disjoint instead", _span(meta), "SL014")

    def alternatives(self, meta: Meta, children: list[Any]) -> Tree[Any]:
        return Tree("alternatives", children)

    def alternative(self, meta: Meta, children: list[Any]) -> Alternative:
        trailing = [_comment(c) for c in children if isinstance(c, Token)]
        return Alternative(children[0], _span(meta), trailing[0] if trailing else None)

    def alias(self, meta: Meta, children: list[Any]) -> None:
        return None  # names a tree in Lark, changes nothing in the language

    def sequence(self, meta: Meta, children: list[Any]) -> Item:
        return children[0] if len(children) == 1 else Sequence(tuple(children), _span(meta))

    def operator(self, meta: Meta, children: list[Any]) -> Repeat:
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[str(children[1])]
        return Repeat(children[0], low, high, _span(meta))

    def exactly(self, meta: Meta, children: list[Any]) -> Repeat:
        count = _number(children[1])
        return Repeat(children[0], count, count, _span(meta))

    def between(self, meta: Meta, children: list[Any]) -> Repeat:
        low, high = _number(children[1]), _number(children[2])
        if high < low:
            raise _Refused(
                "SL005", f"the bound `{low}..{high}` admits nothing", _span(meta), _BOUND
            )
        return Repeat(children[0], low, high, _span(meta))

    def group(self, meta: Meta, children: list[Any]) -> Item:
        options: list[Alternative] = children[0].children
        for contract in (option.contract for option in options if option.contract):
            help_ = "make the group a rule of its own and put the contract there"
            raise _Refused("SL405", "no contract stands in a group", contract.span, help_)
        if len(options) == 1:
            return options[0].body
        return Choice(tuple(o.body for o in options), _span(meta))

    def maybe(self, meta: Meta, children: list[Any]) -> Repeat:
        return Repeat(self.group(meta, children), 0, 1, _span(meta))

    def range(self, meta: Meta, children: list[Any]) -> Item:
        low, high = (self.string(meta, [c]).value for c in children)
        if len(low) != 1 or len(high) != 1 or high < low:
            message = "a range runs from one character to a later one"
            raise _Refused("SL005", message, _span(meta), 'write `"a".."z"`')
        escaped = [f"\\u{ord(c):04x}" for c in (low, high)]
        return Regexp(f"[{escaped[0]}-{escaped[1]}]", "", _span(meta))

    def string(self, meta: Meta, children: list[Any]) -> Literal:
        token: Token = children[0]
        quoted, ignore_case = str(token).removesuffix("i"), token.endswith("i")
        try:
            value = str(json.loads(quoted, strict=False))
            value.encode()  # a lone surrogate cannot be written
        except ValueError:
            message = "this text holds an escape that is not portable"
            help_ = 'use `\\n`, `\\t`, `\\"`, `\\\\`, `\\u0041`, or the character itself'
            raise _Refused("SL006", message, _of(token), help_) from None
        return Literal(value, ignore_case, _of(token))

    def regexp(self, meta: Meta, children: list[Any]) -> Regexp:
        body, _, flags = str(children[0])[1:].rpartition("/")
        return Regexp(body, flags, _of(children[0]))

    def rule_reference(self, meta: Meta, children: list[Any]) -> Reference:
        return Reference(str(children[0]), _of(children[0]))

    terminal_reference = rule_reference

    def template(self, meta: Meta, children: list[Any]) -> Outside:
        return Outside("a template", "write the rule out for each use", _span(meta), "SL013")

    def import_(self, meta: Meta, children: list[Any]) -> Outside:
        name = str(children[0]).strip()
        if name.startswith("common"):
            help_ = "write the terminal out: readers mean different things by some of these"
            return Outside(f"`%import {name}`", help_, _span(meta), "SL011")
        help_ = "write the rules of the other file in this one: most readers see one file alone"
        return Outside(f"`%import {name}`", help_, _span(meta), "SL019")

    def ignore(self, meta: Meta, children: list[Any]) -> Outside:
        help_ = "readers differ on ignored text; write the white space where it stands"
        return Outside("`%ignore`", help_, _span(meta), "SL012")

    def other_statement(self, meta: Meta, children: list[Any]) -> Outside:
        word = str(children[0]).split(" ")[0]
        return Outside(f"`%{word}`", "only rules and terminals are portable", _span(meta))


def _assemble(source: Source, items: list[Any]) -> File:
    """Give each definition the comments directly above it; keep the other blocks apart."""
    definitions: list[Definition] = []
    blocks: list[tuple[tuple[Comment, ...], int]] = []
    outside: list[Outside] = []
    block: list[Comment] = []

    def close() -> None:
        if block:
            blocks.append((tuple(block), len(definitions)))
            block.clear()

    for item in items:
        if isinstance(item, Comment):
            if block and item.line != block[-1].line + 1:
                close()
            block.append(item)
        elif isinstance(item, Definition):
            if block and item.line != block[-1].line + 1:
                close()
            docs = tuple(c for c in block if not c.contract)
            contracts = tuple(c for c in block if c.contract)
            block.clear()
            definitions.append(
                Definition(
                    item.name,
                    item.span,
                    item.alternatives,
                    item.line,
                    docs,
                    contracts,
                    item.outside,
                )
            )
        elif isinstance(item, Outside):
            close()
            outside.append(item)
    close()
    return File(source, tuple(definitions), tuple(blocks), tuple(outside))
