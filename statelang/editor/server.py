"""The language server: a thin shell that hands an editor's questions to pure functions.

Findings take the longest. They are looked for once the author pauses, on a thread of their own and
one file at a time; what a newer text has made stale is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from statelang.diagnostics import GrammarError, StatelangError
from statelang.editor import protocol
from statelang.editor.clauses import Role
from statelang.editor.completion import complete
from statelang.editor.hover import hover
from statelang.editor.index import Index, index
from statelang.editor.places import UNITS, Places
from statelang.editor.renaming import renamable, rename
from statelang.formatting import fmt
from statelang.loader import examine
from statelang.source import Source, Span

PAUSE: Final = 0.2  # seconds without a change before findings are looked for
T = TypeVar("T")


class Server(LanguageServer):
    """The texts that are open, and the work that is under way for each."""

    def __init__(self) -> None:
        # The whole text comes with each change: pygls cuts a text into lines at more characters
        # than the protocol does, so it would put partial changes in the wrong place.
        super().__init__(
            "statelang", _version(), text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._checks: dict[str, asyncio.Task[None]] = {}

    def text(self, uri: str) -> str:
        """The text of an open file as it is now."""
        return self.workspace.get_text_document(uri).source

    def places(self, text: str) -> Places:
        """The places of a text, counted as was agreed with the editor."""
        return Places(text, UNITS[self.workspace.position_encoding or "utf-16"])

    def changed(self, uri: str) -> None:
        """Look for findings after a pause; an older text of the file needs none any more."""
        self.closed(uri)
        self._checks[uri] = asyncio.create_task(self._check(uri))
        self._checks[uri].add_done_callback(self._report)

    def closed(self, uri: str) -> None:
        """Nothing more is to be said about a file."""
        if uri in self._checks:
            self._checks.pop(uri).cancel()

    async def _check(self, uri: str) -> None:
        await asyncio.sleep(PAUSE)
        document = self.workspace.get_text_document(uri)
        text, number = document.source, document.version
        loop = asyncio.get_running_loop()
        findings = await loop.run_in_executor(self._worker, examine, Source(text))
        places = self.places(text)
        self.publish(uri, number, [protocol.diagnostic(places, uri, f) for f in findings])

    def _report(self, check: asyncio.Task[None]) -> None:
        """An error in the search for findings is ours: it goes to the editor's log."""
        if not check.cancelled() and (error := check.exception()) is not None:
            message = f"looking for findings failed: {error!r}"
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))

    def publish(self, uri: str, number: int | None, found: list[types.Diagnostic]) -> None:
        """Show findings in place of those before."""
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, version=number, diagnostics=found)
        )


def _version() -> str:
    try:
        return version("statelang")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0"


def _asked(server: Server, params: Any) -> tuple[Places, Index, int]:
    """The places and names of the text that a question is about, and the offset that it names."""
    text = server.text(params.text_document.uri)
    places = server.places(text)
    return places, index(text), places.offset(params.position.line, params.position.character)


def build() -> Server:
    """A server with everything it answers; `start_io` serves one editor until it leaves."""
    server = Server()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def _(params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def _(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def _(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)
        server.publish(params.text_document.uri, None, [])

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def _(params: types.HoverParams) -> types.Hover | None:
        places, names, offset = _asked(server, params)
        found = hover(names, offset)
        if found is None:
            return None
        name, said = found
        content = types.MarkupContent(types.MarkupKind.Markdown, said)
        return types.Hover(content, protocol.range_(places, name.span))

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def _(params: types.DefinitionParams) -> list[types.Location]:
        return _locations(server, params, lambda name: name.defines)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def _(params: types.ReferenceParams) -> list[types.Location]:
        declared = params.context.include_declaration
        return _locations(server, params, lambda name: declared or not name.defines)

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=["@", ".", "("]),
    )
    def _(params: types.CompletionParams) -> list[types.CompletionItem]:
        _, names, offset = _asked(server, params)
        return protocol.completion(complete(names, offset))

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def _(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
        places, names, offset = _asked(server, params)
        name = _or_refuse(lambda: renamable(names, offset))
        return types.PrepareRenamePlaceholder(protocol.range_(places, name.span), name.text)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def _(params: types.RenameParams) -> types.WorkspaceEdit:
        places, names, offset = _asked(server, params)
        spans = _or_refuse(lambda: rename(names, offset, params.new_name))
        edits = [types.TextEdit(protocol.range_(places, span), params.new_name) for span in spans]
        return types.WorkspaceEdit(changes={params.text_document.uri: edits})

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        text = server.text(params.text_document.uri)
        return protocol.outline(server.places(text), index(text))

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def _(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        text = server.text(params.text_document.uri)
        try:
            written = await asyncio.to_thread(fmt, text)
        except GrammarError:
            return []  # its findings say why
        if written == text or server.text(params.text_document.uri) != text:
            return []
        whole = protocol.range_(server.places(text), Span(0, len(text)))
        return [types.TextEdit(whole, written)]

    return server


def _locations(server: Server, params: Any, wanted: Callable[[Any], bool]) -> list[types.Location]:
    """The places of what is meant at a position, those that are wanted."""
    places, names, offset = _asked(server, params)
    name = names.at(offset)
    if name is None or name.role not in (Role.RULE, Role.REGISTER):
        return []
    uri = params.text_document.uri
    return [protocol.location(places, uri, n.span) for n in names.same(name) if wanted(n)]


def _or_refuse(question: Callable[[], T]) -> T:
    try:
        return question()
    except StatelangError as error:
        raise JsonRpcInvalidParams(str(error)) from None
