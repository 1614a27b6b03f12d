"""Known failures of other projects happen here too, and are named before the run."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import llguidance.hf
import outlines
import pytest
import torch
import trl.chat_template_utils as trl_templates
from llguidance import LLMatcher
from outlines.types import CFG

from statelang.engine import validate
from statelang.engine.doctor import templates
from statelang.engine.doctor.diagnosis import Diagnosis
from statelang.engine.doctor.sample import draw
from statelang.engine.doctor.subject import read
from statelang.training.model import tiny_llama
from tests.engine.doctor.folders import (
    CHATML,
    PEN,
    SPACE,
    TAGS,
    byte_level,
    codes,
    examined,
    folder,
    sentencepiece,
    wrapped,
)

TRACE = "<think>NO pens</think>\n<tell>3</tell>\n"


def messages(found: Diagnosis, code: str) -> list[str]:
    """What the findings of a code say."""
    return [each.message for each in found.findings if each.code == code]


@pytest.mark.parametrize("added", ["ordinary", "special"])
def test_outlines_1771(added: str, tmp_path: Path) -> None:
    """llguidance's mask allows a tag that is an added token, and its parser rejects it."""
    tags = {"tags": TAGS} if added == "ordinary" else {"special": TAGS}
    tokenizer = wrapped(byte_level(**tags))
    token = tokenizer.convert_tokens_to_ids("<think>")
    matcher = LLMatcher(llguidance.hf.from_tokenizer(tokenizer), LLMatcher.grammar_from_lark(PEN))
    assert matcher.compute_bitmask()[token >> 3] >> (token & 7) & 1
    assert not matcher.consume_token(token)
    assert "doesn't satisfy the grammar" in matcher.get_error()

    found = examined(tmp_path, tokenizer)
    (said,) = messages(found, "SD501")
    assert said.startswith("llguidance (Outlines CFG, vLLM, SGLang) cannot carry")
    assert "its mask allows the token `<think>`, the first of a legal trace, and then" in said
    assert (["SD102"] if added == "special" else []) == codes(found)
    plain = examined(tmp_path / "plain", wrapped(byte_level()))
    assert [] == codes(plain) == messages(plain, "SD501")


@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's own compiler
def test_outlines_1771_in_outlines(tmp_path: Path) -> None:
    """Outlines then gives a text that is no trace, with a warning alone; the doctor knew."""
    tokenizer = wrapped(byte_level(TAGS))
    model: Any = outlines.from_transformers(
        tiny_llama(tokenizer, 0, hidden=16, layers=1, heads=2), tokenizer
    )
    eager = torch.compiler.set_stance("force_eager")  # compiling takes long and a C++ compiler
    with eager, pytest.warns(UserWarning, match="doesn't satisfy the grammar"):
        text = outlines.Generator(model, CFG(PEN))("Tom has 3 pens.\n", max_new_tokens=20)
    assert validate(SPACE, str(text)).grammar is False
    assert messages(examined(tmp_path, tokenizer), "SD501")


@pytest.mark.parametrize("scheme", ["legacy", "always"])
def test_guidance_1279(scheme: str, tmp_path: Path) -> None:
    """A SentencePiece tokenizer puts a space before a text that stands alone, and the grammar
    rejects the token; with added tokens the space stands in the middle of every trace."""
    tokenizer = wrapped(sentencepiece(scheme, TAGS), bos_token="<s>", unk_token="<unk>")
    first = tokenizer.encode("NO", add_special_tokens=False)[0]
    matcher = LLMatcher(
        llguidance.hf.from_tokenizer(tokenizer), LLMatcher.grammar_from_lark('start: "NO" | "ON"')
    )
    assert not matcher.consume_token(first)
    assert "doesn't satisfy the grammar" in matcher.get_error()
    ids = tokenizer.encode(TRACE, add_special_tokens=False)
    assert "<think> NO" in tokenizer.decode(ids)

    (said,) = messages(examined(tmp_path, tokenizer), "SD104")
    assert "becomes" in said
    without = wrapped(sentencepiece(scheme), bos_token="<s>", unk_token="<unk>")
    found = examined(tmp_path / "without", without)
    assert ["SD106"] == codes(found)


