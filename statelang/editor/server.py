"""The language server: which texts are open, and which function answers which question.

Findings take the longest. They are looked for once the author pauses, on a thread of their own and
one file at a time; what a newer text has made stale is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from statelang.diagnostics import GrammarError
from statelang.editor import answers, protocol
from statelang.editor.answers import Text
from statelang.editor.places import UNITS, Places
from statelang.language.formatting import fmt
from statelang.loader import examine
from statelang.source import Source, Span

PAUSE: Final = 0.2  # seconds without a change before findings are looked for

# Method of the protocol, the function that answers, and what the editor is told of it beforehand.
_ANSWERS: Final[tuple[tuple[str, Callable[[Text, Any], object], object], ...]] = (
    (types.TEXT_DOCUMENT_HOVER, answers.hovered, None),
    (types.TEXT_DOCUMENT_DEFINITION, answers.defined, None),
    (types.TEXT_DOCUMENT_REFERENCES, answers.referred, None),
    (
        types.TEXT_DOCUMENT_COMPLETION,
        answers.completed,
        types.CompletionOptions(trigger_characters=["@", ".", "("]),
    ),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, answers.renamable, None),
    (types.TEXT_DOCUMENT_RENAME, answers.renamed, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, answers.outlined, None),
)


class Server(LanguageServer):
    """The texts that are open, and the searches for findings that are under way."""

    def __init__(self) -> None:
        # The whole text comes with each change: pygls cuts a text into lines at more characters
        # than the protocol does, so it would put partial changes in the wrong place.
        super().__init__(
            "statelang", _version(), text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._checks: dict[str, asyncio.Task[None]] = {}

    def opened(self, uri: str) -> Text:
        """The text of a file as it is now, its places counted as was agreed with the editor."""
        units = UNITS[self.workspace.position_encoding or "utf-16"]
        return Text(uri, Places(self.workspace.get_text_document(uri).source, units))

    def check(self, uri: str) -> None:
        """Look for findings after a pause; an older text of the file needs none any more."""
        self.drop(uri)
        self._checks[uri] = asyncio.create_task(self._check(uri))
        self._checks[uri].add_done_callback(self._report)

    def drop(self, uri: str) -> None:
        """Look for no more findings in the text that a file had."""
        if uri in self._checks:
            self._checks.pop(uri).cancel()

    async def _check(self, uri: str) -> None:
        await asyncio.sleep(PAUSE)
        number, text = self.workspace.get_text_document(uri).version, self.opened(uri)
        loop, source = asyncio.get_running_loop(), Source(text.places.text)
        found = await loop.run_in_executor(self._worker, examine, source)
        self.publish(uri, [protocol.diagnostic(text.places, uri, f) for f in found], number)

    def _report(self, check: asyncio.Task[None]) -> None:
        """An error in the search for findings is ours: it goes to the editor's log."""
        if not check.cancelled() and (error := check.exception()) is not None:
            message = f"looking for findings failed: {error!r}"
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))

    def publish(self, uri: str, found: list[types.Diagnostic], number: int | None = None) -> None:
        """Show findings in place of those before."""
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, version=number, diagnostics=found)
        )


def _version() -> str:
    try:
        return version("statelang")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0"


def build() -> Server:
    """A server with everything it answers; `start_io` serves one editor until it leaves."""
    server = Server()

    def answered_by(answer: Callable[[Text, Any], object]) -> Callable[[Any], object]:
        return lambda params: answer(server.opened(params.text_document.uri), params)

    for method, answer, options in _ANSWERS:
        server.feature(method, options)(answered_by(answer))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def _(params: types.DidOpenTextDocumentParams) -> None:
        server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def _(params: types.DidChangeTextDocumentParams) -> None:
        server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def _(params: types.DidCloseTextDocumentParams) -> None:
        server.drop(params.text_document.uri)
        server.publish(params.text_document.uri, [])

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def _(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        return await _formatted(server, params.text_document.uri)

    return server


async def _formatted(server: Server, uri: str) -> list[types.TextEdit]:
    """The whole text in its normal form; no change where it cannot be read or has moved on."""
    text = server.opened(uri).places
    try:
        written = await asyncio.to_thread(fmt, text.text)
    except GrammarError:
        return []  # its findings say why
    if written == text.text or server.opened(uri).places != text:
        return []
    return [types.TextEdit(protocol.range_(text, Span(0, len(text.text))), written)]
