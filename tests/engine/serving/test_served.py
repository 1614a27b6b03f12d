"""Traces from a server are checked as they stream; what is wrong is sampled again from what is right."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Served, Server, generate_served, validate
from statelang.engine.tools import arithmetic
from tests.engine import small_gguf
from tests.engine.scripted_server import Answer, Script, piece, serving, written

LIST = statelang.loads(
    """
//@ ghost seen: set[text] = {}
//@ input choices: set[text]

start : item _more
_more : item _more
      | done
//@ requires WORD in choices and WORD not in seen
//@ set seen = seen | {WORD}
item : "<item>" WORD "</item>\\n"
//@ checks NUMBER == size(seen)
done : "<done>" NUMBER "</done>\\n"
WORD : /[a-zé]+/
//@ type number
NUMBER : /[0-9]{1,2}/
""",
    "list",
)
PROBLEM = {"question": "Which?", "choices": ["red", "blé"], "answer": "7"}
ITEMS = "<item>red</item>\n<item>blé</item>\n"


def run(script: Script, space: Any = LIST, problem: Any = PROBLEM, **settings: Any) -> Served:
    """One trace from a scripted server."""
    kind = settings.pop("kind", "llama.cpp")
    server = Server(script.url, "tiny", kind=kind)
    found = list(generate_served(space, server, [problem], **settings))
    assert len(found) == 1
    return found[0]


def test_a_right_trace_takes_one_request() -> None:
    """The grammar goes with it, as far as the contracts are known; the gold answer does not."""
    with serving([written(ITEMS, "<done>2</done>\n")]) as script:
        found = run(script)
    assert (found.text, found.stuck) == (f"{ITEMS}<done>2</done>\n", None)
    assert (found.requests, found.again, found.tokens, found.kept) == (1, 0, 2, 2)
    assert found.verdict == validate(LIST, found.text, PROBLEM)
    grammar = script.asked[0]["grammar"]
    assert grammar.startswith('root ::= "<item>" ("')
    assert "7" not in script.asked[0]["prompt"] and script.asked[0]["prompt"].startswith("Which?\n")


def test_what_is_right_is_kept_and_the_rest_sampled_again() -> None:
    """Cut at the first byte that no legal trace has; asked to go on from the last right place."""
    wrong = Answer((piece("<item>red</item>\n<item>"), piece("re"), *[piece("d")] * 50_000))
    with serving([wrong, written("blé</item>\n", "<done>2</done>\n")]) as script:
        found = run(script)
    assert found.text == f"{ITEMS}<done>2</done>\n"
    assert (found.requests, found.again, found.tokens, found.kept) == (2, 1, 4, 3)
    assert script.asked[1]["prompt"].endswith("<item>red</item>\n<item>")
    assert script.asked[1]["max_tokens"] == script.asked[0]["max_tokens"] - 1
    assert script.asked[1]["grammar"].startswith('root ::= "blé</item>')
    assert script.cut == 1


def test_a_step_that_checks_refuse_is_begun_again_a_stated_number_of_times() -> None:
    """Then the trace so far comes back, and which step could not be written, and what was legal."""

    def wrong(body: dict[str, Any]) -> Answer:
        return written("8</done>\n" if body["prompt"].endswith("<done>") else "<done>8</done>\n")

    with serving(lambda body: wrong(body) if len(script.asked) > 1 else written(ITEMS)) as script:
        found = run(script, tries=3)
    assert (found.text, found.verdict.grammar) == (ITEMS, False)
    assert found.stuck is not None
    assert "step 3 was begun 3 times" in found.stuck and "`done`" in found.stuck
    assert "<done>8" in found.stuck
    assert found.requests == 1 + 3 * 2
    assert all(ITEMS in asked["prompt"] for asked in script.asked[1:])


def test_each_new_step_has_its_own_tries() -> None:
    """A trace of many steps is not stopped by one mistake in each."""

    def mistaken(body: dict[str, Any]) -> Answer:
        count = body["prompt"].count("</item>")
        if len(script.asked) % 2:
            return written("<done>99</done>\n")
        return written(f"<item>{words[count]}</item>\n" if count < 5 else "<done>5</done>\n")

    words = ["a", "b", "c", "d", "e"]
    with serving(mistaken) as script:
        found = run(script, problem={"question": "?", "choices": words}, tries=2)
    assert found.stuck is None and found.again >= len(words)
    assert found.verdict.contracts is True


@pytest.mark.parametrize("nonsense", ["I am a helpful assistant.", "\x00", "", "<item>", "é"])
def test_a_server_that_ignores_the_grammar(nonsense: str) -> None:
    """Whatever it writes, the number of requests is bounded."""
    with serving(lambda _: written(nonsense)) as script:
        found = run(script, kind="plain")
    assert found.stuck is not None and "step 1 was begun 6 times" in found.stuck
    assert "`item`" in found.stuck
    assert found.requests == len(script.asked) <= 2 * 6


def test_a_trace_that_ends_too_early_is_gone_on_with() -> None:
    """The stop of the model is not the end of the trace."""
    with serving([written("<item>red</item>\n"), written("<done>1</done>\n")]) as script:
        found = run(script)
    assert (found.stuck, found.text) == (None, "<item>red</item>\n<done>1</done>\n")
    assert script.asked[1]["prompt"].endswith("</item>\n")


SHORTEST = len("<item>red</item>\n<done>1</done>\n")  # bytes of a trace from its beginning


@pytest.mark.parametrize("last", ["length", "stop"])
def test_a_trace_whose_tokens_run_out_is_ended(last: str) -> None:
    """Both where the server says so and where it does not stop by itself: from the last place from
    which a legal ending fits, a token counted for each of its bytes."""
    parts = [piece("<item>red</item>\n"), *[piece(c) for c in "<item>blé</item>\n<item>"]]
    with serving([Answer((*parts, piece("", last)))]) as script:
        found = run(script, max_tokens=len(parts))
    assert (found.text, found.stuck) == ("<item>red</item>\n<done>1</done>\n", None)
    assert (found.ending, found.finish_reason) == ("<done>1</done>\n", "budget")
    assert (found.kept, found.tokens) == (1, len(parts))
    assert found.verdict == validate(LIST, found.text, PROBLEM)
    assert found.verdict.contracts is True


def test_a_trace_that_may_end_where_its_tokens_run_out_stays_as_it_is() -> None:
    """All of it is the model's."""
    space = statelang.loads('start : say _more\n_more : say _more\n      |\nsay : "say\\n"\n', "s")
    with serving([Answer((*[piece("say\n")] * 3, piece("", "length")))]) as script:
        found = run(script, space, {"question": "?"}, max_tokens=3)
    assert (found.text, found.ending, found.finish_reason) == ("say\n" * 3, "", "stop")


