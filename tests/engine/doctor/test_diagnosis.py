"""The whole examination: folders that are right, that lack parts, and that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

import statelang
from statelang.diagnostics import Severity, StatelangError
from statelang.engine import diagnose
from statelang.engine.doctor.findings import kinds
from tests.engine.doctor.folders import SPACE, byte_level, codes, examined, folder, wrapped
from tests.strategies import PICK
from tests.training.small import small_model, small_tokenizer


def test_the_model_of_the_quickstart_is_right(tmp_path: Path) -> None:
    """A folder as `train` writes it: nothing but what llguidance makes of its tags."""
    tokenizer = small_tokenizer()
    small_model(tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    found = diagnose(statelang.load("kwai_star_formal"), str(tmp_path))
    assert [] == codes(found) and found.is_sound
    assert ("chat template: the tokenizer has none",) == found.skipped
    assert 256 == found.context


def test_weights_are_not_read(tmp_path: Path) -> None:
    """Weights that are no weights change nothing."""
    name = folder(tmp_path, wrapped(byte_level()))
    (tmp_path / "model.safetensors").write_text("no weights", encoding="utf-8")
    assert diagnose(SPACE, name).is_sound


def test_a_tokenizer_alone_will_do(tmp_path: Path) -> None:
    """What needs a model's configuration is skipped, with the reason."""
    wrapped(byte_level()).save_pretrained(tmp_path)
    found = diagnose(SPACE, str(tmp_path))
    assert [] == codes(found)
    assert ["logits and context", "options of generation", "chat template"] == [
        reason.partition(":")[0] for reason in found.skipped
    ]


@pytest.mark.parametrize(
    ("name", "said"), [("nowhere/at/all", "no such folder"), ("{}", "cannot be loaded")]
)
def test_what_cannot_be_read(name: str, said: str, tmp_path: Path) -> None:
    """A folder that is missing or holds no tokenizer is one paragraph with a next step."""
    with pytest.raises(StatelangError, match=said) as caught:
        diagnose(SPACE, name.format(tmp_path))
    assert "\n" not in str(caught.value)


def test_inputs_come_with_a_problem(tmp_path: Path) -> None:
    """A space with inputs is examined without traces, or with those of a problem."""
    name, space = folder(tmp_path, wrapped(byte_level())), statelang.loads(PICK)
    without = diagnose(space, name)
    assert not without.findings and not without.backends and without.costs is None
    assert "the space has inputs (`options`); give them" in without.skipped[0]
    found = diagnose(space, name, {"options": ["red", "blue"]})
    assert [] == codes(found) and found.costs is not None and found.costs.fewest > 1


def test_errors_come_first(tmp_path: Path) -> None:
    """Findings are in the order of their severity, then of their codes."""
    tokenizer = wrapped(byte_level(special=["</tell>"]), pad_token=None)
    found = examined(tmp_path, tokenizer, vocab_size=999).findings
    severities = [each.severity for each in found]
    assert severities == sorted(severities, key=[*Severity].index)
    assert {"error", "warning", "note"} == {*severities}


def test_every_kind_of_finding_is_in_use() -> None:
    """Each page is about a finding that some module makes, and each finding has its page."""
    package = Path(statelang.__file__).parent.parent / "engine" / "doctor"
    text = "".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py"))
    assert {*kinds()} == {f"SD{code[:3]}" for code in text.split('"SD')[1:]}
    assert all(each.why and each.mend for each in kinds().values())
