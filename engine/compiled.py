"""Compiled spaces on disk: the text of a grammar is read once, the program many times.

Reading a text takes 15 to 100 ms, its program about one. A file is named by the SHA-256 of the
text, its name, and the modules that compiled it, so it is never stale. It is a pickle, and reading
a pickle runs what is in it: a file counts only where it and its folder belong to the user and no
one else can write there, and where it is whole; else it is made anew.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from attrs import fields, has

import statelang
from statelang.loader import loads, read
from statelang.space import StateSpace

_DIGEST = sha256().digest_size


def load_cached(name_or_path: str | Path, folder: Path | str | None = None) -> StateSpace:
    """A state space as `statelang.load` gives it, from a file where its text was compiled before.

    Args:
        name_or_path: A shipped name or the path of a grammar file.
        folder: Where the files are; in the user's cache folder if None. One that others may write
            to is not used.

    Raises:
        GrammarError, StatelangError: as `statelang.load` does.
    """
    if folder is None:
        from platformdirs import user_cache_path

        folder = user_cache_path("statelang") / "spaces"
    source = read(name_or_path)
    key = repr((source.name, source.hash, _COMPILER))
    file = Path(folder) / f"{sha256(key.encode()).hexdigest()}.space"
    space = _read(file)
    if space is None:
        space = loads(source.text, source.name)
        _write(file, space)
    return space


_PACKAGES: Final = ("checks", "clauses", "compiling", "language", "regular", "walking")


def _compiler() -> str:
    """The modules of the language as they are now, and the Python that runs them."""
    root = Path(statelang.__file__).parent
    modules = sorted(
        (entry.path, entry.stat().st_size, entry.stat().st_mtime_ns)
        for folder in (root, *(root / name for name in _PACKAGES))
        for entry in os.scandir(folder)
        if entry.name.endswith((".py", ".lark"))
    )
    return sha256(repr((sys.version, modules)).encode()).hexdigest()


_COMPILER: Final = _compiler()  # when they are imported: one that is edited later does not run


def _read(file: Path) -> StateSpace | None:
    """What was written, None where it cannot be trusted or is not whole."""
    try:
        with file.open("rb") as opened:
            if not (_is_own(os.fstat(opened.fileno())) and _is_own(file.parent.stat())):
                return None
            digest, data = opened.read(_DIGEST), opened.read()
    except OSError:
        return None
    if sha256(data).digest() != digest:
        return None
    with suppress(Exception):  # what another release of a library wrote may fail in any way
        space: StateSpace = pickle.loads(data)
        return space
    return None


def _is_own(status: os.stat_result) -> bool:
    """Whether a file is the user's, and no one else may write it. Windows keeps the cache folder
    in the user's profile, and tells no more."""
    return not hasattr(os, "getuid") or (
        status.st_uid == os.getuid() and not status.st_mode & 0o022
    )


def _write(file: Path, space: StateSpace) -> None:
    """Keep a space, whole or not at all; not where nothing can be written."""
    with suppress(OSError, RecursionError):  # a space too deep to write is read from its text
        written = io.BytesIO()
        _Pickler(written, pickle.HIGHEST_PROTOCOL).dump(space)
        data = written.getvalue()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as beside:  # its mode is 0600
            beside.write(sha256(data).digest() + data)
        os.replace(beside.name, file)


class _Pickler(pickle.Pickler):
    """Writes an object as what its class is called with: read in half the time of its state."""

    def reducer_override(self, item: Any) -> Any:
        kind = type(item)
        if not has(kind):
            return NotImplemented
        return kind, tuple(getattr(item, field.name) for field in fields(kind))
