"""Small state spaces, vocabularies and Hypothesis strategies that several tests share."""

from __future__ import annotations

import random
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

import statelang
from statelang.engine.vocabularies.vocabulary import Vocabulary
from statelang.space import StateSpace
from statelang.walk import walk

SHIPPED: Final = ("kwai_star", "kwai_star_formal")
SEEDS: Final = 80  # walks of one space that the tests share
EDITS: Final = "09.-+*/=()<> \nsAaé€:,"

TRAFFIC: Final = r"""
//@ ghost cars: number = 0
//@ answer report.NUMBER as number

start : car _queue
_queue : car _queue
       | report

//@ set cars = cars + 1
car : "car\n"
//@ requires NUMBER == cars
report : "cars: " NUMBER "\n"

//@ type number
NUMBER : /[0-9]{1,3}/
"""

PICK: Final = r"""
//@ input options: set[text]
//@ ghost seen: set[text] = {}
//@ answer choose.WORD as choice
//@ limit look 3

start : look _looking
_looking : look _looking
         | choose

//@ requires WORD in options and WORD not in seen
//@ set seen = seen | {WORD}
look : "look " WORD "\n"
//@ requires WORD in seen
choose : "choose " WORD "\n"

WORD : /[a-zé]{1,8}/
"""

SHARE: Final = r"""
//@ input total: number
//@ input hidden parts: number
//@ ghost before: number = 0
//@ answer split.NUMBER as number

start : split _split
_split : differ _split
       | done

//@ requires NUMBER ~ total / parts
//@ set before = NUMBER
split : "share " NUMBER "\n"
//@ requires NUMBER != before
//@ set before = NUMBER
differ : "not " NUMBER "\n"
//@ requires NUMBER == before
done : "was " NUMBER "\n"

//@ type number
NUMBER : /-?[0-9]{1,4}(\.[0-9]{1,3})?/
"""

SUM: Final = r"""
start : write _written
_written : write _written
         | end

//@ requires NUMBER == value(sum)
write : "[" sum "] " NUMBER "\n"
sum : SMALL (OP SMALL)*
    | "(" sum ")" (OP SMALL)?
end : "end"

//@ type number
NUMBER : /-?[0-9]{1,40}/
//@ type number
SMALL : /[0-9]/
OP : /[-+*]/
"""

CALLS: Final = r"""
//@ ghost greeted: number = 0

start : _greetings _body
_greetings : hello _more
_more : hello _more  //@ requires greeted < 3
      |
_body : bye

//@ set greeted = greeted + 1
hello : "→ hé " NAME "\n"
//@ requires NUMBER == count(hello) and NAME == last(hello).NAME
bye : "bye " NAME NUMBER "\n"

NAME : /[à-öA-C]{1,3}/
//@ type number
NUMBER : /[0-9]/
"""

PREFIX: Final = r"""
//@ ghost n: number = 0

start : up _moved
      | down _moved
_moved : up _moved
       | down _moved
       | stop

//@ requires n < 2
//@ set n = n + 1
up : "go " UP "\n"
//@ requires n > 0
//@ set n = n - 1
down : "go " DOWN "\n"
//@ requires n == 1
stop : "go " HOME "\n"

HOME : "home"
UP : "up" | "higher"
DOWN : "down" | "lower"
"""

LISTS: Final = r"""
//@ ghost had: set[text] = {}

start : bag _bag
_bag : bag _bag
     | sum

//@ requires "a" in WORD
//@ set had = had | {first.WORD}
bag : first (", " WORD)+ note? "\n"
first : WORD
note : " " MARK
//@ requires NUMBER == size(had)
sum : "kinds " NUMBER "\n"

WORD : /[ab]{1,2}/
MARK : "ok" | "so"
//@ type number
NUMBER : /[0-9]/
"""

CHECKS: Final = r"""
//@ answer twice.big.NUMBER as number

start : twice

//@ checks big.NUMBER == 2 * small.NUMBER
twice : "twice " small " is " big "\n"
small : NUMBER
big : NUMBER

//@ type number
NUMBER : /[0-9]/
"""

