"""Which tokens carry loss: the whole completion and the stop token, but no wrong step."""

from __future__ import annotations

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from statelang.engine.asking import prompt_ids
from statelang.training.encode import IGNORED, Encoded, encode, encode_pair, encode_row
from tests.training.small import dpo_rows, sft_rows, small_tokenizer

TOKENIZER = small_tokenizer()
ROWS = sft_rows(20)


def _learnt(encoded: Encoded) -> str:
    """The text of the completion's tokens that carry loss, without the stop token."""
    flags = zip(encoded.completion[:-1], encoded.loss[:-1], strict=True)
    return str(TOKENIZER.decode([token for token, loss in flags if loss]))


def test_ids_are_prompt_completion_and_stop() -> None:
    for row in ROWS:
        encoded = encode_row(row, TOKENIZER)
        assert TOKENIZER.decode(encoded.prompt) == row["prompt"]
        assert TOKENIZER.decode(encoded.completion[:-1]) == row["completion"]
        assert encoded.completion[-1] == TOKENIZER.eos_token_id
        assert encoded.input_ids == encoded.prompt + encoded.completion


def test_the_prompt_is_read_as_it_is_for_generating() -> None:
    for row in ROWS:
        assert encode_row(row, TOKENIZER).prompt == prompt_ids(TOKENIZER, row["prompt"])
        assert encode_row(row, TOKENIZER).prompt == TOKENIZER(row["prompt"])["input_ids"]


def test_labels_are_the_ids_of_the_completion_and_of_the_stop_token() -> None:
    encoded = encode("What?\n", "<solve>", [], TOKENIZER)
    ids = encoded.input_ids
    assert encoded.labels == [IGNORED] * (len(ids) - 2) + ids[-2:]


def test_exactly_the_wrong_step_carries_no_loss() -> None:
    corrected = [row for row in ROWS if row.get("no_loss")]
    assert len(corrected) == 10
    for row in corrected:
        ((start, end),) = row["no_loss"]
        encoded = encode_row(row, TOKENIZER)
        assert _learnt(encoded) == row["completion"][:start] + row["completion"][end:]
        assert encoded.loss[-1]


def test_a_token_that_touches_a_span_carries_no_loss() -> None:
    text = "<solve>Ann = 12</solve>\n"
    at = text.index("=")
    assert _learnt(encode("", text, [(at, at + 1)], TOKENIZER)) == "<solve>Ann12</solve>\n"
    assert _learnt(encode("", text, [(at, at)], TOKENIZER)) == text


def test_spans_count_characters_not_bytes() -> None:
    text = "日本<solve>é5</solve>\n"
    assert _learnt(encode("日\n", text, [(9, 11)], TOKENIZER)) == "日本<solve></solve>\n"


def test_both_sides_of_a_pair_are_masked() -> None:
    for row in dpo_rows(5):
        for side, encoded in zip(("chosen", "rejected"), encode_pair(row, TOKENIZER), strict=True):
            ((start, end),) = row["no_loss"][side]
            assert _learnt(encoded) == row[side][:start] + row[side][end:]


def test_a_tokenizer_that_frames_every_text_frames_prompt_and_trace_once() -> None:
    encoded = encode("ab", "ba", [(0, 1)], _framing())
    assert encoded.prompt == [0, 2, 3]
    assert encoded.completion == [3, 2, 1]
    assert encoded.loss == [False, True, True]


def test_a_merge_across_the_border_keeps_the_prompt_as_it_is() -> None:
    tokenizer = _framing(merges=[("b", "b")])
    encoded = encode("ab", "ba", [(0, 1)], tokenizer)
    assert encoded.prompt == [0, 2, 3]
    assert encoded.completion == [3, 2, 1]
    assert encoded.loss == [False, True, True]


def test_a_prompt_that_a_chat_template_wrote_begins_once() -> None:
    """It holds the token that begins a text; the tokenizer puts it before every text once more."""
    tokenizer = _framing()
    tokenizer.chat_template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"
    asked = [{"role": "user", "content": "ab"}]
    prompt = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    assert tokenizer(prompt)["input_ids"] == [0, 0, 2, 3, 1]
    encoded = encode(str(prompt), "ba", [], tokenizer)
    assert (encoded.prompt, encoded.completion) == ([0, 2, 3], [3, 2, 1])


def _framing(merges: list[tuple[str, str]] | None = None) -> PreTrainedTokenizerFast:
    """A tokenizer of `a` and `b` that begins every text with <s> and ends it with </s>."""
    words = ["<s>", "</s>", "a", "b", "bb"]
    vocabulary = {word: number for number, word in enumerate(words)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges or []))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, bos_token="<s>", eos_token="</s>"
    )
