"""State spaces as Mermaid and DOT, read again by real parsers of both."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pydot
import pytest

import statelang
from statelang.drawing.charts import dot, mermaid
from statelang.space import StateSpace
from statelang.submachines import label
from tests.strategies import OWN, own_space

MODULES = Path(os.environ.get("NODE_MODULES", Path(__file__).parents[3] / "node_modules"))

PARSE = """
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";
globalThis.window = new JSDOM("<!doctype html><body></body>").window;
globalThis.document = globalThis.window.document;
const { default: mermaid } = await import("mermaid");
const found = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  const { diagramType } = await mermaid.parse(text);
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
  found.push([diagramType, db.getRelations().map((edge) => edge.relationTitle)]);
}
console.log(JSON.stringify(found));
"""

HOSTILE = r"""
//@ ghost word: text = ""

/// Docs with "quotes", \n, ; } and <b>.
start : go _end  //@ requires word != "a:b;c\\n\"}]%%-->" and size({word}) > 0
_end : go
go : "go"
"""


def spaces() -> list[StateSpace]:
    """Shipped spaces, small ones with calls and gates, and a hostile one."""
    named = [statelang.load(name) for name in statelang.shipped()]
    return [*named, *map(own_space, OWN), statelang.loads(HOSTILE, "hostile.lark")]


@pytest.mark.parametrize("space", spaces(), ids=lambda space: space.name)
def test_statements_of_mermaid(space: StateSpace) -> None:
    """Each line is a statement of the state diagram's notation; each transition is one of them."""
    head, *lines = mermaid(space).splitlines()
    statement = re.compile(
        r'(state "[^"\n]*" as [sm][0-9]+( \{)?|\}|(\[\*\]|s[0-9]+) --> (\[\*\]|s[0-9]+)( : [^:;]+)?)'
    )
    assert "stateDiagram-v2" == head
    for line in lines:
        assert statement.fullmatch(re.sub(r"#[0-9]+;", "", line.strip())), line
    assert len(space.transitions) == sum(" : " in line for line in lines)


@pytest.mark.skipif(
    not shutil.which("node") or not (MODULES / "mermaid").is_dir(),
    reason="needs node, and `npm install mermaid jsdom` here or where NODE_MODULES says",
)
def test_mermaid_reads_it(tmp_path: Path) -> None:
    """Mermaid itself parses every space; its labels of the first machine are the ones meant."""
    script = tmp_path / "parse.mjs"
    script.write_text(PARSE)
    (tmp_path / "node_modules").symlink_to(MODULES)
    texts = json.dumps([mermaid(space) for space in spaces()])
    done = subprocess.run(
        ["node", script], input=texts, capture_output=True, text=True, check=True, timeout=600
    )
    found = json.loads(done.stdout)
    assert {"stateDiagram"} == {kind for kind, _ in found}
    labels = [title.replace("ﬂ°°", "#").replace("¶ß", ";") for title in found[-1][1] if title]
    meant = [label(step) for step in statelang.loads(HOSTILE).transitions]
    assert meant == [re.sub(r"#([0-9]+);", lambda m: chr(int(m[1])), text) for text in labels]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pydot's own, of its parser's names
@pytest.mark.parametrize("space", spaces(), ids=lambda space: space.name)
def test_dot_is_read(space: StateSpace) -> None:
    """A parser of DOT finds every state and every transition with its label."""
    graphs = pydot.graph_from_dot_data(dot(space))
    assert graphs is not None and 1 == len(graphs)
    clusters = graphs[0].get_subgraphs()
    names = [
        _plain(node.get("label"))
        for cluster in clusters
        for node in cluster.get_nodes()
        if node.get_name().startswith("s")
    ]
    labels = [_plain(e.get("label")) for c in clusters for e in c.get_edges() if e.get("label")]

    assert sorted(state.name.removeprefix("_") for state in space.states) == sorted(names)
    assert sorted(label(step) for step in space.transitions) == sorted(labels)


def _plain(quoted: str | None) -> str:
    assert quoted is not None and quoted[0] == quoted[-1] == '"'
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])
