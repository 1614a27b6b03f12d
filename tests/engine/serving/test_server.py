"""What can go wrong between us and a server is said in one paragraph, or waited for, or gone on from."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from statelang.diagnostics import StatelangError
from statelang.engine.serving.server import BrokenOff, Piece, Server, pieces
from tests.engine.scripted_server import Answer, Script, event, piece, serving, written


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    found: list[float] = []
    monkeypatch.setattr("statelang.engine.serving.server.time.sleep", found.append)
    return found


def ask(url: str, timeout: float = 20, **settings: Any) -> list[Piece]:
    """The pieces of one answer."""
    server = Server(url, "tiny", timeout=timeout, **settings)
    body = server.body("Go on: ", 'root ::= "a"', 9, 0.5, 3)
    with server.client() as client:
        return list(pieces(client, server, body))


def test_pieces_come_as_they_are_streamed() -> None:
    """Comments, empty pieces and news of usage are passed over."""
    usage = event({"choices": [], "usage": {"completion_tokens": 2}})
    parts = (
        ": ping\n\n",
        piece(""),
        piece("a"),
        piece("é"),
        usage,
        piece("", "stop"),
        event("[DONE]"),
    )
    with serving([Answer(parts)]) as script:
        assert ask(script.url) == [Piece("a"), Piece("é"), Piece("", "stop")]
    assert script.asked[0]["path"] == "/v1/completions"


GRAMMARS: dict[str, dict[str, Any]] = {
    "llama.cpp": {"grammar": 'root ::= "a"', "repeat_penalty": 1.0, "top_k": 0},
    "vllm": {"structured_outputs": {"grammar": 'root ::= "a"'}, "repetition_penalty": 1.0},
    "sglang": {"ebnf": 'root ::= "a"', "top_k": -1},
    "plain": {"top_p": 1.0},
}


@pytest.mark.parametrize("kind", GRAMMARS)
def test_each_kind_of_server_takes_the_grammar_its_own_way(kind: Any) -> None:
    """The model's distribution is not cut where the user does not ask for it."""
    with serving([written("a")]) as script:
        ask(script.url, kind=kind, key="secret", options={"min_p": 0.1})
    asked = script.asked[0]
    common = {"model": "tiny", "prompt": "Go on: ", "max_tokens": 9, "temperature": 0.5, "seed": 3}
    for name, value in {**common, **GRAMMARS[kind], "stream": True, "min_p": 0.1}.items():
        assert asked[name] == value, name
    assert ("grammar" in asked) == (kind == "llama.cpp")
    assert script.headers[0]["authorization"] == "Bearer secret"


def test_the_key_is_not_shown() -> None:
    """Not in a repr, which logs and tracebacks show."""
    assert "secret" not in repr(Server("http://localhost", "m", key="secret"))


REFUSALS = [
    (
        Answer(('{"error": {"message": "max context is 512"}}',), 400),
        "status 400: max context is 512",
    ),
    (Answer(('{"error": {"message": "Failed to parse grammar"}}',), 500), 'the kind "llama.cpp"'),
    (Answer(('{"detail": "Invalid API key"}',), 401), "Invalid API key; give the right `key`"),
    (Answer(("<html>nothing</html>",), 404, "text/html"), "see that the address ends"),
    (Answer(('{"detail": [{"msg": "bad"}]}',), 422), '[{"msg": "bad"}]'),
    (Answer(("",), 403), "no reason given"),
    (Answer(('{"choices": [{"text": "a"}]}',), kind="application/json"), "no streamed completion"),
    (Answer(("<html>welcome</html>",), kind="text/html"), "<html>welcome</html>"),
    (Answer((event("{half"),)), "no streamed completion: `{half`"),
    (Answer((event([1]),)), "no streamed completion"),
    (Answer((event({"choices": [{"text": 5}]}),)), "no streamed completion"),
    (Answer((event("[" * 50_000),)), "no streamed completion"),
]


