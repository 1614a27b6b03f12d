"""The names of a file: what each stands for, in sound files and in half-typed ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.editor.clauses import Role
from statelang.editor.indexing import Index, index
from statelang.language.analysis import references
from statelang.language.syntax import parse
from tests.editor.cursor import at
from tests.strategies import OWN, SHIPPED, space_named

HEAD = '//@ ghost plan: text = ""\n//@ ghost open: set[text] = {}\n\n'


def role(text: str) -> Role | None:
    """What the name at the mark stands for."""
    names, offset = at(text)
    name = names.at(offset)
    return name.role if name else None


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
def test_a_sound_file_is_read_as_the_compiler_reads_it(name: str) -> None:
    """Definitions, their documentation, contracts and uses, kinds and registers are the space's."""
    space = space_named(name)
    found = index(space.source.text)
    file = parse(space.source)
    assert [d.name for d in file.definitions] == list(found.definitions)
    assert [r.name for r in space.registers] == list(found.registers)
    assert [r.doc for r in space.registers] == [c.doc for c in found.registers.values()]
    for definition in file.definitions:
        own = found.definitions[definition.name]
        assert definition.doc == own.doc
        assert [c.text for c in definition.contracts] == [c.text for c in own.clauses]
        assert [r.name for r in references(definition)] == list(own.uses)
    kinds = {n for n in found.definitions if found.kind(n) == "action"}
    assert {action.name for action in space.actions} == kinds


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
def test_every_name_of_a_sound_file_is_known(name: str) -> None:
    """No name is left that nothing declares."""
    found = index(space_named(name).source.text)
    declared = {Role.RULE: set(found.definitions), Role.REGISTER: set(found.registers)}
    assert [] == [n for n in found.names if n.text not in declared.get(n.role, {n.text})]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Role.RULE, "sta^rt : a"),
        (Role.RULE, "start : a _^b"),
        (Role.RULE, "start : a _b^"),
        (None, "start : ^ "),
        (None, 'start : "te^xt"'),
        (None, "// start : a^"),
        (Role.CLAUSE, "//@ req^uires open"),
        (Role.REGISTER, HEAD + "//@ requires op^en"),
        (Role.REGISTER, HEAD + "//@ set pl^an = ID\na : ID plan"),
        (Role.RULE, HEAD + "//@ requires pl^an == ID\na : ID plan"),
        (Role.RULE, HEAD + "//@ requires plan.I^D in open\na : plan"),
        (Role.MEMBER, HEAD + "//@ requires plan.op^en == 1\na : ID"),
        (Role.MEMBER, HEAD + "//@ requires f(plan).op^en == 1\na : ID"),
        (Role.MEMBER, HEAD + "//@ set plan = {op^en = 1}"),
        (Role.RULE, "//@ requires last(go).OP^EN"),
        (Role.RULE, "//@ requires last(g^o).ID"),
        (Role.RULE, "//@ requires count(g^o) <"),
        (Role.REGISTER, HEAD + "//@ requires old(op^en) =="),
        (Role.FUNCTION, HEAD + "//@ requires op^en(plan)"),
        (Role.FUNCTION, "//@ requires co^unt(go)"),
        (Role.RULE, "//@ answer g^o.ID as number"),
        (Role.RULE, "//@ answer go.I^D as number"),
        (Role.WORD, "//@ answer go.ID as num^ber"),
        (Role.RULE, "//@ limit g^o 3"),
        (Role.TYPE, "//@ type num^ber"),
        (Role.WORD, "//@ input hid^den x: text"),
        (Role.REGISTER, "//@ input hid^den: text"),
        (Role.MEMBER, "//@ ghost x: {si^ze: text} = {}"),
        (Role.TYPE, "//@ ghost x: map[text, num^ber"),
        (Role.WORD, "//@ requires a an^d b"),
    ],
)
def test_a_name_is_told_by_its_place(expected: Role | None, text: str) -> None:
    """What a name stands for follows from what is around it."""
    assert expected is role(text)


def test_a_block_belongs_to_the_definition_directly_below() -> None:
    """An empty line or a plain comment between the two parts them."""
    text = '/// One.\n//@ requires x\na : b\n\n/// Two.\n\nb : C //@ requires y\n/// T.\n// no\nC : ""\n'
    found = index(text)
    assert ["One.", "", ""] == [d.doc for d in found.definitions.values()]
    assert [("requires x", "a"), ("requires y", "b")] == [(c.text, c.home) for c in found.clauses]


def test_a_half_typed_line_hides_no_other() -> None:
    """Around a line that is nothing yet, definitions and their names are found all the same."""
    found = index('start : a _b\n_b : (\nfoo\na : "x" /oops\n/// C\nC : "c')
    assert ["start", "_b", "a", "C"] == list(found.definitions)
    assert ("a", "_b") == found.definitions["start"].uses
    assert "C" == found.definitions["C"].doc
    assert ["", "a"] == [n.home for n in found.names if n.text in ("foo", "a")][1:]


def test_a_first_value_declares_nothing() -> None:
    """Of the names in a declaration, the one behind the word is declared, the others are used."""
    found = index("//@ ghost a: number = 1\n//@ ghost b: number = a + 1\n")
    assert [("a", True), ("b", True), ("a", False)] == [
        (n.text, n.defines) for n in found.names if n.role is Role.REGISTER
    ]


def test_the_first_of_two_definitions_counts() -> None:
    """Both are places of the name; its documentation is that of the first."""
    found = index("/// 1\na : b\n/// 2\na : c\n")
    assert "1" == found.definitions["a"].doc
    assert 2 == len(found.same(found.names[0]))


def beginnings() -> st.SearchStrategy[str]:
    """A shipped file, as far as it has been typed."""
    texts = st.sampled_from([space_named(name).source.text for name in SHIPPED])
    return texts.flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end]))


@given(st.text() | st.text('abA_ :|"/@\\\n()[]{}.*=?<> ghost') | beginnings())
def test_names_stand_where_they_say(text: str) -> None:
    """Of any text the names are in order, apart, and found again by their place."""
    found: Index = index(text)
    for name in found.names:
        assert name.text == text[name.span.start : name.span.end]
        assert name == found.at(name.start)
    assert all(left.span.end <= right.start for left, right in pairwise(found.names))
