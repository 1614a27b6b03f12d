"""Spaces in which the laws once failed, each as small as it can be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.laws.laws import Trial
from tests.laws.spaces import Generated
from tests.laws.vocabularies import BYTES, learnt

TERMINALS = """
//@ type number
NUM : /[0-3]/
FAR : /[éè]{1,2}/
ID : /[ab]/
"""
FOUND: dict[str, tuple[str, dict[str, Any]]] = {
    "the second byte of a field decides what can follow": (
        '//@ input m: map[text, number]\n\nstart : a\n//@ requires NUM == m[FAR]\na : "x" FAR NUM\n',
        {"m": {"é": 2}},
    ),
    "tokens that end in a field that a list asks for": (
        'start : a\n//@ requires "é" in FAR\na : "x" FAR ("," FAR)~1..2 "."\n',
        {},
    ),
    "a condition on a part and what is in it": (
        'start : a\n//@ requires part != part.NUM + 1\na : "x" part "."\npart : NUM\n',
        {},
    ),
    "the text of a field opens or closes what comes after the step": (
        '//@ input pool: set[text]\n//@ ghost w: text = ""\n\nstart : a _s\n'
        '_s : b  //@ requires w in pool\n//@ set w = FAR\na : "x" FAR "."\nb : "y"\n',
        {"pool": ["èé"]},
    ),
    "a condition on a part that changes what it reads": (
        '//@ ghost had: set[text] = {"éé"}\n\nstart : a\n//@ requires part in had\na : "x" part "."\n'
        "//@ set had = had | {FAR}\npart : FAR\n",
        {},
    ),
    "the same of a part that is in itself": (
        '//@ ghost had: set[text] = {"é"}\n\nstart : a\n//@ requires part in had\na : "x" part "."\n'
        '//@ depth 2\n//@ set had = had | {FAR}\npart : FAR\n    | "(" part ")"\n',
        {},
    ),
    "a condition on a part that puts back what it reads": (
        "//@ ghost n: number = 1\n\nstart : a _s\n_s : b\n//@ mark ID\n//@ set n = 3\na : ID\n"
        '//@ requires part == n\nb : part\n//@ restore "a"\npart : NUM\n',
        {},
    ),
    "a condition on an optional field, and a part behind it that changes what it reads": (
        '//@ ghost had: set[text] = {"a"}\n\nstart : a\n//@ requires ID in had\n'
        'a : "x" ("?" ID)? part "."\n//@ set had = {}\npart : NUM\n',
        {},
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_masks_are_exact(case: str) -> None:
    """Every token of every tokenisation, and in a live space no other."""
    grammar, problem = FOUND[case]
    space = Trial.of(Generated(grammar + TERMINALS, problem))
    assert space is not None
    chance = random.Random(0)
    space.judged(chance, 40)
    space.exact(BYTES, chance, 40)
    for seed in range(4):
        vocabulary = learnt((text.decode() for text in space.texts), size=280)
        space.exact(vocabulary, chance, 20)
        space.unshared(vocabulary, chance, 1)
        space.sound(BYTES, random.Random(seed))


def test_a_mask_has_no_dead_end_inside_a_field() -> None:
    """After the first byte of the only key the second one is the key's."""
    grammar, problem = FOUND["the second byte of a field decides what can follow"]
    space = Trial.of(Generated(grammar + TERMINALS, problem))
    assert space is not None
    matcher = space.matcher(BYTES)
    for byte in "xé2".encode():
        row = matcher.compute_bitmask()
        allowed = [b for b in range(256) if row[(b + 1) >> 5] >> ((b + 1) & 31) & 1]
        assert [byte] == allowed
        assert matcher.consume_token(byte + 1)
