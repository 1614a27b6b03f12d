"""Drawings of state spaces."""

import re
from pathlib import Path
from time import process_time
from xml.etree import ElementTree

import pytest

import statelang
from statelang.diagnostics import StatelangError
from statelang.drawing.colours import PALETTE
from statelang.drawing.diagram import MAX_STATES, draw, hues
from statelang.drawing.layout import Edge, layered
from statelang.space import StateSpace
from statelang.submachines import label, shown
from tests.strategies import OWN, own_space

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


SPACES = [*(statelang.load(name) for name in statelang.shipped()), *map(own_space, OWN)]
ALL = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)


@ALL
def test_every_state_and_transition_is_drawn(space: StateSpace) -> None:
    """A drawing is XML and names every state once, every action and its gate on its lines."""
    picture = ElementTree.fromstring(draw(space))
    texts = [text for text in picture.iter(f"{SVG}text")]
    names = [text.text for text in texts if text.attrib["class"] == "name"]
    titles = {id(text): text.find(f"{SVG}title") for text in texts}
    labels = [
        whole.text if (whole := titles[id(text)]) is not None else text.text
        for text in texts
        if "label" in text.attrib["class"]
    ]
    moves = {(step.source, label(step), step.target) for step in space.transitions}

    assert sorted(shown(state.name) for state in space.states) == sorted(map(str, names))
    assert sorted(label for _, label, _ in moves) == sorted(map(str, labels))


@ALL
def test_boxes_and_labels_do_not_overlap(space: StateSpace) -> None:
    """No two states, and no state and label, lie over each other; the machines stand apart."""
    boxes = []
    floor = 0.0
    for machine in ElementTree.fromstring(draw(space)).iterfind(f"{SVG}g"):
        top = float(machine.attrib["transform"].split(" ")[1].rstrip(")"))
        assert top >= floor
        frames = [node.find(f"{SVG}rect") for node in machine.iterfind(f"{SVG}g")]
        for box in (frame for frame in frames if frame is not None):
            x, y, width, height = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
            boxes.append((x, y + top, x + width, y + top + height))
        for text in machine.iter(f"{SVG}text"):
            if "label" in text.attrib["class"]:
                x, y = float(text.attrib["x"]), float(text.attrib["y"]) + top
                wide = 7.3 * len(text.text or "")
                left = x if "loop" in text.attrib["class"] else x - wide / 2
                boxes.append((left, y - 10, left + wide, y + 3))
        floor = max(bottom for *_, bottom in boxes)

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


def test_a_called_machine_stands_below_with_its_name() -> None:
    """A call is a line with the machine's name; the machine has a start and an end of its own."""
    picture = ElementTree.fromstring(draw(own_space("calls")))
    titles = [t.text for t in picture.iter(f"{SVG}text") if t.attrib["class"] == "title"]
    labels = [t.text for t in picture.iter(f"{SVG}text") if "label" in t.attrib["class"]]

    assert ["greetings()"] == titles
    assert 1 == labels.count("greetings()")
    assert 2 == len(picture.findall(f"{SVG}g"))


def test_a_long_gate_is_cut_and_whole_in_its_tooltip() -> None:
    """What stands on a line has a bound; hovering shows the rest."""
    gate = " and ".join(f"n < {number}" for number in range(20))
    picture = draw(
        statelang.loads(
            f"//@ ghost n: number = 0\n\nstart : go _on  //@ requires {gate}\n"
            '      | go\n_on : go\ngo : "go"\n'
        )
    )
    labels = [
        t for t in ElementTree.fromstring(picture).iter(f"{SVG}text") if "n < 0" in (t.text or "")
    ]
    assert [60] == [len(label.text or "") for label in labels]
    assert f"go [{gate}]" == getattr(labels[0].find(f"{SVG}title"), "text", None)


def test_many_transitions_are_drawn_in_a_moment() -> None:
    """Placing lines takes little more time where there are many: 80 states, 400 transitions."""
    names = range(80)
    rows = [" | ".join(f"a{n * k % 79} _s{n * k % 79}" for k in (1, 2, 3, 5)) for n in range(1, 80)]
    text = "".join(f"_s{n} : {row} | z\n" for n, row in enumerate(rows)) + 'z : "z"\n'
    actions = "".join(f'a{n} : "a{n};"\n' for n in names)
    space = statelang.loads(f"start : a0 _s0\n{text}{actions}")
    before = process_time()
    draw(space)
    assert 30 > process_time() - before  # seconds, mostly 1; without care it takes minutes


def test_a_space_too_large_for_a_picture_says_so() -> None:
    """A stranger's file cannot ask for a drawing without end."""
    rows = "".join(f"_s{n} : go _s{n + 1}\n" for n in range(MAX_STATES))
    space = statelang.loads(f'start : go _s0\n{rows}_s{MAX_STATES} : go\ngo : "go"\n')
    with pytest.raises(StatelangError, match="has 302 states"):
        draw(space)


def test_back_edges_are_turned_and_ranks_differ() -> None:
    """Every way on leads down; a way back is marked as one."""
    sizes = dict.fromkeys("abc", (20.0, 20.0))
    edges = [Edge("a", "b", 30), Edge("b", "c", 30), Edge("c", "a", 30), Edge("a", "c", 30)]
    plan = layered(sizes, edges)

    assert {"a": 0, "b": 2, "c": 4} == dict(plan.rank)
    assert [False, False, True, False] == [route.back for route in plan.routes]
    assert plan.x["a"] == plan.x["b"] == plan.x["c"] == plan.routes[0].x
    assert 3 == len({plan.routes[0].x, plan.routes[2].x, plan.routes[3].x})
