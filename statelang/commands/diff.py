"""`statelang diff`: how two state spaces differ."""

import argparse
import json
from collections.abc import Iterator

import statelang
from statelang.commands.common import SPACE, Subparsers
from statelang.comparing.changes import Change
from statelang.comparing.difference import Difference, Texts, Trace

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_WIDEST = 100  # characters of a declaration; JSON has all of it


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "diff",
        "compare two state spaces",
        "Say how two state spaces differ: what they declare, a shortest text that one grammar "
        "accepts and the other does not (contracts aside), and, where a few random traces show "
        "one, a legal trace of one space that is none of the other.\n"
        "Exit status: 0 the same, order and layout aside, 1 different, 2 a file could not be read.",
        "statelang diff kwai_star my_kwai_star.lark",
        run,
    )
    parser.add_argument("a", metavar="A", help=SPACE)
    parser.add_argument("b", metavar="B", help="another one")
    parser.add_argument(
        "--format",
        choices=("terminal", "json"),
        default="terminal",
        help="terminal: for reading; json: one object (default: terminal)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the difference."""
    from statelang.comparing.difference import diff

    found = diff(statelang.load(options.a), statelang.load(options.b))
    if options.format == "json":
        print(json.dumps(found.as_dict(), indent=2))
    else:
        print("\n".join(describe(found)))
    return 0 if found.same else 1


def describe(found: Difference) -> Iterator[str]:
    """The difference, line by line."""
    if found.same:
        yield f"{found.a} and {found.b} declare the same"
        return
    yield f"from {found.a} to {found.b}"
    for change in found.changes:
        yield from _change(change)
    yield ""
    if found.same_texts:
        yield "contracts aside, both accept the same texts"
    else:
        yield from _texts(found.a, found.b, found.only_a)
        yield from _texts(found.b, found.a, found.only_b)
    yield from _trace(found.a, found.b, found.legal_a)
    yield from _trace(found.b, found.a, found.legal_b)


def _change(change: Change) -> Iterator[str]:
    text = change.after if change.before is None else change.before
    if change.what == "changed":
        yield f"  ~ {change.kind} {change.name}".rstrip()
        yield f"      - {_cut(change.before)}".rstrip()
        yield f"      + {_cut(change.after)}".rstrip()
    else:
        name = f"{change.kind} {change.name}".rstrip()
        yield f"  {_SIGNS[change.what]} {name}{': ' if text else ''}{_cut(text)}"


def _cut(text: str | None) -> str:
    line = " ".join((text or "").split("\n"))
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def _texts(own: str, other: str, texts: Texts) -> Iterator[str]:
    if texts.shortest is not None:
        yield f"contracts aside, a shortest text of {own} that {other} does not accept:"
        yield from _quoted(texts.shortest)
    elif texts.below is None:
        yield f"contracts aside, every text of {own} is one of {other}"
    else:
        yield (
            f"contracts aside, every text of {own} below {texts.below} bytes is one of {other}; "
            "longer ones were not looked at"
        )


def _trace(own: str, other: str, trace: Trace | None) -> Iterator[str]:
    if trace:
        why = "does not parse" if trace.broken == "grammar" else f"breaks `{trace.broken}`"
        yield f"a legal trace of {own}, which in {other} {why}:"
        yield from _quoted(trace.text)


def _quoted(text: str) -> Iterator[str]:
    yield from (f"    {line}" for line in text.removesuffix("\n").split("\n"))
