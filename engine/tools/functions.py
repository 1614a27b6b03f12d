"""Functions for `writes` clauses: exact arithmetic, Python programs, queries on a database.

Each takes texts and gives a text; what fails gives a text that begins with `error:`, so that a
space can have a transition for it. Programs and queries come from a model and are run in a child
process without rights (`confined`). Their `seconds` are of CPU time, so that on a busy machine a
verdict, for which they are run again, comes out as before; what only waits is stopped after ten
times as long.
"""

from __future__ import annotations

import json
import platform
import selectors
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from attrs import frozen

from statelang.clauses import arithmetic as text_arithmetic
from statelang.clauses.values import Undefined, spell
from statelang.diagnostics import StatelangError

_SCRIPT: Final = Path(__file__).with_name("confined.py").resolve()
_PATIENCE: Final = 10  # seconds on the clock for a second of CPU time
_CONFINED: Final = (platform.system(), platform.machine()) == ("Linux", "x86_64")


def arithmetic(text: str) -> str:
    """What a text of arithmetic comes to, exactly.

    >>> arithmetic("(3 + 4) / 8")
    '0.875'
    >>> arithmetic("1 / 0")
    'error: division by zero'
    """
    try:
        return spell(text_arithmetic.value(text, {}))
    except Undefined as undefined:
        return f"error: {undefined}"


@frozen
class Python:
    """Runs a program in a process of its own; gives what it prints.

    The program may use the standard library and nothing else: it writes no file, reads none, has no
    network and starts no process. A program that takes more than `seconds` of CPU time, more than
    `memory` bytes, or prints more than `characters` is stopped.
    """

    seconds: int = 2
    memory: int = 256 * 2**20
    characters: int = 1_000

    def __call__(self, code: str) -> str:
        """What the program prints, without the line end. Raises StatelangError off Linux."""
        return _run("python", {"code": code}, (), self.seconds, self.memory, self.characters)


@frozen
class Sqlite:
    """Answers queries on an SQLite database, only reading: rows are lines of cells between `|`.

    A database that others write meanwhile is read as of its last commit, in WAL mode too. Nothing
    is written beside it, not even what SQLite itself would.

    Cells are written as they are. Where one may hold `|`, a line end or, first in the answer,
    `error:`, a query tells it apart with SQLite's function `quote`: `select quote(name) from t`.
    """

    path: Path
    seconds: int = 2
    memory: int = 256 * 2**20
    rows: int = 100
    characters: int = 10_000

    def __call__(self, query: str) -> str:
        """The rows of a query. Raises StatelangError where there is no database."""
        if not self.path.is_file():
            raise StatelangError(
                f"there is no database {self.path}; give the path of an SQLite one"
            )
        path = self.path.resolve()  # the child runs in another folder
        beside = tuple(f"{path}{end}" for end in ("-journal", "-wal", "-shm"))
        request = {"query": query, "uri": f"{path.as_uri()}?{_mode(path)}", "rows": self.rows}
        files = (str(path), *beside)
        return _run("sql", request, files, self.seconds, self.memory, self.characters)


def _mode(path: Path) -> str:
    """How SQLite opens a database that it must not write beside. Raises StatelangError.

    In WAL mode (byte 18 of the file, https://sqlite.org/fileformat.html) a reader needs the file
    `-shm` beside the log and would make it; where there is no log, the file alone is the database.
    """
    wal, shm = (path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm"))
    with path.open("rb") as file:
        is_wal = file.read(20)[18:19] == b"\2"
    if is_wal and not (wal.exists() and wal.stat().st_size):
        return "mode=ro&immutable=1"
    if is_wal and not shm.exists():
        raise StatelangError(
            f"{path} has a log of changes, {wal.name}, without {shm.name}, so it cannot be read "
            f"without being written to; have it written back: sqlite3 {path.name} "
            '"pragma wal_checkpoint(truncate)"'
        )
    return "mode=ro"


def _run(
    kind: str,
    request: dict[str, Any],
    readable: tuple[str, ...],
    seconds: int,
    memory: int,
    characters: int,
) -> str:
    if not _CONFINED:
        raise StatelangError(
            "tools that run a model's programs need Landlock and seccomp, that is Linux on x86-64; "
            "give a function of your own for this clause"
        )
    request |= {"readable": [*readable, *_library()], "seconds": seconds, "memory": memory}
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SCRIPT), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": "0"},
        cwd="/",
        start_new_session=True,
    )
    with child:
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(json.dumps(request).encode())
            child.stdin.close()
            said = b"".join(_read(child.stdout, seconds * _PATIENCE, 4 * characters))
            if not said.endswith((_TOO_LATE, _TOO_MUCH)):
                child.wait(timeout=seconds * _PATIENCE)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            said = _TOO_LATE
        finally:
            child.kill()
    return _answer(said, child.returncode, seconds, characters)


def _read(stream: IO[bytes], seconds: int, most: int) -> Iterator[bytes]:
    """What comes until the stream ends, the time is over, or there is too much."""
    until, left = time.monotonic() + seconds, most + 1
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while left > 0 and selector.select(max(until - time.monotonic(), 0)):
            part = stream.read1(left)  # type: ignore[attr-defined]
            if not part:
                return
            left -= len(part)
            yield part
    yield _TOO_LATE if left > 0 else _TOO_MUCH


_TOO_LATE: Final = b"\xff late"  # no text ends so: it is not UTF-8
_TOO_MUCH: Final = b"\xff much"


def _answer(said: bytes, status: int, seconds: int, characters: int) -> str:
    if said.endswith(_TOO_LATE) or status == -signal.SIGXCPU:
        return f"error: no answer within {seconds} s"
    text = said.decode(errors="replace")
    if said.endswith(_TOO_MUCH) or len(text) > characters:
        return f"error: more than {characters} characters"
    if status:
        return "error: the program broke off"
    return text.rstrip("\n")


def _library() -> tuple[str, ...]:
    """Where the standard library is, and what it links to."""
    paths = sysconfig.get_paths()
    return (paths["stdlib"], paths["platstdlib"], "/lib", "/lib64", "/usr/lib")
