"""A grammar file as a tree: rules, terminals, their documentation and contract lines, with places.

Says nothing about whether the tree makes sense; `analysis` and `space` do.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen
from lark import Lark, Token, Transformer, Tree, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError
from lark.tree import Meta

from statelang.diagnostics import Diagnostic, GrammarError
from statelang.source import Source, Span

MAX_CHARACTERS: Final = 1_000_000
MAX_COUNT: Final = 1_000


@frozen
class Comment:
    """One `///` or `//@` line, without its marker."""

    text: str
    span: Span
    contract: bool
    line: int


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
    """Something Lark knows and the portable profile does not have."""

    what: str
    help: str
    span: Span


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
    text = files("statelang").joinpath("syntax.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def parse(source: Source) -> File:
    """The tree of a grammar file. Raises GrammarError where the text is not Lark notation."""
    if len(source.text) > MAX_CHARACTERS:
        message = (
            f"the file has {len(source.text):,} characters; at most {MAX_CHARACTERS:,} are read"
        )
        raise GrammarError([Diagnostic("SL002", message, source, Span(0, 1))])
    text = source.text.replace("\r\n", " \n")  # same length: places stay true
    try:
        tree = _parser().parse(text + "\n")
        items = _Builder().transform(tree)
    except UnexpectedInput as error:
        raise GrammarError([_syntax_error(source, error)]) from None
    except VisitError as error:
        if isinstance(error.orig_exc, _Refused):
            raise GrammarError(
                [Diagnostic("SL001", str(error.orig_exc), source, error.orig_exc.span)]
            ) from None
        raise
    except RecursionError:
        raise GrammarError(
            [Diagnostic("SL002", "groups are nested too deep to be read", source, Span(0, 1))]
        ) from None
    return _assemble(source, items)


class _Refused(ValueError):
    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


def _syntax_error(source: Source, error: UnexpectedInput) -> Diagnostic:
    at = min(error.pos_in_stream or 0, max(len(source.text) - 1, 0))
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        at = max(len(source.text.rstrip()) - 1, 0)
    rest = source.text[at:].split("\n", 1)[0]
    found = rest.strip()[:30] or "the end of the line"
    message, help_ = f"`{found}` is not expected here", ""
    if rest.lstrip().startswith("|"):
        message = "an alternative stands apart from its rule"
        help_ = "remove what stands between the alternatives; put comments above the rule"
    elif rest.startswith("#"):
        message, help_ = "`#` begins no comment in the portable profile", "write `//`"
    elif re.match(r'\s*"(\\.|[^"\\])*$', rest):
        message, help_ = "this text is never closed", 'end it with `"` on the same line'
    elif isinstance(error, UnexpectedToken) and "_NL" not in error.accepts:
        help_ = "a rule is written `name : item item | item`"
    width = error.token.end_pos - error.token.start_pos if isinstance(error, UnexpectedToken) else 1
    return Diagnostic("SL001", message, source, Span(at, at + max(1, width or 1)), help=help_)


def _span(meta: Meta) -> Span:
    return Span(meta.start_pos, meta.end_pos) if not meta.empty else Span(0, 1)


def _of(token: Token) -> Span:
    start = token.start_pos or 0
    return Span(start, start + len(token))


def _number(token: Token) -> int:
    if len(token) > 6 or int(token) > MAX_COUNT:
        raise _Refused(f"a count above {MAX_COUNT} is not allowed here", _of(token))
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
        return Outside("a template", "write the rule out for each use", _span(meta))

    def priority(self, meta: Meta, children: list[Any]) -> Outside:
        return Outside("a priority", "make the alternatives disjoint instead", _span(meta))

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
            raise _Refused(f"the bound `{low}..{high}` admits nothing", _span(meta))
        return Repeat(children[0], low, high, _span(meta))

    def group(self, meta: Meta, children: list[Any]) -> Item:
        options: list[Alternative] = children[0].children
        if len(options) == 1:
            return options[0].body
        return Choice(tuple(o.body for o in options), _span(meta))

    def maybe(self, meta: Meta, children: list[Any]) -> Repeat:
        return Repeat(self.group(meta, children), 0, 1, _span(meta))

    def range(self, meta: Meta, children: list[Any]) -> Item:
        low, high = (self.string(meta, [c]).value for c in children)
        if len(low) != 1 or len(high) != 1 or high < low:
            raise _Refused("a range runs from one character to a later one", _span(meta))
        escaped = [f"\\u{ord(c):04x}" for c in (low, high)]
        return Regexp(f"[{escaped[0]}-{escaped[1]}]", "", _span(meta))

    def string(self, meta: Meta, children: list[Any]) -> Literal:
        token: Token = children[0]
        quoted, ignore_case = str(token).removesuffix("i"), token.endswith("i")
        try:
            value = str(json.loads(quoted, strict=False))
            value.encode()  # a lone surrogate cannot be written
        except ValueError:
            message = "this text holds an escape that is not portable; use `\\n`, `\\u0041`, ..."
            raise _Refused(message, _of(token)) from None
        return Literal(value, ignore_case, _of(token))

    def regexp(self, meta: Meta, children: list[Any]) -> Regexp:
        body, _, flags = str(children[0])[1:].rpartition("/")
        return Regexp(body, flags, _of(children[0]))

    def rule_reference(self, meta: Meta, children: list[Any]) -> Reference:
        return Reference(str(children[0]), _of(children[0]))

    terminal_reference = rule_reference

    def template(self, meta: Meta, children: list[Any]) -> Outside:
        return Outside("a template", "write the rule out for each use", _span(meta))

    def import_(self, meta: Meta, children: list[Any]) -> Outside:
        return Outside("`%import`", "write the terminal out in this file", _span(meta))

    def ignore(self, meta: Meta, children: list[Any]) -> Outside:
        help_ = "readers differ on ignored text; write the white space where it stands"
        return Outside("`%ignore`", help_, _span(meta))

    def other_statement(self, meta: Meta, children: list[Any]) -> Outside:
        return Outside("this statement", "only rules and terminals are portable", _span(meta))


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
