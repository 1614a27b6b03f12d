"""`statelang explain`."""

import json
from pathlib import Path

import pytest

from statelang.cli import main

WRONG = """\
{file}: step 3, `off`: `requires NUMBER == lit` does not hold
 --> line 3, column 6
  |
3 | off 7
  |      ^
  = clause: {grammar}:17: //@ requires NUMBER == lit
  = saw: NUMBER = 7, lit = 2
  = state: `_bright` (The lamp is bright)
  = legal: `on` (Light the lamp)
  = legal: `off` (Say how often the lamp was lit)
  = repair: 1 edit from legal: in step 3 write `2` in place of `7` (fitness 0.80)

0 legal, 1 not
"""


def test_a_block_as_a_compiler_prints_it(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plain text is one trace; its fault is shown with clause, state, what was legal, repair."""
    file = tmp_path / "trace.txt"
    file.write_text("on\non\noff 7\n")
    assert 1 == main(["explain", str(lamp), str(file)])
    assert WRONG.format(file=file, grammar=lamp) == capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("off 1\n", "1 edit from legal: insert `on` before step 1 as `on` (fitness"),
        ("off 3\n", "2 edits from legal: replace step 1 by `on` as `on`; insert `off` at the end"),
        ("on\n", "1 edit from legal: insert `off` at the end as `off 1`"),
        ("on\noff 1\noff 1\n", "1 edit from legal: delete step 3"),
        ("on\noff 1\nx\noff 1\non\n", "3 edits from legal: delete steps 3 to 5 (fitness"),
        ("on\noff 11\n", "1 edit from legal: in step 2 write `1` in place of `11`"),
        ("on\noff 1?\n", "1 edit from legal: in step 2 leave `?` out"),
        ("on\noff \n", "1 edit from legal: in step 2 write `1` at its end (fitness"),
    ],
)
def test_repairs_in_words(
    text: str, repair: str, lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each edit is one clause of a sentence."""
    file = tmp_path / "traces.jsonl"
    file.write_text(json.dumps({"text": text}))
    assert 1 == main(["explain", str(lamp), str(file)])
    assert repair in capsys.readouterr().out
