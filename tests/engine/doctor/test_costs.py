"""What a trace takes, and what it does not fit into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Matcher, Vocabulary
from tests.engine.doctor.folders import SPACE, TAGS, byte_level, codes, examined, message, wrapped

TOKENIZER = wrapped(byte_level(TAGS))
SHORTEST = "<think>a</think>\n<tell>1</tell>\n"


def test_the_fewest_tokens(tmp_path: Path) -> None:
    """The shortest trace with its stop token; no trace that was drawn takes fewer."""
    costs = examined(tmp_path, TOKENIZER).costs
    assert costs is not None
    assert len(TOKENIZER.encode(SHORTEST)) + 1 == costs.fewest
    assert costs.fewest <= costs.tokens[0] <= costs.tokens[-1]
    assert tuple(sorted(costs.tokens)) == costs.tokens and len(costs.tokens) > 3
    assert min(costs.first, costs.cold, costs.warm) > 0 and costs.steps > 5


def test_the_tokens_of_literals(tmp_path: Path) -> None:
    """Each literal with the tokens that it takes: a tag with a line end behind it takes two."""
    literals = examined(tmp_path, TOKENIZER).literals
    assert {"<think>": 1, "</think>\n": 2, "<tell>": 1, "</tell>\n": 2} == literals


@pytest.mark.parametrize(
    ("expected", "config"),
    [
        ([], {}),
        (["SD601"], {"vocab_size": 100}),
        (["SD602"], {"vocab_size": 1000}),
        (["SD604"], {"max_position_embeddings": 8}),
        (["SD605"], {"max_position_embeddings": 10}),
    ],
)
def test_what_does_not_fit(expected: list[str], config: dict[str, Any], tmp_path: Path) -> None:
    """The logits and the context of the model, beside the tokens and the traces."""
    found = codes(examined(tmp_path, TOKENIZER, **config))
    assert expected == [code for code in found if code != "SD302"]


def test_a_space_whose_way_out_cannot_be_written(tmp_path: Path) -> None:
    """No legal trace: the finding says so, and the backends were asked all the same."""
    locked = statelang.loads(
        "//@ ghost n: number = 1\n\nstart : a\n/// Say.\n//@ requires N == n + 1\na : N\n"
        "//@ type number\nN : /[3-9]/\n"
    )
    found = examined(tmp_path, TOKENIZER, locked)
    assert message(found, "SD606").startswith("no trace can be written: no complete trace")
    assert found.costs is None and not found.is_sound
    assert any("no legal trace" in reason for reason in found.skipped)


def test_fewer_logits_than_tokens_cannot_be_masked() -> None:
    """A row that is narrower than the vocabulary leaves legal tokens without a logit."""
    matcher = Matcher(SPACE, Vocabulary.from_tokenizer(TOKENIZER))
    token = TOKENIZER.convert_tokens_to_ids("<think>")
    logits = torch.zeros(1, token)
    with pytest.raises((StatelangError, IndexError)):
        matcher.mask_logits(logits)
