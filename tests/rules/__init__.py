"""A pair of grammar files for each rule: `bad.lark` has the finding, `good.lark` has none.

`expected.txt` is what `check` prints for the bad one. `python -m tests.rules` writes it anew, the
example at the end of each rule's page, and the list of rules in the guide.
"""

import contextlib
from pathlib import Path

import statelang
from statelang.diagnostics import render
from statelang.rules import rules

FOLDER = Path(__file__).parent
PAGES = Path(statelang.__file__).parent / "rules"
GUIDE = FOLDER.parent.parent / "docs" / "check.md"
EXAMPLE = "\n## Example\n"
LIST = "\n## The rules\n"


def printed(code: str) -> str:
    """What `check` finds in a rule's bad example."""
    with contextlib.chdir(FOLDER / code):
        return render(statelang.check(Path("bad.lark"))) + "\n"


def example(code: str) -> str:
    """The end of a rule's page: the pair, and what is printed."""
    bad, good = ((FOLDER / code / f"{name}.lark").read_text() for name in ("bad", "good"))
    found = (FOLDER / code / "expected.txt").read_text()
    return (
        f"\nThis file has the finding:\n\n```lark\n{bad}```\n\n```text\n{found}```\n\n"
        f"This one has not:\n\n```lark\n{good}```\n"
    )


def listed() -> str:
    """The end of the guide: every rule with a link to its page."""
    rows = [
        f"| [{rule.code}](../statelang/rules/{rule.code}.md) | {rule.severity} | {rule.title} |\n"
        for rule in rules().values()
    ]
    return f"\n| code | severity | what is found |\n| --- | --- | --- |\n{''.join(rows)}"
