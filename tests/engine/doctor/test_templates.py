"""Chat templates: what they make of a prompt and a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import processors

from tests.engine.doctor.folders import CHATML, byte_level, codes, examined, message, wrapped

TURNS = ("<|im_start|>", "<|im_end|>")
LAST = "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"


def chat(**options: Any) -> Any:
    """A tokenizer with the tokens of ChatML."""
    return wrapped(byte_level(special=TURNS), **{"eos_token": "<|im_end|>", **options})


def changed(old: str, new: str) -> str:
    """ChatML with one part written otherwise."""
    assert old in CHATML
    return CHATML.replace(old, new)


@pytest.mark.parametrize(
    ("expected", "template"),
    [
        ([], CHATML),
        (["SD201"], "{{ raise_exception('only users may speak') }}"),
        (["SD201"], "{% for m in messages %}"),
        (["SD202"], changed("{{ m.content }}", "{{ m.content | trim }}")),
        (["SD202"], changed("{{ m.content }}", "{{ m.content.split('</think>')[-1] }}")),
        (["SD202"], changed("{{ m.content }}", "{{ m.content | upper }}")),
        (["SD203", "SD204"], changed("{{ m.content }}", LAST + "{{ m.content }}")),
        (["SD203"], changed("<|im_start|>assistant\n", "<|im_start|>assistant: ")),
        (["SD203"], changed("<|im_end|>\n", "<|im_end|>{{ '' if loop.last else '\n' }}")),
        (["SD205"], changed("<|im_end|>", "<|end|>")),
        (["SD205"], changed("<|im_end|>\n", "{% if m.role == 'user' %}<|im_end|>\n{% endif %}")),
    ],
)
def test_a_template_has_its_finding(expected: list[str], template: str, tmp_path: Path) -> None:
    """Each template is wrong in one way, and that is what is found."""
    found = codes(examined(tmp_path, chat(), template=template))
    assert expected == [code for code in found if code != "SD209"]
    assert ("SD209" in found) == ("SD201" not in found)


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("takes the white space at its ends away", "m.content | trim"),
        ("drops what stands before `</think>`", "m.content.split('</think>')[-1]"),
        ("writes another text", "m.content | upper"),
    ],
)
def test_how_a_trace_is_changed(said: str, content: str, tmp_path: Path) -> None:
    """The finding says what has become of the trace."""
    template = changed("m.content", content)
    assert message(examined(tmp_path, chat(), template=template), "SD202").endswith(said)


def test_what_stands_between_prompt_and_trace(tmp_path: Path) -> None:
    """The text that training would put before a trace is shown."""
    template = changed("{{ m.content }}", LAST + "{{ m.content }}")
    said = message(examined(tmp_path, chat(), template=template), "SD203")
    assert said.endswith("between the prompt and the trace stands `<think>\\n\\n</think>\\n\\n`")


def test_a_prompt_that_begins_twice(tmp_path: Path) -> None:
    """Template and tokenizer both write the first token, as Outlines would encode the prompt."""
    inner = byte_level(special=[*TURNS, "<s>"])
    begin = ("<s>", inner.token_to_id("<s>"))
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[begin])
    for template, twice in (("{{ bos_token }}" + CHATML, True), (CHATML, False)):
        tokenizer = wrapped(inner, eos_token="<|im_end|>", bos_token="<s>")
        found = codes(examined(tmp_path / str(twice), tokenizer, template=template))
        assert twice == ("SD207" in found)


def test_a_prompt_that_melts_into_the_trace(tmp_path: Path) -> None:
    """The line end of the prompt and the first tag become one token."""
    tokenizer = wrapped(byte_level(merges=["\n<"]))
    assert tokenizer.encode("?\n<")[:2] != tokenizer.encode("?\n")
    said = message(examined(tmp_path, tokenizer), "SD208")
    assert said.endswith("become one token: `\\n<`")
