"""Arbitrary typing: the server keeps answering, in bounded time and memory."""

from __future__ import annotations

import sys
from collections import Counter
from math import inf
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest

from tests.commands.grammars import LAMP
from tests.editor.client import URI, Client, Refused, client
from tests.strategies import OWN, SHIPPED, space_named

MEMORY = 1_000_000_000  # bytes
PIECES = [
    "//@ requires ", "//@ ghost x: ", "/// ", "// ", "\n", "\r\n", "\r", " | ", " : ", "(", ")", "[",
    "{", "}~1..1000", "*", "?", "->", '"', "/", "\\" * 60, "é", "𝄞", "\u2028", "\ud800", "\x00", "_",
    "start", "NUMBER", "%ignore ", "if ", " in ", "last(", ".", "=" * 40, "(" * 300,
]  # fmt: skip
ASKED = ("hover", "definition", "completion", "prepareRename", "rename", "references")


def typed(text: str, chance: Random) -> str:
    """The text after one more change: a piece put in, a part taken out, doubled or moved."""
    start, end = sorted(chance.randint(0, len(text)) for _ in range(2))
    match chance.randrange(5):
        case 0 | 1:
            return text[:start] + chance.choice(PIECES) + text[start:]
        case 2:
            return text[:start] + text[min(end, start + chance.choice((1, 30))) :]
        case 3:
            return text[:end] + text[start:end][:500] + text[end:]
    return text[end:] + text[:start] + "".join(chance.choices(text or " ", k=3)) + text[start:end]


def question(one: Client, text: str, chance: Random) -> str:
    """Ask something about the text, at a place in it or beyond; what it was, or that it failed."""
    line = chance.randint(0, text.count("\n") + 2)
    asked = chance.choice([*ASKED, "formatting", "documentSymbol"])
    more: dict[str, Any] = {}
    if asked == "rename":
        more["newName"] = chance.choice(["x", "_y", "Z", "", "é\n"])
    elif asked == "references":
        more["context"] = {"includeDeclaration": chance.random() < 0.5}
    try:
        if asked in ASKED:
            one.at(asked, line, chance.choice((0, 3, 9, 40, 10_000)), **more)
        else:
            options = {"tabSize": 4, "insertSpaces": True}
            document = {"uri": URI}
            one.ask(f"textDocument/{asked}", textDocument=document, options=options)
    except Refused as error:
        assert asked in ("rename", "prepareRename"), error
        return f"{asked} refused"
    return asked


def drive(
    one: Client, chance: Random, *, changes: float = inf, seconds: float = inf
) -> Counter[str]:
    """Type and ask until either bound; how often what was asked. No answer is waited for longer
    than `WAIT`."""
    texts = [LAMP, *(space_named(name).source.text for name in (*SHIPPED, *OWN))]
    counts: Counter[str] = Counter()
    text, end = LAMP, monotonic() + seconds
    one.open(text)
    while counts["changes"] < changes and monotonic() < end:
        fresh = chance.random() < 0.05 or len(text) > 20_000
        text = chance.choice(texts) if fresh else typed(text, chance)
        one.change(text)
        counts["changes"] += 1
        counts[question(one, text, chance)] += 1
        if chance.random() < 0.1:  # a pause, so that findings are looked for
            counts["findings"] += len(one.findings())
            counts["pauses"] += 1
    one.change(LAMP)
    assert [] == one.findings()
    return counts


def memory(one: Client) -> int:
    """Bytes that the server has in use."""
    pages = Path(f"/proc/{one.process.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


@pytest.mark.parametrize("seed", range(2))
def test_the_server_survives_typing(seed: int) -> None:
    """After a few hundred changes it still says what is wrong, and that nothing is."""
    with client() as one:
        counts = drive(one, Random(seed), changes=120)
    assert counts["findings"] > counts["pauses"] > 0


@pytest.mark.soak
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_server_survives_typing_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    """The same for minutes, with the memory of the server bounded."""
    with client() as one:
        counts = drive(one, Random(0), seconds=240)
        used = memory(one)
    with capsys.disabled():
        print(f"\nserver: {dict(counts)}, {used // 1_000_000} MB")
    assert used < MEMORY