@pytest.mark.parametrize("most", range(1, 60, 3))
def test_every_budget_that_holds_a_trace_ends_complete(most: int) -> None:
    """However the words fall into pieces; a smaller one is refused with one that suffices."""
    text = "".join(f"<item>{word}</item>\n" for word in ("red", "blé")) + "<done>2</done>\n"
    pieces = [text[start : start + 1 + most % 4] for start in range(0, len(text), 1 + most % 4)]
    with serving([Answer(tuple(map(piece, pieces)))]) as script:
        found = run(script, max_tokens=most)
    assert found.kept + len(found.ending.encode()) <= most
    if most >= min(SHORTEST, len(pieces)):
        assert found.stuck is None and found.verdict.contracts is True
    else:
        assert found.finish_reason == "stuck"
        assert found.stuck is not None and f"give `max_tokens` {SHORTEST} or more" in found.stuck
    assert script.asked[0]["max_tokens"] == most


def test_a_trace_is_ended_from_before_the_choice_that_has_no_end() -> None:
    """Where a space is not proved live, a model may go on for ever."""
    space = statelang.loads(
        "//@ ghost way: set[text] = {}\n\nstart : pick _go\n_go : go _go\n    | done\n"
        '//@ set way = {WORD}\npick : "<pick>" WORD "</pick>\\n"\ngo : "<go>\\n"\n'
        '//@ requires not ("left" in way)\ndone : "<done>\\n"\nWORD : /left|right/\n',
        "ways",
    )
    parts = ("<pick>left</pick>\n", *["<go>\n"] * 99)
    with serving([Answer(tuple(map(piece, parts)))]) as script:
        found = run(script, space, {"question": "?"}, max_tokens=100)
    assert found.text.startswith("<pick>right</pick>\n") and "right" in found.ending
    assert (found.verdict.contracts, found.finish_reason) == (True, "budget")


