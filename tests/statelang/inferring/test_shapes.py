"""What texts of one kind have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.inferring.shapes import Names, joined, plain, quoted, room, shape
from statelang.walking.machine import Machine

LINE = r"/[^\n<]{1,128}/"


@pytest.mark.parametrize(
    ("values", "expected", "definitions"),
    [
        (["", ""], "", []),
        (["go", "go"], '"go"', []),
        (["1", "-20"], "NUMBER", ["/-?[0-9]{1,16}/"]),
        (["1.5", "2"], "NUMBER", [r"/[0-9]{1,16}(\.[0-9]{1,16})?/"]),
        ([".5", "2"], "NUMBER", [r"/([0-9]{1,16}(\.[0-9]{1,16})?|\.[0-9]{1,16})/"]),
        (["s1", "s22"], "ID", ["/s[0-9]{1,16}/"]),
        (["Ann", "Bob"], "ID", ["/[A-Z][a-z]{0,16}/"]),
        (["aB", "c_1"], "ID", ["/[A-Za-z][A-Za-z0-9_]{0,16}/"]),
        (["right", "wrong"] * 4, "WORD", ['"right" | "wrong"']),
        (["a = 1", "b = 2"], 'ID " = " NUMBER', ["/[a-z][a-z]{0,16}/", "/[0-9]{1,16}/"]),
        (["find a", "find b", "find c", "find d"], '"find " ID', ["/[a-z][a-z]{0,16}/"]),
        (["a", "b\nc"], 'ID ("\\n" ID)*', ["/[a-z][a-z]{0,16}/"]),
        (["1, 2", "3"], 'NUMBER (", " NUMBER)*', ["/[0-9]{1,16}/"]),
        (["Who is it?", "No, 3."], "LINE", [LINE]),
        (["", "Who is it?", "No, 3."], "(LINE)?", [LINE]),
        (["a\n\nb c", "d e"], "TEXT", ["/[^<]{1,128}/"]),
        (["3 x", "4 y z"], 'NUMBER " " LINE', ["/[0-9]{1,16}/", LINE]),
    ],
)
def test_shapes(values: list[str], expected: str, definitions: list[str]) -> None:
    """Literals, numbers, names, few words, lists; else text of a bounded length."""
    names = Names(frozenset())
    assert expected == joined(shape(values, "<", names))
    used = [line.partition(" : ")[2] for line in names.defined(expected).splitlines()]
    assert definitions == [line for line in used if line]


def test_a_list_of_several_fields_is_a_part() -> None:
    """What is repeated has a name of its own, which no action has."""
    names = Names(frozenset({"item"}))
    assert 'item_2 ("\\n" item_2)*' == joined(shape(["a = 1", "b = 2\nc = 3"], "<", names))
    assert 'item_2 : ID " = " NUMBER\n' in names.defined("item_2")


def test_literals_that_touch_are_one() -> None:
    """Literals in a row are joined; what looks like one inside a literal is left alone."""
    assert '"a\\" b" ID " " NUMBER' == joined(['"a\\""', '" b"', "ID", '" "', "NUMBER"])


def test_names_are_shared_and_numbered() -> None:
    """One definition has one name, another one the next number."""
    names = Names(frozenset())
    assert ["NUMBER", "NUMBER_2", "NUMBER"] == [
        names.name("NUMBER", d) for d in ("/[0-9]/", "/[1-9]/", "/[0-9]/")
    ]
    assert "//@ type number\nNUMBER_2 : /[1-9]/\n" == names.defined('"NUMBER" NUMBER_2')


def test_room_is_rounded() -> None:
    """At least twice what was seen, a power of two, never below the least."""
    assert [16, 16, 32, 64, 256] == [room(length, 16) for length in (1, 8, 9, 32, 100)]


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "Bc", "12", "-", ".", " ", " = ", ", ", ":", "\n", "é", '"', "\\", "/"]), max_size=8).map("".join),
        min_size=1,
        max_size=8,
    )
)  # fmt: skip
def test_every_value_is_read_again(values: list[str]) -> None:
    """A rule of the shape is sound and reads each value; text without structure does too."""
    for make in (shape, plain):
        names = Names(frozenset())
        body = joined(['"<t>"', *make(values, "<", names), '"</t>"'])
        machine = Machine(statelang.loads(f"start : t\nt : {body}\n{names.defined(body)}"))
        for value in values:
            after = machine.advance(machine.start(), f"<t>{value}</t>".encode())
            assert after is not None and machine.ends(after) is not None


def test_quoted_literals_are_read_as_meant() -> None:
    """Quotes, backslashes and line ends in a literal mean themselves."""
    text = 'a"b\\c\n\té/'
    machine = Machine(statelang.loads(f"start : t\nt : {quoted(text)}\n"))
    assert machine.advance(machine.start(), text.encode()) is not None
