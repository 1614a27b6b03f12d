"""Rename: every place that is meant and no other, or a refusal that says why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.editor.clauses import Role
from statelang.editor.indexing import index
from statelang.editor.lines import Name
from statelang.editor.renaming import rename
from statelang.engine import validate
from tests.editor.cursor import at
from tests.strategies import OWN, SHIPPED, problem_for, space_named, walked

NEW = {"state": "_fresh_state", "terminal": "FRESH", "register": "fresh_register"}


def renamed(text: str, offset: int, new: str) -> str:
    """The text with a name replaced."""
    for span in reversed(rename(index(text), offset, new)):
        text = text[: span.start] + new + text[span.end :]
    return text


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
def test_the_meaning_stays(name: str) -> None:
    """With every name of a space renamed, one after the other, it judges traces as before."""
    space = space_named(name)
    text, kept = space.source.text, {"start"}
    while True:
        names = index(text)
        old = next((n for n in names.names if is_own(n) and n.text not in kept), None)
        if old is None:
            break
        kind = "register" if old.role is Role.REGISTER else names.kind(old.text)
        new = f"{NEW.get(kind, 'fresh')}_{len(kept)}"
        text = renamed(text, old.start, new)
        kept.add(new)
    other = statelang.loads(text)
    inputs = dict(zip([r.name for r in space.registers], other.registers, strict=True))
    problem = {inputs[key].name: value for key, value in problem_for(name).items()}
    for seed in range(5):
        verdict = validate(other, walked(name, seed), problem=problem)
        assert (True, True) == (verdict.grammar, verdict.contracts)


def is_own(name: Name) -> bool:
    """Whether the author chose the name."""
    return name.role in (Role.RULE, Role.REGISTER)


HEAD = '//@ ghost names: set[text] = {}\n//@ ghost p: text = ""\n\n'


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("//@ set new = names(ID)\na : ID\n", "//@ set na^mes = names(ID)\na : ID\n"),
        ("//@ requires new.B == new\na : B new\n", "//@ requires p.B == p\na : B p^\n"),
        ("//@ requires new == x.p\na : B\n", "//@ requires p^ == x.p\na : B\n"),
        ('a : "p" new // p\n', 'a : "p" p^ // p\n'),
    ],
)
def test_only_what_is_meant(expected: str, text: str) -> None:
    """A register is not the function, the field or the text that is spelt as it is."""
    names, offset = at(f"{HEAD}{text}p : C\n")
    written = renamed(names.text, offset, "new")
    assert expected == "".join(written.partition("\n\n")[2].splitlines(keepends=True)[:-1])


@pytest.mark.parametrize(
    ("message", "text", "new"),
    [
        ("there is no name here", "a : ^ \n", "b"),
        ("`start` is where every trace begins", "sta^rt : a\n", "b"),
        ("`size` is a word of the language", "//@ requires si^ze(x)\n", "b"),
        ("`b` is not defined in this file", "a : b^\n", "c"),
        ("`B` is no name for a part; a part is written in lower case", "a^ : c\n", "B"),
        ("`b` is no name for a state; a state begins with `_`", "_a^ : c\n", "b"),
        ("`b` is no name for a terminal", "A^ : c\n", "b"),
        ("`_b` is no name for a register", "//@ ghost a^: text\n", "_b"),
        ("`a b` is no name for a part", "a^ : c\n", "a b"),
        ("`a\n` is no name for a part", "b^ : c\n", "a\n"),
        ("`start` is a word of the language", "a^ : c\n", "start"),
        ("`and` is a word of the language", "a^ : c\n", "and"),
        ("`true` is a word of the language", "a^ : c\n", "true"),
        ("`last` is a word of the language", "//@ ghost a^: text\n", "last"),
        ("`kept` is a word of the language", "//@ ghost a^: text\n", "kept"),
        ("`c` is taken: the part has that name", "a^ : c\nc : d\n", "c"),
        ("`c` is taken: a register has that name", "//@ ghost c: text\n\na^ : B\n", "c"),
    ],
)
def test_refused(message: str, text: str, new: str) -> None:
    """A name that is not the author's, or that does not fit, says so."""
    with pytest.raises(StatelangError, match=message.replace("^", r"\^")):
        rename(*at(text), new)


def test_the_same_name_changes_nothing() -> None:
    """To keep a name is allowed."""
    text = "a : b\nb : C\n"
    assert text == renamed(text, 0, "a")


@given(st.sampled_from(SHIPPED), st.data())
def test_back_again(name: str, data: st.DataObject) -> None:
    """A rename and its reverse give the text back, in half a file too."""
    text = space_named(name).source.text
    text = text[: data.draw(st.integers(0, len(text)))]
    names = index(text)
    known = {Role.RULE: set(names.definitions) - {"start"}, Role.REGISTER: set(names.registers)}
    own = [name for name in names.names if name.text in known.get(name.role, ())]
    if not own:
        return
    chosen = data.draw(st.sampled_from(own))
    kind = "register" if chosen.role is Role.REGISTER else names.kind(chosen.text)
    new = NEW.get(kind, "fresh")
    first = names.same(chosen)[0].start
    assert text == renamed(renamed(text, chosen.start, new), first, chosen.text)
