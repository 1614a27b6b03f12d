"""Grammar files on disk for the tests of the command line."""

from pathlib import Path

import pytest

from tests.commands.grammars import BROKEN, LAMP


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is folded and cut fits a terminal, whatever the one is that the tests run in."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def lamp(tmp_path: Path) -> Path:
    """A sound grammar file."""
    file = tmp_path / "lamp.lark"
    file.write_text(LAMP, encoding="utf-8")
    return file


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A grammar file with a name that is not defined."""
    file = tmp_path / "broken.lark"
    file.write_text(BROKEN, encoding="utf-8")
    return file
