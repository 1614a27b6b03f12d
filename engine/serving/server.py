"""A completion server that speaks OpenAI's interface: what is sent, what comes back, what fails.

Only completions are used, not chats: a trace that is half written is gone on with by sending it as
the end of the prompt, and a chat has no such end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any, Final, Literal

import httpx2
from attrs import field, frozen

from statelang.diagnostics import StatelangError

Kind = Literal["llama.cpp", "vllm", "sglang", "plain"]
# Servers cut and bend the model's distribution where they are not told otherwise.
_WHOLE: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "llama.cpp": {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0},
    "vllm": {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0},
    "sglang": {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0},
    "plain": {"top_p": 1.0},
}
_ATTEMPTS: Final = 4
_PAUSE: Final = 0.5  # seconds before the second attempt, then twice as long each time
_LONGEST_PAUSE: Final = 30.0
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_SHOWN: Final = 300  # characters of what a server says


class BrokenOff(Exception):
    """The server stopped in the middle of an answer."""


class _Passing(Exception):
    """Something that may be over soon; `pause` where the server says for how many seconds."""

    def __init__(self, reason: str, pause: int | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@frozen
class Piece:
    """A stretch of streamed text, one token as a rule; `finish` where the answer ends, and why."""

    text: str
    finish: str | None = None


@frozen
class Server:
    """Where a model is served, and how that server takes a grammar.

    Args:
        url: The base address, such as `http://localhost:8000/v1`.
        model: The name by which the server knows the model.
        kind: "llama.cpp" (llama-server, llama-cpp-python), "vllm", "sglang", or "plain" for one
            that takes no grammar, so that what it writes is only checked.
        key: The bearer token, where the server asks for one.
        timeout: Seconds of silence after which an answer is given up.
        options: More fields of the request, such as `{"top_p": 0.9}`.
    """

    url: str
    model: str
    kind: Kind = "llama.cpp"
    key: str | None = field(default=None, repr=False)
    timeout: float = 120.0
    options: Mapping[str, Any] = field(factory=dict)

    @property
    def address(self) -> str:
        """Where completions are asked for."""
        return f"{self.url.rstrip('/')}/completions"

    def client(self) -> httpx2.Client:
        """A client for many requests; close it."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        # A connection whose answer was cut off, or broke off, is not used again.
        limits = httpx2.Limits(max_keepalive_connections=0)
        return httpx2.Client(headers=headers, timeout=self.timeout, limits=limits)

    def body(
        self, prompt: str, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> dict[str, Any]:
        """A request as plain values; `grammar` is GBNF, and not sent to a "plain" server."""
        fields: dict[str, Any] = {
            "model": self.model,
            "prompt": prompt,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream": True,
            **_WHOLE[self.kind],
        }
        match self.kind:
            case "llama.cpp":
                fields["grammar"] = grammar
            case "vllm":
                fields["structured_outputs"] = {"grammar": grammar}
            case "sglang":
                fields["ebnf"] = grammar
        return fields | dict(self.options)


def pieces(client: httpx2.Client, server: Server, body: Mapping[str, Any]) -> Generator[Piece]:
    """The text of one answer as it is written; closing the iterator cuts the answer off.

    A server that is busy or fails before its first word is asked again, four times in all.

    Raises:
        BrokenOff: the connection ended in the middle of the answer.
        StatelangError: the server cannot be reached, refuses the request, stays silent, or answers
            with something else.
    """
    for attempt in range(_ATTEMPTS):
        begun = False
        try:
            with closing(_answer(client, server, body)) as answer:
                for piece in answer:
                    begun = True
                    yield piece
            return
        except httpx2.TimeoutException:
            found = _Passing(f"nothing came for {server.timeout:g} seconds")
        except httpx2.TransportError as error:
            found = _Passing(str(error) or type(error).__name__)
        except httpx2.InvalidURL as error:
            raise StatelangError(f"`{server.url}` is not an address: {error}") from None
        except _Passing as passing:
            found = passing
        if begun:
            raise BrokenOff(str(found))
        if attempt + 1 < _ATTEMPTS:
            time.sleep(min(found.pause or _PAUSE * 2**attempt, _LONGEST_PAUSE))
    raise StatelangError(
        f"the server at {server.url} gave no answer in {_ATTEMPTS} attempts; the last one ended "
        f"with: {found}; see that the server runs and that its address is right"
    )


def _answer(client: httpx2.Client, server: Server, body: Mapping[str, Any]) -> Generator[Piece]:
    begun = False
    with client.stream("POST", server.address, json=body) as response:
        if response.status_code != 200:
            raise _refusal(server, response)
        if "text/event-stream" not in response.headers.get("content-type", ""):
            raise _other(server, _beginning(response))
        for event in httpx2.EventSource(response):
            if event.data == "[DONE]":
                break
            begun = True
            piece = _piece(server, event.data)
            if piece.text or piece.finish:
                yield piece
            if piece.finish:
                return
    if not begun:
        _ask_why(client, server, body)
    raise _Passing("the answer ended before its end was announced")


def _ask_why(client: httpx2.Client, server: Server, body: Mapping[str, Any]) -> None:
    """llama-cpp-python says what it refuses only where nothing is streamed."""
    plain = {**body, "stream": False, "max_tokens": 1}
    with client.stream("POST", server.address, json=plain) as response:
        if response.status_code != 200:
            raise _refusal(server, response)


def _piece(server: Server, data: str) -> Piece:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise _other(server, data) from None
    if isinstance(found, dict) and "error" in found:
        raise _Passing(f"the server gave up: {_said(data)}")
    match found:
        case {"choices": []}:  # how much was used
            return Piece("")
        case {"choices": [{"text": str() as text, **rest}, *_]}:
            finish = rest.get("finish_reason")
            return Piece(text, finish if isinstance(finish, str) else None)
    raise _other(server, data)


def _refusal(server: Server, response: httpx2.Response) -> Exception:
    status, said = response.status_code, _said(_beginning(response))
    if status in _PASSING and not (status == 500 and "grammar" in said.lower()):
        pause = response.headers.get("retry-after", "")[:9]
        return _Passing(f"status {status}, {said}", int(pause) if pause.isdecimal() else None)
    advice = {
        401: "give the right `key`",
        403: "give a `key` that may use this model",
        404: "see that the address ends as the server has it, mostly `/v1`, and that the model's "
        "name is one that it serves",
    }.get(status, "correct what it names")
    if "grammar" in said.lower():
        advice = (
            f'the grammar was written for the kind "{server.kind}"; give the kind that the server '
            'is, or "plain" to send none'
        )
    return StatelangError(
        f"the server at {server.url} refused the request with status {status}: {said}; {advice}"
    )


def _other(server: Server, text: str) -> StatelangError:
    return StatelangError(
        f"the server at {server.url} answered with something that is no streamed completion: "
        f"`{text[:_SHOWN].strip()}`; see that the address leads to an OpenAI-compatible server"
    )


def _beginning(response: httpx2.Response) -> str:
    """The first few thousand bytes of an answer that is not what was asked for."""
    read = bytearray()
    for chunk in response.iter_bytes():
        read += chunk
        if len(read) > 4_000:
            break
    return read.decode(errors="replace")


def _said(text: str) -> str:
    """What a server says went wrong, out of the forms that servers give it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = text
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    if not isinstance(found, str):
        found = json.dumps(found)
    return " ".join(found[:_SHOWN].split()) or "no reason given"
