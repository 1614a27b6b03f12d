"""How often the functions of `writes` clauses are run for one trace, and that it still ends."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import statelang
from statelang.diagnostics import StatelangError
from statelang.engine import Matcher, Vocabulary, validate

SPACE = statelang.loads(r"""
start : note _noted
_noted : query _asked
_asked : rows _answered
       | failed _failed
_answered : done
          | query _asked
_failed : query _asked
        | give_up

note : "n" LINE "\n"
query : "q" QUERY "\n"
//@ writes ROWS = sql(last(query).QUERY)
rows : ":" ROWS? "\n"
//@ writes PROBLEM = sql(last(query).QUERY)
failed : ":" "error " PROBLEM "\n"
done : "done\n"
give_up : "none\n"

LINE : /[a-z ]{1,20}/
QUERY : /[a-z]{1,20}/
ROWS : /[0-9][0-9 ]{0,200}/
PROBLEM : /[a-z]{1,200}/
""")
LETTERS = Vocabulary((*(bytes((byte,)) for byte in range(256)), b""), stops=frozenset({256}))
_VAIN = 3  # texts that are asked for at one place though what they give does not fit


class Sql:
    """Gives rows for some queries; counts how often it was run."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    def __call__(self, query: str) -> str:
        self.queries.append(query)
        return ("", "1 2 3", "error ")[len(query) % 3]


def _drawn(matcher: Matcher, seed: int) -> str:
    """A trace whose tokens are tried singly, in a random order, as sampling does."""
    chance = Random(seed)
    while not matcher.is_stopped():
        tokens = [*b"\n:abcdefghijklmnopqrstuvwxyz 123", 256]
        assert any(map(matcher.consume_token, chance.sample(tokens, len(tokens))))
    return matcher.trace


@pytest.mark.parametrize("most", [30, 60, 120])
@pytest.mark.parametrize("seed", range(4))
def test_tools_are_run_on_what_is_written(most: int, seed: int) -> None:
    """Under a budget a text is asked for once; beyond the texts that the trace itself wrote, token by
    token, few are asked for."""
    sql = Sql()
    matcher = Matcher(SPACE, LETTERS, max_tokens=most, tools={"sql": sql})
    text = _drawn(matcher, seed)
    assert len(sql.queries) == len(set(sql.queries))
    written = sum(len(line) for line in text.splitlines() if line[0] == "q")
    assert len(sql.queries) <= (1 + _VAIN) * written + _VAIN
    assert matcher.length <= most
    assert validate(SPACE, text, tools={"sql": Sql()}).contracts


def test_without_a_budget_tools_are_run_once_for_a_text() -> None:
    """One call that finds that a trace can be written, and one for each query."""
    sql = Sql()
    matcher = Matcher(SPACE, LETTERS, tools={"sql": sql})
    begun = len(sql.queries)
    assert begun <= 3
    for byte in b"na b\nqaaaa\n:1 2 3\nqabc\n:\ndone\n":
        row = matcher.compute_bitmask()
        assert np.uint32(row[byte >> 5]) >> np.uint32(byte & 31) & 1
        assert matcher.consume_token(byte)
    assert sql.queries[begun:] == ["aaaa", "abc"]


def test_the_least_budget_is_the_least_that_is_known() -> None:
    """Of a text that was not asked for nobody knows whether it would make a shorter trace."""
    with pytest.raises(StatelangError, match="the shortest trace that is known with these tools"):
        Matcher(SPACE, LETTERS, max_tokens=5, tools={"sql": Sql()})


@pytest.mark.parametrize("due", ["", "hi"])
@pytest.mark.parametrize("most", [None, 60])
def test_a_field_is_left_out_where_nothing_is_due(due: str, most: int | None) -> None:
    """Mask, matcher and verdict agree on an optional field that a tool writes."""
    space = statelang.loads(r"""
start : code
//@ writes OUT = tool(CODE)
code : "<c>" CODE "</c><o>" OUT? "</o>"
CODE : /[a-z]{1,9}/
OUT : /[^<]{1,9}/
""")
    vocabulary = Vocabulary((*LETTERS.tokens[:256], b"", b"o></o"), stops=frozenset({256}))
    tools = {"tool": lambda _: due}
    matcher = Matcher(space, vocabulary, max_tokens=most, tools=tools)
    assert 10 == matcher.try_consume_tokens(list(b"<c>ab</c><"))
    for text, token in (("", 257), ("hi", ord("o"))):
        whole = f"<c>ab</c><o>{text}</o>"
        assert (text == due) is validate(space, whole, tools=tools).contracts
        row = matcher.compute_bitmask()
        assert matcher.allows(token) is bool(row[token >> 5] >> (token & 31) & 1)
    assert (due == "") is matcher.allows(257)
    assert matcher.consume_token(ord("o")) and matcher.consume_token(ord(">"))
    assert [due == "", due == "hi"] == [matcher.allows(ord(one)) for one in "<h"]
