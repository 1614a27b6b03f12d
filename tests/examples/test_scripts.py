"""The examples run from beginning to end, and say what they say."""

import platform
import runpy
from pathlib import Path

import pytest

import statelang

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a script prints."""
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return capsys.readouterr().out


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="needs Landlock and seccomp",
)
def test_a_database_writes_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """Queries are those of the schema, and forged rows are found by asking again."""
    printed = run("ask_a_database.py", capsys)
    assert printed.count("<query>SELECT ") == 4
    assert printed.endswith("rows that the database did not give: writes ROWS = sql(select)\n")


def test_a_loop_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Two ends of one beginning; what is determined is not asked for."""
    printed = run("decoding_loop.py", capsys)
    traces = printed.split("the model was asked for")
    assert len(traces) == 3 and all("<formalize>Tom = 5\n" in trace for trace in traces[:2])
    assert printed.count("<summarize>") == 2


def test_the_space_of_the_database_has_no_finding() -> None:
    """What people copy from is clean."""
    assert statelang.check(EXAMPLES / "database.lark") == []
