"""Small state spaces, vocabularies and Hypothesis strategies that several tests share."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

import statelang
from statelang.engine.vocabulary import Vocabulary
from statelang.space import StateSpace
from statelang.walk import walk

SHIPPED: Final = ("kwai_star", "kwai_star_formal")

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
stop : "go home\n"

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
