"""`statelang check`."""

import io
import json
import re
from pathlib import Path

import jsonschema
import pytest

from statelang.cli import main
from statelang.rules import rule, rules


def test_sound_file(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is exit status 0."""
    assert 0 == main(["check", str(lamp)])
    # A number of three digits cannot be written for ever, so a lamp that is lit on may never end.
    assert capsys.readouterr().out.startswith(f"{lamp}: nothing found; not proved live: ")


def test_shipped_names(capsys: pytest.CaptureFixture[str]) -> None:
    """A shipped space is checked by its name."""
    assert 0 == main(["check", "kwai_star", "kwai_star_formal"])
    assert (
        "kwai_star: nothing found; proved live\nkwai_star_formal: nothing found; proved live\n"
        == capsys.readouterr().out
    )


def test_findings_in_the_terminal(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding shows its place, its line and the next step; exit status 1."""
    assert 1 == main(["check", str(broken)])
    out = capsys.readouterr().out
    assert "error[SL101]: rule `of` is not defined" in out
    assert f"{broken}:10:11" in out
    assert "help: did you mean `off`?" in out
    assert out.endswith(f"{broken}: 1 error\n")


def test_a_note_alone_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A way that gives up, as SL501 asks for, has no answer: it is told, and the file is sound."""
    file = tmp_path / "giving_up.lark"
    file.write_text("""
//@ answer tell.N as text

start : tell
      | give_up
/// Say the result.
tell : N
/// There is none.
give_up : "give up"
N : /[0-9]/
""")
    assert 0 == main(["check", str(file)])
    out = capsys.readouterr().out
    assert "note[SL211]" in out and f"{file}: 1 note; proved live" in out


def test_findings_as_json(lamp: Path, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One list over all files, each finding with its place, code, severity and message."""
    assert 1 == main(["check", str(lamp), str(broken), "--format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)
    wanted = {
        "file": str(broken),
        "line": 10,
        "column": 11,
        "code": "SL101",
        "severity": "error",
        "message": "rule `of` is not defined",
    }
    assert wanted == {key: finding[key] for key in wanted}


def test_no_findings_as_json(lamp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is an empty list."""
    assert 0 == main(["check", "--format", "json", str(lamp)])
    assert [] == json.loads(capsys.readouterr().out)


def test_other_files_are_checked_after_an_unreadable_one(
    tmp_path: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read is exit status 2, and hides no finding elsewhere."""
    latin = tmp_path / "latin.lark"
    latin.write_bytes(b'start : "\xe9"')
    assert 2 == main(["check", str(latin), str(tmp_path / "no:where.lark"), str(broken)])
    printed = capsys.readouterr()
    assert "not UTF-8" in printed.err
    assert "no:where.lark` cannot be read" in printed.err
    assert "SL101" in printed.out


def test_standard_input(
    lamp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` is standard input; what is not UTF-8 there cannot be read."""
    for data, status, words in ((lamp.read_bytes(), 0, "-: nothing found"), (b"\xe9", 2, "UTF-8")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert status == main(["check", "-"])
        assert words in "".join(capsys.readouterr())


def test_colour_on_a_terminal_alone(
    broken: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Colour is for terminals, and not where NO_COLOR is set; the words are the same."""
    printed = {}
    for terminal, no_colour in ((False, ""), (True, ""), (True, "1")):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal)
        monkeypatch.setenv("NO_COLOR", no_colour)
        assert 1 == main(["check", str(broken)])
        printed[terminal, no_colour] = capsys.readouterr().out
    assert "\x1b[" in printed[True, ""]
    assert printed[False, ""] == printed[True, "1"] == re.sub("\x1b.*?m", "", printed[True, ""])


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """`--explain` prints the page of a rule; an unknown code is exit status 2."""
    assert 0 == main(["check", "--explain", "sl303"])
    assert rule("SL303").page == capsys.readouterr().out
    assert 2 == main(["check", "--explain", "SL998"])
    assert "there is no rule `SL998`" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a.lark", "--explain", "SL303"]])
def test_files_or_a_rule(arguments: list[str]) -> None:
    """A call has files or a rule, not both and not neither."""
    with pytest.raises(SystemExit) as caught:
        main(["check", *arguments])
    assert 2 == caught.value.code


def test_findings_for_github(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One workflow command a finding, its text and its properties escaped."""
    file = tmp_path / "a,b%:c.lark"
    file.write_text('start : a\na : "100%" bee\nb : /[0-9]+\n', encoding="utf-8")
    assert 1 == main(["check", str(file), "--format", "github"])
    place = str(file).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    assert (
        f"::error file={place},line=3,endLine=3,col=5,endColumn=11,title=SL001::"
        "this expression is never closed%0Aend it with `/` on the same line\n"
    ) == capsys.readouterr().out


def test_github_gets_no_columns_over_several_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A place over several lines has its lines alone."""
    file = tmp_path / "a.lark"
    file.write_text('start : ("x"\n         | "y")\n', encoding="utf-8")
    assert 1 == main(["check", str(file), "--format", "github"])
    assert f"::error file={file},line=1,endLine=2,title=SL104::" in capsys.readouterr().out


# What SARIF 2.1.0 asks of the objects that are written here, and that there is nothing else.
_TEXT = {"type": "string", "minLength": 1}
_MESSAGE = {
    "type": "object", "additionalProperties": False, "required": ["text"],
    "properties": {"text": _TEXT, "markdown": _TEXT},
}  # fmt: skip
_NUMBER = {"type": "integer", "minimum": 1}
_LOCATION = {
    "type": "object", "additionalProperties": False, "required": ["physicalLocation"],
    "properties": {
        "message": _MESSAGE,
        "physicalLocation": {
            "type": "object", "additionalProperties": False,
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {
                    "type": "object", "additionalProperties": False, "required": ["uri"],
                    "properties": {"uri": {"type": "string", "pattern": "^[^ \\\\<>^`{|}\"]+$"}},
                },
                "region": {
                    "type": "object", "additionalProperties": False,
                    "properties": {
                        key: _NUMBER for key in ("startLine", "startColumn", "endLine", "endColumn")
                    },
                },
            },
        },
    },
}  # fmt: skip
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_LOG = {
    "type": "object", "additionalProperties": False, "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": {
            "type": "object", "additionalProperties": False, "required": ["tool"],
            "properties": {
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "tool": {
                    "type": "object", "additionalProperties": False, "required": ["driver"],
                    "properties": {"driver": {
                        "type": "object", "additionalProperties": False, "required": ["name"],
                        "properties": {
                            "name": _TEXT,
                            "semanticVersion": _TEXT,
                            "rules": {"type": "array", "uniqueItems": True, "items": {
                                "type": "object", "additionalProperties": False, "required": ["id"],
                                "properties": {
                                    "id": _TEXT, "help": _MESSAGE,
                                    "shortDescription": _MESSAGE, "fullDescription": _MESSAGE,
                                    "defaultConfiguration": {
                                        "type": "object", "additionalProperties": False,
                                        "properties": {"level": _LEVEL},
                                    },
                                    "properties": {"type": "object", "properties": {
                                        "tags": {"type": "array", "items": _TEXT},
                                    }},
                                },
                            }},
                        },
                    }},
                },
                "invocations": {"type": "array", "items": {
                    "type": "object", "additionalProperties": False,
                    "required": ["executionSuccessful"],
                    "properties": {
                        "executionSuccessful": {"type": "boolean"},
                        "toolExecutionNotifications": {"type": "array", "items": {
                            "type": "object", "additionalProperties": False,
                            "required": ["message"],
                            "properties": {"level": _LEVEL, "message": _MESSAGE},
                        }},
                    },
                }},
                "results": {"type": "array", "items": {
                    "type": "object", "additionalProperties": False, "required": ["message"],
                    "properties": {
                        "ruleId": _TEXT, "ruleIndex": {"type": "integer", "minimum": 0},
                        "level": _LEVEL, "message": _MESSAGE,
                        "locations": {"type": "array", "items": _LOCATION},
                        "relatedLocations": {
                            "type": "array", "items": _LOCATION, "uniqueItems": True,
                        },
                    },
                }},
            },
        }},
    },
}  # fmt: skip


