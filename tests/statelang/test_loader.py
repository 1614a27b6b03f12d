"""Loading and checking: sound files load, and each finding has its code and its place."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import attrs
import pytest
from lark import Lark
from lark.exceptions import LarkError

import statelang
from statelang.diagnostics import Diagnostic, GrammarError, Severity, StatelangError, render
from statelang.engine import validate
from tests.strategies import OWN, SHIPPED, TRAFFIC, own_space, space_named

# Code, text, line and column of the one finding, and words of its message.
FINDINGS = [
    ("SL001", 'start : a\na : "x" )\n', 2, 9, "`)` is not expected here"),
    ("SL002", "start : " + "(" * 2000 + "a" + ")" * 2000 + "\n", 1, 59, "nested deeper than 50"),
    ("SL003", "// nothing but this\n", 1, 1, "the file is empty"),
    ("SL004", 'start : a\na : (("x"~1000)~1000)~1000\n', 1, 1, "more than can be compiled"),
    ("SL012", 'start : a\na : "x"\n%ignore " "\n', 3, 1, "`%ignore` is not in the portable profile"),
    ("SL014", 'start : a\na.2 : "x"\n', 2, 2, "a priority is not in the portable profile"),
    ("SL100", 'begin : a\na : "x"\n', 1, 1, "there is no state `start`"),
    ("SL101", "start : a\na : bee\n", 2, 5, "rule `bee` is not defined"),
    ("SL101", 'start : a\na : "x" BEE\n', 2, 9, "terminal `BEE` is not defined"),
    ("SL102", 'start : a\na : "x"\na : "y"\n', 3, 1, "`a` is defined twice"),
    ("SL104", 'start : a b\na : "x"\nb : "y"\n', 1, 9, "is no transition"),
    ("SL104", 'start : "x"\n', 1, 9, "is no transition"),
    ("SL105", 'start : a\na : "x" _s\n_s : a\n', 2, 9, "cannot be part of a payload"),
    ("SL107", 'start : a\n//@ requires true\n\na : "x"\n', 2, 1, "`requires` stands above no rule"),
    ("SL108", 'start : a\na : a "x"\n  | "y"\n', 2, 1, "`a` begins with itself"),
    ("SL114", 'start : a\na : "x" /b$/\n', 2, 11, "the anchor `$` is not portable"),
    ("SL119", "start : a\na : /b/m\n", 2, 5, "the flag `m` is not portable"),
    ("SL111", 'start : a\na : "x" N\nN : /x*/\n', 3, 1, "the terminal `N` can be empty"),
    ("SL120", 'start : a\na : ""\n', 2, 5, "an empty text is no terminal"),
    ("SL112", 'start : a\na : N\nN : a\n', 3, 5, "a terminal cannot hold the rule `a`"),
    ("SL121", 'start : a\na : N\nN : "x" N\n', 3, 9, "the terminal `N` is made of itself"),
    ("SL202", 'start : a _s\na : "x"\n_s : a _s\n', 3, 1, "the state `_s` never ends"),
    ("SL205", 'start : a\na : "x" a\n', 2, 1, "the rule `a` never ends"),
    ("SL304", 'start : a | b\na : "x"\nb : "x"\n', 2, 1, "two rules read the same text"),
    ("SL302", 'start : a\na : X "!" | Y "?"\nX : /[a-c]+/\nY : /[b-d]+/\n', 4, 1, "some text is both"),
    ("SL303", 'start : a\na : N ".5"\nN : /[0-9]+(\\.[0-9]+)?/\n', 3, 1, "readers cut it differently"),
    ("SL405", 'start : a\na : ("x" //@ requires true\n  | "y") "z"\n', 2, 10, "no contract stands in a group"),
    ("SL406", 'start : a\na : N\n//@ type number\n//@ type text\nN : /[0-9]/\n', 4, 5, "two `type` on one terminal"),
    ("SL407", '//@ ghost n: number = 1 / 0\n\nstart : a\na : "x"\n', 1, 5, "`n` has no first value"),
    ("SL408", 'start : a\n//@ writes A = f(B)\na : A " " B\nA : /a/\nB : /b/\n', 2, 12, "from what comes after"),
    ("SL400", 'start : a\n//@ require true\na : "x"\n', 2, 5, "`require` is not a clause"),
    ("SL401", 'start : a\n//@ requires 1 = 1\na : "x"\n', 2, 16, "`=` is not expected here"),
    ("SL402", 'start : a\n//@ requires 1 + 1\na : "x"\n', 2, 14, "of type `number`, not `truth`"),
    ("SL402", '//@ ghost n: number = "a"\n\nstart : a\na : "x"\n', 1, 5, "its first value a `text`"),
    ("SL402", '//@ input n: colour\n\nstart : a\na : "x"\n', 1, 14, "is not a type"),
    ("SL402", '//@ answer a.N as colour\n\nstart : a\na : "x" N\nN : /[0-9]/\n', 1, 19,
     "not a way to compare answers"),
    ("SL402", "start : a\na : N\n//@ type colour\nN : /[0-9]/\n", 3, 10, "not a type of terminals"),
    ("SL403", 'start : a\n//@ requires n == 1\na : "x"\n', 2, 14, "`a` has no field `n`"),
    ("SL403", 'start : a\n//@ set n = 1\na : "x"\n', 2, 9, "there is no ghost register `n`"),
    ("SL403", "start : a\n//@ requires N == \"1\"\na : N \"x\" N\nN : /[0-9]/\n", 2, 14,
     "`N` occurs more than once"),
    ("SL403", '//@ answer a.M as number\n\nstart : a\na : "x"\n', 1, 12, "`a` has no field `M`"),
    ("SL404", 'start : a\n//@ requires wc(1) == 1\na : "x"\n', 2, 14, "there is no function `wc`"),
    ("SL404", '//@ limit b 3\n\nstart : a\na : "x"\n', 1, 11, "`b` is not an action"),
    ("SL404", '//@ answer b.N as number\n\nstart : a\na : "x"\n', 1, 12, "`b` is not an action"),
    ("SL405", 'start : a  //@ set n = 1\na : "x"\n', 1, 16, "`set` cannot stand here"),
    ("SL405", "start : a\na : N\n//@ requires true\nN : /[0-9]/\n", 3, 5, "cannot stand here"),
    ("SL405", 'start : a\n//@ ghost n: number = 0\na : "x"\n', 2, 5, "`ghost` cannot stand here"),
    ("SL405", '//@ requires true\nstart : a\na : "x"\n', 1, 5, "no contract stands above a state"),
    ("SL406", '//@ ghost n: text = ""\n//@ ghost n: text = ""\n\nstart : a\na : "x"\n', 2, 5,
     "the register `n` is declared twice"),
    ("SL406", '//@ ghost N: number = 0\n\nstart : a\na : "x"\n', 1, 5, "no name for a register"),
    ("SL406", '//@ ghost n: number = 0\n\nstart : a\n//@ set n = 1\n//@ set n = 2\na : "x"\n', 5, 9,
     "`n` is set twice in one rule"),
]  # fmt: skip

WARNINGS = [
    ("SL201", 'start : a\na : "x"\nb : "y"\n', 3, 1, "the rule `b` is never used"),
    ("SL204", 'start : a\na : "x"\nN : "y"\n', 3, 1, "the terminal `N` is never used"),
    ("SL203", 'start : a\na : "x"\n_s : a\n', 3, 1, "the state `_s` is never entered"),
    ("SL106", 'start : a\n/// lost\n\na : "x"\n', 2, 1, "this documentation stands above no rule"),
]


def found(text: str) -> list[Diagnostic]:
    """What `check` finds; that these small files document nothing is left out."""
    return [finding for finding in statelang.check(text) if finding.code != "SL208"]


@pytest.mark.parametrize(("code", "text", "line", "column", "words"), FINDINGS)
def test_each_defect_is_one_finding_in_its_place(
    code: str, text: str, line: int, column: int, words: str
) -> None:
    """A defect has its code, its line and column, and stops `loads` with the same finding."""
    findings = found(text)
    assert [(f.code, f.line, f.column) for f in findings] == [(code, line, column)]
    assert words in findings[0].message
    with pytest.raises(GrammarError) as caught:
        statelang.loads(text)
    assert [(d.code, d.line, d.column) for d in caught.value.diagnostics] == [(code, line, column)]
    assert f"error[{code}]" in str(caught.value) and f":{line}:{column}" in str(caught.value)


@pytest.mark.parametrize(("code", "text", "line", "column", "words"), WARNINGS)
def test_a_warning_is_shown_and_stops_nothing(
    code: str, text: str, line: int, column: int, words: str
) -> None:
    """What is only superfluous is a warning: the file loads."""
    (finding,) = found(text)
    assert (finding.code, finding.line, finding.column) == (code, line, column)
    assert finding.severity is Severity.WARNING and words in finding.message
    assert validate(statelang.loads(text), "x").grammar


@pytest.mark.parametrize(
    "text",
    ['//@ limit a 3\nstart : a\na : "x"\n', 'start : a\n\n//@ limit a 3\na : "x"\n'],
)
def test_a_clause_of_the_file_above_a_rule(text: str) -> None:
    """It is told where it belongs."""
    (finding,) = (found for found in statelang.check(text) if found.code == "SL405")
    assert "move it to the head" in finding.help


def test_all_findings_come_at_once() -> None:
    """`check` does not stop at the first: they are sorted by place."""
    text = 'start : go _on\n_on : gone\n    | "x"\n      | stop\ngo : "x"\nstop : "y" NO\n'
    assert [(f.code, f.line) for f in statelang.check(text)] == [
        ("SL101", 2),
        ("SL104", 3),
        ("SL101", 6),
    ]


def test_contract_findings_come_at_once() -> None:
    """Each wrong clause is found, whatever is wrong with the others."""
    text = (
        "//@ ghost n: number = 0\n//@ limit go 2\n\nstart : a\n"
        '//@ requires n == "x"\n//@ set m = 1\na : "x"\n'
    )
    assert [(f.code, f.line) for f in statelang.check(text)] == [
        ("SL404", 2),
        ("SL402", 5),
        ("SL403", 6),
    ]


@pytest.mark.parametrize("name", [*SHIPPED, *OWN])
def test_sound_spaces_have_no_findings(name: str) -> None:
    """Both shipped spaces and our small ones are clean, to Lark's LALR reader too."""
    space = space_named(name)
    assert found(space.source.text) == []
    assert Lark(space.source.text, parser="lalr").rules
    assert space.states[0].name == "start"
    assert {t.source for t in space.transitions} <= {s.name for s in space.states}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_spaces_are_found_by_name(name: str) -> None:
    """A shipped space loads by its name; its hash is that of the file's text."""
    space = statelang.load(name)
    assert name in statelang.shipped()
    assert space.name == name
    assert space.hash == sha256(space.source.text.encode()).hexdigest()
    assert statelang.check(name) == []
    assert [a.name for a in space.actions] == [
        "formalize", "decompose", "solve_subproblem", "verify", "backtrack", "solve_parent",
        "summarize",
    ]  # fmt: skip
    assert all(action.doc for action in space.actions)
    assert all(state.doc for state in space.states)


