"""The tree of a grammar file: what is kept, where it stands, and what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statelang.diagnostics import GrammarError
from statelang.language.bounds import MAX_CHARACTERS
from statelang.language.syntax import (
    Choice,
    File,
    Literal,
    Outside,
    Reference,
    Regexp,
    Repeat,
    Sequence,
    parse,
)
from statelang.source import Source
from tests.strategies import OWN, SHIPPED, space_named


def tree(text: str) -> File:
    """The tree of a text."""
    return parse(Source(text))


def body(text: str) -> object:
    """The body of the only rule of a text."""
    (definition,) = tree(f"a : {text}\n").definitions
    return definition.body


def test_a_file_is_its_definitions_in_order() -> None:
    """Rules, states and terminals are told apart by their names."""
    file = tree('start : go _on\n_on : go\ngo : "x" NUMBER\nNUMBER : /[0-9]/\n')
    kinds = [(d.name, d.is_state, d.is_terminal, d.line) for d in file.definitions]
    assert kinds == [
        ("start", True, False, 1),
        ("_on", True, False, 2),
        ("go", False, False, 3),
        ("NUMBER", False, True, 4),
    ]


def test_places_are_those_of_the_text() -> None:
    """The span of each item, cut out of the source, is the item as it is written."""
    text = '// x\nstart : go\n\ngo : "é\\n" (NUMBER | other)~2..3 /[a-z]/i\n'
    source = Source(text)
    *_, go = parse(source).definitions
    assert isinstance(go.body, Sequence)
    literal, repeat, regexp = go.body.items
    assert (
        isinstance(literal, Literal) and isinstance(repeat, Repeat) and isinstance(regexp, Regexp)
    )
    assert text[literal.span.start : literal.span.end] == '"é\\n"'
    assert literal.value == "é\n"
    assert text[repeat.span.start : repeat.span.end] == "(NUMBER | other)~2..3"
    assert (repeat.low, repeat.high) == (2, 3)
    assert text[regexp.span.start : regexp.span.end] == "/[a-z]/i"
    assert (regexp.pattern, regexp.flags) == ("[a-z]", "i")
    assert isinstance(repeat.item, Choice)
    names = [text[o.span.start : o.span.end] for o in repeat.item.options]
    assert names == ["NUMBER", "other"]
    assert source.position(go.span.start) == (4, 1)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("b*", 0, None),
        ("b+", 1, None),
        ("b?", 0, 1),
        ("[b]", 0, 1),
        ("b~3", 3, 3),
        ("b ~ 0..2", 0, 2),
    ],
)
def test_every_repetition_is_two_bounds(text: str, low: int, high: int | None) -> None:
    """Each way to repeat is how often at least and how often at most."""
    found = body(text)
    assert isinstance(found, Repeat) and isinstance(found.item, Reference)
    assert (found.low, found.high) == (low, high)


def test_a_range_of_characters_is_a_class() -> None:
    """`"a".."f"` is the class of the characters between the two."""
    found = body('"a".."f"')
    assert isinstance(found, Regexp)
    assert found.pattern == "[\\u0061-\\u0066]"


def test_an_alias_changes_nothing() -> None:
    """`-> name` names a tree in Lark; the language is the same."""
    assert body('"x" -> named') == body('"x"')


def test_documentation_and_contracts_belong_to_the_rule_below() -> None:
    """The block directly above a definition is its own; a block apart stays apart."""
    file = tree(
        "/// The whole.\n\n//@ ghost n: number = 0\n\nstart : go  //@ requires n == 0\n"
        '      | stop\n/// Go\n//@ set n = n + 1\n/// on.\ngo : "go"\nstop : "stop"\n'
    )
    start, go, stop = file.definitions
    assert (start.docs, start.contracts) == ((), ())
    assert [a.contract.text if a.contract else None for a in start.alternatives] == [
        "requires n == 0",
        None,
    ]
    assert go.doc == "Go on."
    assert [c.text for c in go.contracts] == ["set n = n + 1"]
    assert stop.docs == ()
    assert [[c.text for c in block] for block, _ in file.comments] == [
        ["The whole."],
        ["ghost n: number = 0"],
    ]


def test_a_trailing_contract_may_end_a_rule() -> None:
    """The contract at the end of the last alternative's line is that alternative's."""
    file = tree("start : a\n      | b  //@ requires true\n")
    assert [a.contract is not None for a in file.definitions[0].alternatives] == [False, True]


def test_plain_comments_are_skipped() -> None:
    """`//` is for the reader of the file alone, at the end of a line too."""
    file = tree('// one\nstart : a // two\n// three\na : "//"  // four\n')
    literal = file.definitions[1].body
    assert isinstance(literal, Literal)
    assert literal.value == "//"
    assert (file.comments, file.definitions[1].docs) == ((), ())


def test_windows_line_ends_and_no_line_end_are_read() -> None:
    """A file is the same with CRLF, and without a last line end."""
    unix = tree('start : a\n      | b\na : "x"\nb : "y"\n')
    for text in (
        'start : a\r\n      | b\r\na : "x"\r\nb : "y"\r\n',
        'start : a\n      | b\na : "x"\nb : "y"',
    ):
        assert [d.name for d in tree(text).definitions] == [d.name for d in unix.definitions]
        assert [len(d.alternatives) for d in tree(text).definitions] == [2, 1, 1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("start.2 : a\n", "a priority"),
        ("start{x} : a\n", "a template"),
        ("start : a{b}\n", "a template"),
        ("%import common.INT\n", "`%import common.INT`"),
        ('%ignore " "\n', "`%ignore`"),
        ("%declare X\n", "`%declare`"),
    ],
)
def test_what_lark_knows_and_the_profile_does_not_is_kept_by_name(text: str, what: str) -> None:
    """More is read than is allowed, so that a finding can name it."""
    file = tree(text)
    found = list(file.outside) + [o for d in file.definitions for o in d.outside]
    found += [d.body for d in file.definitions if isinstance(d.body, Outside)]
    assert [o.what for o in found] == [what]
    assert found[0].help


@pytest.mark.parametrize(
    ("code", "text", "line", "column", "message"),
    [
        ("SL001", 'start : a\na : "x" )\n', 2, 9, "`)` is not expected here"),
        ("SL001", 'start : a\na : "x" (\n', 2, 10, "`the end of the line` is not expected here"),
        ("SL001", "start a\n", 1, 7, "`a` is not expected here"),
        ("SL001", 'start : a\na : "x\n', 2, 5, "this text is never closed"),
        ("SL001", "start : a\na : /x\n", 2, 5, "this expression is never closed"),
        ("SL001", 'start : a\n\n  | b\na : "x"\n%declare X\n | "y"\n', 6, 2, "an alternative stands apart from its rule"),
        ("SL001", "start : a\na : <think>\n", 2, 5, "`<think>` is no item"),
        ("SL001", 'start : a\na : "x"{2,3}\n', 2, 8, "a repetition is not written `{2,3}`"),
        ("SL005", 'start : a\na : "x"~1001\n', 2, 9, "a count above 1000 is not allowed here"),
        ("SL005", 'start : a\na : "x"~3..2\n', 2, 5, "the bound `3..2` admits nothing"),
        ("SL005", 'start : a\na : "b".."a"\n', 2, 5, "a range runs from one character to a later one"),
        ("SL006", 'start : a\na : "\\q"\n', 2, 5, "this text holds an escape that is not portable"),
        ("SL006", 'start : a\na : "\\ud800"\n', 2, 5, "this text holds an escape that is not portable"),
        ("SL007", "start : a\na : 'x'\n", 2, 5, "texts stand in double quotes"),
        ("SL008", 'start : a\n# no\na : "x"\n', 2, 1, "`#` begins no comment in the portable profile"),
        ("SL009", 'start : a\na : "x" \\\n  "y"\n', 2, 9, "a line is not continued with a backslash"),
        ("SL016", 'start : a\na : b | aB\nb : "x"\n', 2, 9, "`aB` mixes capitals and small letters"),
        ("SL016", "start : a\na : Name\n", 2, 5, "`Name` mixes capitals and small letters"),
        ("SL017", 'start : a\na : "x"\n// between\n  | "y"\n', 4, 3, "a comment stands between two alternatives"),
        ("SL018", 'start : a\na ::= "x"\n', 2, 3, "`::=` is the notation of another grammar language"),
        ("SL018", 'start : a\na = "x"\n', 2, 3, "`=` is the notation of another grammar language"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_found_in_its_place(
    code: str, text: str, line: int, column: int, message: str
) -> None:
    """A file that is not Lark notation is one finding, where reading stopped, by what was meant."""
    with pytest.raises(GrammarError) as caught:
        tree(text)
    (finding,) = caught.value.diagnostics
    assert (code, message) == (finding.code, finding.message)
    assert (line, column) == (finding.line, finding.column)


def test_every_definition_that_cannot_be_read_is_found() -> None:
    """Reading goes on at the next definition: one finding for each, and none that follows."""
    text = (
        'start : a\na : \'x\'\nb : "x" )\nc : "x" (\n\n/// D.\n//@ set n = 1\nd : "y"\n'
        'e : oneName\nf : oneName "x"~9..2 \n  | "z"\nG.2 : "\\q"\n?h : <x>\n'
    )
    with pytest.raises(GrammarError) as caught:
        tree(text)
    assert [
        ("SL007", 2),
        ("SL001", 3),
        ("SL001", 4),
        ("SL016", 9),
        ("SL006", 12),
        ("SL001", 13),
    ] == [(finding.code, finding.line) for finding in caught.value.diagnostics]


@given(st.text(st.sampled_from("ab :|\n\"'/()~{}.,@#<>%\\é0") | st.characters(), max_size=80))
def test_whatever_the_text_there_is_a_tree_or_findings(text: str) -> None:
    """Reading any text ends with a tree or with findings inside the text; nothing else is raised."""
    try:
        tree(text)
    except GrammarError as error:
        assert error.diagnostics and str(error)
        assert all(0 <= d.span.start < d.span.end <= len(text) + 2 for d in error.diagnostics)


def test_size_and_depth_are_bounded() -> None:
    """Files that are too large or nested too deep are findings, SL002, not crashes."""
    for text in ("// " + "x" * MAX_CHARACTERS, "start : " + "(" * 2000 + "a" + ")" * 2000 + "\n"):
        with pytest.raises(GrammarError) as caught:
            tree(text)
        assert [d.code for d in caught.value.diagnostics] == ["SL002"]


@given(st.text('abS_ :|"/\\n\n()[]~.*+?12-><%{}@#\t\r', max_size=40))
def test_any_text_is_a_tree_or_findings(text: str) -> None:
    """Reading a stranger's file ends in a tree or a GrammarError whose place is in the text."""
    try:
        file = tree(text)
    except GrammarError as error:
        for finding in error.diagnostics:
            assert 0 <= finding.span.start <= len(text)
            assert finding.render()
        return
    for definition in file.definitions:
        assert text[definition.span.start : definition.span.end] == definition.name


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
@given(data=st.data())
def test_cutting_a_file_anywhere_is_read_or_found(name: str, data: st.DataObject) -> None:
    """A file cut off at any place, or with one character changed, is a tree or findings."""
    text = space_named(name).source.text
    at = data.draw(st.integers(0, len(text)))
    other = data.draw(
        st.sampled_from([text[:at], text[:at] + ")" + text[at:], text[:at] + text[at + 1 :]])
    )
    try:
        assert parse(Source(other)).source.text == other
    except GrammarError as error:
        assert all(d.line >= 1 and d.column >= 1 for d in error.diagnostics)
