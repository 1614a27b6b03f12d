"""The decoding loop: the model's own text where nothing holds it, forced text, `checks`, stalls."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Any

import outlines
import pytest
import torch
from transformers import (
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
)

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import generate
from statelang.engine.decoding.stalling import WINDOW
from statelang.engine.tools import Python, Sqlite
from statelang.training.model import tiny_llama
from tests.training.small import SPACE, small_model, small_tokenizer

confined = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="programs of a model are run on Linux on x86-64 alone",
)
ASKED = ["one?", "a much longer question, is it not?", "3 + 4?", "a b c"]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """Learnt from rows of the formal space."""
    return small_tokenizer()


def steered(model: Any, tokenizer: PreTrainedTokenizerFast) -> Any:
    """An Outlines model."""
    wrap: Any = outlines.from_transformers
    return wrap(model.train(False), tokenizer)


def problems(*questions: str, **inputs: object) -> list[dict[str, Any]]:
    """A problem for each question."""
    return [{"question": question, **inputs} for question in questions]


CHECKED = """
//@ ghost seen: set[text] = {}

start : note _more
_more : note _more
      | done
//@ checks size(WORD) == 2
//@ set seen = seen | {WORD}
note : "<note>" WORD "</note>\\n"
done : "<done>\\n"

WORD : /[a-z]{1,3}/
"""


def looping(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A model to which all tokens are alike, so that the first legal one is the likeliest."""
    model = tiny_llama(tokenizer, 0, hidden=16, layers=1, heads=2)
    torch.nn.init.zeros_(model.model.norm.weight)
    return model


def test_free_text_is_the_models_own(tokenizer: PreTrainedTokenizerFast) -> None:
    """Greedy, without a mask, the batch says what `model.generate` says of each prompt alone."""
    model = small_model(tokenizer).train(False)
    found = generate(
        SPACE,
        steered(model, tokenizer),
        problems(*ASKED),
        mask="free",
        max_tokens=40,
        temperature=0,
    )
    for question, generation in zip(ASKED, found, strict=True):
        asked = tokenizer(question + "\n", return_tensors="pt")
        with torch.inference_mode():
            said = model.generate(**asked, do_sample=False, max_new_tokens=40)
        assert tuple(said[0, asked["input_ids"].shape[1] :].tolist()) == generation.ids
        ended = generation.ids[-1] == tokenizer.eos_token_id
        assert ("stop" if ended else "length") == generation.finish_reason


@pytest.mark.parametrize("mask", ["free", "grammar", "contracts"])
def test_a_trace_does_not_depend_on_its_batch(
    tokenizer: PreTrainedTokenizerFast, mask: Any
) -> None:
    """Alone, together, or after a run was broken off: the same problem gives the same tokens."""
    space, model = statelang.loads(CHECKED), steered(small_model(tokenizer), tokenizer)
    asked = problems(*ASKED)
    drawn: dict[str, Any] = {"mask": mask, "max_tokens": 60, "seed": 3}
    together = [g.ids for g in generate(space, model, asked, **drawn)]
    assert together == [g.ids for g in generate(space, model, asked, batch=1, **drawn)]
    assert together[2:] == [g.ids for g in generate(space, model, asked[2:], first=2, **drawn)]
    assert together != [g.ids for g in generate(space, model, asked, **{**drawn, "seed": 4})]


LETTERS = """
start : ask _then
_then : ask _then
      | tell

//@ writes OUT = twice(WORD)
ask : "ask " WORD " gives " OUT "\\n"
//@ requires OUT == last(ask).OUT
tell : "tell " OUT "\\n"

WORD : /[a-c]{1,3}/
OUT : /[a-z!]{1,9}/
"""


def test_a_token_has_an_author(tokenizer: PreTrainedTokenizerFast) -> None:
    """What a tool wrote is the tool's, what a contract determines the contract's, tags are the
    grammar's, and the rest the model's."""
    space, model = statelang.loads(LETTERS), steered(small_model(tokenizer), tokenizer)
    tools = {"twice": lambda word: word + word + "!"}
    for generation in generate(space, model, problems(*ASKED), max_tokens=60, tools=tools):
        assert generation.verdict.contracts
        assert len(generation.ids) == len(generation.authors) == generation.tokens
        by: dict[str, str] = {}
        for token, author in zip(generation.ids, generation.authors, strict=True):
            by[author] = by.get(author, "") + str(tokenizer.decode([token]))
        assert {"model", "grammar", "tool twice", "contracts"} >= set(by)
        results = [line.split()[-1] for line in generation.text.splitlines() if line[:3] == "ask"]
        for result in results:
            assert result.strip("!") in by["tool twice"]
        assert "gives " in by["grammar"] and "!" not in by.get("model", "")