def test_nothing_is_lost_when_the_connection_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was right is kept and gone on with; breaking off without a word is bounded."""
    monkeypatch.setattr("statelang.engine.serving.server.time.sleep", lambda _: None)
    broken = Answer((piece("<item>red</item>\n<it"),))
    with serving([broken, written("<item>blé</item>\n<done>2</done>\n")]) as script:
        found = run(script)
    assert (found.text, found.stuck, found.again) == (f"{ITEMS}<done>2</done>\n", None, 0)
    with serving(lambda _: Answer((piece("<it"),))) as script:
        found = run(script)
    assert found.stuck is not None and "broke off 4 times in a row" in found.stuck
    assert found.requests == 4


def test_traces_come_in_the_order_of_their_problems() -> None:
    """Though several are under way at once."""

    def slower(body: dict[str, Any]) -> Answer:
        number = int(body["prompt"].split()[1])
        time.sleep(0.02 * (5 - number))
        return written(f"<item>n{'é' * number}</item>\n<done>1</done>\n")

    asked = [{"question": f"Problem {n} ?", "choices": [f"n{'é' * n}"]} for n in range(6)]
    with serving(slower) as script:
        server = Server(script.url, "tiny")
        found = list(generate_served(LIST, server, asked, parallel=3))
    assert [one.problem for one in found] == asked
    assert all(one.verdict.contracts for one in found)


def test_an_input_that_is_missing_is_named() -> None:
    """Before anything is sent."""
    with serving([]) as script, pytest.raises(StatelangError, match="`choices`"):
        run(script, problem={"question": "?"})
    assert script.asked == []


def test_what_the_environment_writes_is_forced() -> None:
    """The function's value is the only text of its field."""
    space = statelang.loads(
        "start : sum\n//@ writes RESULT = arithmetic(SUM)\n"
        'sum : "<sum>" SUM "=" RESULT "</sum>\\n"\nSUM : /[0-9]+[+][0-9]+/\nRESULT : /[0-9]+/\n',
        "sum",
    )
    with serving([written("<sum>2+3=6</sum>\n"), written("5</sum>\n")]) as script:
        found = run(script, space, {"question": "?"}, tools={"arithmetic": arithmetic})
    assert found.text == "<sum>2+3=5</sum>\n" and found.verdict.contracts is True
    assert script.asked[1]["grammar"] == 'root ::= "5</sum>\\n"\n'


# ---- llama.cpp's own server --------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a small model of random weights, in a process of its own."""
    for module in ("llama_cpp", "fastapi", "uvicorn", "sse_starlette", "starlette_context"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    more = [("▁", small_gguf.NORMAL), ("<item>", small_gguf.NORMAL), ("</", small_gguf.NORMAL)]
    file = small_gguf.sentencepiece(Path(tmp_path_factory.mktemp("gguf")) / "tiny.gguf", more)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "llama_cpp.server",
        "--model",
        str(file),
        "--model_alias",
        "tiny",
    ]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048", "--n_threads", "1"]
    command += ["--interrupt_requests", "false", "--verbose", "false"]
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(
        command, stdout=quiet, stderr=quiet, env={**os.environ, "PYTHONWARNINGS": ""}
    )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(3_000):
            assert child.poll() is None, "llama_cpp.server ended before it answered"
            try:
                httpx2.get(f"{url}/models").raise_for_status()
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        child.kill()
        child.wait()


def test_llama_cpp_writes_legal_traces(llama: str) -> None:
    """Random weights, and every contract holds: names, counts, arithmetic, the answer."""
    formal = statelang.load("kwai_star_formal")
    asked = [{"question": "Tom has 5 pens."}] * 2
    found = list(generate_served(formal, Server(llama, "tiny"), asked, max_tokens=900, seed=2))
    for one in found:
        assert one.verdict.contracts is True or one.stuck is not None
    assert any(one.verdict.contracts for one in found)
    assert sum(one.again for one in found) > 0


@pytest.mark.parametrize("most", [120, 200])
def test_llama_cpp_within_a_budget(llama: str, most: int) -> None:
    """A model that does not come to an end by itself is ended, and the trace is legal."""
    formal = statelang.load("kwai_star_formal")
    asked = [{"question": "Tom has 5 pens."}]
    (found,) = generate_served(formal, Server(llama, "tiny"), asked, max_tokens=most, seed=3)
    assert found.verdict.contracts is True, found.stuck
    assert found.kept + len(found.ending) <= most and found.finish_reason == "budget"


def test_llama_cpp_with_inputs_beyond_ascii(llama: str) -> None:
    """What may be written is sent with the request, so little is thrown away."""
    space = statelang.loads(LIST.source.text.replace("checks NUMBER", "requires NUMBER"), "list")
    problem = {"question": "Which?", "choices": ["red", "blé", "été"]}
    server = Server(llama, "tiny")
    found = list(generate_served(space, server, [problem] * 4, max_tokens=300))
    assert all(one.verdict.contracts for one in found), [one.stuck for one in found]
    assert any("é" in one.text for one in found)


def test_llama_cpp_says_what_it_refuses(llama: str) -> None:
    """Its words reach the user."""
    with pytest.raises(StatelangError, match="maximum context length is 2048"):
        list(generate_served(LIST, Server(llama, "tiny"), [PROBLEM | {"prompt": "word " * 3_000}]))
