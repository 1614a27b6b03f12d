"""Other constrained decoders: what each carries, by trying it."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Any

import outlines
import pytest
from outlines.types import CFG

import statelang
from statelang.exports import Export, export
from statelang.training.model import tiny_llama
from tests.engine.doctor.folders import (
    SPACE,
    TAGS,
    byte_level,
    codes,
    examined,
    sentencepiece,
    wrapped,
)
from tests.strategies import TRAFFIC


def carried(path: Path, tokenizer: Any, text: str = "") -> dict[str, tuple[str, str]]:
    """What each decoder carries, by the first word of its name, and why not more."""
    found = examined(path, tokenizer, statelang.loads(text) if text else SPACE)
    return {each.name.split()[0].strip(":,"): (each.carries, each.why) for each in found.backends}


def installed(found: dict[str, tuple[str, str]]) -> set[tuple[str, str]]:
    """What is carried by those that are there: llama.cpp is an extra of its own."""
    absent = ("unknown", "`llama_cpp` is not installed")
    return {each for name, each in found.items() if (name, each) != ("llama.cpp", absent)}


def test_a_space_without_contracts_is_carried_by_all(tmp_path: Path) -> None:
    """The grammar is all there is, and every decoder takes it with ordinary tags."""
    found = carried(tmp_path, wrapped(byte_level()))
    assert ["statelang", "llguidance", "xgrammar", "llama.cpp"] == [*found]
    assert {("contracts", "")} == installed(found)


def test_contracts_are_not(tmp_path: Path) -> None:
    """Other decoders carry the grammar; how many clauses they leave out is said."""
    found = carried(tmp_path, wrapped(byte_level()), TRAFFIC)
    assert ("contracts", "") == found.pop("statelang")
    assert {("grammar", "2 contract clauses cannot be written in it")} == installed(found)


def test_llguidance_reads_some_pieces_as_they_are_spelled(tmp_path: Path) -> None:
    """It takes `▁` for a space only where the decoder replaces it, which xgrammar reads rightly."""
    found = carried(tmp_path, wrapped(sentencepiece("never")))
    assert "contracts" == found["statelang"][0] == found["xgrammar"][0]
    assert "nothing" == found["llguidance"][0]
    assert "another text: " in found["llguidance"][1] and "`<think>" not in found["xgrammar"][1]


def test_what_llama_says_of_a_grammar_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """llama.cpp prints what it has against a grammar; that is told, and not printed."""
    pytest.importorskip("llama_cpp", reason="llama.cpp is an extra that builds from source")
    left_recursive = Export("gbnf", 'root ::= root "a" | "b"\n', ())
    monkeypatch.setattr(
        "statelang.engine.doctor.backends.export",
        lambda space, to: left_recursive if to == "gbnf" else export(space, to),
    )
    carries, why = carried(tmp_path, wrapped(byte_level()))["llama.cpp"]
    assert "nothing" == carries
    assert why.startswith("it does not read the grammar: ") and "left recursion" in why
    assert "left recursion" not in capfd.readouterr().err


def test_what_is_not_installed_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that is not there is not guessed about."""
    found = util.find_spec
    monkeypatch.setattr(
        "statelang.engine.doctor.backends.find_spec",
        lambda name: None if name == "xgrammar" else found(name),
    )
    assert ("unknown", "`xgrammar` is not installed") == carried(tmp_path, wrapped(byte_level()))[
        "xgrammar"
    ]


@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's own compiler
def test_padded_logits_break_outlines_xgrammar(tmp_path: Path) -> None:
    """More logits than tokens: Outlines' xgrammar backend fails, as the note says."""
    tokenizer = wrapped(byte_level(TAGS))
    llama: Any = tiny_llama(tokenizer, 0, hidden=16, layers=1, heads=2)
    llama.resize_token_embeddings(len(tokenizer) + 64)
    model: Any = outlines.from_transformers(llama, tokenizer)
    grammar = CFG(export(SPACE, "ebnf").text)
    generator = outlines.Generator(model, grammar, backend="xgrammar")
    with pytest.raises(RuntimeError, match="bitmask"):
        generator("?", max_new_tokens=3)
    width: dict[str, Any] = {"vocab_size": len(tokenizer) + 64}
    assert ["SD602"] == codes(examined(tmp_path, tokenizer, **width))
