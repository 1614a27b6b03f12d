"""From the text of a contract clause to its tree, and what is said where there is none."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from statelang.clauses.values import NUMBER, TEXT, Type, record_of
from statelang.readers import reader

Node = Tree[Token]
_MAX_CLAUSE: Final = 2_000
_MAX_DEPTH: Final = 60
CLAUSES: Final = {
    "ghost": "write `ghost NAME: TYPE = VALUE` or `ghost kept NAME: TYPE = VALUE`",
    "input": "write `input NAME: TYPE` or `input hidden NAME: TYPE`",
    "answer": "write `answer ACTION.FIELD as number` (or `text`, `choice`, `rows`, `ordered rows`)",
    "limit": "write `limit ACTION 3`",
    "depth": "write `depth 5` above a rule that is in itself",
    "invariant": "write `invariant CONDITION`",
    "requires": "write `requires CONDITION`",
    "checks": "write `checks CONDITION`",
    "set": "write `set REGISTER = VALUE`",
    "writes": "write `writes FIELD = FUNCTION(VALUE, ...)`",
    "mark": "write `mark FIELD`",
    "restore": "write `restore FIELD`",
    "type": "write `type number` or `type text`",
}
FILE_CLAUSES: Final = ("ghost", "input", "answer", "limit", "invariant")  # of no rule


class ContractError(Exception):
    """A clause that cannot be read, resolved or typed; offsets are within the clause's text."""

    def __init__(self, code: str, message: str, start: int, end: int, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.start = start
        self.end = end
        self.help = help


@cache
def _parser() -> Lark:
    text = files("statelang.clauses").joinpath("contracts.lark").read_text(encoding="utf-8")
    return reader(text, start="clause", propagate_positions=True, maybe_placeholders=False)


def parse(text: str) -> Node:
    """The tree of one clause. Raises ContractError (SL401)."""
    if len(text) > _MAX_CLAUSE:
        raise ContractError("SL401", "the clause is too long to be read", 0, len(text))
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        at = min(error.pos_in_stream if error.pos_in_stream is not None else 0, len(text))
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            at = len(text)
        found = (text[at:].split(None, 1) or ["the end"])[0][:20]
        word = (text.split(None, 1) or [""])[0]
        if word not in CLAUSES:
            known = ", ".join(f"`{clause}`" for clause in CLAUSES)
            raise ContractError(
                "SL400", f"`{word}` is not a clause", 0, len(word), f"clauses are {known}"
            ) from None
        raise ContractError(
            "SL401",
            f"`{found}` is not expected here",
            at,
            min(at + len(found), len(text)),
            CLAUSES[word],
        ) from None
    if _depth(tree) > _MAX_DEPTH:
        raise ContractError("SL401", "the clause is nested too deep", 0, len(text))
    return tree


def _depth(tree: Node) -> int:
    deepest, todo = 0, [(tree, 1)]
    while todo:
        node, depth = todo.pop()
        deepest = max(deepest, depth)
        todo += [(child, depth + 1) for child in node.children if isinstance(child, Tree)]
    return deepest


def read_type(node: Node) -> Type:
    """A type as written. Raises ContractError (SL402)."""
    if node.data == "record_type":
        parts: dict[str, Type] = {}
        for part in node.children:
            key, type = part.children  # type: ignore[union-attr]
            if str(key) in parts:
                raise wrong(key, "SL402", f"the record has two fields `{key}`", "rename one")
            parts[str(key)] = read_type(type)  # type: ignore[arg-type]
        return record_of(parts)
    name, *arguments = node.children
    inner = tuple(read_type(a) for a in arguments if isinstance(a, Tree))
    arity = {"text": 0, "number": 0, "truth": 0, "set": 1, "list": 1, "map": 2}
    if arity.get(str(name)) != len(inner):
        raise wrong(
            node,
            "SL402",
            f"`{name}` with {len(inner)} parameters is not a type",
            "types are `text`, `number`, `truth`, `set[T]`, `list[T]`, `map[K, V]`, "
            "`{name: T, ...}`",
        )
    if name in ("set", "map") and inner[0] not in (TEXT, NUMBER):
        raise wrong(node, "SL402", f"a `{name}` holds texts or numbers, not `{inner[0]}`", "")
    return Type(str(name), inner)


def wrong(node: Any, code: str, message: str, help: str) -> ContractError:
    """An error at a place of a clause's tree."""
    if isinstance(node, Token):
        return ContractError(code, message, node.start_pos or 0, node.end_pos or 1, help)
    meta = node.meta
    if meta.empty:
        return ContractError(code, message, 0, 1, help)
    return ContractError(code, message, meta.start_pos, meta.end_pos, help)
