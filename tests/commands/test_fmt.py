"""`statelang fmt`: files in their normal form, and the status that says whether they were."""

import io
import os
import sys
from pathlib import Path

import pytest

from statelang.cli import main
from tests.commands.grammars import LAMP

ODD = LAMP.replace("start : on", "start:on").replace("\n", "\r\n")


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A sound file that is not in its normal form."""
    file = tmp_path / "odd.lark"
    file.write_bytes(ODD.encode())
    return file


def test_a_file_is_rewritten(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is replaced by its normal form, keeping its mode; nothing is left beside it."""
    odd.chmod(0o640)
    assert 0 == main(["fmt", str(odd)])
    assert LAMP.encode() == odd.read_bytes()
    assert 0o640 == odd.stat().st_mode & 0o777
    assert [odd] == list(odd.parent.iterdir())
    assert "" == capsys.readouterr().out


def test_behind_a_link_the_target_is_rewritten(odd: Path) -> None:
    """A link stays a link."""
    link = odd.with_name("link.lark")
    link.symlink_to(odd.name)
    assert 0 == main(["fmt", str(link)])
    assert "odd.lark" == os.readlink(link)
    assert LAMP == odd.read_text(encoding="utf-8")


def test_a_file_in_normal_form_is_not_touched(lamp: Path) -> None:
    """Nothing is written where nothing changes."""
    os.utime(lamp, ns=(1, 1))
    assert 0 == main(["fmt", str(lamp)])
    assert 1 == lamp.stat().st_mtime_ns


def test_check_names_what_would_change(
    odd: Path, lamp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` writes nothing; status 1 and the name of each file that would change."""
    assert 0 == main(["fmt", "--check", str(lamp)])
    assert 1 == main(["fmt", "--check", str(odd), str(lamp)])
    assert f"{odd}: not in its normal form\n" == capsys.readouterr().out
    assert ODD.encode() == odd.read_bytes()


def test_diff_shows_what_would_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--diff` writes nothing and shows both sides, line ends included."""
    file = tmp_path / "a.lark"
    file.write_bytes(b'start:a\r\na : "x"')
    assert 1 == main(["fmt", "--diff", str(file)])
    assert [
        f"--- {file}",
        f"+++ {file} (formatted)",
        "@@ -1,2 +1,2 @@",
        "-start:a\\r",
        '-a : "x"',
        "\\ No newline at end of file",
        "+start : a",
        '+a : "x"',
    ] == capsys.readouterr().out.splitlines()
    assert b'start:a\r\na : "x"' == file.read_bytes()


def test_what_cannot_be_read_is_left_as_it_is(
    odd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its findings go to standard error, status 2; the other files are formatted all the same."""
    bad = tmp_path / "bad.lark"
    bad.write_bytes(b"start go\r\n")
    other = tmp_path / "other.lark"
    other.write_bytes(b"\xff")
    missing = tmp_path / "missing.lark"
    assert 2 == main(["fmt", str(bad), str(other), str(missing), str(odd)])
    error = capsys.readouterr().err
    assert "error[SL001]: `go` is not expected here" in error
    assert f"{bad}: left as it is" in error
    assert f"{other} is not UTF-8 (byte 0)" in error
    assert f"{missing} cannot be read: No such file" in error
    assert b"start go\r\n" == bad.read_bytes()
    assert LAMP.encode() == odd.read_bytes()


def test_standard_input_is_formatted_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` reads and writes no file."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ODD.encode())))
    assert 0 == main(["fmt", "-"])
    assert LAMP == capsys.readouterr().out
