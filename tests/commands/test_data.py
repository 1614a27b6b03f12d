"""`statelang data`."""

import json
from pathlib import Path

import pytest

from statelang.cli import main


def test_traces_of_any_space(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows that hold a trace are kept or refused; exit status 0 either way, counts at the end."""
    traces = ["on\noff 1\n", "on\non\noff 2\n", "on\noff 7\n"]
    rows = ({"prompt": "How often?\n", "completion": trace} for trace in traces)
    file = tmp_path / "traces.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert 0 == main(["data", str(lamp), str(file), "--out", str(tmp_path / "out")])
    assert f"{tmp_path / 'out'}: 2 rows, 2 pairs, 1 refused\n" == capsys.readouterr().out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"sft.jsonl", "dpo.jsonl", "refused.jsonl", "manifest.json"} == names


@pytest.mark.parametrize(
    ("space", "file"), [("kwai_star", "nowhere.jsonl"), ("nowhere", "traces.jsonl")]
)
def test_what_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], space: str, file: str
) -> None:
    """A missing file or an unknown space is exit status 2, and nothing is left behind."""
    (tmp_path / "traces.jsonl").write_text('{"prompt": "", "completion": ""}\n')
    out = tmp_path / "out"
    assert 2 == main(["data", space, str(tmp_path / file), "--out", str(out)])
    assert "nowhere" in capsys.readouterr().err
    assert not out.exists()
