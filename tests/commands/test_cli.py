"""The command line as a whole: help, and what happens when a verb cannot go on."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from statelang import StatelangError
from statelang.cli import main, parser
from statelang.commands import show

VERBS = "check show walk validate data train generate eval report quickstart".split()


def parsers(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of its verbs, all the way down."""
    yield top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


def test_every_verb_has_help_with_an_example() -> None:
    """`--help` says what a verb is for and shows a command that its own parser accepts."""
    found = list(parsers(parser()))
    assert {f"statelang {verb}" for verb in VERBS} <= {one.prog for one in found}
    for one in found:
        assert one.description
        assert one.epilog is not None and one.epilog.startswith("example")
        for line in one.epilog.splitlines()[1:]:
            for command in line.split(" | "):
                program, *arguments = command.replace('"..."', "?").split()
                assert "statelang" == program
                parser().parse_args(arguments)


@pytest.mark.parametrize("arguments", [[verb, "--help"] for verb in VERBS] + [["--help"]])
def test_help_is_exit_status_0(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help is printed, not an error."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert 0 == stopped.value.code
    assert "example" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is printed."""
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert 0 == stopped.value.code
    assert capsys.readouterr().out.startswith("statelang ")


@pytest.mark.parametrize("arguments", [[], ["sho"], ["show"], ["train", "kwai_star"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What the command line does not have is exit status 2 with the usage."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert 2 == stopped.value.code
    assert "usage: statelang" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (StatelangError("the lamp is missing; buy one"), 2, "the lamp is missing; buy one"),
        (KeyboardInterrupt(), 130, "interrupted; the same command goes on with what is in --out"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            2,
            "the package `torch` is missing, which this verb needs. Install it with pip install "
            '"statelang[training]".',
        ),
        (
            PermissionError(13, "Permission denied", "/runs"),
            2,
            "/runs: Permission denied. Check that the place can be used.",
        ),
    ],
)
def test_errors_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    said: str,
) -> None:
    """A verb that cannot go on says so on standard error, without a traceback."""

    def fail(options: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(show, "run", fail)
    assert status == main(["show", "kwai_star"])
    assert ("", f"statelang: {said}\n") == tuple(capsys.readouterr())


def test_own_faults_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of ours that is missing is a fault of the installation, not of the reader."""

    def fail(options: argparse.Namespace) -> int:
        raise ModuleNotFoundError("No module named 'statelang.lost'", name="statelang.lost")

    monkeypatch.setattr(show, "run", fail)
    with pytest.raises(ModuleNotFoundError):
        main(["show", "kwai_star"])


@pytest.mark.skipif(os.name != "posix", reason="a reader that leaves ends a pipe on POSIX only")
def test_reader_that_leaves(tmp_path: Path) -> None:
    """`statelang walk ... | head -1` is quiet."""
    file = tmp_path / "go.lark"
    file.write_text('start : go\ngo : "go" LETTERS\nLETTERS : /[a-z]{9000,9999}/\n')
    command = [sys.executable, "-m", "statelang", "show", str(file)]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (141, b"") == (done.returncode, done.stderr)


def test_terminal_that_lacks_a_character(tmp_path: Path) -> None:
    """Documentation is printed on a terminal of any encoding."""
    file = tmp_path / "go.lark"
    file.write_text('/// Größer.\nstart : go\ngo : "go"\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "statelang", "show", str(file)],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert rb"Gr\xf6\xdfer." in done.stdout
