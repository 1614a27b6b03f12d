"""Compiled spaces on disk: the same space as from the text, and only from files of one's own."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import statelang
from statelang.diagnostics import GrammarError
from statelang.engine import Matcher, compiled, load_cached
from statelang.engine.steering.guide import Guide
from tests.strategies import WORKED, vocabulary


def refuse(*_: Any) -> Any:
    """Reads no text."""
    raise AssertionError("the text was read")


@pytest.mark.parametrize("name", WORKED)
def test_a_space_from_disk_is_the_space_of_the_text(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Along a worked trace both give the same masks; the second time no text is read."""
    load_cached(name, tmp_path)
    monkeypatch.setattr(compiled, "loads", refuse)
    space = load_cached(name, tmp_path)
    small = vocabulary(name)
    ours, theirs = (Matcher.of(Guide(s, small)) for s in (statelang.load(name), space))
    for byte in WORKED[name].encode():
        token = small.tokens.index(bytes((byte,)))
        assert bytes(theirs.compute_bitmask()) == bytes(ours.compute_bitmask())
        assert ours.consume_token(token) and theirs.consume_token(token)
    assert ours.is_accepting() and theirs.is_accepting()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-1],
    "another byte": lambda data: data[:-1] + bytes((data[-1] ^ 1,)),
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_made_anew(damage: str, tmp_path: Path) -> None:
    """It is never unpickled, and whole again afterwards."""
    load_cached("kwai_star", tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.stat().st_size
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    assert load_cached("kwai_star", tmp_path).name == "kwai_star"
    assert [f.stat().st_size for f in tmp_path.iterdir()] == [whole]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
@pytest.mark.parametrize("which", ["file", "folder"])
def test_what_others_may_write_is_not_read(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickle is only read where nobody else can have put it."""
    load_cached("kwai_star", tmp_path)
    (file,) = tmp_path.iterdir()
    (file if which == "file" else tmp_path).chmod(0o777)
    monkeypatch.setattr(pickle, "loads", refuse)
    assert load_cached("kwai_star", tmp_path).name == "kwai_star"


def test_another_text_is_another_file(tmp_path: Path) -> None:
    """A file of one name whose text has changed is compiled again."""
    file = tmp_path / "a.lark"
    for text in ('start : a\na : "x"\n', 'start : a\na : "y"\n'):
        file.write_text(text)
        assert load_cached(file, tmp_path / "kept").literals == (text[-3],)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_errors_are_those_of_load(tmp_path: Path) -> None:
    """A file with errors is refused each time, and nothing is kept."""
    file = tmp_path / "a.lark"
    file.write_text("start : a\n")
    for _ in range(2):
        with pytest.raises(GrammarError):
            load_cached(file, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
