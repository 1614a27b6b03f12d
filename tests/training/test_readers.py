from __future__ import annotations

import subprocess
from collections.abc import Iterator
from select import select

import pytest

import statelang
from statelang import StatelangError
from statelang.training import readers
from statelang.training.readers import Batch, read_batch, read_batches
from statelang.training.sources import Reader
from tests.training.own import PLAIN, SOCRATIC

READER = Reader(statelang.load("kwai_star"), "own.jsonl", reads_gsm8k=True, seed=5)
LINES = list(enumerate(PLAIN.read_bytes().splitlines() + SOCRATIC.read_bytes().splitlines(), 1))


def batches(size: int) -> Iterator[Batch]:
    return (LINES[at : at + size] for at in range(0, len(LINES), size))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that a test starts."""
    found: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        found.append(popen(*arguments, **options))  # type: ignore[call-overload]
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


@pytest.mark.parametrize("size", [3, 40])
def test_processes_give_what_one_gives_in_order(
    size: int, started: list[subprocess.Popen[bytes]]
) -> None:
    serial = [read_batch(READER, batch) for batch in batches(size)]
    assert list(read_batches(READER, batches(size), 1)) == serial
    assert not started
    assert list(read_batches(READER, batches(size), 3)) == serial
    assert len(started) == 3


def test_no_process_outlives_a_reading_that_is_given_up(
    started: list[subprocess.Popen[bytes]],
) -> None:
    reading = read_batches(READER, batches(5), 2)
    next(reading)
    assert [process.poll() for process in started] == [None, None]
    reading.close()
    assert None not in [process.poll() for process in started]


@pytest.mark.parametrize("answered", [False, True])
def test_error_where_a_process_ends_before_its_time(
    answered: bool, started: list[subprocess.Popen[bytes]]
) -> None:
    """It is found out where its answer is due, or, if that has come, where it is sent more."""
    reading = read_batches(READER, batches(2), 2)
    next(reading)
    for process in started:
        assert process.stdout is not None
        if answered:
            select([process.stdout], [], [])
        process.kill()
        process.wait()
    with pytest.raises(
        StatelangError, match=r"has ended \(exit status -9\).*run the command again"
    ):
        list(reading)


def test_there_is_always_a_process() -> None:
    assert 1 <= readers.available() <= 4
