"""A state space as one self-contained SVG: states as boxes, actions on the lines between them.

Machines that are called stand below the machine of the trace, each with its own start and end.
Knows nothing of the web page it may stand in; it follows the reader's light or dark mode itself.
"""

from collections.abc import Iterator
from html import escape

from attrs import frozen

from statelang.diagnostics import StatelangError
from statelang.drawing.colours import PALETTE, style
from statelang.drawing.layout import Edge, Layout, Route, layered
from statelang.space import StateSpace, Transition
from statelang.submachines import Submachine, label, shown, submachines

_CHAR = 7.3  # pixels of one character of the fixed-width face at 12 pixels, the widest seen
_LINE = 15.0
_BOX = 34.0  # height of a state
_TURN = 24.0  # height in which a line goes from its box to its column
_LOOP = 30.0  # how far a self loop reaches out
_MARGIN = 14.0
_HEADING = 34.0  # room for the title of a machine that is called
_WIDEST = 60  # characters of a label; the whole of it is a tooltip
MAX_STATES = 300
_END = ""  # no state has an empty name


@frozen
class _Label:
    """One transition on a line: its action, what is written, and all of it where that is cut."""

    action: str
    text: str
    whole: str


@frozen
class _Line:
    """All transitions between two states, drawn as one line with one label line for each."""

    source: str
    target: str
    labels: tuple[_Label, ...]

    @property
    def width(self) -> float:
        return max(len(label.text) for label in self.labels) * _CHAR


def draw(space: StateSpace) -> str:
    """Return the SVG of the space's states and transitions, start on top and end at the bottom.

    Raises StatelangError where there are too many states for a picture.
    """
    if len(space.states) > MAX_STATES:
        raise StatelangError(
            f"`{space.name}` has {len(space.states)} states, and a picture of more than "
            f"{MAX_STATES} cannot be read; write it with `--to dot` for a tool that can zoom"
        )
    parts: list[str] = []
    width = height = 0.0
    for machine in submachines(space):
        top = height + (_HEADING if machine.title else 0)
        marks, wide, high = _machine(space, machine)
        if machine.title:
            parts.append(
                f'<text class="title" x="0" y="{top - 8:.0f}">{_text(machine.title)}</text>'
            )
        parts += [f'<g transform="translate(0 {top:.0f})">', *marks, "</g>"]
        width, height = max(width, wide, len(machine.title) * _CHAR), top + high
    width += 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="state-diagram" role="img" '
        f'viewBox="{-_MARGIN:.0f} 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}">\n<title>{_text(f"States and transitions of {space.name}")}'
        f"</title>\n<style>{style()}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _machine(space: StateSpace, machine: Submachine) -> tuple[list[str], float, float]:
    """The marks of one machine, and how wide and high they are."""
    lines = _lines(machine.transitions)
    loops = {line.source: line for line in lines if line.source == line.target}
    moves = [line for line in lines if line.source != line.target]
    sizes = {name: _size(name, loops.get(name)) for name in machine.states}
    if any(line.target == _END for line in moves):
        sizes[_END] = (10.0, 10.0)
    plan = layered(sizes, [Edge(line.source, line.target, line.width) for line in moves])
    y, height = _heights(plan, moves)
    drawing = _Drawing(plan, y, hues(space), space.stops)
    docs = {state.name: state.doc for state in space.states}
    marks = [
        *drawing.edges(moves),
        *(mark for loop in loops.values() for mark in drawing.self_loop(loop)),
        *(mark for name in machine.entries for mark in drawing.start(name)),
        *(mark for name in sizes for mark in drawing.node(name, docs.get(name, ""))),
    ]
    return marks, plan.width, height


def hues(space: StateSpace) -> dict[str, int]:
    """Which colour of the palette each action has, in drawings and in reports."""
    return {action.name: i % (len(PALETTE) - 1) for i, action in enumerate(space.actions)}


