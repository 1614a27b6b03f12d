"""Rules: each has its page and its pair of files, and `check` finds what the page says."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

import statelang
from statelang.diagnostics import Severity, StatelangError
from statelang.rules import rule, rules
from tests.rules import EXAMPLE, FOLDER, GUIDE, LIST, PAGES, example, listed, printed

CODES = sorted(rules())


def written() -> set[str]:
    """Every code that the package can emit: those that stand in its code as a text."""
    return {
        code
        for file in PAGES.parent.rglob("*.py")
        for code in re.findall(r'"(SL[0-9]{3})"', file.read_text(encoding="utf-8"))
    }


def test_every_code_has_its_rule_and_every_rule_its_code() -> None:
    """What can be found has a page and a pair of files; no page is about nothing."""
    pairs = {folder.name for folder in FOLDER.glob("SL*")}
    assert written() == set(CODES) == pairs
    assert len(CODES) >= 35


@pytest.mark.parametrize("code", CODES)
def test_the_bad_file_has_the_finding_and_the_good_one_nothing(code: str) -> None:
    """The bad file of a rule has findings of that rule alone, printed as expected, with the
    severity of the rule; the good file has no finding at all."""
    with contextlib.chdir(FOLDER / code):
        bad, good = (statelang.check(Path(f"{name}.lark")) for name in ("bad", "good"))
    assert {(code, rule(code).severity)} == {(found.code, found.severity) for found in bad}
    assert all(found.help for found in bad)
    assert [] == good
    assert (FOLDER / code / "expected.txt").read_text(encoding="utf-8") == printed(code)


@pytest.mark.parametrize("code", CODES)
def test_a_bad_file_loads_if_its_rule_is_no_error(code: str) -> None:
    """An error stops `load`, a warning or a note does not, and both say the same of the file."""
    text = (FOLDER / code / "bad.lark").read_text(encoding="utf-8")
    if rule(code).severity is not Severity.ERROR:
        assert statelang.loads(text).states
        return
    with pytest.raises(statelang.GrammarError) as caught:
        statelang.loads(text)
    assert {code} == {found.code for found in caught.value.diagnostics}


@pytest.mark.parametrize("code", CODES)
def test_the_page_shows_the_pair(code: str) -> None:
    """A page ends with the pair of files and what is printed (`python -m tests.rules` writes it)."""
    found = rule(code)
    assert (code, f"{code}.md") == (found.code, f"{found.page[2:7]}.md")
    assert example(code) == found.page.partition(EXAMPLE)[2]
    assert found.why and found.mend and found.title


def test_the_guide_lists_every_rule() -> None:
    """The guide ends with all rules and links to their pages."""
    assert listed() == GUIDE.read_text(encoding="utf-8").partition(LIST)[2]


def test_a_rule_is_found_by_its_code() -> None:
    """The code may be written in small letters; an unknown one is one paragraph with a next step."""
    assert rule("SL303") is rule("sl303")
    with pytest.raises(StatelangError, match="there is no rule `SL999`") as caught:
        rule("SL999")
    assert "\n" not in str(caught.value)
