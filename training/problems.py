"""Multi-step word problems, drawn by a seed, with the facts they were written from."""

from __future__ import annotations

from collections.abc import Container, Sequence
from random import Random
from typing import TypedDict

from statelang.diagnostics import StatelangError

NAMES = (
    *("Ann", "Ben", "Cara", "Dan", "Eva", "Finn"),
    *("Gus", "Hana", "Ian", "Jo", "Kim", "Leo"),
)
"""Short problems use only the first six: every name more costs a tiny model training steps."""

TOTAL = "Total"
"""The entity of a question about two people together; no person bears this name."""

THINGS = ("apples", "coins", "books")
CONSTANTS = range(2, 6)
FACTORS = range(2, 4)
LARGEST = 20
"""No value in a problem is above this."""

_ATTEMPTS = 1000
"""Draws in a row that may be refused before the space of problems counts as used up."""


class Fact(TypedDict, total=False):
    """One entity: its stated `value`, or `left op right` over earlier entities and a constant."""

    name: str
    value: int
    left: str
    op: str
    right: str | int


class Facts(TypedDict):
    """What a question says, in the order in which it says it, and the entity it asks for."""

    entities: list[Fact]
    goal: str


class Problem(TypedDict):
    """A word problem, its gold answer as text, and the facts that it was written from."""

    id: str
    question: str
    answer: str
    facts: Facts


def problems(
    count: int, seed: int, *, steps: Sequence[int] = (2, 3), avoid: Container[str] = ()
) -> list[Problem]:
    """`count` problems with different questions, none of them in `avoid`.

    Each needs one of `steps` calculations, on values from 1 to `LARGEST`. The same arguments give
    the same problems.

    Raises StatelangError where so many different problems do not exist, or no names for so many
    steps.
    """
    if not steps or min(steps) < 1 or max(steps) > len(NAMES) - 3:
        raise StatelangError(
            f"problems: steps {tuple(steps)} are not all from 1 to {len(NAMES) - 3}, for which "
            "there are names; ask for others."
        )
    random = Random(seed)
    found: dict[str, Problem] = {}
    refused = 0
    while len(found) < count:
        problem = _draw(random, random.choice(steps))
        if problem is None or problem["question"] in found or problem["question"] in avoid:
            refused += 1
            if refused > _ATTEMPTS:
                raise StatelangError(
                    f"problems: only {len(found)} of {count} different problems were found for "
                    f"seed {seed} and steps {tuple(steps)}; ask for fewer, or for more steps."
                )
            continue
        refused = 0
        problem["id"] = f"problem-{seed}-{len(found)}"
        found[problem["question"]] = problem
    return list(found.values())


def disjoint(
    counts: Sequence[int], seed: int, *, steps: Sequence[int] = (2, 3)
) -> list[list[Problem]]:
    """Sets of problems, one per count, no question in two of them.

    Put the held-out set first: it then stays the same when a later count changes.
    """
    drawn = iter(problems(sum(counts), seed, steps=steps))
    return [[next(drawn) for _ in range(count)] for count in counts]


def values_of(facts: Facts) -> dict[str, int]:
    """The value of every entity, in the order of the facts."""
    values: dict[str, int] = {}
    for fact in facts["entities"]:
        values[fact["name"]] = fact["value"] if "value" in fact else calculate(fact, values)
    return values


def calculate(fact: Fact, values: dict[str, int]) -> int:
    """What the relation of `fact` comes to over `values`."""
    left = values[fact["left"]]
    right = fact["right"] if isinstance(fact["right"], int) else values[fact["right"]]
    if fact["op"] == "+":
        return left + right
    if fact["op"] == "-":
        return left - right
    return left * right


def _draw(random: Random, steps: int) -> Problem | None:
    """One problem whose goal hangs on `steps` relations, or None if a value is out of range."""
    # One for each step, a given or two at the beginning, and one that nothing depends on.
    people = steps + 3
    names = random.sample(NAMES[: max(6, people)], k=people)
    entities: list[Fact] = [_given(random, names.pop())]
    chain = [entities[0]["name"]]
    asks_total = random.random() < 0.25
    for step in range(steps):
        last = asks_total and step == steps - 1
        _grow(random, entities, chain, names, total=last)
    if random.random() < 0.25:
        _add_irrelevant(random, entities, chain, names)
    facts = Facts(entities=entities, goal=chain[-1])
    values = values_of(facts)
    if not all(1 <= value <= LARGEST for value in values.values()):
        return None
    return Problem(
        id="", question=_question(random, facts), answer=str(values[chain[-1]]), facts=facts
    )


def _given(random: Random, name: str) -> Fact:
    return Fact(name=name, value=random.randint(2, 9))


def _grow(
    random: Random, entities: list[Fact], chain: list[str], names: list[str], *, total: bool
) -> None:
    """Append one entity that follows from the end of the chain; a sum may need a given more."""
    before = chain[-1]
    if total or random.random() < 0.2:
        if len(chain) > 1:
            other = random.choice(chain[:-1])
        else:
            other = names.pop()
            entities.append(_given(random, other))
        name = TOTAL if total else names.pop()
        entities.append(Fact(name=name, left=other, op="+", right=before))
    else:
        name = names.pop()
        entities.append(_relation(random, name, before))
    chain.append(name)


def _relation(random: Random, name: str, before: str) -> Fact:
    op = random.choice("+-*")
    constants = FACTORS if op == "*" else CONSTANTS
    return Fact(name=name, left=before, op=op, right=random.choice(constants))


def _add_irrelevant(
    random: Random, entities: list[Fact], chain: list[str], names: list[str]
) -> None:
    """Put in one entity that nothing else depends on, after the first and before the goal."""
    place = random.randint(1, len(entities) - 1)
    name = names.pop()
    earlier = [fact["name"] for fact in entities[:place]]
    relation = random.random() < 0.5
    fact = _relation(random, name, random.choice(earlier)) if relation else _given(random, name)
    entities.insert(place, fact)


def _question(random: Random, facts: Facts) -> str:
    """The facts in sentences, one per entity, and what is asked; a total needs no sentence."""
    thing = random.choice(THINGS)
    sentences = [
        _sentence(random, fact, thing) for fact in facts["entities"] if fact["name"] != TOTAL
    ]
    goal = facts["entities"][-1]
    if goal["name"] == TOTAL:
        sentences.append(f"How many {thing} do {goal['left']} and {goal['right']} have in total?")
    else:
        sentences.append(f"How many {thing} does {facts['goal']} have?")
    return " ".join(sentences)


def _sentence(random: Random, fact: Fact, thing: str) -> str:
    name = fact["name"]
    if "value" in fact:
        verb = random.choice(("has", "owns"))
        return f"{name} {verb} {fact['value']} {thing}."
    left, right = fact["left"], fact["right"]
    if isinstance(right, str):
        return f"{name} has as many as {left} and {right} together."
    if fact["op"] == "*":
        if right == 2 and random.random() < 0.5:
            return f"{name} has twice as many as {left}."
        return f"{name} has {right} times as many as {left}."
    comparison = "more" if fact["op"] == "+" else "fewer"
    noun = random.choice((f" {thing}", ""))
    return f"{name} has {right} {comparison}{noun} than {left}."
