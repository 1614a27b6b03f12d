"""The text of a clause becomes a tree, or a finding that says how the clause is written."""

from __future__ import annotations

import pytest

from statelang.clauses import parsing
from statelang.clauses.parsing import CLAUSES, ContractError


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("require n == 1", "SL400", "`require` is not a clause"),
        ("", "SL400", "`` is not a clause"),
        ("requires", "SL401", "`the end` is not expected here"),
        ("requires n ==", "SL401", "`the end` is not expected here"),
        ("requires n = 1", "SL401", "`=` is not expected here"),
        ("requires n < n < n", "SL401", "`<` is not expected here"),
        ("requires (n", "SL401", "`the end` is not expected here"),
        ("requires 'a' in open", "SL401", "`'a'` is not expected here"),
        ("ghost n number = 1", "SL401", "`number` is not expected here"),
        ("limit solve three", "SL401", "`three` is not expected here"),
        ("set n == 1", "SL401", "`=` is not expected here"),
        ("requires " + "n + " * 600 + "n == 1", "SL401", "the clause is too long to be read"),
        ("requires " + "(" * 100 + "not " * 100 + "flag" + ")" * 100, "SL401",
         "the clause is nested too deep"),
    ],
)  # fmt: skip
def test_what_is_no_clause_is_refused(text: str, code: str, message: str) -> None:
    """A clause that cannot be read is a finding with what was not expected, never a crash."""
    with pytest.raises(ContractError) as caught:
        parsing.parse(text)
    assert (caught.value.code, str(caught.value)) == (code, message)
    assert 0 <= caught.value.start <= caught.value.end <= len(text)
    assert caught.value.help or len(text) > 300


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour", "`colour` with 0 parameters is not a type"),
        ("set", "`set` with 0 parameters is not a type"),
        ("map[text]", "`map` with 1 parameters is not a type"),
        ("number[text]", "`number` with 1 parameters is not a type"),
        ("set[set[text]]", "a `set` holds texts or numbers, not `set[text]`"),
        ("map[truth, text]", "a `map` holds texts or numbers, not `truth`"),
    ],
)
def test_what_is_no_type_is_refused(text: str, message: str) -> None:
    """A type that the language does not have is named."""
    tree = parsing.parse(f"input x: {text}")
    with pytest.raises(ContractError) as caught:
        parsing.read_type(tree.children[-1])  # type: ignore[arg-type]
    assert (caught.value.code, str(caught.value)) == ("SL402", message)


def test_every_clause_says_how_it_is_written() -> None:
    """The help of a clause begins with the way to write it."""
    for word, help_ in CLAUSES.items():
        with pytest.raises(ContractError) as caught:
            parsing.parse(f"{word} !")
        assert caught.value.help == help_
        assert help_.startswith(f"write `{word} ")
