"""State spaces as web pages and in notebooks."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from IPython.core.formatters import DisplayFormatter

import statelang
from statelang.drawing.diagram import MAX_STATES
from statelang.drawing.page import TOO_LARGE, fragment, html
from tests.statelang.drawing.test_diagram import HOSTILE

VOID = {"meta"}


class Balanced(HTMLParser):
    """Reads a page, and fails at a tag that is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Balanced:
    """The page, parsed to its end."""
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert [] == parser.open
    return parser


@pytest.mark.parametrize("name", statelang.shipped())
def test_page_holds_all_of_a_space(name: str) -> None:
    """Every name, all documentation and every contract is on the page, readable without scripts."""
    space = statelang.load(name)
    page = read(html(space))
    words = " ".join(page.text.split())

    named = [*((s.name, s.doc) for s in space.states), *((a.name, a.doc) for a in space.actions)]
    for title, doc in named:
        assert title in words and doc in words
    for lines in space.contracts.values():
        assert all(" ".join(line.split()) in words for line in lines)
    assert "svg" in page.tags and "script" not in page.tags


def test_page_is_self_contained() -> None:
    """Nothing is fetched from elsewhere, and the same space gives the same bytes."""
    page = html(statelang.load("kwai_star"))
    assert page == html(statelang.load("kwai_star"))
    assert [] == re.findall(r"(?:href|src|url|@import)\s*[=(]", page)


def test_text_of_a_grammar_is_escaped() -> None:
    """Documentation, payloads and names of a stranger's file are text on the page, not marks."""
    grammar = HOSTILE.replace('"go" NL', '"</code><script>alert(1)</script>" NL')
    page = html(statelang.loads(grammar, "<img onerror=x>.lark"))

    assert "<script" not in page and "<img" not in page
    assert 'go : "</code><script>alert(1)</script>" NL' in read(page).text


def test_a_space_too_large_to_draw_has_a_page() -> None:
    """Without the picture, which the page explains; a notebook is offered none."""
    rows = "".join(f"_s{n} : go _s{n + 1}\n" for n in range(MAX_STATES))
    space = statelang.loads(f'start : go _s0\n{rows}_s{MAX_STATES} : go\ngo : "go"\n')
    assert TOO_LARGE in read(html(space)).text
    assert {"text/plain", "text/html"} == set(space._repr_mimebundle_())


def test_a_notebook_shows_picture_page_and_name() -> None:
    """The bundle that notebooks ask for has an SVG, a part of a page, and plain text."""
    space = statelang.load("kwai_star")
    bundle = space._repr_mimebundle_(include=None, exclude=None)

    assert {"text/plain", "image/svg+xml", "text/html"} == set(bundle)
    assert repr(space) == bundle["text/plain"]
    assert bundle["image/svg+xml"].startswith("<svg ")
    ElementTree.fromstring(bundle["image/svg+xml"])
    assert fragment(space) == bundle["text/html"]
    assert "<html" not in bundle["text/html"]


def test_ipython_shows_it() -> None:
    """IPython's own formatter finds the bundle."""
    space = statelang.load("kwai_star")
    data, _ = DisplayFormatter().format(space)  # type: ignore[no-untyped-call]  # it has none
    assert set(space._repr_mimebundle_()) == set(data)
