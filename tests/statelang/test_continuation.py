"""A continuation accepts what may follow a prefix, nothing that breaks a contract in the next text, and
nothing that the plain grammar forbids."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

import statelang
from statelang.exports.continuation import continuation
from statelang.machine import Configuration, Machine
from statelang.search import Search
from statelang.walk import walk
from tests.statelang import readers

FORMAL = "<formalize>Tom = 5\nAnn = Tom + 3\nfind Ann</formalize>\n"
SOLVING = f"{FORMAL}<decompose>Ann</decompose>\n<solve>Ann = Tom + 3 = "
CALLS = """
//@ ghost seen: set[text] = {}
//@ limit note 2

start : _list _after
_after : done
_list : item _list
      | note _list
       |

//@ requires WORD not in seen
//@ set seen = seen | {WORD}
item : "<item>" WORD "</item>\\n"
note : "<note>" LINE "</note>\\n"
//@ requires NUMBER == size(seen)
done : "<done>" NUMBER "</done>\\n"
WORD : "red" | "blue" | "café"
LINE : /[^<\\n]{1,20}/
//@ type number
NUMBER : /[0-9]{1,2}/
"""
SPACES = {
    "kwai_star_formal": statelang.load("kwai_star_formal"),
    "kwai_star": statelang.load("kwai_star"),
    "calls": statelang.loads(CALLS, "calls"),
}
SEARCHES = {name: Search(Machine(space)) for name, space in SPACES.items()}


def places(name: str, text: str) -> list[tuple[str, str, Configuration]]:
    """The places between two texts: what stands before, what follows, the configuration."""
    machine, found = SEARCHES[name].machine, []
    at, data = machine.start(), text.encode()
    for index in range(len(data)):
        if all(thread.left is None for thread, _ in at.alive):
            found.append((data[:index].decode(), data[index:].decode(), at))
        after = machine.advance(at, data[index : index + 1])
        assert after is not None
        at = after
    return found


def written(name: str, at: Configuration, to: str) -> str:
    """The continuation, which there is."""
    found = continuation(SEARCHES[name], at, to)
    assert found is not None
    return found


READERS = [
    ("gbnf", readers.llama_cpp),
    ("gbnf", readers.llguidance_gbnf),
    ("ebnf", readers.xgrammar_ebnf),
    ("ebnf", readers.llguidance_gbnf),
]


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize(("to", "reader"), READERS)
def test_what_follows_in_a_legal_trace_is_accepted(
    name: str, to: str, reader: Callable[[str], readers.Matches]
) -> None:
    """Complete: at every place of a legal trace the rest of it is in the continuation."""
    chance = random.Random(3)
    for seed in (0, 4):
        found = places(name, walk(SPACES[name], seed))
        for before, rest, at in chance.sample(found, min(len(found), 2)):
            assert reader(written(name, at, to))(rest), (before, rest)


@pytest.mark.parametrize("name", SPACES)
def test_what_the_plain_grammar_forbids_is_refused(name: str) -> None:
    """Sound: whatever the continuation accepts of other traces' ends is grammatical behind here."""
    plain = Machine(SPACES[name], contracts=False)
    found = [place for seed in (0, 3, 4) for place in places(name, walk(SPACES[name], seed))]
    chance, accepted, refused = random.Random(1), 0, 0
    ends = [rest for _, rest, _ in chance.sample(found, 8)]
    for before, own, at in chance.sample(found, 8):
        matches = readers.llguidance_gbnf(written(name, at, "gbnf"))
        for rest in (own, *ends):
            if not matches(rest):
                refused += 1
                continue
            after = plain.advance(plain.start(), (before + rest).encode())
            assert after is not None and plain.ends(after) is not None, (before, rest)
            accepted += 1
    assert accepted and refused


REST = "</solve>\n<parent>Ann = 8</parent>\n<summarize>8</summarize>\n"


@pytest.mark.parametrize(
    ("name", "before", "right", "wrong"),
    [
        ("kwai_star_formal", FORMAL, "<parent unchecked>1</parent>\n<summarize>1</summarize>\n",
         "<parent>Ann = 8</parent>\n<summarize>8</summarize>\n"),
        ("kwai_star_formal", SOLVING, f"5 + 3 = 8{REST}", f"5 + 4 = 9{REST}"),
        ("kwai_star_formal", f"{SOLVING}5 + 3 = ", f"8{REST}", f"9{REST}"),
        ("calls", "<item>red</item>\n", "<item>café</item>\n<done>2</done>\n", "<item>red</item>\n<done>1</done>\n"),
        ("calls", "<item>red</item>\n", "<done>01</done>\n", "<done>2</done>\n"),
        ("calls", "<note>a</note>\n" * 2, "<done>0</done>\n", "<note>a</note>\n<done>0</done>\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("to", "reader"), READERS)
def test_contracts_decide_the_next_texts(
    name: str,
    before: str,
    right: str,
    wrong: str,
    to: str,
    reader: Callable[[str], readers.Matches],
) -> None:
    """Exact: gates, members of sets and values that are due are written out."""
    machine = SEARCHES[name].machine
    at = machine.advance(machine.start(), before.encode())
    assert at is not None
    matches = reader(written(name, at, to))
    assert (matches(right), matches(wrong)) == (True, False)


def test_at_the_end_nothing_may_follow() -> None:
    """Only the empty text is left."""
    machine = SEARCHES["calls"].machine
    at = machine.advance(machine.start(), b"<done>0</done>\n")
    assert at is not None
    assert written("calls", at, "gbnf") == 'root ::= ""\n'