def test_a_space_knows_its_machine() -> None:
    """States, actions, transitions, inputs and answer are what the file says."""
    space = own_space("calls")
    assert [(t.source, t.action, t.call, t.target, t.gates) for t in space.transitions] == [
        ("start", None, "_greetings", "_body", ()),
        ("_greetings", "hello", None, "_more", ()),
        ("_more", "hello", None, "_more", ("requires greeted < 3",)),
        ("_body", "bye", None, None, ()),
    ]
    assert space.stops == {"_more"}
    assert own_space("pick").answer is not None and space.answer is None
    assert [(r.name, str(r.type), r.hidden) for r in own_space("share").inputs] == [
        ("total", "number", False),
        ("parts", "number", True),
    ]


def test_a_space_is_frozen() -> None:
    """What is loaded cannot be changed."""
    space = own_space("traffic")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        space.name = "other"  # type: ignore[misc]


def test_a_file_loads_by_its_path(tmp_path: Path) -> None:
    """A path loads, as text or as a Path, and names the space after the file."""
    file = tmp_path / "traffic.lark"
    file.write_text(TRAFFIC, encoding="utf-8")
    assert statelang.load(file).name == statelang.load(str(file)).name == "traffic"
    assert statelang.load(file).hash == own_space("traffic").hash
    assert statelang.check(file) == statelang.check(str(file))
    file.write_text('start : a\na : "x" b\n', encoding="utf-8")
    (finding,) = statelang.check(file)
    assert (finding.file, finding.line, finding.column) == (str(file), 2, 9)
    with pytest.raises(GrammarError, match=re.escape(f"{file}:2:9")):
        statelang.load(file)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    """What is remembered goes by the text, not by the name."""
    file = tmp_path / "a.lark"
    file.write_text('start : a\na : "x"\n', encoding="utf-8")
    first = statelang.load(file)
    file.write_text('start : a\na : "y"\n', encoding="utf-8")
    assert validate(first, "x").grammar
    assert validate(statelang.load(file), "y").grammar


