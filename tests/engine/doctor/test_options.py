"""Options of a generation configuration: what they do to the mask in `transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import outlines
import pytest
import torch

from statelang.diagnostics import StatelangError
from statelang.engine import constrain, validate
from statelang.training.model import tiny_llama
from tests.engine.doctor.folders import SPACE, TAGS, byte_level, codes, examined, message, wrapped

TOKENIZER = wrapped(byte_level(TAGS))
TELL = TOKENIZER.convert_tokens_to_ids("<tell>")
NEWLINE = TOKENIZER.encode("\n")[0]
ALL = [i for i in range(len(TOKENIZER)) if i != TOKENIZER.eos_token_id]


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        ([], {}),
        ([], {"do_sample": True, "top_k": 1, "top_p": 0.1, "temperature": 0.2}),
        ([], {"repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "suppress_tokens": []}),
        (["SD401"], {"suppress_tokens": [NEWLINE]}),
        (["SD401"], {"bad_words_ids": [[NEWLINE]]}),
        (["SD401"], {"begin_suppress_tokens": ALL}),
        (["SD401"], {"min_new_tokens": 400}),
        (["SD401"], {"no_repeat_ngram_size": 1}),
        (["SD402"], {"suppress_tokens": [TOKENIZER.encode("e")[0]]}),
        (["SD403"], {"repetition_penalty": 1.2}),
        (["SD403"], {"exponential_decay_length_penalty": [50, 1.1]}),
        (["SD404"], {"no_repeat_ngram_size": -2}),
        (["SD604"], {"max_length": 5}),
        (["SD605"], {"max_new_tokens": 12}),
    ],
)
def test_an_option_has_its_finding(
    expected: list[str], options: dict[str, Any], tmp_path: Path
) -> None:
    """Each option fights the mask in one way, or not at all."""
    found = examined(tmp_path, TOKENIZER, generation=options)
    assert expected == codes(found)
    if expected:
        (finding,) = [each for each in found.findings if each.code == expected[0]]
        assert finding.file.endswith("generation_config.json")
        assert f'"{[*options][-1]}"' in finding.source.line(finding.line)


def test_where_nothing_is_left_is_shown(tmp_path: Path) -> None:
    """The text after which no legal token was left."""
    said = message(
        examined(tmp_path, TOKENIZER, generation={"suppress_tokens": [NEWLINE]}), "SD401"
    )
    assert said.startswith(f"`suppress_tokens` = [{NEWLINE}] leaves no legal token after `")
    assert said.endswith("</think>`") or said.endswith("</tell>`")


def generated(**options: Any) -> str:
    """What a model with an option writes under the mask, greedily."""
    llama: Any = tiny_llama(TOKENIZER, 0, hidden=16, layers=1, heads=2)
    for name, value in options.items():
        setattr(llama.generation_config, name, value)
    model: Any = outlines.from_transformers(llama, TOKENIZER)
    processor = constrain(SPACE, model, max_tokens=60)
    ids = llama.generate(
        **TOKENIZER("?", return_tensors="pt", return_token_type_ids=False),
        max_new_tokens=60,
        do_sample=options.get("do_sample", False),
        logits_processor=[processor],
    )
    return str(TOKENIZER.decode(ids[0, 1:], skip_special_tokens=True))


def test_what_is_found_happens_and_what_is_not_does_not() -> None:
    """A ban that leaves nothing legal breaks generation off; sampling comes after the mask."""
    torch.manual_seed(0)
    with pytest.raises(StatelangError, match="made impossible before the mask"):
        generated(suppress_tokens=[NEWLINE])
    for harmless in ({}, {"do_sample": True, "top_k": 1}, {"do_sample": True, "top_p": 0.01}):
        assert validate(SPACE, generated(**harmless)).grammar is True
