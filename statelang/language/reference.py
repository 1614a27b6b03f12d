"""The reference page of the contract language, made from its own grammar file.

python -m statelang.language.reference > docs/contracts.md
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from textwrap import fill

from statelang.clauses.functions import FUNCTIONS
from statelang.language.syntax import Definition, File, parse
from statelang.source import Source

_HEAD = """\
# The contract language

<!-- Made by `python -m statelang.language.reference`; change statelang/contracts.lark instead. -->

Contracts are `//@` lines of a grammar file. Other readers of Lark skip them as comments; here they
are parsed by a grammar of their own, typed when the file is loaded, and evaluated exactly. Nothing
in them is ever run as code. Clauses about a rule stand directly above it, in one block with its
`///` lines; clauses about the file stand at its head, with an empty line before the first rule.

A value that is missing (a key, an item, a field of an optional part, a quotient by zero) is
undefined. A condition that is undefined does not hold; a step whose `set` is undefined cannot be
taken.
"""

_SECTIONS = {
    "type": "Types",
    "expression": "Choice",
    "disjunction": "Truth",
    "comparison": "Comparison",
    "sum": "Arithmetic and sets",
    "postfix": "Parts of values",
    "atom": "Values",
}


def page() -> str:
    """The page as Markdown."""
    text = files("statelang.clauses").joinpath("contracts.lark").read_text(encoding="utf-8")
    file = parse(Source(text, "contracts.lark"))
    documented = [d for d in file.definitions if d.docs]
    clauses = [d for d in documented if d.name not in _SECTIONS]
    parts = [_HEAD, "## Clauses", *(_clause(file, d) for d in clauses)]
    parts += ["## Expressions", *(_section(d) for d in documented if d.name in _SECTIONS)]
    parts += ["## Functions", "\n".join(_functions())]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _word(definition: Definition) -> str:
    return definition.name.removesuffix("_of")


def _prose(definition: Definition) -> tuple[str, str]:
    """The text and the example of a documented rule."""
    lines = [comment.text for comment in definition.docs]
    example = [
        line.removeprefix("Example:").strip() for line in lines if line.startswith("Example:")
    ]
    return " ".join(line for line in lines if not line.startswith("Example:")), "".join(example)


def _clause(file: File, definition: Definition) -> str:
    prose, example = _prose(definition)
    form = file.source.line(definition.line).partition(":")[2].strip()
    prose = fill(prose, 100, break_long_words=False, break_on_hyphens=False)
    return f"### `{_word(definition)}`\n\n{prose}\n\n```lark\n{example}\n```\n\nForm: `{form}`"


def _section(definition: Definition) -> str:
    prose = fill(_prose(definition)[0], 100, break_long_words=False, break_on_hyphens=False)
    return f"### {_SECTIONS[definition.name]}\n\n{prose}"


def _functions() -> Iterator[str]:
    yield "| function | what it gives |"
    yield "| --- | --- |"
    for name, function in FUNCTIONS.items():
        kinds = [" or ".join(kind) for kind in function.parameters]
        needed = len(kinds) - function.optional
        shown = ", ".join(kinds[:needed]) + "".join(f"[, {kind}]" for kind in kinds[needed:])
        yield f"| `{name}({shown})` | {function.meaning} |"


if __name__ == "__main__":
    print(page(), end="")
