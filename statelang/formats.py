"""Findings for other programs: GitHub's workflow commands, and SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from statelang.diagnostics import Diagnostic, Severity
from statelang.rules import Rule
from statelang.source import Source, Span

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def github(finding: Diagnostic) -> str:
    """One workflow command: GitHub shows the finding at its line of a pull request."""
    line, column = finding.source.position(finding.span.start)
    end_line, end_column = finding.source.position(finding.span.end)
    properties = {"file": finding.file, "line": str(line), "endLine": str(end_line)}
    if end_line == line:  # GitHub knows columns within one line alone
        properties |= {"col": str(column), "endColumn": str(max(end_column - 1, column))}
    properties["title"] = finding.code
    listed = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    command = "notice" if finding.severity is Severity.NOTE else str(finding.severity)
    return f"::{command} {listed}::{_escaped(_said(finding))}"


def _said(finding: Diagnostic) -> str:
    return "\n".join(filter(None, (finding.message, finding.note, finding.help)))


def _escaped(text: str, more: str = "") -> str:
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def sarif(
    findings: Iterable[Diagnostic], unread: Iterable[str], known: Mapping[str, Rule]
) -> dict[str, Any]:
    """One run as a SARIF log. `unread` says why files could not be read; `known` are the rules that
    the run looks for, by their codes."""
    index = {code: number for number, code in enumerate(known)}
    notes = [{"level": "error", "message": {"text": text}} for text in unread]
    driver = {
        "name": "statelang",
        "semanticVersion": _version(),
        "rules": [_descriptor(rule) for rule in known.values()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {"executionSuccessful": not notes, "toolExecutionNotifications": notes},
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index[finding.code]) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _version() -> str:
    try:
        return version("statelang")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0.0.0"


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.mend, "markdown": rule.page},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": [rule.family]},
    }


def _result(finding: Diagnostic, index: int) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": _said(finding)},
        "locations": [_location(finding.source, finding.span)],
        "relatedLocations": [
            _location(finding.source, label.span)
            | ({"message": {"text": label.text}} if label.text else {})
            for label in finding.also
        ],
    }


def _location(source: Source, span: Span) -> dict[str, Any]:
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    region = {
        "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
    }  # fmt: skip
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(source.name)}, "region": region}}


def _uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
