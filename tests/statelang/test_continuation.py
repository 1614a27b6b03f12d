"""A continuation accepts what may follow a prefix, nothing that breaks a contract in the next text,
and nothing that the plain grammar forbids."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statelang.engine import validate
from statelang.exports.continuation import continuation
from statelang.walking.machine import Configuration, Machine
from statelang.walking.search import Search
from tests import strategies
from tests.statelang import readers

Reader = Callable[[str], readers.Matches]
NAMES = (*strategies.SHIPPED, *strategies.OWN)
FORMAL = "<formalize>Tom = 5\nAnn = Tom + 3\nfind Ann</formalize>\n"
SOLVING = f"{FORMAL}<decompose>Ann</decompose>\n<solve>Ann = Tom + 3 = "


@cache
def search(name: str) -> Search:
    """Over the machine of a space."""
    return Search(Machine(strategies.space_named(name)))


def places(name: str, text: str) -> list[tuple[str, str, Configuration]]:
    """The places between two texts, as far as the text is legal: what stands before, what follows,
    the configuration."""
    machine, found = search(name).machine, []
    at, data = machine.start(strategies.problem_for(name)), text.encode()
    for index in range(len(data) + 1):
        if all(thread.left is None for thread, _ in at.alive):
            found.append((data[:index].decode(), data[index:].decode(), at))
        after = machine.advance(at, data[index : index + 1])
        if after is None:
            break
        at = after
    return found


def after(name: str, text: str) -> Configuration:
    """The configuration behind a text that is legal so far."""
    machine = search(name).machine
    found = machine.advance(machine.start(strategies.problem_for(name)), text.encode())
    assert found is not None
    return found


def written(name: str, at: Configuration) -> str:
    """The continuation, which there is."""
    found = continuation(search(name), at)
    assert found is not None
    return found


def texts(name: str) -> st.SearchStrategy[str]:
    """Legal traces; of a shipped space a few, for to walk many takes long."""
    if name in strategies.OWN:
        return strategies.traces(name)
    walked = (strategies.walked(name, seed) for seed in range(4))
    return st.sampled_from((strategies.WORKED[name], *walked))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=max(10, settings().max_examples // 10))
@given(data=st.data())
def test_legal_is_accepted_and_accepted_is_grammatical(name: str, data: st.DataObject) -> None:
    """Complete and sound: what follows in a trace, or in another one, from any place of the first."""
    before, rest, at = data.draw(st.sampled_from(places(name, data.draw(texts(name)))))
    other = data.draw(st.sampled_from(places(name, data.draw(texts(name)))))[1]
    matches = readers.llguidance_gbnf(written(name, at))
    space, problem = strategies.space_named(name), strategies.problem_for(name)
    for end in (rest, other):
        verdict = validate(space, before + end, problem)
        assert (verdict.contracts is True) <= matches(end) <= verdict.grammar, (before, end)


READERS = [readers.llama_cpp, readers.llguidance_gbnf, readers.xgrammar_ebnf]


@pytest.mark.parametrize("name", strategies.OWN)
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_reads_it(name: str, reader: Reader) -> None:
    """At the beginning, in the middle and near the end of a trace."""
    found = places(name, strategies.walked(name, 1))
    for before, rest, at in (found[0], found[len(found) // 2], found[-2]):
        assert reader(written(name, at))(rest), (before, rest)


REST = "</solve>\n<parent>Ann = 8</parent>\n<summarize>8</summarize>\n"


@pytest.mark.parametrize(
    ("name", "before", "right", "wrong"),
    [
        ("kwai_star_formal", FORMAL, "<parent unchecked>1</parent>\n<summarize>1</summarize>\n",
         "<parent>Ann = 8</parent>\n<summarize>8</summarize>\n"),
        ("kwai_star_formal", SOLVING, f"5 + 3 = 8{REST}", f"5 + 4 = 9{REST}"),
        ("kwai_star_formal", f"{SOLVING}5 + 3 = ", f"8{REST}", f"9{REST}"),
        ("traffic", "car\ncar\n", "cars: 2\n", "cars: 3\n"),
        ("calls", "→ hé A\n" * 2, "→ hé öA\nbye öA3\n", "bye B2\n"),
        ("calls", "→ hé A\n" * 3, "bye A3\n", "→ hé A\nbye A4\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reader", READERS)
def test_contracts_decide_the_next_texts(
    name: str,
    before: str,
    right: str,
    wrong: str,
    reader: Reader,
) -> None:
    """Exact: gates, members of sets and values that are due are written out."""
    matches = reader(written(name, after(name, before)))
    assert (matches(right), matches(wrong)) == (True, False)


def test_at_the_end_nothing_may_follow() -> None:
    """Only the empty text is left."""
    assert written("traffic", after("traffic", "car\ncars: 1\n")) == 'root ::= ""\n'
