"""Each question of an editor about one text, answered in the protocol's own types."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from attrs import frozen
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from statelang.diagnostics import StatelangError
from statelang.editor import protocol, renaming
from statelang.editor.clauses import Role
from statelang.editor.completion import complete
from statelang.editor.hovering import hover
from statelang.editor.indexing import Index, index
from statelang.editor.lines import Name
from statelang.editor.places import Places

T = TypeVar("T")


@frozen(slots=False)
class Text:
    """A text that is open, as it is now."""

    uri: str
    places: Places

    @cached_property
    def names(self) -> Index:
        """What the text declares and uses."""
        return index(self.places.text)

    def offset(self, position: types.Position) -> int:
        """The place in the text that a position names."""
        return self.places.offset(position.line, position.character)


def hovered(text: Text, params: types.HoverParams) -> types.Hover | None:
    """What is to say about the name at a position."""
    found = hover(text.names, text.offset(params.position))
    if found is None:
        return None
    name, said = found
    content = types.MarkupContent(types.MarkupKind.Markdown, said)
    return types.Hover(content, protocol.range_(text.places, name.span))


def defined(text: Text, params: types.DefinitionParams) -> list[types.Location]:
    """Where the name at a position is declared."""
    return _locations(text, params.position, lambda name: name.defines)


def referred(text: Text, params: types.ReferenceParams) -> list[types.Location]:
    """Every place of the name at a position."""
    declared = params.context.include_declaration
    return _locations(text, params.position, lambda name: declared or not name.defines)


def completed(text: Text, params: types.CompletionParams) -> list[types.CompletionItem]:
    """What may stand at a position."""
    return protocol.completion(complete(text.names, text.offset(params.position)))


def renamable(text: Text, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
    """The name at a position, where it is the author's to change."""
    name = _or_refuse(lambda: renaming.renamable(text.names, text.offset(params.position)))
    return types.PrepareRenamePlaceholder(protocol.range_(text.places, name.span), name.text)


def renamed(text: Text, params: types.RenameParams) -> types.WorkspaceEdit:
    """The changes that give a name another spelling."""
    new, offset = params.new_name, text.offset(params.position)
    spans = _or_refuse(lambda: renaming.rename(text.names, offset, new))
    edits = [types.TextEdit(protocol.range_(text.places, span), new) for span in spans]
    return types.WorkspaceEdit(changes={text.uri: edits})


def outlined(text: Text, _: Any) -> list[types.DocumentSymbol]:
    """The registers and definitions."""
    return protocol.outline(text.places, text.names)


def _locations(
    text: Text, position: types.Position, wanted: Callable[[Name], bool]
) -> list[types.Location]:
    name = text.names.at(text.offset(position))
    if name is None or name.role not in (Role.RULE, Role.REGISTER):
        return []
    same = text.names.same(name)
    return [protocol.location(text.places, text.uri, n.span) for n in same if wanted(n)]


def _or_refuse(question: Callable[[], T]) -> T:
    try:
        return question()
    except StatelangError as error:
        raise JsonRpcInvalidParams(str(error)) from None
