"""Ways to the end: what is found ends the trace, within the bytes and the bound given."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import statelang
from statelang.engine import validate
from statelang.regular.automaton import ALL_BYTES
from statelang.walking.machine import Machine
from statelang.walking.search import Search
from tests.strategies import OWN, SHIPPED, WORKED, own_space, problem_for, space_named, traces

SPACES = [*SHIPPED, *OWN]


@cache
def search(name: str, alphabet: int = ALL_BYTES) -> Search:
    """Completions in a space."""
    return Search(Machine(space_named(name)), alphabet)


def bytes_of(text: str) -> int:
    """The bytes of a text as a set."""
    return sum(1 << byte for byte in set(text.encode()))


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_every_beginning_of_a_trace_can_be_completed(name: str, data: st.DataObject) -> None:
    """From any byte of a legal trace a way to the end is found, and what it makes validates."""
    text = data.draw(traces(name)).encode()
    at = data.draw(st.integers(0, len(text)))
    problem, machine = problem_for(name), search(name).machine
    here = machine.advance(machine.start(problem), text[:at])
    assert here is not None
    way = search(name).complete(here)
    assert way is not None
    whole = (text[:at] + way).decode()
    assert validate(space_named(name), whole, problem).contracts is True


@pytest.mark.parametrize("name", SPACES)
@given(data=st.data())
def test_every_step_of_a_legal_trace_can_be_completed(name: str, data: st.DataObject) -> None:
    """`step` says yes at every byte of a legal trace."""
    text = data.draw(traces(name)).encode()
    at = data.draw(st.integers(0, len(text)))
    machine = search(name).machine
    here = machine.advance(machine.start(problem_for(name)), text[:at])
    assert here is not None
    assert search(name).step(here)


def test_a_step_that_cannot_be_completed_is_known() -> None:
    """Where no text completes the step, `step` says no and `complete` finds nothing."""
    space = statelang.loads(
        'start : a\n//@ requires "ab" in W\na : "<" (W ",")+ ">"\nW : /[a-b]{1,2}/\n'
    )
    found = Search(Machine(space))
    start = found.machine.start()
    assert found.step(start)
    dead = Search(Machine(own_space("prefix")))
    here = dead.machine.advance(dead.machine.start(), b"go d")
    assert here is None, "no step down from 0"
    locked = Search(
        Machine(
            statelang.loads('start : a\n//@ requires value(W) == 1\na : "<" W ">"\nW : /[b-d]/\n')
        )
    )
    opened = locked.machine.advance(locked.machine.start(), b"<")
    assert opened is not None and not locked.step(opened)
    assert locked.complete(locked.machine.start()) is None


def test_a_step_needs_an_open_exit_after_it() -> None:
    """A step that leads where every transition is closed is not a step to take."""
    text = (
        "//@ ghost n: number = 0\n\nstart : a _s\n_s : b  //@ requires n == 1\n"
        '//@ set n = N\na : "a" N\nb : "b"\n//@ type number\nN : /[0-9]/\n'
    )
    found = Search(Machine(statelang.loads(text)))
    machine = found.machine
    for digit in range(10):
        after = machine.advance(machine.start(), f"a{digit}".encode())
        assert (after is not None and found.step(after)) == (digit == 1)
    assert found.complete(machine.start()) == b"a1b"


def test_a_way_is_written_with_the_bytes_there_are() -> None:
    """Only bytes of the alphabet are used; where they cannot end a trace, none is found."""
    problem = {"options": ["red", "blue"]}
    few = Search(Machine(own_space("pick")), bytes_of("look choose red\n"))
    way = few.complete(few.machine.start(problem))
    assert way == b"look red\nchoose red\n"
    none = Search(Machine(own_space("pick")), bytes_of("look choose \n"))
    assert none.complete(none.machine.start(problem)) is None


def test_the_first_way_is_the_structurally_shortest() -> None:
    """From the start the shortest way is found first: no detours are taken."""
    machine = search("prefix").machine
    assert search("prefix").complete(machine.start()) == b"go up\ngo home\n"
    assert (
        len(search("kwai_star_formal").complete(search("kwai_star_formal").machine.start()) or b"")
        < 110
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_completions_go_on_to_others(name: str) -> None:
    """Further completions are found at random; each ends the trace."""
    found, machine = search(name), search(name).machine
    start = machine.start()
    ways = list(found.completions(start))
    assert len(ways) > 3
    for way in ways:
        assert validate(space_named(name), way.decode()).contracts is True


@pytest.mark.parametrize("name", SHIPPED)
def test_completions_are_repeatable(name: str) -> None:
    """A fresh search finds the same ways."""
    text = WORKED[name].encode()
    at = random.Random(3).randrange(len(text))
    first, second = (Search(Machine(space_named(name))) for _ in range(2))
    here = first.machine.advance(first.machine.start(), text[:at])
    there = second.machine.advance(second.machine.start(), text[:at])
    assert here is not None and there is not None
    assert first.complete(here) == second.complete(there)


def test_a_search_is_bounded() -> None:
    """Past the bound nothing is known: a search that would go on for ever ends with None."""
    space = statelang.loads(
        "//@ ghost n: number = 0\n\nstart : a _s\n_s : a _s\n   | stop  //@ requires n < 0\n"
        '//@ set n = n + 1\na : "x"\nstop : "y"\n'
    )
    found = Search(Machine(space), limit=500)
    assert found.complete(found.machine.start()) is None


def test_a_list_without_end_hides_no_way() -> None:
    """A list may be left at once, though to go on with it is a way as well."""
    text = (
        'start : a\n//@ requires "é" in FAR and size(FAR) < 2\na : "x" FAR ("," FAR)* "\\n"\n'
        "FAR : /[éè]{1,2}/\n"
    )
    found = Search(Machine(statelang.loads(text)))
    assert found.complete(found.machine.start()) == "xé\n".encode()
    opened = found.machine.advance(found.machine.start(), b"x")
    assert opened is not None and found.step(opened)


def test_every_field_of_a_sum_is_tried() -> None:
    """Where no language says which digit is due, each is a way of its own."""
    text = (
        "start : sum\n//@ requires TOTAL * 1 == LEFT + RIGHT\n"
        'sum : LEFT "+" RIGHT "=" TOTAL "\\n"\n//@ type number\nLEFT : /[0-9]/\n'
        "//@ type number\nRIGHT : /[0-9]/\n//@ type number\nTOTAL : /[0-9]/\n"
    )
    found = Search(Machine(statelang.loads(text)))
    for left in range(10):
        for right in range(10):
            begun = found.machine.advance(found.machine.start(), f"{left}+{right}".encode())
            assert (begun is not None and found.step(begun)) == (left + right < 10)


def test_a_text_inside_a_map_of_sets_is_copied() -> None:
    """What no guard narrows is found where it is written, however deep."""
    space = statelang.loads(
        "//@ input columns: map[text, set[text]]\n\nstart : pick\n"
        "//@ requires TABLE in columns and COLUMN in columns[TABLE]\n"
        'pick : COLUMN " of " TABLE "."\nCOLUMN : /[a-zé]{1,9}/\nTABLE : /[a-zé]{1,9}/\n',
        "pick",
    )
    problem = {"columns": {"song": ["année"], "list": []}}
    machine = Machine(space)
    assert Search(machine).complete(machine.start(problem)) == "année of song.".encode()
