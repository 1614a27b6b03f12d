"""Hover: what is said about each kind of name."""

from __future__ import annotations

import pytest

from statelang.clauses.functions import FUNCTIONS
from statelang.clauses.parsing import CLAUSES
from statelang.editor import vocabulary
from statelang.editor.hovering import hover
from tests.editor.cursor import at
from tests.strategies import space_named


def said(text: str) -> str | None:
    """What is said at the mark."""
    found = hover(*at(text))
    return found[1] if found else None


def pointed(word: str) -> str:
    """What is said of the first place in a shipped space where a text stands."""
    return (
        said(space_named("kwai_star").source.text.replace(word, f"{word[0]}^{word[1:]}", 1)) or ""
    )


def test_a_state_has_its_documentation_and_transitions() -> None:
    """Documentation, the definition itself, and the states that lead to it."""
    assert pointed("_verified\n") == (
        "state `_verified`\n\nThe last solution has been judged.\n\n"
        "```statelang\n_verified : backtrack _open\n          | solve_subproblem _solved\n"
        "          | solve_parent _answered\n```\n\nused by `_solved`"
    )


def test_a_terminal_has_its_type() -> None:
    """The declared type, or text; and the rules that it is a field of."""
    number = pointed('NUMBER\n     | "("')
    assert number.startswith("terminal of type `number` `NUMBER`")
    assert "used by `part`, `equation`, `summand`" in number
    assert pointed("LINE? equation").startswith("terminal of type `text` `LINE`")


def test_a_register_has_its_declaration_and_uses() -> None:
    """Its documentation, its type, who sets and who reads it."""
    assert pointed("known: map") == (
        "register `known`\n\nResults so far.\n\n"
        "```statelang\n//@ ghost known: map[text, number] = {}\n```\n\n"
        "set by `solve_subproblem`, `backtrack`\n\n"
        "read by `solve_subproblem`, `backtrack`, `by_subproblem`"
    )
    assert pointed("open | {ID}\nitem") == pointed("open: set")


def test_a_long_definition_is_cut() -> None:
    """A hover stays small."""
    text = said("a^ : b\n" + "  | b\n" * 30)
    assert text is not None and text.count("| b") == 11 and "\n...\n" in text


@pytest.mark.parametrize(
    ("expected", "doc"),
    [
        ("Reads `set[text]`, a\\[0].", "Reads `set[text]`, a[0]."),
        ("!\\[x](https://x.test) \\<b>", "![x](https://x.test) <b>"),
        ("\\\\\\[x](y)", "\\[x](y)"),
        ("'a'' '\\[x](y)'", "`a`` `[x](y)`"),
    ],
)
def test_documentation_shows_nothing_from_elsewhere(expected: str, doc: str) -> None:
    """A stranger's links, images and tags are text; code stays code."""
    assert f"part `a`\n\n{expected}\n\n```" in (said(f"/// {doc}\na^ : B") or "")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("keys(map)", "//@ requires ke^ys(known)"),
        ("What must hold for the rule to be taken.", "//@ re^quires x"),
        ("An exact number", "//@ type num^ber"),
        ("Answers compare by value.", "//@ answer a.B as num^ber"),
        ("where a condition is false", "//@ requires n^ot x"),
        ("input `x`", "//@ input x^: text"),
    ],
)
def test_words_of_the_language_are_explained(expected: str, text: str) -> None:
    """Clause words, functions, types and the rest say what they mean."""
    assert expected in (said(text) or "")


@pytest.mark.parametrize("text", ["^", "a : b ^ ", "a : mis^sing", '"te^xt"', "//@ requires f^(x)"])
def test_where_nothing_is_known_nothing_is_said(text: str) -> None:
    """No hover, and no error."""
    assert said(text) is None


def test_the_vocabulary_is_that_of_the_language() -> None:
    """Every clause word and every function has a meaning and a form that begins with it."""
    assert set(CLAUSES) == set(vocabulary.clauses())
    assert set(FUNCTIONS) | {"count", "last", "old"} == set(vocabulary.functions())
    for name, word in vocabulary.clauses().items():
        assert word.meaning and word.form.startswith(f"//@ {name} ")
    for name, word in vocabulary.functions().items():
        assert word.meaning and word.form.startswith(f"{name}(")
