"""`statelang data`: a file of problems or traces -> a folder of rows, pairs and refusals.

Reads and writes line by line. Every row and pair has been validated by the engine; the four files
of the folder are replaced together at the end. Knows nothing of training.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from attrs import asdict, frozen

import statelang
from statelang import StatelangError, StateSpace
from statelang.training.readers import Batch, available, read_batches
from statelang.training.rows import (
    DPO,
    MANIFEST,
    REFUSED,
    SFT,
    as_line,
    refuse_other_grammar,
    writing,
)
from statelang.training.sources import NO_READER, Outcome, Reader

_BATCH = 100  # lines that one process reads at a time
_SHOWN = 500  # lines between two reports, a multiple of _BATCH
_FEW = 500  # lines that one process reads faster than others are started
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


def print_progress(text: str) -> None:
    """Show progress as plain lines on stderr."""
    print(text, file=sys.stderr, flush=True)


def make_data(
    space: StateSpace,
    file: Path | str,
    out: Path | str,
    *,
    seed: int = 0,
    progress: Callable[[str], None] = print_progress,
) -> dict[str, Any]:
    """Turn a file into `sft.jsonl`, `dpo.jsonl`, `refused.jsonl` and `manifest.json` in `out`.

    Gives the manifest. A line that cannot be used is a refusal, never an error; the same file,
    space and seed give the same bytes.

    Raises:
        StatelangError: the file is missing, empty or not UTF-8, no line of it has a form that the
            space can read, or `out` cannot be written or holds another grammar's rows.
    """
    file = Path(file)
    source = _examined(file)
    refuse_other_grammar(out, space.hash)
    reads_gsm8k = space.name == "kwai_star" or space.hash == statelang.load("kwai_star").hash
    reader = Reader(space, file.name, reads_gsm8k, seed)
    counts: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    processes = available() if source.lines > _FEW else 1
    batches = _batches(file)
    with (
        writing(out, (SFT, DPO, REFUSED, MANIFEST)) as files,
        closing(read_batches(reader, batches, processes)) as results,
    ):
        for outcomes in results:
            for outcome in outcomes:
                _write(outcome, files, counts, refusals)
            if counts["lines"] % _SHOWN == 0 or counts["lines"] == source.lines:
                progress(_report(counts, source.lines))
        if refusals[NO_READER] and refusals[NO_READER] == counts["lines"]:
            raise StatelangError(
                f"{file} holds questions and answers, and there is no reader for this form in "
                f"space {space.name}. Give rows with `prompt` and `completion`, the completion "
                f"a trace of {space.name}, or use the space kwai_star."
            )
        manifest = _manifest(reader, source, counts, refusals)
        files[MANIFEST].write(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
    return manifest


@frozen
class _Source:
    """An input file: its name, the sha256 of its bytes, how many lines are not blank."""

    file: str
    sha256: str
    lines: int


def _examined(file: Path) -> _Source:
    digest, lines, readable, start = sha256(), 0, 0, b""
    for raw in _raw_lines(file):
        start = start or raw[:2]
        digest.update(raw)
        if raw.strip():
            lines += 1
            readable += _is_utf8(raw)
    if not lines:
        raise StatelangError(
            f"{file} is empty. Give a file of JSON lines, each with `prompt` and `completion`, or "
            "with `question` and `answer`."
        )
    if not readable or start in _UTF16:
        raise StatelangError(f"{file} is not UTF-8 text. Give a file of JSON lines saved as UTF-8.")
    return _Source(file.name, digest.hexdigest(), lines)


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1."""
    for number, raw in enumerate(_raw_lines(file), start=1):
        line = raw.removeprefix(_UTF8_MARK) if number == 1 else raw
        if line.strip():
            yield number, line


def _raw_lines(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as lines:
            yield from lines
    except OSError as error:
        raise StatelangError(
            f"{file} cannot be read: {error.strerror}. Give a file of JSON lines."
        ) from error


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _batches(file: Path) -> Iterator[Batch]:
    lines = _lines(file)
    while batch := list(islice(lines, _BATCH)):
        yield batch


def _write(
    outcome: Outcome, files: dict[str, TextIO], counts: Counter[str], refusals: Counter[str]
) -> None:
    counts["lines"] += 1
    if outcome.row is not None:
        files[SFT].write(as_line(outcome.row))
        counts["rows"] += 1
        counts["rows_checked"] += outcome.row.checked
    if outcome.pair is not None:
        files[DPO].write(as_line(outcome.pair))
        counts["pairs"] += 1
        counts[f"pairs_{outcome.pair.kind}"] += 1
    if outcome.refusal is not None:
        files[REFUSED].write(as_line(asdict(outcome.refusal)))
        counts["refused"] += 1
        refusals[outcome.refusal.reason] += 1


def _report(counts: Counter[str], lines: int) -> str:
    return (
        f"data: {counts['lines']:,} of {lines:,} lines, {counts['rows']:,} rows, "
        f"{counts['pairs']:,} pairs, {counts['refused']:,} refused"
    )


def _manifest(
    reader: Reader, source: _Source, counts: Counter[str], refusals: Counter[str]
) -> dict[str, Any]:
    kinds = ("lines", "rows", "rows_checked", "pairs", "pairs_content", "pairs_form", "refused")
    return {
        "grammar": reader.space.name,
        "grammar_hash": reader.space.hash,
        "source": {"file": source.file, "sha256": source.sha256},
        "seed": reader.seed,
        "counts": {kind: counts[kind] for kind in kinds},
        "refusals": dict(sorted(refusals.items())),
    }