def test_findings_as_sarif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A SARIF log has every rule, each finding with its rule and places, and what was not read."""
    files = [f"tests/rules/{code}/bad.lark" for code in ("SL102", "SL206", "SL303")]
    odd = tmp_path / "é #?.lark"
    odd.write_text("start : a\n", encoding="utf-8")
    assert 2 == main(["check", *files, str(odd), "nowhere.lark", "--format", "sarif"])
    log = json.loads(capsys.readouterr().out)
    jsonschema.validate(log, _LOG)
    (run,) = log["runs"]
    described = run["tool"]["driver"]["rules"]
    assert list(rules()) == [rule["id"] for rule in described]
    assert ["SL102", "SL206", "SL303", "SL101"] == [result["ruleId"] for result in run["results"]]
    for result in run["results"]:
        assert result["ruleId"] == described[result["ruleIndex"]]["id"]
    first = run["results"][0]
    assert {"startLine": 5, "startColumn": 1, "endLine": 5, "endColumn": 2} == (
        first["locations"][0]["physicalLocation"]["region"]
    )
    assert "defined here" == first["relatedLocations"][0]["message"]["text"]
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    ]
    assert [*files, odd.as_uri()] == uris
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert "nowhere" in invocation["toolExecutionNotifications"][0]["message"]["text"]
