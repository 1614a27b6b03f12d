"""Feeds inputs to the readers under limits; `python -m tests.fuzz.run FIRST_SEED SEEDS`.

Prints one line for each input that is not refused as it should be, and how many were tried. The
time of an input is the processor's, so that a loaded machine changes nothing.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType
from typing import Final

import statelang
from statelang.clauses.parsing import ContractError, parse
from statelang.diagnostics import StatelangError
from tests.fuzz.inputs import HOSTILE, fuzzed

SECONDS: Final = 6.0  # of the processor, for one input; the slowest hostile one takes 2
MEMORY: Final = 1 << 30  # above what the imports take


class TooSlow(BaseException):
    """An input took longer than it may."""


def _too_slow(signal: int, frame: FrameType | None) -> None:
    raise TooSlow


def limit() -> None:
    """Bound memory, and interrupt what takes too long."""
    # Not from `getrusage`: a child's peak there begins with that of the process that started it.
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    signal.signal(signal.SIGVTALRM, _too_slow)


def outcome(reader: str, data: bytes, folder: Path) -> str:
    """`loaded`, `refused`, or what went wrong."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        return _read(reader, data, folder)
    except TooSlow:
        return "too slow: " + traceback.format_exc(limit=-3).replace("\n", " ")
    except MemoryError:
        return "too large"
    except Exception as error:
        return f"{type(error).__name__}: {error} " + traceback.format_exc(limit=-3)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _read(reader: str, data: bytes, folder: Path) -> str:
    if reader == "clause":
        try:
            parse(data.decode(errors="replace"))
        except ContractError:
            return "refused"
        return "loaded"
    if reader == "file":
        path = folder / "input.lark"
        path.write_bytes(data)
        try:
            statelang.load(path)
        except StatelangError:
            return "refused"
        return "loaded"
    text = data.decode(errors="replace")
    try:
        found = statelang.check(text)
        assert all(
            0 <= f.span.start and f.line >= 1 and f.column >= 1 and f.render() for f in found
        )
        statelang.loads(text)
    except StatelangError:  # a GrammarError, or from `check` where one line is taken for a path
        return "refused"
    return "loaded"


def hostile() -> None:
    """Print what came of each hostile input, as one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        found = {n: outcome("text", t.encode(), Path(folder)) for n, t in HOSTILE.items()}
    print(json.dumps(found))


def main(first: int, seeds: int) -> None:
    """Try seed after seed."""
    loaded = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + seeds):
            found = outcome(*fuzzed(seed), Path(folder))
            loaded += found == "loaded"
            if found not in ("loaded", "refused"):
                print(f"seed {seed}: {found}", flush=True)
    print(f"loaded {loaded}", flush=True)


if __name__ == "__main__":
    limit()
    if sys.argv[1:] == ["hostile"]:
        hostile()
    else:
        main(int(sys.argv[1]), int(sys.argv[2]))