RUN = """
start : run _then
_then : run _then
      | stop

//@ writes OUT = python(CODE)
run : "run " CODE ": " OUT "\\n"
stop : "stop\\n"

CODE : "while 1: pass" | "1/0" | "print(6*7)" | "print('x'*9999)"
OUT : /[^\\n]{1,80}/
"""


@confined
def test_tools_that_fail_or_hang_write_their_error(tokenizer: PreTrainedTokenizerFast) -> None:
    """A program of the model's that fails, floods or never ends leaves an error in its field, in
    its own row, and the trace goes on to its end."""
    space, model = statelang.loads(RUN), steered(small_model(tokenizer), tokenizer)
    tools = {"python": Python(seconds=1, characters=60)}
    said = {
        "while 1": "error: no answer within 1 s",
        "1/0": "error: ZeroDivisionError: division by zero",
        "print(6*7)": "42",
        "print('x'*9999)": "error: more than 60 characters",
    }
    found = list(
        generate(space, model, problems(*ASKED, *ASKED), max_tokens=100, tools=tools, seed=3)
    )
    lines = [line for g in found for line in g.text.splitlines() if line.startswith("run ")]
    assert all(g.verdict.contracts and g.text.endswith("stop\n") for g in found)
    assert len({line.split(": ")[0] for line in lines}) > 2
    for line in lines:
        code, _, out = line.removeprefix("run ").replace(": pass", "").partition(": ")
        assert said[code] == out
    for generation in found:
        pairs = zip(generation.ids, generation.authors, strict=True)
        wrote = str(tokenizer.decode([token for token, author in pairs if author == "tool python"]))
        assert all(f"{said[code]}" in wrote for code in said if f"run {code}" in generation.text)


def test_a_tool_that_raises_writes_its_error(tokenizer: PreTrainedTokenizerFast) -> None:
    """The error stands in its field, as that of a program does; no other row notices."""

    def python(code: str) -> str:
        if code.startswith("print"):
            raise ValueError(f"no {code}")
        return "fine"

    space, model = statelang.loads(RUN), steered(small_model(tokenizer), tokenizer)
    drawn: dict[str, Any] = {"max_tokens": 100, "tools": {"python": python}, "seed": 3}
    found = list(generate(space, model, problems(*ASKED, *ASKED), **drawn))
    assert all(g.verdict.contracts and g.finish_reason in ("stop", "budget") for g in found)
    lines = {line for g in found for line in g.text.splitlines() if line.startswith("run ")}
    assert {line.partition(": ")[2] for line in lines if "print(6*7)" in line} == {
        "error: ValueError: no print(6*7)"
    }
    assert "run 1/0: fine" in lines


NARROW = """
//@ input word: text

start : run

//@ writes OUT = look(WORD)
//@ requires WORD == word
run : "run " WORD ": " OUT "\\n"

WORD : /[a-z]{3}/
OUT : /[0-9]{1,8}/
"""


def test_a_row_that_locks_ends_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    """Where the error of a tool does not fit its field the trace ends as it is, and its verdict
    names tool, field and rule; the other rows are what they would be without it."""

    def look(word: str) -> str:
        return {"abc": "12", "xyz": "12"}[word]

    space, model = statelang.loads(NARROW), steered(small_model(tokenizer), tokenizer)
    asked = [{"question": f"{word}?", "word": word} for word in ("abc", "bad", "xyz")]
    drawn: dict[str, Any] = {"max_tokens": 60, "tools": {"look": look}}
    first, bad, last = generate(space, model, asked, **drawn)
    assert ("run abc: 12\n", "run xyz: 12\n") == (first.text, last.text)
    assert ("locked", "", ()) == (bad.finish_reason, bad.text, bad.ids)
    assert not bad.verdict.grammar and bad.verdict.error is not None
    assert "writes OUT = look(WORD)" == bad.verdict.error.rule
    assert "the trace locks, nothing legal may follow: step 1, `run`" in bad.verdict.error.message
    assert "`OUT` is `1`, due is `error: KeyError: 'bad'`" in bad.verdict.error.message


def test_a_space_that_locks_is_named_in_the_verdict(tokenizer: PreTrainedTokenizerFast) -> None:
    """Without any legal trace there is none, and the verdict has the clause that is to blame."""
    source = CHECKED.replace('done : "<done>', '//@ requires size(seen) < 0\ndone : "<done>')
    space = statelang.loads(source)
    found = list(generate(space, steered(small_model(tokenizer), tokenizer), problems("1?", "2?")))
    assert ["locked"] * 2 == [g.finish_reason for g in found]
    for generation in found:
        assert generation.verdict.error is not None
        assert "does not hold" in generation.verdict.error.message
        assert "give the state a way out" in generation.verdict.error.message


def test_a_tool_that_cannot_be_used_is_an_error(tokenizer: PreTrainedTokenizerFast) -> None:
    """What a tool says of itself in our own words ends the run: no trace could be right."""
    space, model = statelang.loads(RUN), steered(small_model(tokenizer), tokenizer)
    missing = Sqlite(Path("no.sqlite"))
    with pytest.raises(StatelangError, match=r"there is no database no\.sqlite"):
        list(generate(space, model, problems("1?"), max_tokens=100, tools={"python": missing}))


