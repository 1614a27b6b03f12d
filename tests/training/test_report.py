"""The page about a run."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import statelang
from statelang import StatelangError
from statelang.training.report import render, write_report

TRACE = """\
<formalize>Tom = 5
Ann = Tom + 3
find Ann</formalize>
<decompose>Ann</decompose>
<solve>Ann = Tom + 3 = 5 + 3 = 8</solve>
<parent>Ann = 8</parent>
<summarize>8</summarize>
"""
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'
PROBLEM = {"question": f"Tom has 5 pens, Ann 3 more. {HOSTILE} How many has Ann?", "answer": "8"}
FORMAL = statelang.load("kwai_star_formal")


def result(stage: str, decoding: str, accuracy: float) -> dict[str, Any]:
    shares = {"accuracy": accuracy, "stderr": 0.04, "legal": 0.9, "steps_right": 0.8}
    return {"stage": stage, "decoding": decoding, **shares, "tokens": 101.25, "n": 150}


def sample(decoding: str, text: str, problem: Mapping[str, str] = PROBLEM) -> dict[str, Any]:
    return {"stage": "sft", "decoding": decoding, "problem": problem, "text": text, "verdict": {}}


def make_run(folder: Path, *samples: dict[str, Any]) -> Path:
    """A run's folder with everything that the page can show."""
    for stage in ("sft", "dpo"):
        (folder / stage).mkdir(parents=True)
        entries = ({"step": step, "loss": 3 / step, "stage": stage} for step in range(10, 100, 10))
        (folder / stage / "log.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries))
        identity = {"grammar": FORMAL.name, "grammar_hash": FORMAL.hash}
        (folder / stage / "run.json").write_text(json.dumps(identity))
    decodings = ("retry", "contracts", "grammar", "free")
    results = [result(s, d, 0.125 * i) for s in ("dpo", "sft") for i, d in enumerate(decodings)]
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "samples.jsonl").write_text("".join(json.dumps(s) + "\n" for s in samples))
    return folder


