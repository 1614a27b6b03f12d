"""A file of generated traces that a run which was broken off goes on with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from statelang.diagnostics import StatelangError


def held(file: Path, run: Mapping[str, Any], problems: Sequence[Mapping[str, Any]]) -> int:
    """How many of a run's traces a file holds. A last line that was cut short is taken away.

    Args:
        file: JSON lines, each with the keys of `run` and its `problem`; it may be absent.
        run: What the traces were drawn with, `grammar` and `grammar_hash` among it.
        problems: Those of the run, in order.

    Raises:
        StatelangError: the file holds something else: another grammar's traces above all.
    """
    if not file.is_file():
        return 0
    data = file.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.splitlines()
    if len(lines) > len(problems):
        raise StatelangError(
            f"{file} holds {len(lines)} traces, and {len(problems)} are asked for; choose another "
            "--out, or remove the file."
        )
    for number, (line, problem) in enumerate(zip(lines, problems, strict=False), 1):
        _compare(f"{file} line {number}", _read(file, number, line), run, problem)
    if len(whole) < len(data):
        with file.open("r+b") as cut:
            cut.truncate(len(whole))
    return len(lines)


def _read(file: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise StatelangError(
            f"{file} line {number} is not JSON ({error}), so the run cannot go on; choose another "
            "--out, or remove the file."
        ) from error
    return found if isinstance(found, dict) else {}


def _compare(
    place: str, found: Mapping[str, Any], run: Mapping[str, Any], problem: Mapping[str, Any]
) -> None:
    wanted = json.loads(json.dumps({**run, "problem": _shown(problem)}))
    for key in wanted:
        if found.get(key) != wanted[key]:
            raise StatelangError(
                f"{place} was written with another {key} ({str(found.get(key))[:80]}, now "
                f"{str(wanted[key])[:80]}). Start the run with the same to go on with it, choose "
                "another --out, or remove the file."
            )


def _shown(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in problem.items() if key != "prompt"}