def test_one_pass_takes_a_whole_stretch(tokenizer: PreTrainedTokenizerFast) -> None:
    """The model is not asked for text that is determined, and nothing is read twice."""
    space = statelang.loads('start : a\na : "<a>" D "</a> and so it ends\\n"\nD : /[0-9]/\n')
    model, passes = small_model(tokenizer), list[int]()
    model.register_forward_pre_hook(
        lambda _, __, named: passes.append(named["input_ids"].shape[1]), with_kwargs=True
    )
    (found,) = generate(space, steered(model, tokenizer), problems("1?"), max_tokens=200)
    prompt = len(tokenizer("1?\n")["input_ids"])
    asked = found.authors.count("model")
    assert (asked, found.text[-18:]) == (1, "</a> and so it ends\n"[-18:])
    assert passes == [prompt + found.authors.index("model")]
    assert found.finish_reason == "stop"


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_a_step_that_fails_is_written_again(
    tokenizer: PreTrainedTokenizerFast, temperature: float
) -> None:
    """The step alone, not the trace; what was thrown away is counted; what comes out validates or
    its verdict names the clause."""
    space, model = statelang.loads(CHECKED), steered(small_model(tokenizer), tokenizer)
    found = list(
        generate(space, model, problems(*ASKED * 4), max_tokens=80, temperature=temperature, seed=1)
    )
    assert all(g.verdict.grammar and len(g.ids) <= 80 for g in found)
    right = [g for g in found if g.verdict.contracts]
    assert right and any(g.tokens > len(g.ids) for g in right)
    for generation in found:
        if not generation.verdict.contracts:
            assert generation.verdict.error is not None
            assert generation.verdict.error.rule == "checks size(WORD) == 2"


def test_a_step_that_never_holds_is_given_up(tokenizer: PreTrainedTokenizerFast) -> None:
    """After 8 tries the step stays, the trace ends, and the verdict names the clause."""
    space = statelang.loads(
        "start : a _then\n_then : b\n\n//@ checks value(left, {}) == value(right, {})\n"
        'a : left "=" right "\\n"\nleft : SUM\nright : SUM\nb : "end\\n"\n'
        "SUM : /[0-9]{5} [+] [0-9]{5}/\n"
    )
    (found,) = generate(
        space, steered(small_model(tokenizer), tokenizer), problems("1?"), max_tokens=60
    )
    assert (found.verdict.grammar, found.verdict.contracts) == (True, False)
    assert found.text.endswith("end\n")
    assert found.verdict.error is not None and found.verdict.error.rule.startswith("checks ")
    assert 8 * 5 <= found.tokens <= 8 * len(found.ids)


@pytest.mark.parametrize("more", [0, 7])
def test_a_budget_is_kept_to_the_token(tokenizer: PreTrainedTokenizerFast, more: int) -> None:
    """From the least number of tokens upwards every trace ends, complete, within its budget; where
    the budget decided, it is said."""
    model = steered(small_model(tokenizer), tokenizer)
    with pytest.raises(StatelangError, match="too small") as caught:
        list(generate(SPACE, model, problems("1?"), max_tokens=2))
    found = re.search(r"at least (\d+)", str(caught.value))
    assert found is not None
    budget = int(found[1]) + more
    traces = list(generate(SPACE, model, problems(*ASKED), max_tokens=budget, seed=more))
    assert all(trace.verdict.contracts and len(trace.ids) <= budget for trace in traces)
    assert {"stop", "budget"} >= {trace.finish_reason for trace in traces}
    assert more or "budget" in {trace.finish_reason for trace in traces}


@pytest.mark.parametrize("mask", ["grammar", "contracts"])
def test_text_that_repeats_itself_is_ended(tokenizer: PreTrainedTokenizerFast, mask: Any) -> None:
    """A model that would say one thing for ever leaves the text after the window."""
    space = statelang.loads('start : a\na : "<a>" LINE "</a>\\n"\nLINE : /[^<\\n]+/\n')
    model = steered(looping(tokenizer), tokenizer)
    (found,) = generate(space, model, problems("1?"), mask=mask, max_tokens=5_000, temperature=0)
    assert found.verdict.contracts and found.finish_reason == "stop"
    assert WINDOW <= found.authors.count("model") <= WINDOW + 2


def test_a_cache_with_a_window_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    """A model that forgets what is far away cannot be padded in the midst; it is named."""
    config = MistralConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, sliding_window=8,
    )  # fmt: skip
    model = steered(MistralForCausalLM(config), tokenizer)
    with pytest.raises(StatelangError, match="MistralForCausalLM"):
        list(generate(SPACE, model, problems("1?"), max_tokens=100))
