"""One meaning: every reader of Lark notation reads the generated grammars alike."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

import statelang
from statelang.diagnostics import Severity
from tests.differential.compare import compare, seeds
from tests.differential.readers import READERS

FIRST = 7_000_000  # the seeds from here on


def disagreements(first: int, wanted: int, record: Callable[[str, int], None]) -> list[str]:
    """Compare so many grammars in the profile; what readers do not agree on."""
    found = []
    for number, text in islice(seeds(first), wanted):
        result = compare(number, text)
        record(f"generated grammars compared, seeds from {first}", 1)
        record("texts read by all readers", result.texts)
        found += [f"{d.seed} {d.origin} {d.text!r} {d.reads}" for d in result.disagreements]
    return found


def test_readers_agree_on_generated_grammars(record_count: Callable[[str, int], None]) -> None:
    """Walks are read by all, near misses alike, and what Hypothesis draws by all."""
    assert [] == disagreements(FIRST, 30, record_count)


@pytest.mark.soak
@pytest.mark.parametrize("piece", range(20))
def test_readers_agree_on_two_thousand(
    piece: int, record_count: Callable[[str, int], None]
) -> None:
    """The same over a hundred grammars for each piece."""
    assert [] == disagreements(100_000 * (piece + 1), 100, record_count)


BODY = 'start : a\na : "<a>" T "</a>"\n'
# What one reader or another takes in another way, by feature; `check` refuses each.
OUTSIDE = {
    "hidden start": '?start : a\na : "x"\n',
    "empty text": 'start : a\na : "" "x"\n',
    "zero-width terminal": BODY + "T : /[^<]*/\n",
    "comment between alternatives": 'start : a\n// no\n | b\na : "x"\nb : "y"\n',
    "import": BODY + "%import common.WORD -> T\n",
    "import of a file": BODY + "%import .own.T\n",
    "ignore": BODY + "T : /[a-z]+/\n%ignore /[ ]+/\n",
    "template": 'start : a\na : "x" t{B}\nt{c} : c "y"\nB : "b"\n',
    "priority": BODY + "T.2 : /[a-z]+/\n",
    "priority of a rule": 'start : a\na.2 : "x"\n',
    "declare": BODY + "T : /[a-z]+/\n%declare U\n",
    "look-ahead": BODY + "T : /[a-z]+(?=<)/\n",
    "word border": BODY + r"T : /[a-z]+\b/" + "\n",
    "lazy": BODY + "T : /[a-z]+?/\n",
    "flag x": BODY + "T : /[a-z]+/x\n",
    "flag m": BODY + "T : /[a-z]+/m\n",
    "unicode class": BODY + r"T : /\p{L}+/" + "\n",
    "digit class": BODY + r"T : /\d+/" + "\n",
    "word class": BODY + r"T : /\w+/" + "\n",
    "escaped angle": BODY + r"T : /[a-z]\<?/" + "\n",
    "hex escape": 'start : a\na : "\\x41"\n',
    "line continuation": 'start : a \\\n b\na : "x"\nb : "y"\n',
    "single quotes": "start : a\na : 'x'\n",
    "camel case": 'start : aB\naB : "x"\n',
    "capture": 'start : a\na[capture] : "x"\n',
    "special token": "start : a\na : <eos>\n",
    "json": 'start : a\na : %json {"type": "string"}\n',
    "intersection": BODY + "T : /[a-z]+/ & /[a-m]+/\n",
    "bound on a symbol": 'start : a\na : T{1,3}\nT : "x"\n',
    "expression and space": 'start : a\na : E " = " N\nE : /[0-9]+( [+*] [0-9]+)*/\nN : /[0-9]+/\n',
    "number and point": 'start : a\na : N "."\nN : /[0-9]+(\\.[0-9]+)?/\n',
    "shared beginning": 'start : a\na : A "b" | B "c"\nA : /a+/\nB : /[ab]+/\n',
    "id or text": 'start : a\na : I ":" | T "!"\nI : /s[0-9]+/\nT : /[^!]+/\n',
    "keyword or text": 'start : a\na : "ok" "." | T "!"\nT : /[a-z]+/\n',
    "text over its end": 'start : a\na : T "</x>"\nT : /([^<]|<[^\\/])+/\n',
    "everything": 'start : a\na : T "<x>"\nT : /(.|\\n)+/\n',
    "lead byte": 'start : a\na : T "⟦x⟧"\nT : /[^⟦]+/\n',
    "undecided places": 'start : a\na : "x" ("=" FLAG)* "=" WORD "."\nFLAG : "on"i | "off"i\n'
    "WORD : /[a-z]+/\n",
}  # fmt: skip


@pytest.mark.parametrize("feature", OUTSIDE)
def test_what_readers_take_differently_is_refused(feature: str) -> None:
    """Outside the profile `check` has an error, so no such grammar is ever loaded."""
    found = statelang.check(OUTSIDE[feature])
    assert any(finding.severity is Severity.ERROR for finding in found)
    with pytest.raises(statelang.GrammarError):
        statelang.loads(OUTSIDE[feature])


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["kwai_star", "kwai_star_formal"])
def test_every_reader_reads_the_shipped_spaces(name: str, reader: str) -> None:
    """The files that we ship load unchanged, and read the worked trace."""
    from tests.strategies import WORKED

    reads = READERS[reader](statelang.load(name).source.text)
    assert reads(WORKED[name]) and not reads(WORKED[name][:-1])
