"""Drawings of state spaces."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import statelang
from statelang.diagram import PALETTE, draw, hues, shown
from statelang.layout import Edge, layered

SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = """\
/// <script>alert("space")</script>

/// Stay </title><script>alert("state")</script> & leave.
start : go _on
_on : go _on
    | go
/// Go.
go : "go" NL
NL : "\\n"
"""

MANY_ACTIONS = "start : a0 _on\n_on : " + " | ".join(f"a{i} _on" for i in range(9)) + " | stop\n"
MANY_ACTIONS += "".join(f'a{i} : "a{i};"\n' for i in range(9)) + 'stop : "stop"\n'


@pytest.mark.parametrize("name", statelang.shipped())
def test_every_state_and_transition_is_drawn(name: str) -> None:
    """A shipped space's drawing is XML and names every state once, every action on its lines."""
    space = statelang.load(name)
    picture = ElementTree.fromstring(draw(space))
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    lines = {(step.source, step.action, step.target) for step in space.transitions}

    for state in space.states:
        assert 1 == texts.count(shown(state.name))
    for action in space.actions:
        assert sum(action.name == label for _, label, _ in lines) == texts.count(action.name)


@pytest.mark.parametrize("name", statelang.shipped())
def test_boxes_and_labels_do_not_overlap(name: str) -> None:
    """No two states, and no state and label, lie over each other."""
    boxes = []
    picture = ElementTree.fromstring(draw(statelang.load(name)))
    for box in picture.iter(f"{SVG}rect"):
        x, y, width, height = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        boxes.append((x, y, x + width, y + height))
    for text in picture.iter(f"{SVG}text"):
        if "label" in text.attrib["class"]:
            x, y, wide = (
                float(text.attrib["x"]),
                float(text.attrib["y"]),
                7.3 * len(text.text or ""),
            )
            left = x if "loop" in text.attrib["class"] else x - wide / 2
            boxes.append((left, y - 10, left + wide, y + 3))

    overlaps = [
        (a, b)
        for number, a in enumerate(boxes)
        for b in boxes[number + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert [] == overlaps


def test_everything_lies_inside_the_picture() -> None:
    """No number of a path or a box is left of the view box or above it."""
    picture = ElementTree.fromstring(draw(statelang.load("kwai_star")))
    left, top, width, height = (float(part) for part in picture.attrib["viewBox"].split())
    for mark in (*picture.iter(f"{SVG}rect"), *picture.iter(f"{SVG}text")):
        assert left <= float(mark.attrib["x"]) <= left + width
        assert top <= float(mark.attrib["y"]) <= top + height


def test_text_of_a_grammar_is_escaped() -> None:
    """A grammar file comes from a stranger: its documentation is text in the drawing, not marks."""
    picture = draw(statelang.loads(HOSTILE))
    titles = [title.text for title in ElementTree.fromstring(picture).iter(f"{SVG}title")]

    assert "<script" not in picture
    assert 'start: Stay </title><script>alert("state")</script> & leave.' in titles


def test_drawing_is_self_contained(tmp_path: Path) -> None:
    """Nothing in the drawing is fetched from elsewhere, and the same space gives the same bytes."""
    space = statelang.load("kwai_star")
    picture = draw(space)

    assert picture == draw(space)
    assert [] == re.findall(r"(?:href|src|url)\s*[=(]", picture)


def test_more_actions_than_colours() -> None:
    """Colours repeat after the last one; the grey of calls is nobody's."""
    space = statelang.loads(MANY_ACTIONS)

    assert set(range(len(PALETTE) - 1)) == set(hues(space).values())
    ElementTree.fromstring(draw(space))


def test_transitions_between_the_same_states_share_a_line() -> None:
    """Nine actions that loop at one state are nine labels beside one curve."""
    picture = ElementTree.fromstring(draw(statelang.loads(MANY_ACTIONS)))
    loops = [text for text in picture.iter(f"{SVG}text") if "loop" in text.attrib["class"]]

    assert 9 == len(loops)
    assert 1 == len({text.attrib["x"] for text in loops})
    assert 9 == len({text.attrib["y"] for text in loops})


def test_a_state_where_a_trace_may_stop_has_a_double_frame() -> None:
    """An empty alternative shows in the drawing."""
    picture = draw(statelang.loads('start : go _may\n_may : go _may\n     |\ngo : "go;"\n'))
    assert 3 == picture.count('class="box"')


def test_back_edges_are_turned_and_ranks_differ() -> None:
    """Every way on leads down; a way back is marked as one."""
    sizes = dict.fromkeys("abc", (20.0, 20.0))
    edges = [Edge("a", "b", 30), Edge("b", "c", 30), Edge("c", "a", 30), Edge("a", "c", 30)]
    plan = layered(sizes, edges)

    assert {"a": 0, "b": 2, "c": 4} == dict(plan.rank)
    assert [False, False, True, False] == [route.back for route in plan.routes]
    assert plan.x["a"] == plan.x["b"] == plan.x["c"] == plan.routes[0].x
    assert 3 == len({plan.routes[0].x, plan.routes[2].x, plan.routes[3].x})
