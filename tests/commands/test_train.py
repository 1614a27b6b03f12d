"""`statelang train`: what it refuses; that it trains is tested with the README and the chain."""

from pathlib import Path

import pytest

from statelang.cli import main


def test_folder_without_rows(
    lamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that `data` did not write is exit status 2, and no run is begun."""
    out = tmp_path / "sft"
    assert 2 == main(["train", "sft", str(lamp), "--data", str(tmp_path), "--out", str(out)])
    assert "sft.jsonl cannot be read" in capsys.readouterr().err
    assert not out.exists()


def test_dpo_needs_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Preferences are learnt from a model that writes traces already."""
    with pytest.raises(SystemExit) as stopped:
        main(["train", "dpo", "kwai_star", "--data", "d", "--out", "o"])
    assert 2 == stopped.value.code
    assert "--model" in capsys.readouterr().err
