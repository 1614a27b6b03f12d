"""An editor: drives the real server as a child process, in JSON-RPC over its standard streams."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

URI = "file:///space/mine.lark"
WAIT = 120  # seconds for an answer on a busy machine


class Refused(Exception):
    """The server answers a request with an error."""


class Client:
    """One conversation. Requests are numbered; what comes unasked waits in `told`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.version = 0
        self.asked = 0
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        output = self.process.stdout
        assert output is not None
        while head := output.readline():
            if head.lower().startswith(b"content-length:"):
                length = int(head.split(b":")[1])
                while output.readline().strip():
                    pass
                message = json.loads(output.read(length))
                (self.told if "method" in message else self.answers).put(message)

    def _send(self, **message: Any) -> None:
        data = json.dumps({"jsonrpc": "2.0"} | message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self.process.stdin.flush()

    def tell(self, method: str, **params: Any) -> None:
        """Send a notification."""
        self._send(method=method, params=params)

    def ask(self, method: str, **params: Any) -> Any:
        """The result of a request. Raises Refused with the server's message."""
        self.asked += 1
        self._send(id=self.asked, method=method, params=params)
        answer = self.answers.get(timeout=WAIT)
        assert self.asked == answer["id"]
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return answer["result"]

    def open(self, text: str, uri: str = URI) -> None:
        """Open a text."""
        self.version += 1
        item = {"uri": uri, "languageId": "statelang", "version": self.version, "text": text}
        self.tell("textDocument/didOpen", textDocument=item)

    def change(self, text: str, uri: str = URI) -> None:
        """Put another text in its place."""
        self.version += 1
        document = {"uri": uri, "version": self.version}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def at(self, method: str, line: int, character: int, **more: Any) -> Any:
        """Ask about a position, both counted from 0."""
        position = {"line": line, "character": character}
        return self.ask(
            f"textDocument/{method}", textDocument={"uri": URI}, position=position, **more
        )

    def findings(self) -> list[dict[str, Any]]:
        """The findings of the text as it is now; those of older texts are passed over."""
        while True:
            told = self.told.get(timeout=WAIT)
            assert told["method"] == "textDocument/publishDiagnostics", told
            if told["params"].get("version") == self.version:
                found: list[dict[str, Any]] = told["params"]["diagnostics"]
                return found


@contextmanager
def client(*encodings: str) -> Iterator[Client]:
    """A server that has been greeted; it must end by itself when the editor leaves."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "statelang", "lsp"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        one = Client(process)
        general = {"general": {"positionEncodings": list(encodings)}} if encodings else {}
        one.ask("initialize", processId=None, rootUri=None, capabilities=general)
        one.tell("initialized")
        yield one
        one.ask("shutdown")
        one.tell("exit")
        assert 0 == process.wait(WAIT)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