@pytest.mark.parametrize(
    "name", ["nowhere", "nowhere.lark", "", ".", "/nowhere/a.lark", "x" * 5000]
)
def test_what_is_not_there_is_one_paragraph(name: str) -> None:
    """A name that is no file and no shipped space says so, with a next step."""
    for call in (statelang.load, statelang.check):
        with pytest.raises(StatelangError) as caught:
            call(name)
        assert not isinstance(caught.value, GrammarError)
        assert "\n" not in str(caught.value)
        assert ".lark" in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_paragraph(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and a folder, are errors that name the file."""
    file = tmp_path / "latin.lark"
    file.write_bytes('start : a\na : "é"\n'.encode("latin-1"))
    with pytest.raises(StatelangError, match=r"is not UTF-8 \(byte 15\)"):
        statelang.load(file)
    file.write_text('start : a\na : "x"\n', encoding="utf-8-sig")
    with pytest.raises(StatelangError, match="begins with a byte order mark"):
        statelang.load(file)
    with pytest.raises(StatelangError, match="neither a file nor one of the shipped spaces"):
        statelang.load(tmp_path)
    (tmp_path / "folder.lark").mkdir()
    with pytest.raises(StatelangError, match="cannot be read"):
        statelang.load(tmp_path / "folder.lark")


def test_an_empty_file_is_a_finding(tmp_path: Path) -> None:
    """A file that can be read but says nothing is a finding, not an unreadable file."""
    file = tmp_path / "empty.lark"
    file.write_text("", encoding="utf-8")
    assert [f.code for f in statelang.check(file)] == ["SL003"]


def test_findings_are_printed_as_a_compiler_does() -> None:
    """A finding shows its code, place, line, and a mark under the words."""
    text = 'start : go _onn\n_on : go\ngo : "x"\n'
    findings = [f for f in statelang.check(text) if f.code == "SL101"]
    assert render(findings) == (
        "error[SL101]: rule `_onn` is not defined\n"
        " --> <text>:1:12\n"
        "  |\n"
        "1 | start : go _onn\n"
        "  |            ^^^^ not defined in this file\n"
        "  = help: did you mean `_on`?"
    )


@pytest.mark.parametrize(
    "clause",
    ["ghost n: number = 1 / 0", 'ghost n: number = value("x")', "ghost n: number = count(a)",
     "ghost n: number = mod(1, 0)"],
)  # fmt: skip
def test_a_register_without_a_first_value_is_a_finding(clause: str) -> None:
    """A first value that is undefined is found by `check`; it never reaches a walk."""
    findings = statelang.check(f'//@ {clause}\n\nstart : a\na : "x"\n')
    assert [f.line for f in findings if f.severity is Severity.ERROR] == [1]


def test_a_first_value_may_come_from_an_input() -> None:
    """A register may start from an input that is declared before it."""
    space = statelang.loads(
        "//@ input n: number\n//@ ghost k: number = n + 1\n\nstart : a\n"
        "//@ requires N == k\na : N\n//@ type number\nN : /[0-9]/\n"
    )
    assert validate(space, "4", {"n": 3}).contracts is True
    assert validate(space, "3", {"n": 3}).contracts is False


@pytest.mark.parametrize("clause", ["ghost n: number = 0", "limit a 2", "answer a.N as number"])
def test_a_file_clause_directly_above_a_state_says_what_to_do(clause: str) -> None:
    """A register without an empty line below it is told to stand apart, not to join a transition."""
    (finding, *_) = statelang.check(f'//@ {clause}\nstart : a\na : "x" N\nN : /[0-9]/\n')
    assert "empty line" in finding.help


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        ('start : a\na : X "!" | Y "?"\nX : /[a-c]+/\nY : /[b-d]+/\n', "bb?"),
        ('start : a\na : N ".5"\nN : /[0-9]+(\\.[0-9]+)?/\n', "1.5"),
        ('start : a\na : X "b"\nX : /[ab]+/\n', "ab"),
    ],
)
def test_terminals_that_readers_divide_differently_are_found(text: str, trace: str) -> None:
    """Where Lark's lexer and the machine would not agree on a text, the file has a finding."""
    with pytest.raises(LarkError):
        Lark(text, parser="lalr").parse(trace)
    findings = statelang.check(text)
    assert findings or not validate(statelang.loads(text), trace).grammar


@pytest.mark.parametrize("pattern", ["[[a]", "[a&&b]"])
def test_checking_warns_in_findings_alone(pattern: str) -> None:
    """A pattern that Python warns about is a finding; no warning escapes."""
    assert statelang.check(f"start : a\na : /{pattern}/\n")


@pytest.mark.parametrize(
    "clause", ["requires old(n) == 1", "requires n in {}", "set", "answer a", "checks 1", "limit"]
)
def test_a_broken_clause_is_a_finding_in_its_line(clause: str) -> None:
    """Whatever is wrong with a clause, `check` returns findings on its line and raises nothing."""
    findings = statelang.check(f'start : a\n//@ {clause}\na : "x"\n')
    assert findings
    assert {f.line for f in findings} == {2}


def test_a_shipped_name_that_is_nearly_right_is_suggested() -> None:
    """A misspelt name of a shipped space is told the right one."""
    with pytest.raises(StatelangError, match=r"did you mean `kwai_star`\? Else give one of"):
        statelang.load("kwai_sta")