class Page(HTMLParser):
    """The tags of a page and the text between them, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def classes(self, wanted: str) -> int:
        """How many tags carry all words of a class attribute."""
        own = ((attributes.get("class") or "").split() for _, attributes in self.tags)
        return sum(set(wanted.split()) <= set(words) for words in own)


def test_whole_page(tmp_path: Path) -> None:
    """A complete run shows the diagram, both curves, the plot, eight rows and the traces."""
    run = make_run(tmp_path / "run", sample("free", TRACE), sample("grammar", TRACE))
    page = Page(write_report(FORMAL, run).read_text(encoding="utf-8"))

    assert 1 == page.classes("state-diagram")
    assert 3 == page.classes("plot")
    assert 2 == page.classes("trace")
    assert "after SFT free 37.5 ± 4.0 % 90.0 % 80.0 % 101.2 150" in page.text
    rows = re.findall(r"after (SFT|DPO) ([a-z ]+) [\d.]+ ±", page.text)
    ways = ["free", "grammar mask", "grammar and contracts", "verified retry"]
    assert [(stage, way) for stage in ("SFT", "DPO") for way in ways] == rows
    assert "left out" not in page.text


def test_page_fetches_nothing_and_runs_nothing(tmp_path: Path) -> None:
    """Self-contained, and forbidden to be anything else: no script, no address, no handler."""
    run = make_run(tmp_path / "run", sample("free", TRACE + HOSTILE), sample("free", HOSTILE))
    page = Page(render(FORMAL, run))
    names = {tag for tag, _ in page.tags}
    attributes = {name for _, found in page.tags for name in found}

    assert {"script", "img", "link", "iframe", "object", "base"}.isdisjoint(names)
    assert [] == [name for name in attributes if name.startswith("on") or name == "src"]
    assert all((found.get("xlink:href") or "#").startswith("#") for _, found in page.tags)
    policies = [found.get("content") for _, found in page.tags if "http-equiv" in found]
    assert ["default-src 'none'; style-src 'unsafe-inline'"] == policies


def test_hostile_text_is_shown_as_text(tmp_path: Path) -> None:
    """A problem and a trace that hold markup are read, not rendered."""
    run = make_run(tmp_path / "run", sample("free", HOSTILE))
    text = Page(render(FORMAL, run)).text

    assert f"Ann 3 more. {HOSTILE} How many" in text
    assert 2 == text.count(HOSTILE)


def test_wrong_step_is_marked_with_its_rule(tmp_path: Path) -> None:
    """The first wrong step is marked and says which rule it breaks; what follows is dimmed."""
    run = make_run(tmp_path / "run", sample("free", TRACE.replace("5 + 3 = 8", "5 + 3 = 9")))
    page = Page(render(FORMAL, run))

    assert 2 == page.classes("step") - page.classes("step bad") - page.classes("step after")
    assert 1 == page.classes("step bad")
    assert 2 == page.classes("step after")
    assert "requires RESULT == value(work)" in page.text.split("Traces, step by step")[1]
    assert "contracts: wrong" in page.text


def test_text_that_does_not_parse_is_marked(tmp_path: Path) -> None:
    """Where the grammar fails, what stands there is shown, and what was legal."""
    cut = TRACE[: TRACE.index("<solve>")]
    run = make_run(tmp_path / "run", sample("free", cut + "<rubbish>"), sample("grammar", cut))
    page = Page(render(FORMAL, run))

    assert 2 == page.classes("step bad")
    assert "<rubbish>" in page.text
    assert "(the text ends here)" in page.text
    assert 2 == page.text.count("grammar: wrong")
    assert 2 == page.text.count("contracts: not judged")
    assert "legal here" in page.text


def test_wrong_answer_after_right_steps_is_said(tmp_path: Path) -> None:
    """A trace that is consistent and answers wrongly is marked at its end."""
    run = make_run(tmp_path / "run", sample("free", TRACE, {"question": "?", "answer": "9"}))
    page = Page(render(FORMAL, run))

    assert 1 == page.classes("step bad")
    assert "but this is not the known answer" in page.text


def test_right_and_wrong_traces_are_chosen(tmp_path: Path) -> None:
    """Of many traces the page shows one right and one wrong of each decoding."""
    wrong = TRACE.replace("<parent>Ann = 8", "<parent>Ann = 7")
    samples = [sample(d, t) for d in ("free", "retry") for t in (TRACE, TRACE, wrong, wrong)]
    page = Page(render(FORMAL, make_run(tmp_path / "run", *samples)))

    assert 4 == page.classes("trace")
    assert 2 == page.classes("step bad")


def test_empty_run_leaves_out_and_says_so(tmp_path: Path) -> None:
    """What is missing is left out with a plain sentence each; the space is always shown."""
    page = Page(render(FORMAL, tmp_path))

    assert "No losses were found in sft/log.jsonl" in page.text
    assert "No losses were found in dpo/log.jsonl" in page.text
    assert "No results.json was found" in page.text
    assert "No samples.jsonl was found" in page.text
    assert 1 == page.classes("state-diagram")
    assert 0 == page.classes("plot")


def test_one_stage_and_one_decoding(tmp_path: Path) -> None:
    """A table of one row is plotted too."""
    (tmp_path / "results.json").write_text(json.dumps([result("given", "free", 0.5)]))
    page = Page(render(FORMAL, tmp_path))

    assert 1 == page.classes("plot")
    assert "after GIVEN free 50.0" in page.text


def test_contracts_are_listed(tmp_path: Path) -> None:
    """Each rule's contract lines stand beside its name, those of the whole trace first."""
    text = Page(render(FORMAL, tmp_path)).text
    contracts = text[text.index("What must hold at each step") :]

    assert contracts.index("(the whole trace)") < contracts.index("answer summarize.RESULT")
    assert "verify requires ID == last(solve_subproblem).ID" in contracts


def test_ids_are_unique(tmp_path: Path) -> None:
    """Several drawings stand in one page without sharing an id."""
    page = Page(render(FORMAL, make_run(tmp_path / "run")))
    ids = [found["id"] for _, found in page.tags if "id" in found]

    assert len(ids) == len(set(ids))


def test_same_run_gives_same_page(tmp_path: Path) -> None:
    """No date and no random id: the page is a function of the run."""
    run = make_run(tmp_path / "run", sample("free", TRACE))
    assert render(FORMAL, run) == render(FORMAL, run)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("results.json", "{"),
        ("results.json", '[{"stage": "sft"}]'),
        ("samples.jsonl", "not JSON\n"),
        ("sft/run.json", "[]"),
    ],
)
def test_unreadable_file_is_named(tmp_path: Path, file: str, text: str) -> None:
    """A file that is not what it should be is named, and no page is written."""
    run = make_run(tmp_path / "run", sample("free", TRACE))
    (run / file).write_text(text)

    with pytest.raises(StatelangError, match=re.escape(Path(file).name)):
        write_report(FORMAL, run)
    assert [] == list(run.glob("*report*"))


def test_run_of_another_grammar_is_refused(tmp_path: Path) -> None:
    """A page explains the grammar that the run was made with."""
    run = make_run(tmp_path / "run")
    with pytest.raises(StatelangError, match="made with the grammar kwai_star_formal"):
        write_report(statelang.load("kwai_star"), run)


def test_missing_folder(tmp_path: Path) -> None:
    """A run that is not there is named."""
    with pytest.raises(StatelangError, match="there is no such folder"):
        write_report(FORMAL, tmp_path / "nowhere")
