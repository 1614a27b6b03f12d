"""`statelang migrate`: carry the traces of a file over to a changed grammar."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import statelang
from statelang.commands.common import SPACE, Subparsers, json_lines, problem_of
from statelang.diagnostics import StatelangError

if TYPE_CHECKING:
    from statelang.space import StateSpace
    from statelang.traces.renaming import Migrator

_TRACES = ("text", "completion", "chosen", "rejected")  # columns that hold a trace


def add(verbs: Subparsers) -> None:
    """Declare the verb."""
    parser = verbs.add(
        "migrate",
        "carry traces over to a grammar with other names",
        "With OLD and NEW: read each trace of a JSON lines file by the grammar OLD and write it by "
        "the grammar NEW, whose actions, states, parts and literals may have other names and "
        "texts. An action becomes the one of the same name, the one that --rename says, or the "
        "only new one whose payload has the same shape. What stands in the fields is kept.\n"
        "With one grammar: rename actions and states in the grammar file itself, the tags of an "
        "action's name included, and in the traces.\n"
        'Traces are the columns "text", "completion", "chosen" and "rejected"; the columns '
        '"grammar", "grammar_hash" and "no_loss" follow, the others stay. A trace must have the '
        "same verdict as before. FILE is replaced once everything is written; lines that cannot be "
        "carried over go to FILE.refused, each with its reason.\n"
        "Exit status: 0 every line was carried over, 1 some were not, 2 something could not be "
        "read.",
        "statelang migrate old.lark new.lark traces.jsonl --rename solve=work",
        run,
    )
    parser.add_argument("old", metavar="OLD", help=SPACE)
    parser.add_argument("new", metavar="NEW", nargs="?", help="the same, for the changed grammar")
    parser.add_argument("file", metavar="FILE", help="a JSON lines file, which is replaced")
    parser.add_argument(
        "--rename",
        type=_rename,
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="an action or a state and its new name; may be given several times",
    )


def _rename(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise argparse.ArgumentTypeError(f"{text} is not written old=new")
    return old, new


def run(options: argparse.Namespace) -> int:
    """Write the file anew, and beside it what is refused."""
    from statelang.traces.refactoring import renamed
    from statelang.traces.renaming import Migrator

    renames, file = dict(options.rename), Path(options.file)
    old = statelang.load(options.old)
    if options.new is not None:
        new = statelang.load(options.new)
    elif not renames or options.old in statelang.shipped():
        raise StatelangError(
            "give a second grammar, or the path of a grammar file and what to --rename in it"
        )
    else:
        new = renamed(old, renames)
    refused = Path(f"{options.file}.refused")
    if refused.exists():
        raise StatelangError(f"{refused} is there from an earlier run. Move it away first.")
    migrator = Migrator(old, new, renames)
    moved = kept = 0
    with _replacing((file, refused)) as (out, rest):
        for place, row in json_lines(options.file):
            try:
                line = _carried(migrator, row, problem_of(row, place))
            except StatelangError as error:
                kept += 1
                print(f"statelang: {place}: {error}", file=sys.stderr)
                rest.write(json.dumps({**row, "reason": str(error)}, ensure_ascii=False) + "\n")
                continue
            moved += 1
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    if not kept:
        refused.unlink()
    if options.new is None:
        with _replacing((Path(options.old),)) as (grammar,):
            grammar.write(new.source.text)
    print(f"{moved:,} lines carried over, {kept:,} refused")
    return 1 if kept else 0


def _carried(
    migrator: Migrator, row: dict[str, Any], problem: dict[str, Any] | None
) -> dict[str, Any]:
    """A row of the new grammar. Raises StatelangError."""
    if row.get("grammar_hash", migrator.old.hash) != migrator.old.hash:
        raise StatelangError(f"it was made with another grammar than {migrator.old.source.name}")
    columns = [column for column in _TRACES if isinstance(row.get(column), str)]
    if not columns:
        raise StatelangError(f"it holds no trace in any of the columns {', '.join(_TRACES)}")
    found = {column: migrator.migrate(row[column], problem) for column in columns}
    row = {**row, **{column: moved.text for column, moved in found.items()}}
    row |= _identity(migrator.new, row)
    no_loss = row.get("no_loss")
    if isinstance(no_loss, dict):
        row["no_loss"] = {
            side: [[found[side].place(place) for place in span] for span in spans]
            for side, spans in no_loss.items()
        }
    elif no_loss and "completion" in found:
        place = found["completion"].place
        row["no_loss"] = [[place(offset) for offset in span] for span in no_loss]
    return row


def _identity(space: StateSpace, row: dict[str, Any]) -> dict[str, str]:
    """Name and hash of the grammar, where a row had them."""
    own = {"grammar": space.name, "grammar_hash": space.hash}
    return {column: value for column, value in own.items() if column in row}


@contextmanager
def _replacing(paths: Iterable[Path]) -> Iterator[list[TextIO]]:
    """Files written beside their places, and put there when all are complete."""
    written: list[tuple[str, Path, TextIO]] = []
    try:
        for path in paths:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            written.append((name, path, os.fdopen(handle, "w", encoding="utf-8", newline="\n")))
        yield [stream for _, _, stream in written]
        for name, path, stream in written:
            stream.close()
            if path.exists():
                os.chmod(name, path.stat().st_mode)
        for name, path, _ in reversed(written):  # what is refused first: nothing is ever lost
            os.replace(name, path)
    finally:
        for name, _, stream in written:
            stream.close()
            Path(name).unlink(missing_ok=True)