def trl_template(name: str) -> str:
    """A chat template that comes with TRL."""
    return str(getattr(trl_templates, f"{name}_chat_template"))


def chat(tokens: tuple[str, ...], **options: Any) -> Any:
    """A tokenizer with the special tokens of a chat."""
    return wrapped(byte_level(special=tokens), **options)


def test_trl_7230(tmp_path: Path) -> None:
    """The loss mask of a template ends before the stop token; TRL's own check agrees."""
    template = CHATML.replace(
        "{{ m.content }}", "{% generation %}{{ m.content }}{% endgeneration %}"
    )
    good = CHATML.replace(
        "{{ m.content }}<|im_end|>", "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
    )
    for name, text, trained in (("bad", template, False), ("good", good, True)):
        tokenizer = chat(("<|im_start|>", "<|im_end|>"), eos_token="<|im_end|>")
        found = examined(tmp_path / name, tokenizer, template=text)
        assert trained == trl_templates.is_chat_template_stop_token_trained(tokenizer)
        assert trained == (not messages(found, "SD206"))


CHAT = [{"role": "user", "content": "?"}, {"role": "assistant", "content": TRACE}]


def test_a_template_that_writes_reasoning_of_its_own(tmp_path: Path) -> None:
    """Qwen3's template takes `<think>` for reasoning: a trace comes out as another text, and turns
    change when others follow, as TRL's own check finds."""
    tokenizer = chat(("<|im_start|>", "<|im_end|>"), eos_token="<|im_end|>")
    found = examined(tmp_path, tokenizer, template=trl_template("qwen3"))
    assert TRACE not in tokenizer.apply_chat_template(CHAT, tokenize=False)
    assert not trl_templates.is_chat_template_prefix_preserving(tokenizer)
    assert {"SD202", "SD204"} <= {*codes(found)}


def test_a_template_with_two_ends_of_a_turn(tmp_path: Path) -> None:
    """GPT-OSS ends the last turn with another token than the others (TRL's pull request 5109)."""
    tokens = ("<|start|>", "<|end|>", "<|return|>", "<|message|>", "<|channel|>", "<|call|>")
    tokenizer = chat(tokens, eos_token="<|return|>")
    found = examined(tmp_path, tokenizer, template=trl_template("gptoss"))
    shorter = tokenizer.apply_chat_template(CHAT, tokenize=False)
    longer = tokenizer.apply_chat_template([*CHAT, CHAT[0]], tokenize=False)
    assert not longer.startswith(shorter)
    (said,) = messages(found, "SD204")
    assert "`" in said and "return" in said


def test_every_template_that_comes_with_trl(tmp_path: Path) -> None:
    """Findings about seventy real templates; where a trace is found as it stands, nothing is
    said to change it."""
    sample, seen = draw(SPACE, None), Counter[str]()
    for file in sorted((Path(trl_templates.__file__).parent / "chat_templates").glob("*.jinja")):
        text = file.read_text(encoding="utf-8")
        tokenizer = chat(tuple(dict.fromkeys(re.findall(r"<\|[^|>]+\|>", text))))
        subject = read(folder(tmp_path / file.stem, tokenizer, template=text))
        found = [each.code for each in templates.findings(subject, sample)]
        seen.update({*found})
        if "SD201" not in found:
            shown = [
                tokenizer.apply_chat_template(
                    [CHAT[0], {"role": "assistant", "content": trace}], tokenize=False
                )
                for trace in sample.traces
            ]
            kept = all(trace in text for trace, text in zip(sample.traces, shown, strict=True))
            assert kept == ("SD202" not in found), file.name
    assert seen["SD209"] > 60 and seen["SD202"] > 30 and seen["SD204"] > 5
