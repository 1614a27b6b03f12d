"""Spaces in other notations, each read by a real reader."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import jsonschema
import pytest

import statelang
from statelang import StatelangError
from statelang.engine import validate
from statelang.exports import TARGETS
from statelang.exports.as_json import schema
from statelang.walking.machine import Configuration, Machine
from tests.statelang import readers
from tests.strategies import EDITS, OWN, SHIPPED, WORKED, space_named, walked

NAMES = (*SHIPPED, *OWN)
REGULAR = ("kwai_star_formal", "traffic", "pick", "share", "calls", "prefix", "lists", "options")

# Grammars for what the spaces above do not have.
ODD = {
    "signs": r"""
start : say _said
_said : say _said
      |
say : ":= \"quoted\" \\ #" WORD "]\n"
WORD : /[\[^\\\-"\/:=]+/ | "a:=b" | "tab\t"
""",
    "case": r"""
start : say
say : "GO "i WORD "!"
WORD : /[a-f]{2}/i | /[^a-z!\u00e9😀]{3,4}/ | /\u4e2d+/
""",
    "nested": r"""
start : open _in
_in : _pair _after
    | leaf
_pair : open _in
_after : close
open : "("
leaf : "x"~2..3 ("," "y"?)* ";"
close : ")"
""",
    "options": r"""
//@ ghost n: number = 0

start : say _said
_said : say _said
      | stop  //@ requires n < 3

say : "a" WORD "\n"  //@ requires WORD != "x"
    | "b" WORD "\n"  //@ set n = n + 1
stop : "stop\n"

WORD : /[a-z]/
""",
    "comments": r"""
// The head.
//@ ghost n: number = 0
//@ limit b 2

/// State.
start : a _s // here
/// Another.
_s : b _s  //@ requires n < 3
   | c

/// Action with a register.
//@ set n = n + 1
a : "a" // "not a string
b : "b"
c : "//" "c"
""",
}


@cache
def space(name: str) -> statelang.StateSpace:
    """A shipped space, a small one, or an odd one."""
    return statelang.loads(ODD[name], name) if name in ODD else space_named(name)


@cache
def exported(name: str, target: str) -> statelang.Export:
    """A space in another notation."""
    return statelang.export(space(name), target)


def accepts(name: str, text: str) -> bool:
    """Whether a text is in the plain grammar, by our own machine."""
    machine = Machine(space(name), contracts=False)
    thread = machine.thread(machine.program.entry, None, (), None)
    env = Machine(space(name)).start(OWN[name][1] if name in OWN else {}).alive[0][1]
    read = machine.advance(Configuration(((thread, env),)), text.encode())
    return read is not None and machine.ends(read) is not None


@cache
def samples(name: str, edits: int) -> tuple[str, ...]:
    """Legal traces, and near misses: a character in, out or replaced, lines exchanged, the end."""
    chance = random.Random(f"{name}/{edits}")
    if name in ODD:
        machine_walks = [statelang.walk.walk(space(name), seed) for seed in range(12)]
    else:
        machine_walks = [walked(name, seed) for seed in range(12)]
    texts = [*machine_walks, *([WORKED[name]] if name in WORKED else [])]
    found = dict.fromkeys(texts)
    for _ in range(edits):
        text = chance.choice(texts)
        at = chance.randrange(len(text) + 1)
        char = chance.choice(text + EDITS)
        lines = text.splitlines(keepends=True)
        first, second = (chance.randrange(len(lines)) for _ in range(2))
        lines[first], lines[second] = lines[second], lines[first]
        edited = (
            text[:at] + char + text[at:],
            text[:at] + text[at + 1 :],
            text[:at] + char + text[at + 1 :],
            "".join(lines),
            text[:at],
            text + chance.choice(lines),
        )
        found[chance.choice(edited)] = None
    return tuple(found)


def assert_same(name: str, matches: readers.Matches, edits: int) -> None:
    """A reader and our machine agree on every sample."""
    for text in samples(name, edits):
        assert accepts(name, text) == matches(text), text


Reader = Callable[[str], readers.Matches]
READERS: list[tuple[str, Reader]] = [
    ("lark", readers.lalr),
    ("lark", readers.earley),
    ("lark", readers.llguidance_lark),
    ("lark", readers.xgrammar_lark),
    ("gbnf", readers.llama_cpp),
    ("gbnf", readers.xgrammar_ebnf),
    ("gbnf", readers.llguidance_gbnf),
    ("ebnf", readers.xgrammar_ebnf),
    ("regex", readers.python_re),
    ("regex", readers.outlines_core),
]


@pytest.mark.parametrize("name", [*NAMES, *ODD])
@pytest.mark.parametrize(("target", "reader"), READERS)
def test_readers_agree_with_the_machine(name: str, target: str, reader: Reader) -> None:
    """Every reader of an exported text accepts exactly the texts of the plain grammar."""
    if target == "regex" and name not in REGULAR:
        pytest.skip("not regular")
    slow = reader in (readers.earley, readers.outlines_core)
    assert_same(name, reader(exported(name, target).text), 12 if slow else 40)


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "json"])
def test_every_clause_is_carried_or_dropped(target: str) -> None:
    """What a text does not carry is named with its line; declarations are not clauses to carry."""
    lines = space("pick").source.text.splitlines()
    dropped = exported("pick", target).dropped
    assert dropped
    assert all(f"//@ {one.clause}" == lines[one.line - 1] for one in dropped)
    assert not any(one.clause.startswith(("ghost", "input", "answer")) for one in dropped)


def test_lark_keeps_comments() -> None:
    """The Lark text is the file without contract lines: a second export changes nothing."""
    text = exported("comments", "lark").text
    assert "// The head." in text and "// here" in text and "//@" not in text
    again = statelang.export(statelang.loads(text, "again"), "lark")
    assert (text, ()) == (again.text, again.dropped)


def test_json_is_valid_by_its_schema() -> None:
    """Every space as data is valid by the shipped JSON Schema, itself a valid schema."""
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    for name in (*NAMES, *ODD):
        validator.validate(json.loads(exported(name, "json").text))
    broken = json.loads(exported("pick", "json").text)
    del broken["actions"][0]["body"]
    assert not validator.is_valid(broken)


def test_json_tells_everything() -> None:
    """States, inputs, the answer, a clause with its tree: nothing has to be read elsewhere."""
    data = json.loads(exported("pick", "json").text)
    assert space("pick").hash == data["hash"]
    assert ["start", "_looking"] == [state["name"] for state in data["states"]]
    assert {"action": "choose", "field": "WORD", "comparison": "choice"} == data["answer"]
    assert ["options"] == [r["name"] for r in data["registers"] if r["input"]]
    clause = data["actions"][1]["clauses"][0]
    assert (14, "requires WORD in seen") == (clause["line"], clause["text"])
    assert ("requires", "contains") == (
        clause["tree"]["node"],
        clause["tree"]["children"][0]["node"],
    )


def test_json_tells_what_a_clause_binds_to() -> None:
    """A clause of one alternative names it, and a transition has its gates, with their trees."""
    data = json.loads(exported("options", "json").text)
    clauses = data["actions"][0]["clauses"]
    assert [0, 1] == [clause["alternative"] for clause in clauses]
    gates = [transition["gates"] for transition in data["transitions"]]
    assert [[], [], ["requires n < 3"]] == [[gate["text"] for gate in row] for row in gates]
    assert "requires" == gates[2][0]["tree"]["node"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("kwai_star", "`plan` uses itself"), ("nested", "`_pair` uses itself")],
)
def test_what_is_not_regular_is_refused(name: str, reason: str) -> None:
    """A space with recursion is no regular expression; the message says what uses itself."""
    with pytest.raises(StatelangError, match=reason):
        exported(name, "regex")


def test_a_regex_beyond_the_bound_is_refused() -> None:
    """Parts written out in place may multiply: beyond 100,000 characters it is refused at once."""
    parts = "".join(f'p{n} : p{n + 1} "," p{n + 1}\n' for n in range(12))
    bomb = statelang.loads(f'start : act\nact : p0\n{parts}p12 : "{30 * "x"}"\n')
    with pytest.raises(StatelangError, match="longer than 100,000 characters"):
        statelang.export(bomb, "regex")


def test_an_unknown_target_is_refused() -> None:
    """The message lists the targets."""
    with pytest.raises(StatelangError, match="the targets are `lark`, `llguidance`"):
        statelang.export(space("pick"), "yaml")


# ---- state charts ----------------------------------------------------------------------------


@cache
def actions_of(name: str, seed: int) -> tuple[str, ...]:
    """The actions of a walked trace."""
    found = validate(space(name), walked(name, seed), OWN[name][1] if name in OWN else {})
    return tuple(step.action for step in found.steps)


def chart_ends(text: str, events: tuple[str, ...]) -> bool:
    """Whether python-statemachine, having read an SCXML text, comes to its end by some events."""
    from statemachine.io.scxml.processor import SCXMLProcessor

    processor = SCXMLProcessor()
    processor.parse_scxml("chart", text)
    chart: Any = processor.start()  # type: ignore[no-untyped-call]  # the library has none
    for event in events:
        if event not in {enabled.id for enabled in chart.enabled_events()}:
            return False
        chart.send(event)
    return bool(chart.is_terminated)


@pytest.mark.parametrize("name", NAMES)
def test_charts_follow_walks(name: str) -> None:
    """python-statemachine reads the chart and follows the actions of legal traces to the end."""
    text = exported(name, "scxml").text
    for seed in range(4):
        actions = actions_of(name, seed)
        assert chart_ends(text, actions)
        assert not chart_ends(text, actions[:-1])
        assert not chart_ends(text, (*actions, actions[-1]))


# Texts of the actions, so that a sequence of actions is a trace.
WRITTEN = {
    "prefix": {"up": "go up\n", "down": "go lower\n", "stop": "go home\n"},
    "pick": {"look": "look {}\n", "choose": "choose red\n"},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_charts_carry_gates(name: str) -> None:
    """Conditions over numbers and counts, limits too, hold in the chart exactly as here."""
    words, text = WRITTEN[name], exported(name, "scxml").text
    problem = OWN[name][1]
    for length in range(1, 5):
        for actions in product(words, repeat=length):
            options = iter(("red", "blue", "blé", "re", "x"))
            trace = "".join(
                words[action].format(next(options)) if action == "look" else words[action]
                for action in actions
            )
            legal = validate(space(name), trace, problem).contracts is True
            assert legal == chart_ends(text, actions), actions


def test_charts_of_calls_are_flat() -> None:
    """A called machine returns without an event; where a trace may stop, `trace.end` ends it."""
    text = exported("calls", "scxml").text
    assert [True, True, False, False] == [
        chart_ends(text, ("hello",) * count + ("bye",)) for count in (1, 3, 0, 4)
    ]
    assert chart_ends(exported("signs", "scxml").text, ("say", "trace.end"))


def test_a_register_that_a_payload_moves_is_no_data() -> None:
    """What is set on one alternative of a payload is not decided by steps alone."""
    found = exported("options", "scxml")
    assert "<data" not in found.text
    assert "requires n < 3" in [one.clause for one in found.dropped]


def test_a_chart_of_recursion_is_refused() -> None:
    """A state chart has no stack."""
    with pytest.raises(StatelangError, match="a machine calls itself"):
        exported("nested", "scxml")
