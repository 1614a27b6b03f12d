"""Lines read by several processes, their outcomes in the order of the lines.

Each process is a Python of its own that is spoken to through its standard input and output: unlike
a pool it can be started from any program (threads, tensor libraries, a script without a `main`
guard), and it ends by itself when the one that started it is killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from typing import TypeAlias

import statelang
from statelang import StatelangError
from statelang.training.sources import Outcome, Reader, read_line

Batch = list[tuple[int, bytes]]
"""Lines with their numbers from 1."""

_Worker: TypeAlias = "subprocess.Popen[bytes]"

_MOST = 4  # processes; the one that writes is busy enough then


def available() -> int:
    """How many processes are worth starting here."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, _MOST)


def read_batch(reader: Reader, batch: Batch) -> list[Outcome]:
    """What the lines of a batch give."""
    return [read_line(reader, number, line) for number, line in batch]


def read_batches(
    reader: Reader, batches: Iterator[Batch], processes: int
) -> Generator[list[Outcome], None, None]:
    """What each batch gives, in their order. Never holds more batches than there are processes."""
    if processes < 2:
        yield from (read_batch(reader, batch) for batch in batches)
        return
    with ExitStack() as stack:
        workers = [stack.enter_context(_started(reader)) for _ in range(processes)]
        busy: deque[_Worker] = deque()
        for worker, batch in zip(cycle(workers), batches):
            done = _received(busy.popleft()) if len(busy) == processes else None
            _send(worker, batch)
            busy.append(worker)
            if done is not None:
                yield done
        for worker in busy:
            yield _received(worker)


@contextmanager
def _started(reader: Reader) -> Iterator[_Worker]:
    command = [sys.executable, "-m", "statelang.training.readers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        try:
            text, name = reader.space.source.text, reader.space.source.name
            _send(worker, (text, name, reader.source, reader.reads_gsm8k, reader.seed))
            yield worker
        finally:
            worker.kill()  # it has nothing to put in order
            with suppress(OSError):  # closing writes what it did not live to read
                worker.stdin.close()


def _send(worker: _Worker, value: object) -> None:
    assert worker.stdin is not None
    try:
        pickle.dump(value, worker.stdin)
        worker.stdin.flush()
    except OSError as error:
        raise _ended(worker) from error


def _received(worker: _Worker) -> list[Outcome]:
    assert worker.stdout is not None
    try:
        outcomes: list[Outcome] = pickle.load(worker.stdout)
    except (EOFError, pickle.UnpicklingError) as error:
        raise _ended(worker) from error
    return outcomes


def _ended(worker: _Worker) -> StatelangError:
    return StatelangError(
        f"a process that read lines has ended (exit status {worker.wait()}), perhaps for want of "
        "memory. Nothing was written; run the command again."
    )


def main() -> None:
    """Read a space, then batches until there are no more; write what each gives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that started this ends it
    given, results = sys.stdin.buffer, sys.stdout.buffer
    text, name, source, reads_gsm8k, seed = pickle.load(given)
    reader = Reader(statelang.loads(text, name), source, reads_gsm8k, seed)
    while True:
        try:
            batch: Batch = pickle.load(given)
        except EOFError:
            return
        pickle.dump(read_batch(reader, batch), results)
        results.flush()


if __name__ == "__main__":
    main()
