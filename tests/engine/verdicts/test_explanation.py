"""Explanations: the first illegal step, the repair that validates, the fitness."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import statelang
from statelang.engine import explain, fitness, validate
from tests.statelang.traces.test_alignment import mutants
from tests.strategies import OWN, WORKED, edited, own_space, problem_for, space_named

FORMAL = WORKED["kwai_star_formal"]
# Walking the prose space takes seconds; what it shows the formal one shows too.
SPACES = [pytest.param("kwai_star", marks=pytest.mark.soak), "kwai_star_formal", *OWN]
# A quarter of the examples: each walks, reads and searches whole traces.
FEW = settings(max_examples=settings().max_examples // 4)

# What is replaced by what in the worked trace; the edit that takes it back.
REPAIRS = [
    ("= 8 + 2 = 10", "= 8 + 2 = 11", ("rewrite", 5, "<solve>Bob = Ann + 2 = 8 + 2 = 10</solve>\n")),
    ("Ann right", "Ann wrong", ("rewrite", 4, "<verify>Ann right</verify>\n")),
    ("<decompose>Ann\n", "<decompose>", ("rewrite", 2, "<decompose>Ann\nBob</decompose>\n")),
    ("<verify>Bob wrong</verify>\n", "", ("insert", 6, "<verify>Bob wrong</verify>\n")),
    ("<backtrack>Bob</backtrack>\n", "", ("insert", 7, "<backtrack>Bob</backtrack>\n")),
    ("<parent>Bob", "<verify>Bob right</verify>\n<parent>Bob", ("delete", 10, "")),
    ("<summarize>16</summarize>\n", "", ("insert", 11, "<summarize>16</summarize>\n")),
    ("<verify>Bob wrong", "<verify>Bob wrng", ("rewrite", 6, "<verify>Bob wrong</verify>\n")),
    ("<verify>Bob wrong</verify>", "Is Bob wrong?", ("replace", 6, "<verify>Bob wrong</verify>\n")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "edit"), REPAIRS)
def test_one_fault_has_one_edit(old: str, new: str, edit: tuple[str, int, str]) -> None:
    """One fault is one edit from legal, and the edit is the one that takes it back."""
    found = explain(space_named("kwai_star_formal"), FORMAL.replace(old, new, 1))
    assert (1, [edit]) == (found.cost, [(e.kind, e.step, e.text) for e in found.edits])
    assert 0 < found.fitness < 1 and not found.legal


@pytest.mark.parametrize("name", SPACES)
@FEW
@given(data=st.data())
def test_repairs_validate(name: str, data: st.DataObject) -> None:
    """Of any spoilt trace: the repaired text validates, the fitness is 1 only for legal traces,
    and the same trace has the same explanation."""
    space, problem = space_named(name), problem_for(name)
    text = data.draw(edited(name) | mutants(name))
    found, verdict = explain(space, text, problem), validate(space, text, problem)
    legal = verdict.grammar and verdict.contracts is True
    assert legal == found.legal == (found.fitness == 1) == (not found.edits)
    assert 0 <= found.fitness <= 1
    assert found.order <= found.cost <= found.worst or legal
    assert found == explain(space, text, problem)
    assert found.fitness == fitness(space, text, problem)
    assert found.repaired is not None
    assert validate(space, found.repaired, problem).contracts is True


@pytest.mark.parametrize("name", SPACES)
@FEW
@given(data=st.data())
def test_a_contract_is_blamed_as_the_verdict_blames_it(name: str, data: st.DataObject) -> None:
    """Where the grammar holds, step, place and clause are those of the verdict."""
    space, problem = space_named(name), problem_for(name)
    text = data.draw(edited(name) | mutants(name))
    fault, error = explain(space, text, problem).fault, validate(space, text, problem).error
    if error is None or fault is None:
        assert error is None and fault is None
    elif validate(space, text, problem).grammar:
        assert (error.step, error.line, error.column) == (fault.step, fault.line, fault.column)
        assert error.rule == fault.rule
        assert fault.place is not None
        assert fault.rule in space.source.line(fault.place)
    else:
        assert (fault.line, fault.column) <= (error.line, error.column)


def test_a_fault_in_full() -> None:
    """State, what was legal, the clause's line, and the values that it saw."""
    space = space_named("kwai_star_formal")
    fault = explain(space, FORMAL.replace("<backtrack>Bob</backtrack>\n", "")).fault
    assert fault is not None
    assert (7, 11, 1) == (fault.step, fault.line, fault.column)
    assert "<solve>" == FORMAL.replace("<backtrack>Bob</backtrack>\n", "")[fault.start :][:7]
    assert "requires size(bad) == 0" == fault.rule
    assert (("_verified",), ("backtrack",)) == (fault.states, fault.legal)
    assert (("bad", '{"Bob"}'),) == fault.saw


