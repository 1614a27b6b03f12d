"""A state space as one self-contained web page, and as a notebook shows it. Without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from statelang.drawing.diagram import MAX_STATES, draw
from statelang.drawing.tables import Table, payloads, tables
from statelang.space import StateSpace

TOO_LARGE = f"There are more than {MAX_STATES} states: too many for a picture."
_STYLE = """
.state-space{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:0 1rem}
.state-space table{border-collapse:collapse;margin:1.2rem 0}
.state-space th{text-align:left;padding:.2rem 1rem .2rem 0;border-bottom:1px solid #888}
.state-space td{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}
.state-space td:not(:last-child),.state-space pre{font:13px/1.5 ui-monospace,Menlo,Consolas,\
monospace}
.state-space pre{margin:0 0 .8rem;white-space:pre-wrap;overflow-wrap:anywhere}
.state-space p{margin:.8rem 0 0}
.state-space svg{max-width:100%;height:auto}
"""


def html(space: StateSpace) -> str:
    """A whole page: the picture, the tables, the payloads with their contracts.

    Every text of the grammar file is escaped: it may come from a stranger. Where the space is too
    large to draw, the page says so.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(space.name)}</title>\n</head>\n<body>\n{fragment(space)}</body>\n</html>\n"
    )


def fragment(space: StateSpace) -> str:
    """The page without its frame, to stand in another page."""
    parts = [
        f'<div class="state-space">\n<style>{_STYLE}</style>',
        f"<h1>{escape(space.name)}</h1>\n<p>{escape(space.doc)}</p>",
        _picture(space) or f"<p>{escape(TOO_LARGE)}</p>",
        *(line for table in tables(space) for line in _table(table)),
        "<h2>Payloads and contracts</h2>",
        *_payloads(space),
        f"<p>grammar {space.hash}</p>\n</div>",
    ]
    return "\n".join(parts) + "\n"


def bundle(space: StateSpace) -> dict[str, str]:
    """What a notebook shows, by MIME type: the picture, the page, and the name for plain text."""
    picture = _picture(space)
    found = {"text/plain": repr(space), "text/html": fragment(space)}
    return {**found, "image/svg+xml": picture} if picture else found


def _picture(space: StateSpace) -> str:
    """The drawing; empty where there are too many states for one."""
    return draw(space) if len(space.states) <= MAX_STATES else ""


def _table(table: Table) -> Iterator[str]:
    yield "<table>"
    yield f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in table.head)}</tr>"
    for row in table.rows:
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    yield "</table>"


def _payloads(space: StateSpace) -> Iterator[str]:
    for rule in payloads(space):
        if rule.doc:
            yield f"<p>{escape(rule.doc)}</p>"
        contracts = "".join(f"\n    {escape(line)}" for line in rule.contracts)
        yield f"<pre><code>{escape(rule.text)}{contracts}</code></pre>"
