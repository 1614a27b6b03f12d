"""Rows and pairs, and the JSON lines they are kept in.

A row is a right trace with its prompt; a pair is two traces of one problem, one preferred. Knows
neither how rows come about nor who trains on them.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from attrs import asdict, field, fields, frozen
from attrs.validators import instance_of

from statelang.diagnostics import StatelangError

SFT = "sft.jsonl"
DPO = "dpo.jsonl"
REFUSED = "refused.jsonl"
MANIFEST = "manifest.json"

Span = tuple[int, int]
"""Where a part of a trace starts and ends, in characters from 0, the end not included."""

_text = instance_of(str)
_object = instance_of(dict)


def _spans(spans: Iterable[Iterable[int]]) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in spans)


def _side_spans(sides: Mapping[str, Iterable[Iterable[int]]]) -> dict[str, tuple[Span, ...]]:
    return {side: _spans(spans) for side, spans in sides.items()}


@frozen
class Row:
    """A right trace: `completion` is the whole trace after `prompt`, without a stop token.

    `problem` has `id`, `question`, `answer` where there is a gold answer, and the space's inputs.
    `checked` says whether every step of the trace was checked. The characters of `completion`
    in `no_loss` carry no loss.
    """

    prompt: str = field(validator=_text)
    completion: str = field(validator=_text)
    problem: Mapping[str, Any] = field(validator=_object)
    grammar: str = field(validator=_text)
    grammar_hash: str = field(validator=_text)
    verdict: Mapping[str, bool | None] = field(validator=_object)
    checked: bool = field(validator=instance_of(bool))
    no_loss: tuple[Span, ...] = field(default=(), converter=_spans)


@frozen
class Pair:
    """Two traces of one problem, `chosen` preferred to `rejected`.

    `kind` is `content` where both sides are grammatical and one is right, `form` where the
    rejected side is one edit from the chosen one; `rule` is the rule that the rejected side
    breaks. `verdicts` and `no_loss` are by side.
    """

    prompt: str = field(validator=_text)
    chosen: str = field(validator=_text)
    rejected: str = field(validator=_text)
    problem: Mapping[str, Any] = field(validator=_object)
    grammar: str = field(validator=_text)
    grammar_hash: str = field(validator=_text)
    verdicts: Mapping[str, Mapping[str, bool | None]] = field(validator=_object)
    kind: str = field(validator=_text)
    rule: str | None = field(validator=instance_of((str, type(None))))
    no_loss: Mapping[str, tuple[Span, ...]] = field(converter=_side_spans)


_Kind = TypeVar("_Kind", Row, Pair)


def as_line(value: Row | Pair | Mapping[str, Any]) -> str:
    """One JSON line, its line end included."""
    plain = dict(value) if isinstance(value, Mapping) else asdict(value)
    return json.dumps(plain, ensure_ascii=False) + "\n"


def read_rows(folder: Path | str, grammar_hash: str | None = None) -> Iterator[Row]:
    """The rows that `statelang data` wrote into a folder, one after the other.

    Raises:
        StatelangError: the file cannot be read, a line is no row, or a row was made with another
            grammar than `grammar_hash`, or than the first row where no hash is given.
    """
    for place, value in _read(Path(folder) / SFT):
        row = _made(Row, value, place)
        grammar_hash = _same_grammar(row, grammar_hash, place)
        yield row


def read_pairs(folder: Path | str, grammar_hash: str | None = None) -> Iterator[Pair]:
    """The pairs that `statelang data` wrote into a folder; raises as `read_rows` does."""
    for place, value in _read(Path(folder) / DPO):
        pair = _made(Pair, value, place)
        grammar_hash = _same_grammar(pair, grammar_hash, place)
        yield pair


def refuse_other_grammar(folder: Path | str, grammar_hash: str) -> None:
    """Raise StatelangError where a folder holds rows or pairs of another grammar."""
    for name, read in ((SFT, read_rows), (DPO, read_pairs)):
        if (Path(folder) / name).exists():
            next(iter(read(folder, grammar_hash)), None)


def _same_grammar(value: Row | Pair, grammar_hash: str | None, place: str) -> str:
    if grammar_hash is None or value.grammar_hash == grammar_hash:
        return value.grammar_hash
    raise StatelangError(
        f"{place} was made with another grammar: it names `{value.grammar}` with hash "
        f"{value.grammar_hash[:12]}, and the grammar in use has {grammar_hash[:12]}. Rows are only "
        "good for the grammar that checked them: make them again in another folder, or use the "
        "grammar file that they were made with."
    )


def _read(path: Path) -> Iterator[tuple[str, Any]]:
    """Each line's place (`file:line`) and JSON value; blank lines are skipped."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield f"{path}:{number}", json.loads(line.decode("utf-8"))
    except OSError as error:
        raise StatelangError(
            f"{path} cannot be read: {error.strerror}. Rows and pairs are made by "
            "`statelang data SPACE FILE --out FOLDER`."
        ) from error
    except (ValueError, RecursionError) as error:
        raise StatelangError(
            f"{path}:{number} is not a line of JSON in UTF-8: {error}. Make the file again with "
            "`statelang data`."
        ) from error


def _made(kind: type[_Kind], value: Any, place: str) -> _Kind:
    """A row or pair from its JSON object; keys that are not its own are left out."""
    try:
        return kind(**{attribute.name: value[attribute.name] for attribute in fields(kind)})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else error.args[0]
        raise StatelangError(
            f"{place} is no {kind.__name__.lower()}: {what}. Make the file again with "
            "`statelang data`."
        ) from error


@contextmanager
def writing(folder: Path | str, names: Iterable[str]) -> Iterator[dict[str, TextIO]]:
    """Files by name, open for writing, that replace those of a folder together at the end.

    Where the block raises, the folder keeps the files it had.

    Raises:
        StatelangError: the folder cannot be made or written.
    """
    folder = Path(folder)
    temporary: dict[str, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            files: dict[str, TextIO] = {}
            for name in names:
                handle, temporary[name] = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
                files[name] = stack.enter_context(
                    os.fdopen(handle, "w", encoding="utf-8", newline="\n")
                )
            yield files
        for name, path in temporary.items():
            os.chmod(path, 0o666 & ~_umask())
            os.replace(path, folder / name)
    except OSError as error:
        raise StatelangError(
            f"{folder} cannot be written: {error.strerror}. Give a folder that can be made or "
            "written with --out."
        ) from error
    finally:
        for path in temporary.values():
            Path(path).unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask: files made by `mkstemp` ignore it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