def test_contracts_before_the_grammar() -> None:
    """A broken clause is reported although text that does not parse stands after it."""
    space = space_named("kwai_star_formal")
    text = FORMAL.replace("5 + 3 = 8<", "5 + 3 = 9<").replace("<summarize>", "<sum>")
    fault = explain(space, text).fault
    assert fault is not None
    assert (3, "requires RESULT == value(work)") == (fault.step, fault.rule)


@pytest.mark.parametrize(
    ("name", "text", "saw"),
    [
        ("traffic", "car\ncars: 2\n", {"NUMBER": "2", "cars": "1"}),
        ("pick", "look red\nchoose blue\n", {"WORD": '"blue"', "seen": '{"red"}'}),
        ("pick", "look red\nlook red\n",
         {"WORD": '"red"', "options": '{"blue", "blé", "re", "red"}', "seen": '{"red"}'}),
        ("pick", "look red\nlook re\nlook blue\nlook blé\n", {"count(look)": "3"}),
        ("share", "share 3.4\n", {"NUMBER": "3.4", "total": "10", "parts": "3"}),
        ("calls", "→ hé A\nbye B1", {"NUMBER": "1", "count(hello)": "1", "NAME": '"B"',
                                     "last(hello).NAME": '"A"'}),
    ],
)  # fmt: skip
def test_what_a_clause_saw(name: str, text: str, saw: dict[str, str]) -> None:
    """Registers, inputs, fields, counts and earlier fields are shown with their values."""
    fault = explain(own_space(name), text, problem_for(name)).fault
    assert fault is not None
    assert saw.items() >= dict(fault.saw).items()
    assert fault.saw


def test_a_legal_trace() -> None:
    """Nothing to explain: no fault, no edit, fitness 1."""
    found = explain(space_named("kwai_star_formal"), FORMAL)
    assert (True, None, (), FORMAL, 1.0) == (
        found.legal, found.fault, found.edits, found.repaired, found.fitness,
    )  # fmt: skip


def test_where_no_text_can_be_found_the_order_is_repaired() -> None:
    """Contracts that leave no way to the end: the edits are about the order of steps alone."""
    space = statelang.loads(
        '//@ ghost n: number = 0\n\nstart : a _b\n_b : b\n//@ requires n == 1\na : "x"\nb : "y"\n'
    )
    found = explain(space, "y")
    assert found.repaired is None
    assert [("insert", 1, "a", "")] == [(e.kind, e.step, e.action, e.text) for e in found.edits]
    assert 0 <= found.fitness < 1


@pytest.mark.parametrize(
    "text",
    ["", "\ud800", "é" * 1000, "x" * 1_000_000, "<solve>" * 2_000, FORMAL * 200, FORMAL + "\x00"],
)
def test_hostile_texts(text: str) -> None:
    """Whatever the text: an explanation with a fault, and a fitness below 1."""
    found = explain(space_named("kwai_star_formal"), text)
    assert found.fault is not None and 0 <= found.fitness < 1
    assert json.loads(json.dumps(found.as_dict()))["cost"] == found.cost


def test_fitness_falls_with_every_fault() -> None:
    """More faults, less fitness."""
    space = space_named("kwai_star_formal")
    texts = [FORMAL, FORMAL.replace("Ann right", "Ann wrong")]
    texts.append(texts[-1].replace("Bob wrong", "Bob right"))
    texts.append(texts[-1].replace("<summarize>16", "<summarize>17"))
    found = [fitness(space, text) for text in texts]
    assert found == sorted(set(found), reverse=True)
