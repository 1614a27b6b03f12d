"""The language server over its standard streams, as an editor drives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from statelang.language.formatting import fmt
from statelang.language.syntax import parse
from tests.commands.grammars import LAMP
from tests.editor.client import URI, WAIT, Client, Refused, client
from tests.strategies import space_named


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    """One server for the tests that open a text of their own."""
    with client() as one:
        yield one


def place(text: str, word: str, number: int = 0) -> tuple[int, int]:
    """Line and character, in UTF-16 units, of the middle of a word's occurrence."""
    at = -1
    for _ in range(number + 1):
        at = text.index(word, at + 1)
    before = text[:at]
    start = before.rpartition("\n")[2]
    return before.count("\n"), len(start.encode("utf-16-le")) // 2 + 1


def test_findings_follow_the_text(server: Client) -> None:
    """A sound text has no findings, a half-typed one has, the same text again has none."""
    server.open(LAMP)
    assert [] == server.findings()
    server.change(LAMP.replace("on _bright", "on _brigh", 1))
    (finding,) = server.findings()
    assert ("SL101", 1, "statelang") == (finding["code"], finding["severity"], finding["source"])
    assert {"start": {"line": 6, "character": 11}, "end": {"line": 6, "character": 17}} == finding[
        "range"
    ]
    assert "did you mean `_bright`?" in finding["message"]
    server.change(LAMP + "\nhalf")
    assert ["SL001"] == [f["code"] for f in server.findings()]
    server.change(LAMP)
    assert [] == server.findings()


def test_a_second_place_is_related(server: Client) -> None:
    """A finding that two places make shows both."""
    server.change(f'{LAMP}on : "x"\n')
    (finding,) = server.findings()
    (other,) = finding["relatedInformation"]
    line = LAMP[: LAMP.index("\non :") + 1].count("\n")
    assert (URI, line) == (other["location"]["uri"], other["location"]["range"]["start"]["line"])


def test_a_half_typed_file_still_answers(server: Client) -> None:
    """Hover, definition and completion need no file that can be read."""
    text = LAMP.replace("off : ", "  broken ( \noff : ").replace("= lit + 1", "= lit + ")
    server.change(text)
    assert server.findings()
    said = server.at("hover", *place(text, "lit + "))["contents"]["value"]
    assert "register `lit`" in said and "set by `on`" in said
    (target,) = server.at("definition", *place(text, "_bright"))
    assert {"line": 8, "character": 0} == target["range"]["start"]
    labels = {item["label"] for item in server.at("completion", *place(text, "n _bright"))}
    assert {"on", "off", "_bright"} <= labels


def test_names_are_found_and_renamed(server: Client) -> None:
    """References are all places of a name; a rename changes them and the meaning stays."""
    server.change(LAMP)
    line, character = place(LAMP, "NUMBER ==")
    context = {"context": {"includeDeclaration": False}}
    assert 3 == len(server.at("references", line, character, **context))
    edit = server.at("rename", line, character, newName="COUNT")["changes"][URI]
    lines = LAMP.split("\n")
    for change in reversed(edit):
        start, end = change["range"]["start"], change["range"]["end"]
        row = lines[start["line"]]
        lines[start["line"]] = row[: start["character"]] + "COUNT" + row[end["character"] :]
    assert LAMP.replace("NUMBER", "COUNT") == "\n".join(lines)
    assert "NUMBER" == server.at("prepareRename", line, character)["placeholder"]


def test_a_bad_name_is_refused(server: Client) -> None:
    """The answer to a name that does not fit says why."""
    server.change(LAMP)
    with pytest.raises(Refused, match="`off` is taken: the action has that name"):
        server.at("rename", *place(LAMP, "on _bright"), newName="off")
    with pytest.raises(Refused, match="`requires` is a word of the language"):
        server.at("prepareRename", *place(LAMP, "requires"))


def test_formatting_is_that_of_the_command(server: Client) -> None:
    """The whole text is replaced by its normal form; one that cannot be read is left alone."""
    ask = {"textDocument": {"uri": URI}, "options": {"tabSize": 4, "insertSpaces": True}}
    odd = LAMP.replace(" : ", ":").replace("\n", "\r\n")
    server.change(odd)
    (edit,) = server.ask("textDocument/formatting", **ask)
    assert fmt(odd) == LAMP == edit["newText"]
    assert {"line": odd.count("\n"), "character": 0} == edit["range"]["end"]
    server.change(LAMP)
    assert [] == server.ask("textDocument/formatting", **ask)
    server.change("start go\n")
    assert [] == server.ask("textDocument/formatting", **ask)


def test_the_outline_lists_registers_and_definitions(server: Client) -> None:
    """Each symbol once, in the order of the file, its name inside its own range."""
    space = space_named("kwai_star")
    server.change(space.source.text)
    found = server.ask("textDocument/documentSymbol", textDocument={"uri": URI})
    defined = [definition.name for definition in parse(space.source).definitions]
    registers = [register.name for register in space.registers]
    assert [*registers, *defined] == [symbol["name"] for symbol in found]
    for symbol in found:
        inner, outer = symbol["selectionRange"], symbol["range"]
        assert outer["start"]["line"] <= inner["start"]["line"] <= outer["end"]["line"]


def test_a_closed_file_has_no_findings(server: Client) -> None:
    """What an editor no longer shows has nothing to say."""
    server.open("start go\n", "file:///space/other.lark")
    server.tell("textDocument/didClose", textDocument={"uri": "file:///space/other.lark"})
    told = server.told.get(timeout=WAIT)
    while "other" not in told["params"]["uri"]:
        told = server.told.get(timeout=WAIT)
    assert [] == told["params"]["diagnostics"]


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 17), ("utf-16", 12), ("utf-32", 11)])
def test_positions_count_as_agreed(encoding: str, character: int) -> None:
    """Characters beyond ASCII before a place are counted in the units of the editor's choice."""
    text = 'start : go\ngo : "é\u2028𝄞" MISSING\n'
    with client(encoding) as one:
        one.open(text)
        finding = next(f for f in one.findings() if f["code"] == "SL101")
    assert {"line": 1, "character": character} == finding["range"]["start"]