# One trace of each shipped space in which a step is wrong, judged, taken back and done again.
WORKED: Final = {
    "kwai_star": """\
<formalize>How many clips did Natalia sell altogether in April and May?</formalize>
<decompose>s1 = 48/2: Natalia sold clips in May.
s2 = 48+s1: Natalia sold clips altogether in April and May.</decompose>
<solve>s1: Natalia sold 48/2 = <<48/2=24>> clips in May.</solve>
<verify>s1: right</verify>
<solve>s2: Natalia sold <<48*24=1152>> clips altogether in April and May.</solve>
<verify>s2: wrong</verify>
<backtrack>s2</backtrack>
<solve>s2: Natalia sold 48+24 = <<48+24=72>> clips altogether in April and May.</solve>
<verify>s2: right</verify>
<parent>s2 = 72</parent>
<summarize>72</summarize>
""",
    "kwai_star_formal": """\
<formalize>Tom = 5
Ann = Tom + 3
Bob = Ann * 2
find Bob</formalize>
<decompose>Ann
Bob</decompose>
<solve>Ann = Tom + 3 = 5 + 3 = 8</solve>
<verify>Ann right</verify>
<solve>Bob = Ann + 2 = 8 + 2 = 10</solve>
<verify>Bob wrong</verify>
<backtrack>Bob</backtrack>
<solve>Bob = Ann * 2 = 8 * 2 = 16</solve>
<verify>Bob right</verify>
<parent>Bob = 16</parent>
<summarize>16</summarize>
""",
}

# Name, text, and a problem that fits its inputs.
OWN: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "traffic": (TRAFFIC, {}),
    "pick": (PICK, {"options": ["red", "blue", "blé", "re"]}),
    "share": (SHARE, {"total": 10, "parts": 3}),
    "sum": (SUM, {}),
    "calls": (CALLS, {}),
    "prefix": (PREFIX, {}),
    "lists": (LISTS, {}),
}


def space_named(name: str) -> StateSpace:
    """A shipped space or one of the small ones."""
    return statelang.load(name) if name in SHIPPED else own_space(name)


@cache
def own_space(name: str) -> StateSpace:
    """One of the small spaces; the same object at every call."""
    return statelang.loads(OWN[name][0], name)


def problem_for(name: str) -> dict[str, Any]:
    """A problem that fits the inputs of a space."""
    return OWN[name][1] if name in OWN else {}


@cache
def walked(name: str, seed: int) -> str:
    """One walked trace of a space."""
    return walk(space_named(name), seed, problem=problem_for(name))


@cache
def long_walks(name: str) -> tuple[str, ...]:
    """Walked traces of a shipped space that work something out: a walk at random seldom does."""
    return tuple(t for seed in range(SEEDS) if "<solve>" in (t := walked(name, seed)))


def traces(name: str) -> st.SearchStrategy[str]:
    """Walked traces of a space; of a shipped one, many that work something out."""
    short = st.integers(0, SEEDS - 1).map(lambda seed: walked(name, seed))
    if name not in SHIPPED:
        return short
    return short | st.deferred(lambda: st.sampled_from((*long_walks(name), WORKED[name])))


@st.composite
def edited(draw: st.DrawFn, name: str) -> str:
    """A walked trace with one character put in, left out or replaced, or two lines exchanged."""
    text = draw(traces(name))
    at = draw(st.integers(0, len(text) - 1))
    char = draw(st.sampled_from(text) | st.sampled_from(EDITS))
    lines = text.splitlines(keepends=True)
    first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    exchanged = [*lines]
    exchanged[first], exchanged[second] = lines[second], lines[first]
    return draw(
        st.sampled_from(
            [
                text[:at] + char + text[at:],
                text[:at] + text[at + 1 :],
                text[:at] + char + text[at + 1 :],
                "".join(exchanged),
            ]
        )
    )


@cache
def vocabulary(name: str, merges: int = 300) -> Vocabulary:
    """All bytes, and pieces cut out of walked traces wherever they lie: across tags, ids, numbers.

    Token 0 is the stop token and 1 writes nothing, as a padding token does.
    """
    chance = random.Random(name)
    pieces: dict[bytes, None] = {}
    for seed in range(24):
        data = walked(name, seed).encode()
        for _ in range(merges // 24 + 1):
            start = chance.randrange(len(data))
            pieces[data[start : start + chance.choice((2, 2, 3, 3, 4, 6, 9, 14))]] = None
    longer = [piece for piece in pieces if len(piece) > 1]
    return Vocabulary((b"", b"", *(bytes((b,)) for b in range(256)), *longer), frozenset({0}))


def cut(vocabulary: Vocabulary, data: bytes, chance: random.Random) -> list[int]:
    """One random tokenisation of `data`: at each place any token that fits."""
    result, at = [], 0
    while at < len(data):
        node, fitting = 0, []
        for end in range(at, len(data)):
            node = vocabulary.trie.child(node, data[end])
            if node < 0:
                break
            fitting += [(token, end + 1) for token in vocabulary.trie.tokens(node)]
        token, at = chance.choice(fitting)
        result.append(token)
    return result