def _lines(transitions: tuple[Transition, ...]) -> list[_Line]:
    """Join the transitions that run between the same two states, in the file's order."""
    found: dict[tuple[str, str], dict[_Label, None]] = {}
    for step in transitions:
        whole = label(step)
        text = whole if len(whole) <= _WIDEST else f"{whole[: _WIDEST - 1]}…"
        written = _Label(step.action or "", text, whole)
        found.setdefault((step.source, step.target or _END), {})[written] = None
    return [_Line(source, target, tuple(labels)) for (source, target), labels in found.items()]


def _half(state: str) -> float:
    """Half the width of a state's box."""
    return max(len(shown(state)) * _CHAR + 28, 84) / 2


def _size(state: str, loop: _Line | None) -> tuple[float, float]:
    """Pixels left and right of a state's axis, its self loop included."""
    return _half(state), _half(state) + (_LOOP + 8 + loop.width if loop else 0)


def _heights(plan: Layout, moves: list[_Line]) -> tuple[dict[int, float], float]:
    """Place the ranks: the y of each rank's middle, and the whole height."""
    deepest = dict.fromkeys(range(max(plan.rank.values()) + 1), 1)
    for line, route in zip(moves, plan.routes, strict=True):
        deepest[route.label] = max(deepest[route.label], len(line.labels))
    y, top = {}, 44.0
    for rank, labels in deepest.items():
        high = _BOX if rank % 2 == 0 else 2 * _TURN + labels * _LINE
        y[rank] = top + high / 2
        top += high
    return y, top + _MARGIN


