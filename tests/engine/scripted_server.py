"""A small HTTP server that answers as a test says: right, wrong, late, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from socket import SO_SNDBUF, SOL_SOCKET
from threading import Thread
from typing import Any

from attrs import define, field, frozen


@frozen
class Answer:
    """One answer; after its parts the connection ends, or hangs until the client leaves."""

    parts: tuple[str, ...] = ()
    status: int = 200
    kind: str = "text/event-stream"
    headers: tuple[tuple[str, str], ...] = ()
    hangs: bool = False


def event(data: Any) -> str:
    """One event of a stream."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def piece(text: str, finish: str | None = None) -> str:
    """A streamed piece of a completion."""
    return event({"choices": [{"index": 0, "text": text, "finish_reason": finish}]})


def written(*texts: str, finish: str = "stop") -> Answer:
    """A whole answer, one piece for each text; a client may hang up once it has read the finish."""
    return Answer((*map(piece, texts), piece("", finish) + event("[DONE]")))


@define
class Script:
    """What the server answers, in order, and what it was asked. A function answers each request."""

    answers: list[Answer] | Callable[[dict[str, Any]], Answer]
    url: str = ""
    asked: list[dict[str, Any]] = field(factory=list)
    headers: list[dict[str, str]] = field(factory=list)
    cut: int = 0  # answers that the client did not read to the end

    def next(self, body: dict[str, Any]) -> Answer:
        self.asked.append(body)
        return self.answers(body) if callable(self.answers) else self.answers.pop(0)


@contextmanager
def serving(answers: list[Answer] | Callable[[dict[str, Any]], Answer]) -> Iterator[Script]:
    """The server, on a free port, for as long as the block runs."""
    script = Script(answers)

    class Handler(BaseHTTPRequestHandler):
        timeout = 60  # seconds of silence, so that nothing waits for ever

        def setup(self) -> None:
            # Little is on its way at a time, so that a client that leaves is noticed.
            self.request.setsockopt(SOL_SOCKET, SO_SNDBUF, 65_536)
            super().setup()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            script.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = script.next(body | {"path": self.path})
            self.send_response(answer.status)
            self.send_header("content-type", answer.kind)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            try:
                for part in answer.parts:
                    self.wfile.write(part.encode())
                    self.wfile.flush()
                if answer.hangs:
                    self.rfile.read(1)
            except OSError:
                script.cut += 1

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that closing waits for the answers under way
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        while select([server], [], [], 0)[0]:  # asked, though nobody waits for the answer
            server.handle_request()
        server.server_close()
