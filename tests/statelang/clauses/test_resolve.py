"""Contract clauses: what is read, how it is typed, and what is refused with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.clauses import parsing, resolve
from statelang.clauses.functions import FUNCTIONS
from statelang.clauses.parsing import ContractError
from statelang.clauses.values import NUMBER, TRUTH, Type, Undefined
from tests.statelang.names import Names


def type_of(expression: str) -> str:
    """The type that an expression resolves to."""
    tree = parsing.parse(f"set n = {expression}")
    return str(resolve.resolve(tree.children[1], Names()).type)


def refusal(expression: str) -> ContractError:
    """Why an expression is refused."""
    with pytest.raises(ContractError) as caught:
        type_of(expression)
    return caught.value


@pytest.mark.parametrize(
    ("expression", "type"),
    [
        ("1 + 2 * n", "number"),
        ("-n / 3", "number"),
        ("0.5", "number"),
        ('"a\\u00e9"', "text"),
        ("true", "truth"),
        ("n < 3 and not flag or word == WORD", "truth"),
        ("NUMBER ~ n / 3", "truth"),
        ("open <= open | {WORD}", "truth"),
        ("WORD in open", "truth"),
        ("WORD not in known", "truth"),
        ("n in row", "truth"),
        ("open | {WORD} - {word}", "set[text]"),
        ("open & open", "set[text]"),
        ("known | {WORD: NUMBER}", "map[text, number]"),
        ("known - {WORD}", "map[text, number]"),
        ("known[WORD]", "number"),
        ("plans[word]", "text"),
        ("part.NUMBER", "number"),
        ("if flag then n else 2", "number"),
        ("if flag then open else {}", "set[text]"),
        ("if flag then {} else known", "map[text, number]"),
        ("{1, n}", "set[number]"),
        ('{"a": {"b"}}', "map[text, set[text]]"),
        ("count(solve)", "number"),
        ("last(solve).WORD", "text"),
        ("old(open)", "set[text]"),
        ("size(open) + size(known) + size(row) + size(word)", "number"),
        ("keys(known)", "set[text]"),
        ("values(known)", "set[number]"),
        ("sorted(open)", "list[text]"),
        ("names(WORD)", "set[text]"),
        ("fill(WORD, known)", "text"),
        ("value(WORD)", "number"),
        ("value(WORD, known)", "number"),
        ("div(n, 2) + mod(n, 2)", "number"),
        ("digits(n)", "list[number]"),
        ("ITEMS", "list[text]"),
    ],
)
def test_expressions_have_a_type(expression: str, type: str) -> None:
    """Every form of the language has the type the documentation gives it."""
    assert type_of(expression) == type


@pytest.mark.parametrize(
    ("expression", "code", "message", "at"),
    [
        ("n + word", "SL402", "this is of type `text`, not `number`", "word"),
        ("-word", "SL402", "this is of type `text`, not `number`", "word"),
        ("word < WORD", "SL402", "`<` compares numbers or sets, not `text`", "word < WORD"),
        ("word == n", "SL402", "`text` and `number` do not go together", "word == n"),
        ("n and flag", "SL402", "this is of type `number`, not `truth`", "n"),
        ("not n", "SL402", "this is of type `number`, not `truth`", "n"),
        ("if n then 1 else 2", "SL402", "this is of type `number`, not `truth`", "n"),
        ("if flag then 1 else word", "SL402", "`number` and `text` do not go together",
         "if flag then 1 else word"),
        ("n ~ 2", "SL402", "`~` rounds to the places a field is written with", "n ~ 2"),
        ("WORD ~ 2", "SL402", "`text` and `number` do not go together", "WORD ~ 2"),
        ("WORD in word", "SL402", "`in` looks into a set, a map or a list, not into `text`",
         "word"),
        ("n in open", "SL402", "a `set[text]` never holds a `number`", "n in open"),
        ("open | seen", "SL402", "`set[text]` and `set[number]` do not go together", "open | seen"),
        ("open - {1}", "SL402", "`set[text]` and `set[number]` do not go together", "open - {1}"),
        ("flag | flag", "SL402", "`|` does not apply to `truth`", "flag | flag"),
        ("open * open", "SL402", "this is of type `set[text]`, not `number`", "open"),
        ("word[1]", "SL402", "only a map or a list is looked up, not `text`", "word"),
        ("known[1]", "SL402", "a key of `map[text, number]` is no `number`", "1"),
        ('{1, "a"}', "SL402", "`number` and `text` do not go together", '{1, "a"}'),
        ("{open}", "SL402", "this is of type `set[text]`, not `text` or `number`", "open"),
        ("{open: 1}", "SL402", "this is of type `set[text]`, not `text` or `number`", "open"),
        ('{"a": 1, "b": "c"}', "SL402", "`number` and `text` do not go together",
         '{"a": 1, "b": "c"}'),
        ("size(n)", "SL402", "`size` takes `set` or `map` or `list` or `text` here, not `number`",
         "n"),
        ("keys(open)", "SL402", "`keys` takes `map` here, not `set[text]`", "open"),
        ("value(n)", "SL402", "`value` takes `text` here, not `number`", "n"),
        ("div(n)", "SL402", "`div` takes 2 arguments", "div(n)"),
        ("div(n, 1, 2)", "SL402", "`div` takes 2 arguments", "div(n, 1, 2)"),
        ("nobody", "SL403", "there is no field `nobody`", "nobody"),
        ("part.WORD", "SL403", "there is no field `part.WORD`", "part.WORD"),
        ("last(solve).NOBODY", "SL403", "there is no field `NOBODY`", "NOBODY"),
        ("old(nobody)", "SL403", "there is no register `nobody`", "nobody"),
        ("eval(n)", "SL404", "there is no function `eval`", "eval"),
        ("count(jump)", "SL404", "`jump` is not an action", "jump"),
        ("last(jump).WORD", "SL404", "`jump` is not an action", "jump"),
        ("1" * 101, "SL402", "this number is too long", "1" * 101),
        ('"\\q"', "SL401", "this text holds an unknown escape", '"\\q"'),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_its_place(
    expression: str, code: str, message: str, at: str
) -> None:
    """A type or name that does not fit is named, under the very words that are wrong."""
    error = refusal(expression)
    assert (error.code, str(error)) == (code, message)
    text = f"set n = {expression}"
    assert text[error.start : error.end] == at


@given(st.text(" ()[]{}:,.+-*/|&<>=~\"'\\nW1atruefsi", max_size=20))
def test_any_text_is_a_clause_or_a_finding(text: str) -> None:
    """Reading and typing a stranger's clause ends in an expression or a ContractError."""
    try:
        tree = parsing.parse(f"requires {text}")
        condition = resolve.condition(tree.children[0], Names())
    except ContractError as error:
        assert error.code in ("SL401", "SL402", "SL403", "SL404")
        return
    assert condition.type == TRUTH


