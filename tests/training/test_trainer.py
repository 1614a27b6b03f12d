"""Progress is a line each; on a terminal it is one line that is written over."""

from __future__ import annotations

import sys

import pytest

from statelang.training.trainer import say


def test_without_a_terminal_every_line_stays(capsys: pytest.CaptureFixture[str]) -> None:
    say("one", last=False)
    say("two")
    assert capsys.readouterr().err == "one\ntwo\n"


def test_on_a_terminal_a_line_is_written_over(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    say("one", last=False)
    say("two")
    assert capsys.readouterr().err == "\r\x1b[Kone\r\x1b[Ktwo\n"