@frozen
class _Drawing:
    """Where everything lies, and the number of each action's colour."""

    plan: Layout
    y: dict[int, float]
    hue: dict[str, int]
    stops: frozenset[str]

    def _kind(self, action: str) -> str:
        return f"a{self.hue.get(action, len(PALETTE) - 1)}"

    def edges(self, moves: list[_Line]) -> Iterator[str]:
        """Draw the lines between different states, each from its own place on the boxes' sides."""
        upper: dict[str, list[int]] = {}
        lower: dict[str, list[int]] = {}
        for index, (line, route) in enumerate(zip(moves, self.plan.routes, strict=True)):
            above, below = (line.target, line.source) if route.back else (line.source, line.target)
            upper.setdefault(above, []).append(index)
            lower.setdefault(below, []).append(index)
        top = {i: x for name, row in upper.items() for i, x in self._ports(name, row)}
        bottom = {i: x for name, row in lower.items() for i, x in self._ports(name, row)}
        for index, (line, route) in enumerate(zip(moves, self.plan.routes, strict=True)):
            yield from self._edge(line, route, top[index], bottom[index])

    def _ports(self, state: str, row: list[int]) -> Iterator[tuple[int, float]]:
        """Spread lines over one side of a box: those that come straight stay on its axis."""
        axis = self.plan.x[state]
        half = 0.0 if state == _END else _half(state) * 0.9
        place = {index: self.plan.routes[index].x for index in row}
        left = sorted((i for i in row if place[i] < axis - 1), key=place.__getitem__)
        right = sorted((i for i in row if place[i] > axis + 1), key=place.__getitem__)
        for count, index in enumerate(left):
            yield index, axis - half * (len(left) - count) / (len(left) + 1)
        for count, index in enumerate(right):
            yield index, axis + half * (count + 1) / (len(right) + 1)
        yield from ((i, axis) for i in row if i not in left and i not in right)

    def _edge(self, line: _Line, route: Route, top: float, bottom: float) -> Iterator[str]:
        """Draw one line from box to box, the arrow at its target, the label over it."""
        foot = 9.0 if line.target == _END else _BOX / 2
        head = self.y[route.ranks[0] - 1] + _BOX / 2
        low = self.y[route.ranks[-1] + 1]
        turns = [(route.x, head + _TURN), (route.x, low - _BOX / 2 - _TURN)]
        places = [(top, head), *turns, (bottom, low - foot)]
        if route.back:
            places.reverse()
        turn = -1 if route.back else 1
        x, y = places[-1]
        places[-1] = (x, y - 7 * turn)
        kind = self._kind(line.labels[0].action)
        back = " back" if route.back else ""
        yield f'<path class="line {kind}{back}" d="{_curve(places)}"/>'
        yield f'<path class="head {kind}" d="M{x:.1f} {y:.1f}l-4.5 {-9 * turn}h9z"/>'
        yield from self._label(line, route.x, self.y[route.label], "label")

    def self_loop(self, line: _Line) -> Iterator[str]:
        """Draw a curve out of the right side of a state and back in, the label beside it."""
        right = self.plan.x[line.source] + _half(line.source)
        middle = self.y[self.plan.rank[line.source]]
        out, low = right + _LOOP, middle + 8
        kind = self._kind(line.labels[0].action)
        yield (
            f'<path class="line {kind}" d="M{right:.1f} {middle - 8:.1f}'
            f'C{out:.1f} {middle - 26:.1f} {out:.1f} {low + 18:.1f} {right + 7:.1f} {low:.1f}"/>'
        )
        yield f'<path class="head {kind}" d="M{right:.1f} {low - 2:.1f}l9.5 -1l-4.5 8z"/>'
        yield from self._label(line, right + _LOOP, middle, "label loop")

    def _label(self, line: _Line, x: float, y: float, kind: str) -> Iterator[str]:
        top = y - (len(line.labels) - 1) * _LINE / 2 + 4
        for index, one in enumerate(line.labels):
            title = f"<title>{_text(one.whole)}</title>" if one.whole != one.text else ""
            yield (
                f'<text class="{kind} {self._kind(one.action)}" x="{x:.1f}" '
                f'y="{top + index * _LINE:.1f}">{_text(one.text)}{title}</text>'
            )

    def start(self, state: str) -> Iterator[str]:
        """Mark the first state by a dot with an arrow."""
        x, y = self.plan.x[state], self.y[self.plan.rank[state]] - _BOX / 2
        yield f'<circle class="mark" cx="{x:.1f}" cy="{y - 28:.1f}" r="5"/>'
        yield f'<path class="line mark" d="M{x:.1f} {y - 22:.1f}v15"/>'
        yield f'<path class="mark" d="M{x:.1f} {y:.1f}l-4.5 -9h9z"/>'

    def node(self, name: str, doc: str) -> Iterator[str]:
        """Draw a state's box, with its documentation as a tooltip, or the end mark."""
        x, y = self.plan.x[name], self.y[self.plan.rank[name]]
        if name == _END:
            yield f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="9"/>'
            yield f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
            return
        yield f"<g><title>{_text(f'{name}: {doc}' if doc else name)}</title>"
        # A state where a trace may stop has the double frame that automata have in books.
        for inset in (0.0, 3.5) if name in self.stops else (0.0,):
            half, high = _half(name) - inset, _BOX / 2 - inset
            yield (
                f'<rect class="box" x="{x - half:.1f}" y="{y - high:.1f}" '
                f'width="{2 * half:.1f}" height="{2 * high:.0f}" rx="{9 - inset}"/>'
            )
        yield f'<text class="name" x="{x:.1f}" y="{y + 4:.1f}">{_text(shown(name))}</text></g>'


def _curve(places: list[tuple[float, float]]) -> str:
    """Join the places by curves that are upright at every one of them, so the joints are smooth."""
    (x, y), *rest = places
    path = f"M{x:.1f} {y:.1f}"
    for to, down in rest:
        middle = (y + down) / 2
        path += f"C{x:.1f} {middle:.1f} {to:.1f} {middle:.1f} {to:.1f} {down:.1f}"
        x, y = to, down
    return path


def _text(text: str) -> str:
    """Escape for SVG, and drop the control characters that XML cannot hold."""
    return escape("".join(c for c in text if c >= " " or c in "\t\n"))