def test_a_condition_is_a_truth() -> None:
    """What stands after `requires` is true or false, not a number."""
    with pytest.raises(ContractError, match="this is of type `number`, not `truth`"):
        resolve.condition(parsing.parse("requires n").children[0], Names())


def test_a_name_that_is_close_is_suggested() -> None:
    """A misspelt name or function is answered with the one that is near."""
    assert refusal("WORDS").help == "did you mean `WORD`?"
    assert refusal("sise(open)").help == "did you mean `size`?"
    assert all(name in refusal("zzz(open)").help for name in FUNCTIONS)


def test_a_name_that_is_field_and_register_is_refused() -> None:
    """A name that could mean two things means none."""

    class Both(Names):
        def field(self, path: tuple[str, ...]) -> tuple[int, Type] | str:
            return (0, NUMBER) if path == ("n",) else super().field(path)

    with pytest.raises(ContractError, match="both a field and a register"):
        resolve.condition(parsing.parse("requires n == 1").children[0], Both())


def test_functions_are_total_but_for_undefined() -> None:
    """Division by zero and the digits of a fraction have no value, and say so."""
    for name, arguments in (("div", (1, 0)), ("mod", (1, 0)), ("digits", (-1,))):
        with pytest.raises(Undefined):
            FUNCTIONS[name].apply(*arguments)
    assert FUNCTIONS["digits"].apply(1250) == (1, 2, 5, 0)
    assert FUNCTIONS["div"].apply(-7, 2) == -4
    assert FUNCTIONS["mod"].apply(-7, 2) == 1
    assert FUNCTIONS["sorted"].apply(frozenset({"b", "a"})) == ("a", "b")


def test_the_digits_of_a_huge_number_are_undefined() -> None:
    """A number too long to be written has no digits: the evaluation never crashes."""
    with pytest.raises(Undefined):
        FUNCTIONS["digits"].apply(10**5000)