@pytest.mark.parametrize(("answer", "said"), REFUSALS)
def test_what_will_not_pass_is_an_error_at_once(
    answer: Answer, said: str, pauses: list[float]
) -> None:
    """With the server's own words and the next step."""
    with serving([answer]) as script, pytest.raises(StatelangError) as caught:
        ask(script.url)
    assert said in str(caught.value) and script.url in str(caught.value)
    assert pauses == []


def test_a_busy_server_is_asked_again(pauses: list[float]) -> None:
    """It may say for how long it is; nobody is waited for longer than half a minute."""
    busy = [
        Answer((), 429, headers=(("retry-after", "7"),)),
        Answer((), 503, headers=(("retry-after", "9999"),)),
        Answer((), 502, headers=(("retry-after", "Sat, 21 Nov 2026 00:00:00 GMT"),)),
    ]
    for odd in ("nan", "-3", "inf"):
        with serving([Answer((), 429, headers=(("retry-after", odd),)), written("a")]) as script:
            assert ask(script.url)
    assert pauses == [0.5, 0.5, 0.5]
    pauses.clear()
    with serving([*busy, written("a")]) as script:
        assert ask(script.url) == [Piece("a"), Piece("", "stop")]
    assert pauses == [7.0, 30.0, 2.0]


FAILING = {
    "busy": (Answer(('{"detail": "loading model"}',), 503), "status 503, loading model"),
    "silent": (Answer(hangs=True), "nothing came for 0.3 seconds"),
    "cut off": (Answer(), "the answer ended before its end was announced"),
}


@pytest.mark.parametrize("name", FAILING)
def test_attempts_are_bounded(name: str, pauses: list[float]) -> None:
    """Four, each twice as long after the last; then the last reason is named."""
    answer, said = FAILING[name]
    with (
        serving([answer] * 8) as script,
        pytest.raises(StatelangError, match="4 attempts") as caught,
    ):
        ask(script.url, timeout=0.3 if name == "silent" else 20)
    assert said in str(caught.value)
    assert sum(asked["stream"] for asked in script.asked) == 4
    assert pauses == [0.5, 1.0, 2.0]


def test_a_server_that_breaks_off_without_a_word_is_asked_why() -> None:
    """Some say what they refuse only where nothing is streamed."""
    why = Answer(('{"error": {"message": "context length is 512"}}',), 400, "application/json")
    with serving([Answer(), why]) as script:
        with pytest.raises(StatelangError, match="context length is 512"):
            ask(script.url)
    assert [asked["stream"] for asked in script.asked] == [True, False]


def test_nobody_there() -> None:
    """A closed port, and an address that is none."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens
        port = deaf.getsockname()[1]
        with pytest.raises(StatelangError, match="see that the server runs"):
            ask(f"http://127.0.0.1:{port}/v1")
    for address in ("localhost:8000", "http://[", ""):
        with pytest.raises(StatelangError, match="address"):
            ask(address)


BROKEN = {
    "ended": Answer((piece("a"),)),
    "gave up": Answer((piece("a"), event({"error": {"message": "out of memory"}}))),
    "interrupted": Answer((piece("a"), event("[DONE]"))),
    "silent": Answer((piece("a"),), hangs=True),
    "lied": Answer((piece("a"),), headers=(("content-length", "9999"),)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_breaks_off_is_told_apart(name: str) -> None:
    """What came before is of use, so the caller decides."""
    found: list[Piece] = []
    with serving([BROKEN[name]]) as script:
        server = Server(script.url, "tiny", timeout=3 if name == "silent" else 20)
        with server.client() as client, pytest.raises(BrokenOff):
            for one in pieces(client, server, server.body("", "", 9, 0, 0)):
                found.append(one)
    assert found == [Piece("a")]


def test_a_flood_is_bounded() -> None:
    """An event without an end is not read into memory."""

    def flood(_: dict[str, Any]) -> Answer:
        return Answer(("data: ", *["x" * 65_536] * 400))

    with serving(flood) as script, pytest.raises(StatelangError):
        ask(script.url)
    assert isinstance(script, Script) and script.cut
