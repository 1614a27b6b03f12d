"""Traces carried over to a grammar with other names and literals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import statelang
from statelang.diagnostics import StatelangError
from statelang.space import StateSpace
from statelang.traces.refactoring import renamed
from statelang.traces.renaming import Migrator, migrate
from statelang.traces.visits import visited
from tests.strategies import OWN, WORKED, own_space, problem_for, space_named, traces

# A quarter of the examples: each walks, reads and searches whole traces.
FEW = settings(max_examples=settings().max_examples // 4)

# Per space: what is replaced in its grammar, names, literals and listed words.
CHANGES = {
    "kwai_star": [
        ("solve_subproblem", "calculate"), ("<solve>", "<step of the plan>"), ("</solve>", "</s>"),
        ('"right" | "wrong"', '"yes" | "no"'), ('"wrong" else "right"', '"no" else "yes"'),
        ("equation", "calculation"), ("_solved", "_done"),
    ],
    "kwai_star_formal": [
        ("solve_subproblem", "calculate"), ("<solve>", "<calculate>"), ('" = " plan_now', '": " plan_now'),
        ('"find " ID', '"? " ID'), ("known", "values_so_far"),
    ],
    "traffic": [("car", "vehicle"), ('"vehicles: "', '"in all "')],
    "pick": [('"look "', '"see: "'), ("choose", "take")],
    "calls": [("hello", "hi"), ('"→ hé "', '"- "')],
    "sum": [('"["', '"{"'), ('"] "', '"} "'), ("write", "note")],
    "lists": [('", " WORD', '" + " WORD'), ("bag", "sack")],
}  # fmt: skip


def changed(name: str) -> StateSpace:
    """A space with the changes made in its grammar."""
    text = space_named(name).source.text
    for old, new in CHANGES[name]:
        assert old in text
        text = text.replace(old, new)
    return statelang.loads(text, "changed")


@pytest.mark.parametrize("name", OWN)
@FEW
@given(data=st.data())
def test_to_the_same_grammar(name: str, data: st.DataObject) -> None:
    """Carried over to its own grammar a trace stays what it is."""
    space = space_named(name)
    text = data.draw(traces(name))
    assert text == migrate(space, space, text, problem_for(name))


@pytest.mark.parametrize("name", [name for name in CHANGES if name in OWN])
@FEW
@given(data=st.data())
def test_there_and_back(name: str, data: st.DataObject) -> None:
    """A walked trace is legal under the other grammar, takes the same transitions, and comes back
    as it was."""
    old, new, problem = space_named(name), changed(name), problem_for(name)
    text = data.draw(traces(name))
    moved = migrate(old, new, text, problem)
    assert visited(old, text, problem) == visited(new, moved, problem)
    assert text == migrate(new, old, moved, problem)


@pytest.mark.parametrize("name", list(WORKED))
def test_shipped_spaces(name: str) -> None:
    """Tags, separators and words that a terminal lists are rewritten, fields are kept."""
    old, new = space_named(name), changed(name)
    moved = migrate(old, new, WORKED[name])
    assert visited(new, moved) is not None
    assert WORKED[name] == migrate(new, old, moved)
    assert "<solve>" not in moved


@pytest.mark.parametrize("name", [name for name in CHANGES if name in OWN])
@FEW
@given(data=st.data())
def test_places(name: str, data: st.DataObject) -> None:
    """Offsets follow the pieces: what was a piece of the old text is a piece of the new one."""
    text = data.draw(traces(name))
    found = Migrator(space_named(name), changed(name)).migrate(text, problem_for(name))
    assert text == "".join(old for old, _ in found.leaves)
    assert (0, len(found.text)) == (found.place(0), found.place(len(text)))
    at = 0
    for old, new in found.leaves:
        start, end = found.place(at), found.place(at + len(old))
        assert new == found.text[start:end]
        at += len(old)
    places = [found.place(offset) for offset in range(len(text) + 1)]
    assert places == sorted(places)


def test_a_trace_that_breaks_a_contract_still_does() -> None:
    """Rejected traces of a data set are carried over too: only the verdict must stay the same."""
    old, new = own_space("traffic"), changed("traffic")
    assert "vehicle\nin all 7\n" == migrate(old, new, "car\ncars: 7\n")


def test_deep_parts() -> None:
    """Parts inside parts are no matter of the call stack."""
    depth = 300
    text = f"[{'(' * depth}1{')' * depth}] 1\nend"
    moved = migrate(own_space("sum"), changed("sum"), text)
    assert text.replace("[", "{").replace("]", "}") == moved


TWO = 'start : a _x\n_x : b\na : "a" N\nb : "b" N\nN : /[0-9]/\n'


@pytest.mark.parametrize(
    ("new", "renames", "said"),
    [
        (TWO.replace("a :", "c :").replace(": a", ": c").replace("b :", "d :").replace(": b", ": d"),
         {}, "several have its shape"),
        (TWO.replace('"a" N', '"a" N N'), {}, "differ by more than names and literals"),
        (TWO.replace("a :", "c :").replace(": a", ": c").replace('"a" N', '"c"'), {}, "none has its shape"),
        (TWO, {"z": "a"}, "names `z`, which is neither"),
        (TWO, {"a": "z"}, "names `z`, which is neither"),
        (TWO.replace("[0-9]", "[0-4]"), {}, "does not parse"),
        (TWO.replace("a : ", "//@ requires N != \"7\"\na : "), {}, "breaks `requires N"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_over(new: str, renames: dict[str, str], said: str) -> None:
    """No counterpart, another shape, or another verdict: the reason is named."""
    with pytest.raises(StatelangError, match=said):
        migrate(statelang.loads(TWO), statelang.loads(new, "new"), "a7b8", renames=renames)


def test_a_rename_decides_between_equal_shapes() -> None:
    """Where several new actions fit, the one that is named is taken."""
    new = (
        TWO.replace("a :", "c :").replace(": a", ": c").replace("b :", "d :").replace(": b", ": d")
    )
    new = new.replace('"a"', '"c"').replace('"b"', '"d"')
    assert "c7d8" == migrate(
        statelang.loads(TWO), statelang.loads(new), "a7b8", renames={"a": "c", "b": "d"}
    )


@pytest.mark.parametrize("text", ["", "a7", "a7b8?", "\ud800"])
def test_what_does_not_parse(text: str) -> None:
    """A text that the old grammar does not read cannot be carried over."""
    with pytest.raises(StatelangError, match="does not parse"):
        migrate(statelang.loads(TWO), statelang.loads(TWO, "new"), text)


# ---- names in the grammar itself -------------------------------------------------------------


def test_renamed_in_rules_contracts_and_tags() -> None:
    """Names change where they are names: not in documentation, quoted texts or other rules' tags."""
    old = statelang.loads(
        "/// About solve.\n\n//@ limit solve 2\n//@ answer solve.N as number\n\n"
        "start : solve _more\n_more : solve _more\n      | check\n"
        '/// To solve.\nsolve : "<solve>" N "</solve>\\n"\n'
        '//@ requires count(solve) > 0 and "solve" != "x" and N == last(solve).N\n'
        'check : "<solve ok>" N\nN : /[0-9]/\n'
    )
    new = renamed(old, {"solve": "work", "_more": "_next"})
    assert (
        "/// About solve.\n\n//@ limit work 2\n//@ answer work.N as number\n\n"
        "start : work _next\n_next : work _next\n      | check\n"
        '/// To solve.\nwork : "<work>" N "</work>\\n"\n'
        '//@ requires count(work) > 0 and "solve" != "x" and N == last(work).N\n'
        'check : "<solve ok>" N\nN : /[0-9]/\n'
    ) == new.source.text
    assert "<work>1</work>\n<solve ok>1" == migrate(
        old, new, "<solve>1</solve>\n<solve ok>1", renames={"solve": "work"}
    )


@pytest.mark.parametrize("name", list(WORKED))
def test_renamed_back_is_the_same(name: str) -> None:
    """A rename and its inverse leave the grammar as it was."""
    there = renamed(space_named(name), {"decompose": "split", "_solved": "_done"})
    back = renamed(there, {"split": "decompose", "_done": "_solved"})
    assert space_named(name).source.text == back.source.text


@pytest.mark.parametrize(
    ("renames", "said"),
    [
        ({"van": "bus"}, "`van` is neither an action nor a state"),
        ({"car": "cars"}, "`cars` is also a register"),
        ({"car": "report"}, "would break a rule of the language"),
        ({"car": "_car"}, "would break a rule of the language"),
    ],
)
def test_renames_that_are_refused(renames: dict[str, str], said: str) -> None:
    """Unknown names, names that are taken, names of another kind."""
    with pytest.raises(StatelangError, match=said):
        renamed(own_space("traffic"), renames)
