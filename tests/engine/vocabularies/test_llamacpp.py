"""llama.cpp, run for real: its vocabulary as bytes, and legal, whole traces through Outlines."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from weakref import ref

import outlines
import pytest

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import constrain, validate
from statelang.engine.vocabularies.llamacpp import vocabulary
from statelang.training.tokenizer import train_tokenizer
from tests.engine import small_gguf
from tests.engine.small_gguf import CONTROL, NORMAL, UNUSED, USER
from tests.strategies import PICK

llama_cpp = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

from llama_cpp.llama_speculative import LlamaPromptLookupDecoding  # noqa: E402, after the skip

SPACE = statelang.loads(PICK, "pick")
PROBLEM = {"options": ["red", "né"]}
TRACE = "look red\nlook né\nchoose red\n"
LONG = "long" * 9
PIECES = [
    ("look▁", NORMAL), ("\nlook", NORMAL), ("d\nch", NORMAL), ("choose", USER), ("né", NORMAL),
    ("<|eot_id|>", CONTROL), ("▁red", UNUSED), (LONG, NORMAL),
]  # fmt: skip


def load(file: Path, **settings: Any) -> Any:
    """A model of llama.cpp that says nothing of itself; closed at the end of the block."""
    return closing(llama_cpp.Llama(str(file), n_ctx=512, seed=1, verbose=False, **settings))


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A model with a vocabulary in the manner of SentencePiece."""
    file = small_gguf.sentencepiece(tmp_path_factory.mktemp("gguf") / "pieces.gguf", PIECES)
    with load(file) as model:
        yield model


@pytest.fixture(scope="module")
def merges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A model with a byte-level vocabulary."""
    tokenizer = train_tokenizer([TRACE] * 5, ["choose "], vocabulary=300)
    file = small_gguf.byte_level(tmp_path_factory.mktemp("gguf") / "merges.gguf", tokenizer)
    with load(file) as model:
        yield model


@pytest.fixture(params=["pieces", "merges"])
def model(request: pytest.FixtureRequest) -> Any:
    """Each of the two."""
    return request.getfixturevalue(request.param)


def test_tokens_are_what_the_model_writes(pieces: Any) -> None:
    """Bytes are bytes, `▁` is a space; control, unused and too long tokens write nothing."""
    found = vocabulary(pieces)
    assert (b"", b"", b"") == found.tokens[:3]
    assert tuple(bytes((byte,)) for byte in range(256)) == found.tokens[3:259]
    written = (b"look ", b"\nlook", b"d\nch", b"choose", "né".encode(), b"", b"", b"")
    assert written == found.tokens[259:]
    assert {2, 264} == found.stops


def test_byte_level_tokens_write_the_text(merges: Any) -> None:
    """What llama.cpp reads a text as, the vocabulary writes."""
    text = f"{TRACE} Zoë 日本".encode()
    tokens = merges.tokenize(text, add_bos=False, special=True)
    assert text == vocabulary(merges).decode(tokens)
    assert len(tokens) < len(text)


DRAWN: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "sampled": {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0},
    "warped": {"temperature": 0.7, "repeat_penalty": 1.8, "frequency_penalty": 0.5},
    "mirostat": {"mirostat_mode": 2},
}


@pytest.mark.parametrize("mode", DRAWN)
def test_traces_are_legal_and_whole(model: Any, mode: str) -> None:
    """One at a time and streamed, with the same processor again and again."""
    steered = outlines.from_llamacpp(model, chat_mode=False)
    generator: Any = outlines.Generator(steered, processor=constrain(SPACE, steered, PROBLEM, 60))
    for prompt in ("Q: ", "Q: ", "A longer question: "):
        whole = generator(prompt, max_tokens=60, **DRAWN[mode])
        pieces = list(generator.stream(prompt, max_tokens=60, **DRAWN[mode]))
        assert len(pieces) > 1
        for text in (whole, "".join(pieces)):
            assert validate(SPACE, text, PROBLEM).contracts is True, text


def test_a_chat_is_steered(pieces: Any) -> None:
    """Outlines asks llama.cpp for a turn of a chat by default."""
    steered = outlines.from_llamacpp(pieces)
    generator: Any = outlines.Generator(steered, processor=constrain(SPACE, steered, PROBLEM, 60))
    text = generator("Which one?", max_tokens=60)
    assert validate(SPACE, text, PROBLEM).contracts is True, text


def test_without_outlines(model: Any) -> None:
    """A processor of llama-cpp-python, whose own prompts grow by what was written."""
    processor = constrain(SPACE, model, PROBLEM, 60)
    prompt = "Q: "
    for _ in range(3):
        found = model(prompt, max_tokens=60, logits_processor=[processor], temperature=0.0)
        text = found["choices"][0]["text"]
        assert validate(SPACE, text, PROBLEM).contracts is True, text
        assert "stop" == found["choices"][0]["finish_reason"]
        prompt += text + " Again: "


def test_a_space_that_locks_ends_the_text(merges: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """llama.cpp goes on after an error in a processor; what it writes ends there."""
    locking = statelang.loads(
        "//@ ghost n: number = 0\n\nstart : in _inside\n      | out\n_inside : go _gone\n"
        '_gone : out  //@ requires n == 1\nin : "in\\n"\ngo : "go\\n"\nout : "out\\n"\n'
    )
    processor = constrain(locking, merges)
    way_in = merges.tokenize(b"i", add_bos=False)[0]

    def prefer(_: Any, logits: Any) -> Any:
        logits[way_in] += 100
        return logits

    printed: list[str] = []
    monkeypatch.setattr("sys.unraisablehook", lambda error: printed.append(str(error.exc_value)))
    found = merges("Q: ", max_tokens=60, logits_processor=[prefer, processor])
    assert ["the space `text` locks"] == [message[:22] for message in printed]
    choice = found["choices"][0]
    assert "stop" == choice["finish_reason"]
    assert "in\ngo\nout\n".startswith(choice["text"])


def test_a_model_that_drafts_is_refused(merges: Any) -> None:
    """It shows a processor tokens that are not there yet."""
    merges.draft_model = LlamaPromptLookupDecoding()
    try:
        with pytest.raises(StatelangError, match="`draft_model`"):
            constrain(SPACE, merges)
    finally:
        merges.draft_model = None


def test_a_vocabulary_does_not_keep_its_model(tmp_path: Path) -> None:
    """Nor is it read twice while the model is there."""
    with load(small_gguf.sentencepiece(tmp_path / "model.gguf", [])) as model:
        assert vocabulary(model) is vocabulary(model)
        known = ref(model)
    del model
    gc.collect()
    assert known() is None
